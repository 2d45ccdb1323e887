//! Who asks for what is somebody else's: held, with the rule that holds it; and the neighbours that must not be.

use approver::{NodeServer, Outcome, Reservation, Source};

use crate::world::{SHARING, Sample, World};
use crate::{APPROVED, broken};

const RESERVED: Option<&str> = Some("kubelet-serving/san-reserved");
const CONFLICT: Option<&str> = Some("kubelet-serving/address-conflict");

/// A world in which n1 has listed these in its own status: nothing but the rule keeps it from getting them.
fn self_reported(sans: &[&str]) -> World {
    let listed: Vec<_> = ["n1", "10.0.0.1"].into_iter().chain(sans.iter().copied()).collect();
    World::default().node("n1", &listed)
}

#[test]
fn what_a_node_reports_of_itself_gives_it_nothing_that_is_reserved() {
    for san in [
        "127.0.0.1",
        "127.8.0.1",
        "::1",
        "0.0.0.0",
        "0.1.2.3",
        "::",
        "169.254.169.254",
        "fe80::1",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "::ffff:127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "kubernetes",
        "Kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "web.shop.svc",
        "svc",
        "kubernetes.default.svc.cluster.local",
        "cluster.local",
        "web.shop.SVC.Cluster.Local.",
    ] {
        assert_eq!(broken(&self_reported(&[san]), &Sample::asking(&["n1", san])), RESERVED, "{san}");
    }
    for san in
        ["n1.localhost.example.com", "n1.kubernetes.example.com", "n1.svc.example.com", "n1.mycluster.local"]
    {
        assert_eq!(broken(&self_reported(&[san]), &Sample::asking(&["n1", san])), None, "{san}");
    }
    for san in ["::7f00:1", "::ffff:0:a60:1", "64:ff9b::a60:1", "64:ff9b:1::1", "2002:a60:1::1", "fec0::1"] {
        assert_eq!(broken(&self_reported(&[san]), &Sample::asking(&[san])), RESERVED, "{san}");
    }
}

#[test]
fn what_the_cluster_has_given_to_others_is_reserved() {
    let range = "10.96.0.0/12".parse().unwrap();
    for (san, reservation) in [
        ("10.96.0.1", Reservation::Service("default/kubernetes".into())),
        ("10.96.0.9", Reservation::ServiceRange(range)),
        ("10.0.0.100", Reservation::ApiServerEndpoint),
        ("10.0.0.200", Reservation::ApiServerCertificate),
        ("10.0.0.201", Reservation::ApiServerAnnounced),
        ("n1.example.com", Reservation::ApiServerCertificate),
        ("n1.shop", Reservation::ServiceName("shop/n1".into())),
        ("203.0.113.7", Reservation::ServiceName("shop/web".into())),
        ("10.244.7.1", Reservation::PodRange("n2".into())),
    ] {
        let free = self_reported(&[san]);
        let asked = Sample::asking(&["n1", san]);
        assert_eq!(broken(&free, &asked), None, "{san}: without the rule it is approved");
        assert_eq!(broken(&free.reserved(san, reservation), &asked), RESERVED, "{san}");
    }
    let neighbour = self_reported(&["n2"]).node("n2", &["10.0.0.2"]);
    assert_eq!(broken(&neighbour, &Sample::asking(&["n2"])), RESERVED, "another Node's name");
    let own = self_reported(&["10.244.1.1"]).reserved("10.244.1.1", Reservation::PodRange("n1".into()));
    assert_eq!(broken(&own, &Sample::asking(&["10.244.1.1"])), None, "its own range of pods");
}

