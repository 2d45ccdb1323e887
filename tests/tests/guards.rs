//! Guards on client certificates: each attack succeeds without its guard and fails with it, and what the guard is not for goes on.

use std::fs;

use anyhow::{Context as _, Result};
use countersign_e2e::approval::{self, Verdict};
use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::requests::Draft;
use countersign_e2e::{ControlPlane, Options, Program, Signer, TestResult, User, binaries, requests, wait};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;

/// Starts what is tested with these guards, in YAML, and no more rights than the shipped manifests give.
async fn guarded(cluster: &ControlPlane, guards: &str) -> Result<Signer> {
    let file = cluster.directory().join("guards.yaml");
    let head = "apiVersion: countersign.dev/v1alpha1\nkind: CountersignConfiguration\n";
    fs::write(&file, format!("{head}guards: {guards}\n"))?;
    for manifest in ["deploy/rbac.yaml", "deploy/guards.yaml"] {
        let manifest = binaries::workspace().join(manifest);
        cluster.kubectl(&["apply", "--filename", &manifest.display().to_string()])?;
    }
    let command = cluster.signer(Program::under_test()).identity(User::controller_manager());
    let command = command.flag("use-service-account-credentials", "true");
    command.flag("config", &file.display().to_string()).start().await
}

/// Asks for a client certificate with this user and group, approves it, and returns the object with what becomes of it.
async fn approved(
    cluster: &ControlPlane,
    subject: (&str, Option<&str>),
    expected: Outcome,
) -> Result<String> {
    let admin = cluster.admin().await?;
    let usages = ["digital signature", "client auth"];
    let draft = requests::custom(subject, Vec::new(), (requests::CLIENT, &usages))?;
    let name = draft.create(&admin).await?;
    approval::decide(&admin, &name, Verdict::Approved).await?;
    let object = outcome::reached(&admin, &name, expected).await?;
    if expected != Outcome::Issued {
        let failure = outcome::condition(&object, "Failed").context("no failure")?;
        return Ok(failure.message.clone().unwrap_or_default());
    }
    let user = User::with_certificate(draft.pair(&object)?);
    let reviews = Api::<SelfSubjectReview>::all(cluster.client_for(&user).await?);
    let review = reviews.create(&PostParams::default(), &SelfSubjectReview::default()).await?;
    let user = review.status.and_then(|status| status.user_info).unwrap_or_default();
    Ok(format!("{} {}", user.username.unwrap_or_default(), user.groups.unwrap_or_default().join(" ")))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_approve_makes_no_administrators_of_the_cluster() -> TestResult {
    let cluster = ControlPlane::start(Options::default()).await?;
    let administrator = ("mallory", Some("kubeadm:cluster-admins"));
    let scheduler = ("system:kube-scheduler", None);

    let signer = guarded(&cluster, "{}").await?;
    let got = approved(&cluster, administrator, Outcome::Issued).await?;
    assert!(got.contains("kubeadm:cluster-admins"), "the attack succeeds without the guard: {got}");
    drop(signer);

    let signer =
        guarded(&cluster, "{reservedSubjects: {enabled: true, except: {users: ['system:kube-scheduler']}}}")
            .await?;
    let refusal = approved(&cluster, administrator, Outcome::Failed).await?;
    assert!(refusal.contains("kube-apiserver-client/reserved-subject"), "{refusal}");
    assert!(refusal.contains("kubeadm:cluster-admins"), "{refusal}");
    let refusal = approved(&cluster, ("system:kube-controller-manager", None), Outcome::Failed).await?;
    assert!(refusal.contains("system:kube-controller-manager"), "{refusal}");
    let got = approved(&cluster, scheduler, Outcome::Issued).await?;
    assert!(got.starts_with("system:kube-scheduler "), "the exception is for this user: {got}");
    let group = ("mallory", Some("system:kube-scheduler"));
    approved(&cluster, group, Outcome::Failed).await?;
    approved(&cluster, ("alice", Some("developers")), Outcome::Issued).await?;
    drop(signer);
    Ok(())
}

/// Asks for a client certificate of `node` as the holder of a bootstrap token.
async fn bootstraps(cluster: &ControlPlane, node: &str) -> Result<String> {
    let token = cluster.bootstrap_token().await?;
    requests::kubelet_client(node)?.create(&cluster.client_for(&token).await?).await
}

/// A Node with these labels that says whether it is ready, and has renewed its Lease so many minutes ago.
async fn node(
    cluster: &ControlPlane,
    (name, ready): (&str, &str),
    (label, minutes): (&str, i64),
) -> TestResult {
    let admin = cluster.admin().await?;
    let nodes: Api<Node> = Api::all(admin.clone());
    let object = json!({ "metadata": { "name": name, "labels": { label: "true" } } });
    nodes.create(&PostParams::default(), &serde_json::from_value(object)?).await?;
    let status = json!({ "status": { "conditions": [{ "type": "Ready", "status": ready }] } });
    nodes.patch_status(name, &PatchParams::default(), &Patch::Strategic(status)).await?;
    let leases: Api<Lease> = Api::namespaced(admin, "kube-node-lease");
    let renewed = Timestamp::now() - SignedDuration::from_mins(minutes);
    let spec = json!({ "holderIdentity": name, "renewTime": format!("{renewed:.6}") });
    let lease = json!({ "metadata": { "name": name, "namespace": "kube-node-lease" }, "spec": spec });
    leases.create(&PostParams::default(), &serde_json::from_value(lease)?).await?;
    Ok(())
}

/// Waits until this rule holds so many requests.
async fn held(signer: &Signer, rule: &str, count: f64) -> Result<()> {
    let metric = format!("countersign_held{{rule=\"{rule}\"}}");
    wait::until("the rule holds them", async || Ok((signer.metric(&metric).await? == count).then_some(())))
        .await
}

const NO_LABEL: &str = "example.com/some";
const RELEASED: &str = "countersign.node-restriction.kubernetes.io/allow-rejoin";

#[tokio::test(flavor = "multi_thread")]
async fn a_bootstrap_token_takes_over_no_node_that_is_alive() -> TestResult {
    let cluster = ControlPlane::start(Options::default()).await?;
    let admin = cluster.admin().await?;
    for (name, ready, minutes) in
        [("ready", "True", 60), ("renewing", "Unknown", 1), ("silent", "Unknown", 60)]
    {
        node(&cluster, (name, ready), (NO_LABEL, minutes)).await?;
    }
    node(&cluster, ("released", "True"), (RELEASED, 1)).await?;

    let signer = guarded(&cluster, "{}").await?;
    let attack = bootstraps(&cluster, "ready").await?;
    outcome::reached(&admin, &attack, Outcome::Issued).await?;
    drop(signer);

    let signer = guarded(&cluster, "{nodeTakeover: {enabled: true}}").await?;
    let attacks = [bootstraps(&cluster, "ready").await?, bootstraps(&cluster, "renewing").await?];
    let nowhere = bootstraps(&cluster, "victim/status").await?;
    held(&signer, "node-client/takeover", 2.0).await?;
    held(&signer, "node-client/node-name", 1.0).await?;
    for free in ["silent", "released", "new"] {
        let name = bootstraps(&cluster, free).await?;
        outcome::reached(&admin, &name, Outcome::Issued).await?;
    }
    // A node's own renewal is not a takeover.
    let own = cluster.client_for(&User::node("ready")).await?;
    let renewal = requests::kubelet_client("ready")?.create(&own).await?;
    outcome::reached(&admin, &renewal, Outcome::Issued).await?;
    // A node cannot give its name, or another's, away.
    let label = json!({ "metadata": { "labels": { RELEASED: "true" } } });
    let nodes: Api<Node> = Api::all(own);
    let refused = nodes.patch("ready", &PatchParams::default(), &Patch::Merge(&label)).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("forbidden")));

    // Both overrides are for the one node that they name.
    let nodes: Api<Node> = Api::all(admin.clone());
    nodes.patch("ready", &PatchParams::default(), &Patch::Merge(&label)).await?;
    outcome::reached(&admin, &attacks[0], Outcome::Issued).await?;
    held(&signer, "node-client/takeover", 1.0).await?;
    nodes.delete("renewing", &DeleteParams::default()).await?;
    outcome::reached(&admin, &attacks[1], Outcome::Issued).await?;
    assert!(outcome::waiting(&admin, &[nowhere]).await? == 1, "nobody can have that name");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_group_needs_no_permission_and_nobody_else_is_in_it() -> TestResult {
    let options = Options::default().without_kubeadm_bindings();
    let options = options.token_user("in", "joiner", &["example:joiners"]);
    let options = options.token_user("out", "other", &["example:joiners2"]);
    let cluster = ControlPlane::start(options).await?;
    let admin = cluster.admin().await?;
    let (binding, role, group) = ("joiners", "system:node-bootstrapper", "--group=example:joiners");
    let role = format!("--clusterrole={role}");
    cluster.kubectl(&["create", "clusterrolebinding", binding, &role, group, "--group=example:joiners2"])?;
    let flag = "insecure-experimental-approve-all-kubelet-csrs-for-group";
    let signer = cluster.signer(Program::under_test()).flag(flag, "example:joiners").start().await?;
    let ask = async |name: &str, token: &str, draft: Draft| {
        draft.create(&cluster.client_for(&User::with_token(name, token)).await?).await
    };
    let member = ask("joiner", "in", requests::kubelet_client("node-1")?).await?;
    let issued = outcome::reached(&admin, &member, Outcome::Issued).await?;
    let approval = outcome::condition(&issued, "Approved").ok_or("no approval")?;
    let message = "Auto approving of all kubelet CSRs is enabled on the controller manager";
    assert_eq!(approval.message.as_deref(), Some(message));
    let stranger = ask("other", "out", requests::kubelet_client("node-2")?).await?;
    let serving = ask("joiner", "in", requests::kubelet_serving("node-1", &["node-1"])?).await?;
    let named = ask("joiner", "in", requests::user("alice")?).await?;
    held(&signer, "node-client/permission", 1.0).await?;
    assert_eq!(outcome::waiting(&admin, &[stranger, serving, named]).await?, 3);
    assert_eq!(signer.metric("countersign_insecure_group_approval").await?, 1.0);
    let form = "--output=jsonpath={range .items[*]}{.type} {.reason}: {.message}{end}";
    let event = wait::until("an Event tells of it", async || {
        let event = cluster.kubectl(&["get", "events", "--namespace=default", form])?;
        Ok(event.contains("InsecureGroupApproval").then_some(event))
    })
    .await?;
    assert!(event.contains("example:joiners"), "{event}");
    Ok(())
}
