//! Guards on client certificates: each attack succeeds without its guard and fails with it, and what the guard is not for goes on.

use std::fs;

use anyhow::{Context as _, Result};
use countersign_e2e::approval::{self, Verdict};
use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::{ControlPlane, Options, Program, Signer, TestResult, User, requests};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::Api;
use kube::api::PostParams;

/// Starts what is tested with these guards, in YAML.
async fn guarded(cluster: &ControlPlane, guards: &str) -> Result<Signer> {
    let file = cluster.directory().join("guards.yaml");
    let head = "apiVersion: countersign.dev/v1alpha1\nkind: CountersignConfiguration\n";
    fs::write(&file, format!("{head}guards: {guards}\n"))?;
    cluster.signer(Program::under_test()).flag("config", &file.display().to_string()).start().await
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