#[test]
fn a_control_plane_node_serves_at_its_own_api_servers_address() {
    let endpoint = |world: World| {
        world
            .reserved("10.0.0.1", Reservation::ApiServerEndpoint)
            .reserved("10.0.0.1", Reservation::ApiServerCertificate)
            .reserved("n1", Reservation::ApiServerCertificate)
    };
    let asked = Sample::default();
    assert_eq!(broken(&endpoint(World::default()), &asked), RESERVED, "without the label");
    assert_eq!(broken(&endpoint(World::default()).control_plane("n1"), &asked), None);
    let not_reported = endpoint(World::default().node("n1", &["n1"])).control_plane("n1");
    assert_eq!(broken(&not_reported, &asked), RESERVED, "an address that it does not report");
    let contested = endpoint(World::default().node("n2", &["10.0.0.1"])).control_plane("n1");
    assert_eq!(broken(&contested, &asked), RESERVED, "an address that another Node claims");
    let sans = ["n1", "10.0.0.1"].map(|text| approver::San::from_text(text).unwrap());
    let listed = |policy: &mut NodeServer| policy.inventory.insert("n1", sans.into());
    assert_eq!(broken(&endpoint(World::default()).policy(listed), &asked), None, "the inventory names it");
}

#[test]
fn nobody_keeps_a_neighbour_from_what_it_serves_with() {
    let asked = Sample::default();
    let serving = |world: World| world.serves("10.0.0.1", "system:node:n1", &["n1", "10.0.0.1"]);
    let inventory = |world: World| {
        let sans = ["n1", "10.0.0.1"].map(|text| approver::San::from_text(text).unwrap());
        world.policy(|policy| policy.inventory.insert("n1", sans.into()))
    };
    let endpoint = World::default().reserved("10.0.0.1", Reservation::ApiServerEndpoint).control_plane("n1");
    for (what, world) in [
        ("a range of pods", World::default().reserved("10.0.0.1", Reservation::PodRange("n2".into()))),
        (
            "a Service's external address",
            World::default().reserved("10.0.0.1", Reservation::ServiceName("a/b".into())),
        ),
        ("a claim to an API server's address", endpoint.node("n2", &["10.0.0.1"])),
    ] {
        assert_eq!(broken(&world, &asked), RESERVED, "{what}: nothing shows whose it is");
        assert_eq!(broken(&serving(world.clone()), &asked), None, "{what}: it serves there");
        assert_eq!(broken(&inventory(world), &asked), None, "{what}: the inventory says so");
    }
    let own_name = World::default().node("n2", &["n1"]);
    assert_eq!(broken(&own_name, &asked), None, "a claim to its very name");
}

#[test]
fn a_tenants_service_takes_nothing_from_who_serves_there_whatever_source_counts() {
    use Source::{Dns, LiveCertificate, NodeStatus};
    let by = |accepted: &[&[Source]]| {
        let accept = accepted.iter().map(|sources| sources.iter().copied().collect()).collect();
        let world = World::default().resolves("n1.example.com", &["10.0.0.1"]);
        world.policy(move |policy| {
            (policy.accept, policy.node_domains) = (accept, vec!["example.com".to_owned()]);
        })
    };
    let service = || Reservation::ServiceName("shop/web".into());
    for accepted in [
        &[&[Dns][..]][..],
        &[&[Dns, NodeStatus]],
        &[&[LiveCertificate]],
        &[&[LiveCertificate, NodeStatus]],
        &[&[LiveCertificate], &[Dns]],
    ] {
        for reservation in [service(), Reservation::PodRange("n2".into())] {
            let world = by(accepted).reserved("10.0.0.1", reservation.clone());
            let what = format!("{accepted:?} {reservation:?}");
            assert_eq!(broken(&world, &Sample::default()), RESERVED, "{what}: nothing shows whose it is");
            let serving = world.serves("10.0.0.1", "system:node:n1", &["n1", "10.0.0.1"]);
            assert_eq!(broken(&serving, &Sample::default()), None, "{what}");
            assert_eq!(broken(&serving, &Sample::asking(&["n1"])), None, "{what}");
        }
    }
    let name = by(&[&[Dns]]).reserved("10.0.0.1", service());
    let justified = Some("kubelet-serving/san-justified");
    assert_eq!(broken(&name, &Sample::asking(&["n1"])), justified, "it leads to what others have");
}

