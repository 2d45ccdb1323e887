use serde_json::{Value, json};

use super::table::FRESH;
use super::*;
use crate::facts::inventory::Inventory;

const BOUNDS: Bounds<'_> = Bounds { max_addresses: 16, service_ranges: &[], inventory: None };

/// The names whom a change concerns.
fn named(changes: Vec<Change>) -> BTreeSet<San> {
    let san = |change| match change {
        Change::Question(Question::Claims(san)) => Some(san),
        Change::Question(_) | Change::Everything => None,
    };
    changes.into_iter().filter_map(san).collect()
}

fn put<T: Indexed>(index: &mut Index, object: &Value) -> BTreeSet<San> {
    let object: T = serde_json::from_value(object.clone()).unwrap();
    named(index.put(&object))
}

fn node(name: &str, addresses: &[&str]) -> Value {
    let addresses: Vec<_> =
        addresses.iter().map(|address| json!({"type": "InternalIP", "address": address})).collect();
    json!({"metadata": {"name": name, "resourceVersion": "1"}, "status": {"addresses": addresses}})
}

fn san(text: &str) -> San {
    San::from_text(text).unwrap()
}

fn sans(texts: &[&str]) -> BTreeSet<San> {
    texts.iter().map(|text| san(text)).collect()
}

/// An index that has read everything a moment ago.
fn sans_of<const N: usize>(texts: [&str; N]) -> BTreeSet<San> {
    texts.map(san).into()
}

fn complete() -> Index {
    let (mut index, now) = (Index::default(), Instant::now());
    index.begin::<Node>(now);
    index.begin::<Service>(now);
    index.begin::<ApiServers>(now);
    index.begin::<ServiceRanges>(now);
    put::<ApiServers>(
        &mut index,
        &json!({
            "metadata": {"namespace": "default", "name": "kubernetes", "resourceVersion": "1"},
            "endpoints": [{"addresses": ["10.0.0.100"]}], "ports": [{"port": 6443}],
        }),
    );
    put::<ServiceRanges>(
        &mut index,
        &json!({"metadata": {"name": "kubernetes"}, "spec": {"cidrs": ["10.96.0.0/16"]}}),
    );
    index.end::<Node>();
    index.end::<Service>();
    index.end::<ApiServers>();
    index.end::<ServiceRanges>();
    index.presents(("10.0.0.100".parse().unwrap(), 6443), sans(&["10.0.0.100", "api.example.com"]), now);
    index.announces(sans_of(["203.0.113.200"]), now);
    index
}

fn reservations(index: &Index, text: &str) -> Vec<Reservation> {
    index.claims(&san(text), BOUNDS, Instant::now()).reservations
}

#[test]
fn what_the_cluster_holds_is_reserved() {
    let mut index = complete();
    put::<Node>(
        &mut index,
        &json!({"metadata": {"name": "n2"}, "spec": {"podCIDR": "10.244.7.0/24", "podCIDRs": ["10.244.7.0/24", "fd00:7::/64"]}}),
    );
    put::<Service>(
        &mut index,
        &json!({
            "metadata": {"namespace": "shop", "name": "web"},
            "spec": {"clusterIP": "10.96.7.7", "clusterIPs": ["10.96.7.7", "fd00:96::7"], "externalIPs": ["203.0.113.7"], "loadBalancerIP": "203.0.113.8"},
            "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.9"}, {"hostname": "LB.example.com"}]}},
        }),
    );
    put::<Service>(
        &mut index,
        &json!({"metadata": {"namespace": "shop", "name": "headless"}, "spec": {"clusterIP": "None"}}),
    );
    let range = Reservation::ServiceRange("10.96.0.0/16".parse().unwrap());
    let (within, outside) =
        (Reservation::Service("shop/web".into()), Reservation::ServiceName("shop/web".into()));
    for (text, expected) in [
        ("n2", vec![Reservation::NodeName("n2".into())]),
        ("10.244.7.9", vec![Reservation::PodRange("n2".into())]),
        ("fd00:7::9", vec![Reservation::PodRange("n2".into())]),
        ("10.96.7.7", vec![within.clone(), range.clone()]),
        ("fd00:96::7", vec![within]),
        ("203.0.113.7", vec![outside.clone()]),
        ("203.0.113.8", vec![outside.clone()]),
        ("203.0.113.9", vec![outside.clone()]),
        ("lb.example.com", vec![outside.clone()]),
        ("web.shop", vec![outside]),
        ("headless.shop", vec![Reservation::ServiceName("shop/headless".into())]),
        ("10.96.200.1", vec![range]),
        ("10.0.0.100", vec![Reservation::ApiServerEndpoint, Reservation::ApiServerCertificate]),
        ("api.example.com", vec![Reservation::ApiServerCertificate]),
        ("203.0.113.200", vec![Reservation::ApiServerAnnounced]),
        ("n1", vec![]),
        ("10.0.0.1", vec![]),
        ("none", vec![]),
    ] {
        assert_eq!(reservations(&index, text), expected, "{text}");
    }
}

