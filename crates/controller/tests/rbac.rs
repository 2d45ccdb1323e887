//! The shipped manifest against what the program asks for.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use controller::facts::record::{NAMESPACE, SHARDS, shard_name};
use controller::kube::lease::Verb;
use serde_json::{Value, json};

const MANIFEST: &str = include_str!("../../../deploy/rbac.yaml");

fn documents() -> Vec<Value> {
    serde_saphyr::from_multiple(MANIFEST).unwrap()
}

fn of_kind(kind: &str) -> Value {
    let mut found = documents().into_iter().filter(|document| document["kind"] == kind);
    let document = found.next().unwrap();
    assert_eq!(found.next(), None, "a second {kind}");
    document
}

#[test]
fn the_lease_is_made_with_nobody_holding_it() {
    let lease = of_kind("Lease");
    assert_eq!(lease["metadata"], json!({"namespace": "kube-system", "name": "countersign"}));
    assert_eq!(lease.get("spec"), None);
}

#[test]
fn the_role_grants_what_an_election_uses_on_our_lease_and_nothing_else() {
    let used = [Verb::Get, Verb::Watch, Verb::Update].map(Verb::as_str);
    let rules = &of_kind("Role")["rules"];
    assert_eq!(rules.as_array().unwrap().len(), 1);
    assert_eq!(rules[0]["apiGroups"], json!(["coordination.k8s.io"]));
    assert_eq!(rules[0]["resources"], json!(["leases"]));
    assert_eq!(rules[0]["resourceNames"], json!(["countersign"]));
    let granted: BTreeSet<_> =
        rules[0]["verbs"].as_array().unwrap().iter().map(|verb| verb.as_str().unwrap()).collect();
    assert_eq!(granted, BTreeSet::from(used));
}

#[test]
fn it_is_kube_controller_managers_own_user_that_gets_the_role() {
    let (role, binding) = (of_kind("Role"), of_kind("RoleBinding"));
    assert_eq!(binding["roleRef"]["name"], role["metadata"]["name"]);
    assert_eq!(binding["metadata"]["namespace"], role["metadata"]["namespace"]);
    let user = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "system:kube-controller-manager"});
    assert_eq!(binding["subjects"], json!([user]));
}

#[test]
fn the_record_comes_empty_and_may_be_read_and_updated_and_nothing_else() {
    const SERVING: &str = include_str!("../../../deploy/kubelet-serving.yaml");
    let documents: Vec<Value> = serde_saphyr::from_multiple(SERVING).unwrap();
    let names: Vec<_> = (0..SHARDS).map(shard_name).collect();
    let of_record = |document: &&Value| document["metadata"]["namespace"] == NAMESPACE;
    let of_kind =
        |kind: &'static str| documents.iter().filter(of_record).filter(move |it| it["kind"] == kind);
    let maps: Vec<_> =
        of_kind("ConfigMap").map(|map| (map["metadata"]["name"].as_str(), map.get("data"))).collect();
    let expected: Vec<_> = names.iter().map(|name| (Some(name.as_str()), None)).collect();
    assert_eq!(maps, expected);
    let rules: Vec<_> = of_kind("Role").map(|role| &role["rules"]).collect();
    let rule = json!([{ "apiGroups": [""], "resources": ["configmaps"], "resourceNames": names, "verbs": ["get", "update"] }]);
    assert_eq!(rules, [&rule]);
}