#[test]
fn what_the_inventory_gives_to_another_node_is_that_nodes_also_while_it_does_not_say_so() {
    let asked = Sample::default();
    let both = |policy: &mut NodeServer| {
        policy.accept = vec![[Source::Inventory].into(), [Source::NodeStatus].into()];
    };
    for san in ["10.0.0.1", "n1"] {
        let sans = [approver::San::from_text(san).unwrap()];
        let world = World::default().policy(both);
        assert_eq!(broken(&world, &asked), None, "{san} is nobody's yet");
        assert_eq!(broken(&world.clone().inventoried(san, "n2"), &asked), RESERVED, "{san}");
        let configured = world.clone().policy(|policy| policy.inventory.insert("n2", sans.into()));
        assert_eq!(broken(&configured, &asked), RESERVED, "{san}");
        assert_eq!(broken(&configured.inventoried(san, "n1"), &asked), None, "{san} is theirs together");
    }
}

#[test]
fn a_node_gets_no_other_name_by_its_own_word() {
    for san in ["n2.example.com", "vault.example.com", "n10", "n1x.example.com", "example.com"] {
        let asked = Sample::asking(&["n1", san]);
        assert_eq!(broken(&self_reported(&[san]), &asked), Some("kubelet-serving/san-justified"), "{san}");
    }
    assert_eq!(broken(&self_reported(&["n1.example.com"]), &Sample::asking(&["n1", "n1.example.com"])), None);
}

#[test]
fn a_long_list_is_refused_before_anything_is_asked() {
    let many: Vec<_> = (0..33).map(|last| format!("10.0.1.{last}")).collect();
    let asked = Sample { sans: many, ..Sample::default() };
    let forbidden = World { allowed: false, ..World::default() };
    assert_eq!(broken(&forbidden, &asked), Some("kubelet-serving/san-count"));
    assert_eq!(forbidden.gate(&asked.request()).1, Some("kubelet-serving/san-count"));
    let repeated = Sample { sans: vec!["10.0.0.1".to_owned(); 33], ..Sample::default() };
    assert_eq!(broken(&World::default(), &repeated), Some("kubelet-serving/san-count"));
}

#[test]
fn a_stolen_control_plane_node_does_not_get_the_virtual_address() {
    let world = self_reported(&["10.0.0.250", "api.example.com"])
        .control_plane("n1")
        .reserved("10.0.0.250", Reservation::ApiServerCertificate)
        .reserved("api.example.com", Reservation::ApiServerCertificate);
    for san in ["10.0.0.250", "api.example.com"] {
        assert_eq!(broken(&world, &Sample::asking(&["n1", san])), RESERVED, "{san}");
    }
}

#[test]
fn of_two_claims_to_an_address_the_certificate_that_is_served_there_decides() {
    let both = World::default().node("n2", &["10.0.0.1"]);
    let asked = Sample::asking(&["10.0.0.1"]);
    assert_eq!(broken(&both, &asked), CONFLICT, "both are held");
    let owner = both.clone().serves("10.0.0.1", "system:node:n1", &["10.0.0.1"]);
    assert_eq!(broken(&owner, &asked), None, "a later claim takes nothing from an owner");
    let victim = both.serves("10.0.0.1", "system:node:n2", &["10.0.0.1"]);
    assert_eq!(broken(&victim, &asked), CONFLICT, "the later claim gets nothing");
    let names = World::default().node("n1", &["n1", "10.0.0.1", "n1.box"]).node("n2", &["n1.box"]);
    assert_eq!(
        broken(&names, &Sample::asking(&["10.0.0.1", "n1.box"])),
        CONFLICT,
        "names are claimed as addresses are"
    );
}

