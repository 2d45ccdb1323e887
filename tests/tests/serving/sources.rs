//! Who confirms what a node asks for, as the configuration file says: the inventory, DNS, and what is served now.

use std::net::IpAddr;

use anyhow::Result;
use countersign_e2e::approval::{self, Verdict};
use countersign_e2e::dns::{Answer, NameServer};
use countersign_e2e::nodes::on_own_cluster;
use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::pki::Pair;
use countersign_e2e::requests::{self, Draft};
use countersign_e2e::tls::Listener;
use countersign_e2e::{ControlPlane, TestResult, quiescence};
use kube::Client;
use serde_json::{Value, json};

use crate::stage::{Stage, on_stage};

#[test]
fn the_inventory_gives_what_the_status_does_not_list_and_nothing_else_does() -> TestResult {
    on_own_cluster(async |cluster| {
        let section = json!({
            "enabled": true,
            "accept": [["inventory"]],
            "inventory": { "listed": ["listed", "listed.example.com", "203.0.113.1"] },
        });
        let stage = Stage::configured(cluster, &section).await?;
        let listed = stage.node("listed", &["203.0.113.9"]).await?;
        let names = ["listed", "listed.example.com", "203.0.113.1"];
        let name = requests::kubelet_serving("listed", &names)?.create(&listed).await?;
        outcome::reached(&stage.admin, &name, Outcome::Issued).await?;

        let reported = requests::kubelet_serving("listed", &["203.0.113.9"])?.create(&listed).await?;
        stage.holds(&reported, "kubelet-serving/san-justified").await?;
        let other = stage.node("other", &["other", "203.0.113.1"]).await?;
        let taken = requests::kubelet_serving("other", &["203.0.113.1"])?.create(&other).await?;
        stage.holds(&taken, "kubelet-serving/san-reserved").await?;
        stage.nothing_was_forbidden().await
    })
}

#[test]
fn an_inventory_in_the_cluster_gives_names_as_it_changes_and_a_mistake_takes_none_away() -> TestResult {
    on_own_cluster(async |cluster| {
        let section = json!({
            "enabled": true,
            "accept": [["inventory"]],
            "inventory": { "filed": ["filed"] },
            "inventoryConfigMap": { "namespace": "kube-system", "name": "countersign-inventory" },
        });
        let stage = Stage::configured(cluster, &section).await?;
        let filed = stage.node("filed", &["filed"]).await?;
        let first = requests::kubelet_serving("filed", &["filed"])?.create(&filed).await?;
        // First nobody may read it, then it is not there: not even what the file gives is approved.
        stage.holds(&first, "kubelet-serving/facts").await?;
        stage.apply("deploy/inventory.yaml")?;
        stage.notes(&first, "the ConfigMap of the inventory, which does not exist").await?;
        stage.inventory(&json!({ "listed": "listed, 203.0.113.1" }))?;
        outcome::reached(&stage.admin, &first, Outcome::Issued).await?;

        let listed = stage.node("listed", &["203.0.113.9"]).await?;
        let ask = async |sans: &[&str]| requests::kubelet_serving("listed", sans)?.create(&listed).await;
        let name = ask(&["listed", "203.0.113.1"]).await?;
        outcome::reached(&stage.admin, &name, Outcome::Issued).await?;
        let late = ask(&["listed", "203.0.113.2"]).await?;
        stage.holds(&late, "kubelet-serving/san-justified").await?;
        let taken = requests::kubelet_serving("filed", &["203.0.113.1"])?.create(&filed).await?;
        stage.holds(&taken, "kubelet-serving/san-reserved").await?;
        stage.inventory(&json!({ "listed": "listed\n203.0.113.1 203.0.113.2" }))?;
        outcome::reached(&stage.admin, &late, Outcome::Issued).await?;

        stage.inventory(&json!({ "listed": "listed, 203.0.113.256", "Listed": "203.0.113.3" }))?;
        stage.shows("countersign_inventory_in_use", 0.0).await?;
        let kept = ask(&["listed", "203.0.113.2"]).await?;
        outcome::reached(&stage.admin, &kept, Outcome::Issued).await?;
        assert_eq!(stage.outcome(&taken).await?, Outcome::Pending);

        stage.inventory(&json!({ "listed": "listed" }))?;
        stage.shows("countersign_inventory_in_use", 1.0).await?;
        let withdrawn = ask(&["listed", "203.0.113.2"]).await?;
        stage.holds(&withdrawn, "kubelet-serving/san-justified").await?;
        stage.cluster.kubectl(&[
            "delete",
            "configmap",
            "--namespace=kube-system",
            "countersign-inventory",
        ])?;
        stage.shows("countersign_inventory_in_use", 0.0).await?;
        let missing = ask(&["listed"]).await?;
        stage.holds(&missing, "kubelet-serving/facts").await?;
        Ok(())
    })
}