#[test]
fn who_claims_what_follows_the_nodes() {
    let mut index = complete();
    let claimants = |index: &Index, text: &str| {
        let nodes = index.claims(&san(text), BOUNDS, Instant::now()).nodes;
        nodes.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(put::<Node>(&mut index, &node("n1", &["10.0.0.1", "n1"])), sans(&["10.0.0.1", "n1"]));
    assert_eq!(put::<Node>(&mut index, &node("n2", &["::ffff:10.0.0.1"])), sans(&["10.0.0.1", "n2"]));
    assert_eq!(claimants(&index, "10.0.0.1"), ["n1", "n2"]);
    assert_eq!(put::<Node>(&mut index, &node("n2", &["10.0.0.2"])), sans(&["10.0.0.1", "10.0.0.2"]));
    assert_eq!(put::<Node>(&mut index, &node("n2", &["10.0.0.2"])), sans(&[]), "nothing changed");
    assert_eq!(
        (claimants(&index, "10.0.0.1"), claimants(&index, "10.0.0.2")),
        (vec!["n1".into()], vec!["n2".into()])
    );

    let many: Vec<_> = (0..17).map(|last| format!("10.0.1.{last}")).collect();
    put::<Node>(&mut index, &node("greedy", &many.iter().map(String::as_str).collect::<Vec<_>>()));
    assert_eq!(claimants(&index, "10.0.1.1"), Vec::<String>::new(), "too many count for nothing");

    assert_eq!(named(index.remove::<Node>("n1")), sans(&["10.0.0.1", "n1"]));
    assert_eq!(claimants(&index, "10.0.0.1"), Vec::<String>::new());
    assert_eq!(named(index.remove::<Node>("n1")), sans(&[]));
}

#[test]
fn a_new_list_drops_what_is_not_in_it() {
    let mut index = complete();
    put::<Node>(&mut index, &node("gone", &["10.0.0.1"]));
    index.begin::<Node>(Instant::now());
    put::<Node>(&mut index, &node("there", &["10.0.0.2"]));
    assert_eq!(named(index.end::<Node>()), sans(&["10.0.0.1", "gone"]));
    assert!(reservations(&index, "gone").is_empty() && !reservations(&index, "there").is_empty());
}

#[test]
fn what_is_not_known_is_said() {
    let unread = |index: &Index, now| index.claims(&san("10.0.0.1"), BOUNDS, now).unread;
    let now = Instant::now();
    assert_eq!(unread(&complete(), now), Vec::<&str>::new());
    let everything =
        ["nodes", "services", "discovery.k8s.io/endpointslices", "networking.k8s.io/servicecidrs"];
    let nowhere = "the ConfigMap kube-public/cluster-info, or where its server is";
    assert_eq!(unread(&Index::default(), now), [&everything[..], &[nowhere]].concat());
    let silent = now + FRESH + Duration::from_secs(2);
    assert_eq!(unread(&complete(), silent), everything, "nothing was heard");

    let mut other = complete();
    put::<ApiServers>(
        &mut other,
        &json!({"metadata": {"namespace": "default", "name": "b"}, "endpoints": [{"addresses": ["10.0.0.101"]}], "ports": [{"port": 6443}]}),
    );
    assert_eq!(unread(&other, now), ["the certificates of API servers"], "another API server");
    let mut none = complete();
    none.remove::<ApiServers>("default/kubernetes");
    assert_eq!(unread(&none, now), ["discovery.k8s.io/endpointslices"], "no API server at all");
    let mut without_ranges = complete();
    without_ranges.remove::<ServiceRanges>("kubernetes");
    assert_eq!(unread(&without_ranges, now), ["networking.k8s.io/servicecidrs"]);
}

/// Only an API server that has no ServiceCIDRs is done without them: one that does not show them may have other ranges.
#[test]
fn configured_ranges_are_enough_only_where_the_api_server_says_that_it_has_none_to_show() {
    let (ranges, now) = (["10.96.0.0/12".parse().unwrap()], Instant::now());
    let configured = |index: &Index, now| {
        let claims = index.claims(&san("10.97.0.1"), Bounds { service_ranges: &ranges, ..BOUNDS }, now);
        assert_eq!(claims.reservations, [Reservation::ServiceRange(ranges[0])]);
        claims.unread
    };
    let unread = |index: &Index, now| index.claims(&san("10.0.0.1"), BOUNDS, now).unread;
    let mut index = complete();
    index.service_ranges = Table::new(ServiceRanges::RESOURCE);
    assert_eq!(configured(&index, now), ["networking.k8s.io/servicecidrs"], "refused, or silent");
    index.not_served::<ServiceRanges>(now);
    assert_eq!(configured(&index, now), Vec::<&str>::new());
    assert_eq!(unread(&index, now), ["networking.k8s.io/servicecidrs"], "and none are configured");
    let later = now + FRESH + Duration::from_secs(2);
    assert!(configured(&index, later).contains(&"networking.k8s.io/servicecidrs"), "it has said so long ago");
    index.begin::<ServiceRanges>(now);
    index.end::<ServiceRanges>();
    assert_eq!(configured(&index, now), Vec::<&str>::new(), "it shows that there are none");
}

/// What a tenant or a node writes must not stop everybody else, and what protects the API server must not be left out.
#[test]
fn an_object_that_cannot_be_read_takes_nothing_away_and_stops_only_what_rests_on_it() {
    let unread = |index: &Index| index.claims(&san("10.0.0.1"), BOUNDS, Instant::now()).unread;
    let mut index = complete();
    put::<Node>(&mut index, &node("n1", &["10.0.0.1"]));
    put::<Service>(
        &mut index,
        &json!({"metadata": {"namespace": "shop", "name": "web"}, "spec": {"externalIPs": ["203.0.113.7"]}}),
    );
    assert_eq!(index.unreadable::<Node>("", "n1"), []);
    assert_eq!(named(index.unreadable::<Node>("", "n2")), sans(&["n2"]));
    assert_eq!(index.unreadable::<Service>("shop", "web"), []);
    assert_eq!(named(index.unreadable::<Service>("shop", "new")), sans(&["new.shop"]));
    assert_eq!(index.claims(&san("10.0.0.1"), BOUNDS, Instant::now()).nodes, BTreeSet::from(["n1".into()]));
    assert_eq!(reservations(&index, "n2"), [Reservation::NodeName("n2".into())]);
    assert_eq!(reservations(&index, "203.0.113.7"), [Reservation::ServiceName("shop/web".into())]);
    assert_eq!(reservations(&index, "new.shop"), [Reservation::ServiceName("shop/new".into())]);
    assert_eq!(unread(&index), Vec::<&str>::new());
    // It was in the list, so it is not gone.
    index.begin::<Node>(Instant::now());
    index.unreadable::<Node>("", "n1");
    assert_eq!(named(index.end::<Node>()), sans(&["n2"]));
    assert_eq!(index.claims(&san("10.0.0.1"), BOUNDS, Instant::now()).nodes, BTreeSet::from(["n1".into()]));

    index.unreadable::<ServiceRanges>("", "second");
    index.unreadable::<ApiServers>("default", "kubernetes");
    assert_eq!(unread(&index), ["discovery.k8s.io/endpointslices", "networking.k8s.io/servicecidrs"]);
    assert_eq!(reservations(&index, "10.0.0.100")[0], Reservation::ApiServerEndpoint, "what it said stays");
    index.begin::<ServiceRanges>(Instant::now());
    put::<ServiceRanges>(
        &mut index,
        &json!({"metadata": {"name": "kubernetes"}, "spec": {"cidrs": ["10.96.0.0/16"]}}),
    );
    index.end::<ServiceRanges>();
    index.remove::<ApiServers>("default/kubernetes");
    assert_eq!(unread(&index), ["discovery.k8s.io/endpointslices"], "and there is no other");
}

#[test]
fn a_range_of_pods_that_no_node_needs_reserves_nothing() {
    let mut index = complete();
    put::<Node>(
        &mut index,
        &json!({"metadata": {"name": "greedy"}, "spec": {"podCIDRs": ["0.0.0.0/1", "::/8"]}}),
    );
    assert_eq!(reservations(&index, "10.0.0.1"), []);
    assert_eq!(reservations(&index, "fd00::1"), []);
}

#[test]
fn what_concerns_whom_is_told_and_nothing_twice() {
    let mut index = complete();
    let parsed = |value: Value| -> Node { serde_json::from_value(value).unwrap() };
    let own = Change::Question(Question::Node("n1".into()));
    let name = Change::Question(Question::Claims(san("n1")));
    assert_eq!(index.put(&parsed(node("n1", &[]))), [name.clone(), own.clone()], "it exists now");
    assert_eq!(index.put(&parsed(node("n1", &[]))), [], "a heartbeat");
    let labelled =
        json!({"metadata": {"name": "n1", "labels": {"node-role.kubernetes.io/control-plane": ""}}});
    assert_eq!(index.put(&parsed(labelled)), std::slice::from_ref(&own));
    let ranged = json!({"metadata": {"name": "n1"}, "spec": {"podCIDRs": ["10.244.1.0/24"]}});
    assert_eq!(
        index.put(&parsed(ranged)),
        [own.clone(), Change::Everything],
        "a range is more names than can be told"
    );
    assert_eq!(index.remove::<Node>("n1"), [name, own, Change::Everything]);
    let many: Vec<_> = (0..300).map(|number| format!("10.{}.{}.1", number / 250, number % 250)).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let told = index.put(&parsed(node("n2", &many)));
    assert_eq!(told, [Change::Question(Question::Node("n2".into()))], "so many ask again by themselves");
}

#[test]
fn an_api_server_that_restarts_keeps_its_addresses_and_names() {
    let mut index = complete();
    let now = Instant::now();
    index.remove::<ApiServers>("default/kubernetes");
    put::<ApiServers>(
        &mut index,
        &json!({"metadata": {"namespace": "default", "name": "b"}, "endpoints": [{"addresses": ["10.0.0.101"]}], "ports": [{"port": 6443}]}),
    );
    index.presents(("10.0.0.101".parse().unwrap(), 6443), sans(&["10.0.0.101"]), now);
    assert_eq!(
        index.claims(&san("10.0.0.1"), BOUNDS, now).unread,
        Vec::<&str>::new(),
        "the other one is known"
    );
    let kept = vec![Reservation::ApiServerEndpoint, Reservation::ApiServerCertificate];
    assert_eq!(reservations(&index, "10.0.0.100"), kept);
    assert_eq!(reservations(&index, "api.example.com"), [Reservation::ApiServerCertificate]);
    index.presents(("10.0.0.101".parse().unwrap(), 6443), sans(&["10.0.0.101"]), now + REMEMBERED * 2);
    assert_eq!(reservations(&index, "api.example.com"), [], "not for ever");
}

#[test]
fn an_endpoint_slice_without_endpoints_is_no_api_server() {
    let mut index = complete();
    put::<ApiServers>(
        &mut index,
        &json!({"metadata": {"namespace": "default", "name": "kubernetes"}, "endpoints": null, "ports": null}),
    );
    let unread = index.claims(&san("10.0.0.1"), BOUNDS, Instant::now()).unread;
    assert_eq!(unread, ["discovery.k8s.io/endpointslices"]);
}

fn named_inventory() -> ObjectName {
    ObjectName { namespace: "kube-system".to_owned(), name: "nodes".to_owned() }
}

fn inventory(data: Value) -> Result<Inventory, serde_json::Error> {
    serde_json::from_value(json!({"metadata": {"namespace": "kube-system", "name": "nodes"}, "data": data}))
}

#[test]
fn the_inventory_in_the_cluster_gives_names_and_its_last_good_form_stays() {
    let (name, now) = (named_inventory(), Instant::now());
    let bounds = Bounds { inventory: Some(&name), ..BOUNDS };
    let mut index = complete();
    let gives = |index: &Index, text: &str| {
        let claims = index.claims(&san(text), bounds, now);
        claims
            .inventory
            .iter()
            .map(ToString::to_string)
            .chain(claims.unread.into_iter().map(Into::into))
            .collect::<Vec<String>>()
    };
    assert_eq!(gives(&index, "n1"), ["the ConfigMap of the inventory"], "nothing is followed");
    index.keep_inventory_of(Some(name.clone()));
    index.begin::<Inventory>(now);
    assert_eq!(gives(&index, "n1"), ["the ConfigMap of the inventory"]);
    index.end::<Inventory>();
    assert_eq!(gives(&index, "n1"), ["the ConfigMap of the inventory, which does not exist"]);
    index.unreadable::<Inventory>("kube-system", "nodes");
    assert_eq!(gives(&index, "n1"), ["the ConfigMap of the inventory, which has mistakes"]);
    let told = index.put(&inventory(json!({"n1": "n1, 10.0.0.1", "n2": "10.0.0.1"})).unwrap());
    assert_eq!(named(told), sans(&["n1", "10.0.0.1"]));
    assert_eq!(
        (gives(&index, "n1"), gives(&index, "10.0.0.1")),
        (vec!["n1".into()], vec!["n1".into(), "n2".into()])
    );
    index.unreadable::<Inventory>("kube-system", "nodes");
    assert_eq!(gives(&index, "n1"), ["n1"], "the last good one");
    assert_eq!(named(index.put(&inventory(json!({"n2": "10.0.0.1"})).unwrap())), sans(&["n1", "10.0.0.1"]));
    assert_eq!((gives(&index, "n1"), gives(&index, "10.0.0.1")), (vec![], vec!["n2".into()]));

    let other = ObjectName { name: "others".to_owned(), ..name.clone() };
    let claims = index.claims(&san("10.0.0.1"), Bounds { inventory: Some(&other), ..BOUNDS }, now);
    assert_eq!(claims.unread, ["the ConfigMap of the inventory"], "the configuration has changed");
    assert_eq!(index.claims(&san("10.0.0.1"), BOUNDS, now).inventory, BTreeSet::new(), "and names none");
    let silent = index.claims(&san("10.0.0.1"), bounds, now + FRESH + Duration::from_secs(2)).unread;
    assert!(silent.contains(&"the ConfigMap of the inventory"));
    index.remove::<Inventory>("kube-system/nodes");
    assert_eq!(gives(&index, "10.0.0.1"), ["the ConfigMap of the inventory, which does not exist"]);
}

#[test]
fn a_config_map_with_a_mistake_is_no_inventory() {
    let said = |data| inventory(data).unwrap_err().to_string();
    assert_eq!(
        said(json!({"n1": "10.0.0.256"})),
        "key \"n1\": expected host names and addresses, not \"10.0.0.256\""
    );
    let binary = json!({"metadata": {"name": "nodes"}, "binaryData": {"n1": "AA=="}});
    let binary = serde_json::from_value::<Inventory>(binary).unwrap_err().to_string();
    assert_eq!(binary, "binaryData: expected text, and not the keys n1");
}

#[test]
fn where_nodes_join_is_to_be_known_and_stays_reserved_for_a_day() {
    let (mut index, now) = (complete(), Instant::now());
    let unread = |index: &Index, at| index.claims(&san("10.0.0.1"), BOUNDS, at).unread;
    let nowhere = "the ConfigMap kube-public/cluster-info, or where its server is";
    assert!(unread(&Index::default(), now).contains(&nowhere));
    assert_eq!(unread(&index, now), Vec::<&str>::new());
    assert!(unread(&index, now + Duration::from_secs(301)).contains(&nowhere));
    let later = now + Duration::from_secs(3600);
    assert_eq!(named(index.announces(sans_of(["lb.example.com"]), later)), sans(&["lb.example.com"]));
    assert_eq!(reservations(&index, "203.0.113.200"), [Reservation::ApiServerAnnounced]);
    index.announces(sans_of(["lb.example.com"]), now + REMEMBERED + Duration::from_secs(1));
    assert_eq!(reservations(&index, "203.0.113.200"), []);
    assert_eq!(reservations(&index, "lb.example.com"), [Reservation::ApiServerAnnounced]);
}

/// A record in which n1, by the uid u-1, has its name and 10.0.0.1.
fn record(index: &mut Index) {
    use crate::facts::record::{NAMESPACE, SHARDS, Shard, shard_name, shard_of};
    for number in 0..SHARDS {
        let line = json!({"uid": "u-1", "key": "k", "names": ["n1", "10.0.0.1"]}).to_string();
        let data = if number == shard_of("n1") { json!({"n1": line}) } else { json!({}) };
        let metadata = json!({"namespace": NAMESPACE, "name": shard_name(number), "resourceVersion": "1"});
        let now = Instant::now();
        let shard = Shard::of(json!({"metadata": metadata, "data": data}), (0, now)).unwrap();
        index.take_in(number, shard, now);
    }
}

#[test]
fn an_owner_is_one_while_its_node_is_the_same_and_lists_the_name() {
    let with_uid = |uid: &str, addresses: &[&str]| {
        let mut node = node("n1", addresses);
        node["metadata"]["uid"] = json!(uid);
        node
    };
    let owned = |index: &Index| {
        let claims = index.claims(&san("10.0.0.1"), BOUNDS, Instant::now());
        claims.owners.iter().map(|owner| (owner.node.to_string(), owner.uid.to_string())).collect::<Vec<_>>()
    };
    let owner = vec![("n1".to_owned(), "u-1".to_owned())];
    let mut index = complete();
    put::<Node>(&mut index, &with_uid("u-1", &["10.0.0.1"]));
    assert_eq!(owned(&index), [], "the record is not read");
    record(&mut index);
    assert_eq!(owned(&index), owner);
    put::<Node>(&mut index, &with_uid("u-1", &["10.0.0.2"]));
    assert_eq!(owned(&index), [], "it lists another address");
    put::<Node>(&mut index, &with_uid("u-1", &["10.0.0.1"]));
    assert_eq!(owned(&index), owner);
    let concerns = put::<Node>(&mut index, &with_uid("u-2", &["10.0.0.1"]));
    assert_eq!(owned(&index), [], "it was made again");
    assert!(concerns.contains(&san("10.0.0.1")), "who waits for its address is told");
    put::<Node>(&mut index, &with_uid("u-1", &["10.0.0.1"]));
    index.record_mut().begin_term();
    assert_eq!(owned(&index), [], "another one led");
}