#[test]
fn a_node_that_lists_everybodys_addresses_claims_none() {
    let many: Vec<_> = (1..=17).map(|last| format!("10.0.0.{last}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let world = World::default().node("n2", &many);
    assert_eq!(broken(&world, &Sample::asking(&["10.0.0.1"])), None, "its neighbours are not disturbed");
    let own = World::default().node("n1", &many);
    assert_eq!(broken(&own, &Sample::asking(&["10.0.0.1"])), Some("kubelet-serving/san-justified"));
    let some = World::default().node("n2", &many[..16]);
    assert_eq!(broken(&some, &Sample::asking(&["10.0.0.1"])), CONFLICT, "up to the bound they count");
}

#[test]
fn hostile_names_of_nodes_are_held_before_anything_is_asked() {
    for name in ["", "..", "n1/status", "n 1", "n1\0", "N1", "n1%2fstatus", "n1\n", "-n1", "ä"] {
        let username = format!("system:node:{name}");
        let common_name: &'static str = username.clone().leak();
        let sample = Sample { username, common_name, ..Sample::asking(&["10.0.0.1"]) };
        assert_eq!(
            broken(&World { allowed: false, ..World::default() }, &sample),
            Some("kubelet-serving/node-name"),
            "{name:?}"
        );
    }
}

#[test]
fn dns_that_leads_to_reserved_addresses_justifies_nothing() {
    let dns = |policy: &mut NodeServer| {
        policy.accept = vec![[Source::Dns].into()];
        policy.node_domains = vec!["example.com".to_owned()];
    };
    let world = World::default().resolves("n1.example.com", &["10.96.0.1"]).policy(dns);
    let asked = Sample::asking(&["n1.example.com"]);
    assert_eq!(broken(&world, &asked), None);
    let reserved = world.reserved("10.96.0.1", Reservation::Service("default/kubernetes".into()));
    assert_eq!(broken(&reserved, &asked), Some("kubelet-serving/san-justified"));
}

#[test]
fn the_gate_holds_what_others_approved_for_a_reserved_name_and_nothing_else() {
    let by_hand = Sample {
        username: "alice".into(),
        groups: vec![],
        ..Sample::asking(&["vault.example.com", "10.0.0.77"])
    };
    assert_eq!(
        World::default().gate(&by_hand.request()).0,
        APPROVED,
        "a human may approve what no source confirms"
    );
    let api = World::default().reserved("10.0.0.77", Reservation::ApiServerEndpoint);
    let (outcome, rule) = api.gate(&by_hand.request());
    assert!(matches!(outcome, Outcome::Hold { .. }), "{outcome:?}");
    assert_eq!(rule, RESERVED);
    assert_eq!(World::default().gate(&Sample::asking(&["*.svc"]).request()).1, RESERVED);
    assert_eq!(World::default().gate(&Sample::asking(&["kubernetes.default"]).request()).1, RESERVED);
    let own = World::default().reserved("10.0.0.1", Reservation::ApiServerEndpoint).control_plane("n1");
    let in_its_name = Sample { username: "system:node:n2".into(), ..Sample::default() };
    assert_eq!(own.gate(&in_its_name.request()).1, RESERVED, "asked for by another in its name");
    assert_eq!(own.gate(&Sample::default().request()).0, APPROVED, "a control-plane node's own address");
    let unread = World { unread: vec!["list services"], ..World::default() };
    assert_eq!(unread.gate(&by_hand.request()).1, Some("kubelet-serving/facts"));
}

#[test]
fn a_signer_with_the_clusters_ca_is_no_way_around_the_gate() {
    let api = World::default().reserved("10.0.0.77", Reservation::ApiServerEndpoint);
    let by_hand = |signer_name| Sample { signer_name, ..Sample::asking(&["10.0.0.77"]) };
    assert_eq!(api.gate(&by_hand(SHARING).request()).1, RESERVED);
    assert_eq!(
        api.gate(&by_hand("example.com/other").request()).0,
        APPROVED,
        "whose CA nobody takes for the cluster's"
    );
    assert_eq!(World::default().gate(&by_hand(SHARING).request()).0, APPROVED, "what is nobody's");
}