#[test]
fn a_reloaded_configuration_looks_for_its_inventory_elsewhere() -> TestResult {
    on_own_cluster(async |cluster| {
        let section = |name: &str| {
            let config_map = json!({ "namespace": "kube-system", "name": name });
            json!({ "enabled": true, "accept": [["inventory"]], "inventoryConfigMap": config_map })
        };
        let stage = Stage::configured(cluster, &section("another")).await?;
        stage.apply("deploy/inventory.yaml")?;
        stage.inventory(&json!({ "moved": "moved" }))?;
        let kubelet = stage.node("moved", &["moved"]).await?;
        let name = requests::kubelet_serving("moved", &["moved"])?.create(&kubelet).await?;
        stage.holds(&name, "kubelet-serving/facts").await?;
        stage.configure(&section("countersign-inventory"))?;
        outcome::reached(&stage.admin, &name, Outcome::Issued).await?;
        Ok(())
    })
}

#[test]
fn dns_gives_an_address_once_it_leads_there() -> TestResult {
    on_own_cluster(async |cluster| {
        let (stage, dns) = with_dns(cluster).await?;
        let (early, late) = ("203.0.113.11".parse()?, "203.0.113.12".parse()?);
        dns.says("early.example.com", Answer::Addresses(vec![early]));
        let kubelet = stage.node("early", &["early"]).await?;
        let names = ["early", "early.example.com", "203.0.113.11"];
        let name = requests::kubelet_serving("early", &names)?.create(&kubelet).await?;
        outcome::reached(&stage.admin, &name, Outcome::Issued).await?;
        let elsewhere = requests::kubelet_serving("early", &["203.0.113.12"])?.create(&kubelet).await?;
        stage.holds(&elsewhere, "kubelet-serving/san-justified").await?;

        let kubelet = stage.node("late", &["late", "203.0.113.12"]).await?;
        let name = requests::kubelet_serving("late", &["late", "203.0.113.12"])?.create(&kubelet).await?;
        stage.holds(&name, "kubelet-serving/san-justified").await?;
        // Nothing happens in the cluster: it is asked again.
        dns.says("late.example.com", Answer::Addresses(vec![late]));
        outcome::reached(&stage.admin, &name, Outcome::Issued).await?;
        assert!(dns.asked().iter().all(|name| name.ends_with(".example.com")), "{:?}", dns.asked());
        stage.nothing_was_forbidden().await
    })
}

#[test]
fn a_name_server_that_does_not_answer_holds_and_never_denies() -> TestResult {
    on_own_cluster(async |cluster| {
        let (stage, dns) = with_dns(cluster).await?;
        let address: IpAddr = "203.0.113.13".parse()?;
        let mut held = Vec::new();
        for (node, answer) in [
            ("silent", Answer::Silence),
            ("failing", Answer::Failure),
            ("half", Answer::OnlyOfVersion4(vec![address])),
        ] {
            dns.says(&format!("{node}.example.com"), answer);
            let kubelet = stage.node(node, &[node, "203.0.113.13"]).await?;
            let name = requests::kubelet_serving(node, &[node])?.create(&kubelet).await?;
            stage.holds(&name, "kubelet-serving/san-justified").await?;
            held.push((node, name));
        }
        let (_, silent) = &held[0];
        dns.says("silent.example.com", Answer::Addresses(vec![address]));
        outcome::reached(&stage.admin, silent, Outcome::Issued).await?;
        // The others' server stays as it is, and another is asked.
        let other = NameServer::start(stage.cluster.node_address()?)?;
        for (node, _) in &held {
            other.says(&format!("{node}.example.com"), Answer::Addresses(vec![address]));
        }
        stage.configure(&believing(&other))?;
        for (_, name) in &held[1..] {
            outcome::reached(&stage.admin, name, Outcome::Issued).await?;
        }
        Ok(())
    })
}

#[test]
fn dns_that_leads_to_what_is_reserved_gives_nothing() -> TestResult {
    on_own_cluster(async |cluster| {
        let (stage, dns) = with_dns(cluster).await?;
        let service: IpAddr = "10.96.0.1".parse()?;
        dns.says("thief.example.com", Answer::Addresses(vec![service]));
        let kubelet = stage.node("thief", &["thief", "10.96.0.1"]).await?;
        for (san, rule) in [("10.96.0.1", "san-reserved"), ("thief.example.com", "san-justified")] {
            let name = requests::kubelet_serving("thief", &[san])?.create(&kubelet).await?;
            stage.holds(&name, &format!("kubelet-serving/{rule}")).await?;
        }
        Ok(())
    })
}

#[test]
fn who_serves_at_an_address_keeps_it_and_a_later_claim_takes_nothing() -> TestResult {
    on_own_cluster(async |cluster| {
        let port = 10_260;
        let section = json!({
            "enabled": true,
            "accept": [["live-certificate"], ["node-status"]],
            "kubeletPort": port,
        });
        let stage = Stage::configured(cluster, &section).await?;
        keeps(&stage, ("renewed", port)).await
    })
}

#[test]
fn by_the_flag_alone_the_first_owner_keeps_its_address_too() -> TestResult {
    on_stage(async |stage| keeps(stage, ("owner", 10_250)).await)
}

#[test]
fn a_changed_file_switches_approval_on_and_what_waits_is_approved() -> TestResult {
    on_own_cluster(async |cluster| {
        let inventory = |enabled: bool, names: &[&str]| {
            let inventory = json!({ "waiting": names });
            json!({ "enabled": enabled, "accept": [["inventory"]], "inventory": inventory })
        };
        let stage = Stage::configured(cluster, &inventory(false, &["waiting"])).await?;
        let kubelet = stage.node("waiting", &["waiting"]).await?;
        let names = ["waiting", "203.0.113.14"];
        let name = requests::kubelet_serving("waiting", &names)?.create(&kubelet).await?;
        quiescence::turn(&stage.admin).await?;
        assert_eq!(stage.outcome(&name).await?, Outcome::Pending);

        stage.configure(&inventory(true, &["waiting"]))?;
        stage.holds(&name, "kubelet-serving/san-justified").await?;
        stage.configure(&inventory(true, &names))?;
        outcome::reached(&stage.admin, &name, Outcome::Issued).await?;
        stage.nothing_was_forbidden().await
    })
}

/// A stage where DNS alone is believed, and its name server in the network of the box.
async fn with_dns(cluster: &ControlPlane) -> Result<(Stage<'_>, NameServer)> {
    let dns = NameServer::start(cluster.node_address()?)?;
    Ok((Stage::configured(cluster, &believing(&dns)).await?, dns))
}

/// The section by which this name server alone is believed.
fn believing(dns: &NameServer) -> Value {
    json!({
        "enabled": true,
        "accept": [["dns"]],
        "dns": { "domains": ["example.com"], "resolvers": [dns.address().to_string()] },
    })
}

/// A node serves with its certificate while another claims its address: the one renews, the other waits. When it serves no more
/// in its own name, the record says that it was first; when the other is found to serve there, the record
/// does not help.
async fn keeps(stage: &Stage<'_>, (owner, port): (&str, u16)) -> TestResult {
    let address = stage.cluster.node_address()?;
    let text = address.to_string();
    let sans = [owner, &text];
    let kubelet = stage.node(owner, &sans).await?;
    let ask = || requests::kubelet_serving(owner, &sans);
    let listener = Listener::start((address, port).into(), &issued(stage, &ask()?, &kubelet).await?).await?;

    let thief = stage.node("thief", &["thief", &text]).await?;
    let claim = requests::kubelet_serving("thief", &["thief", &text])?.create(&thief).await?;
    stage.holds(&claim, "kubelet-serving/address-conflict").await?;
    let renewed = issued(stage, &ask()?, &kubelet).await?;
    assert!(listener.connections() > 0, "nobody looked at what is served");
    listener.presents(&renewed)?;
    issued(stage, &ask()?, &kubelet).await?;

    listener.presents(&stage.cluster.authority().server(&sans)?)?;
    listener.presents(&issued(stage, &ask()?, &kubelet).await?)?;

    assert_eq!(stage.outcome(&claim).await?, Outcome::Pending);
    listener.presents(&stolen(stage, &["thief", &text]).await?)?;
    let unproven = ask()?.create(&kubelet).await?;
    stage.holds(&unproven, "kubelet-serving/address-conflict").await?;
    stage.cluster.kubectl(&["delete", "node", "thief"])?;
    outcome::reached(&stage.admin, &unproven, Outcome::Issued).await?;
    Ok(())
}

/// A certificate of the thief's for these names, by the hand of an administrator.
async fn stolen(stage: &Stage<'_>, sans: &[&str]) -> Result<Pair> {
    let draft = requests::kubelet_serving("thief", sans)?;
    let name = draft.create(&stage.kubelet("thief").await?).await?;
    approval::decide(&stage.admin, &name, Verdict::Approved).await?;
    draft.pair(&outcome::reached(&stage.admin, &name, Outcome::Issued).await?)
}

/// The certificate that a draft leads to, with its key.
async fn issued(stage: &Stage<'_>, draft: &Draft, kubelet: &Client) -> Result<Pair> {
    let name = draft.create(kubelet).await?;
    let issued = outcome::reached(&stage.admin, &name, Outcome::Issued).await?;
    draft.pair(&issued)
}
