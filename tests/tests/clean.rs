//! Finished and stale requests are deleted when their time has come and not before, whoever's they are.

use std::time::Duration;

use countersign_e2e::approval::{self, Verdict};
use countersign_e2e::pki::{Authority, KeyKind};
use countersign_e2e::{ControlPlane, Options, Program, TestResult, outcome, requests, wait};
use k8s_openapi::api::certificates::v1::{CertificateSigningRequest, CertificateSigningRequestCondition};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::{Api, Client};

/// A signerName that is nobody's here, so that nothing but the cleaner touches the object.
const FOREIGN: &str = "example.com/foreign";

/// What is known of an object besides its spec.
#[derive(Clone, Copy, Debug, Default)]
struct History {
    /// A condition's type, and how many minutes ago it was last updated.
    condition: Option<(&'static str, i64)>,
    /// How many more minutes the certificate is valid.
    certificate: Option<i64>,
    /// How many minutes ago it was created.
    created: Option<i64>,
}

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

fn conditioned(kind: &'static str, minutes: i64) -> History {
    History { condition: Some((kind, minutes)), ..History::default() }
}

fn issued(minutes: i64, validity: i64) -> History {
    History { certificate: Some(validity), ..conditioned("Approved", minutes) }
}

fn created(minutes: i64) -> History {
    History { created: Some(minutes), ..History::default() }
}

/// Each of upstream's six rules, in its order.
fn stale() -> Vec<(&'static str, History)> {
    vec![
        ("issued-61-minutes-ago", issued(61, DAY)),
        ("denied-61-minutes-ago", conditioned("Denied", 61)),
        ("failed-61-minutes-ago", conditioned("Failed", 61)),
        ("pending-for-25-hours", created(DAY + HOUR)),
        ("expired-certificate", issued(1, -1)),
        ("approved-25-hours-ago", conditioned("Approved", DAY + HOUR)),
    ]
}

/// The same, just before their time, and what no rule is for.
fn fresh() -> Vec<(&'static str, History)> {
    vec![
        ("issued-50-minutes-ago", issued(50, DAY)),
        ("denied-50-minutes-ago", conditioned("Denied", 50)),
        ("failed-50-minutes-ago", conditioned("Failed", 50)),
        ("pending-for-23-hours", created(DAY - HOUR)),
        ("approved-23-hours-ago", conditioned("Approved", DAY - HOUR)),
        ("foreign-condition", History { created: Some(3 * DAY), ..conditioned("example.com/Seen", 3 * DAY) }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stale_is_deleted_and_what_is_fresh_is_kept() -> TestResult {
    let cluster = ControlPlane::start(Options::default().readable_store()).await?;
    let admin = cluster.admin().await?;
    for (name, history) in stale().into_iter().chain(fresh()) {
        make(&cluster, name, history).await?;
    }
    let _signer = cluster.start_signer().await?;
    for (name, _) in stale() {
        outcome::deleted(&admin, name).await?;
    }
    kept(&admin).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_stale_under_the_signers_eyes_is_deleted_too() -> TestResult {
    let cluster = ControlPlane::start(Options::default().readable_store()).await?;
    let admin = cluster.admin().await?;
    let _signer = cluster.start_signer().await?;
    // An object cannot become a day old while it is watched, nor change when it was created.
    let stale: Vec<_> = stale().into_iter().filter(|(_, history)| history.created.is_none()).collect();
    for (name, history) in fresh().into_iter().chain(stale.clone()) {
        make(&cluster, name, history).await?;
    }
    for (name, _) in stale {
        outcome::deleted(&admin, name).await?;
    }
    kept(&admin).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_is_met_and_not_anticipated() -> TestResult {
    let cluster = ControlPlane::start(Options::default()).await?;
    let admin = cluster.admin().await?;
    let _signer = cluster.start_signer().await?;
    let name = requests::user("alice")?.signer(FOREIGN).create(&admin).await?;
    // Whole seconds are what the API stores.
    let now = Timestamp::from_second(Timestamp::now().as_second())?;
    let deadline = now + SignedDuration::from_secs(4);
    let denied = at(Verdict::Denied.condition(), deadline - SignedDuration::from_hours(1));
    approval::add(&admin, &name, denied).await?;

    outcome::deleted(&admin, &name).await?;
    let late = Timestamp::now().duration_since(deadline);
    assert!(late > SignedDuration::ZERO, "{late} after its deadline");
    assert!(late < SignedDuration::from_secs(3), "{late} after its deadline");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signers_own_retention_counts_for_its_requests_alone_and_a_changed_one_at_once() -> TestResult {
    let cluster = ControlPlane::start(Options::default()).await?;
    let admin = cluster.admin().await?;
    let (own, other) = ("denied-of-a-signer-with-its-own", "denied-of-another-signer");
    for (name, signer) in [(own, "example.com/own"), (other, FOREIGN)] {
        requests::user("alice")?.signer(signer).named(name).create(&admin).await?;
        approval::add(&admin, name, at(Verdict::Denied.condition(), ago(10))).await?;
    }
    let file = cluster.directory().join("countersign.yaml");
    let head = "apiVersion: countersign.dev/v1alpha1\nkind: CountersignConfiguration\nretention:\n";
    std::fs::write(&file, format!("{head}  signers: {{example.com/own: {{denied: 5m}}}}\n"))?;
    let command = cluster.signer(Program::under_test()).flag("config", &file.display().to_string());
    let signer = command.start().await?;
    outcome::deleted(&admin, own).await?;
    let objects = Api::<CertificateSigningRequest>::all(admin.clone());
    assert!(objects.get_opt(other).await?.is_some(), "upstream keeps it for an hour");
    wait::until("what is left is counted", async || {
        let denied = "countersign_requests{signer=\"other\",state=\"denied\"}";
        Ok((signer.metric(denied).await? == 1.0).then_some(()))
    })
    .await?;

    std::fs::write(&file, format!("{head}  denied: 5m\n"))?;
    outcome::deleted(&admin, other).await?;
    Ok(())
}

/// Creates an object whose signer, as far as anybody can tell, did all this long ago.
async fn make(cluster: &ControlPlane, name: &str, history: History) -> TestResult {
    let admin = cluster.admin().await?;
    requests::user("alice")?.signer(FOREIGN).named(name).create(&admin).await?;
    if let Some(validity) = history.certificate {
        approval::publish(&admin, name, &certificate(validity)?).await?;
    }
    if let Some((kind, minutes)) = history.condition {
        let condition = at(approval::condition(kind, "Tested", "long ago"), ago(minutes));
        approval::add(&admin, name, condition).await?;
    }
    if let Some(minutes) = history.created {
        cluster.set_creation(name, ago(minutes)).await?;
    }
    Ok(())
}

async fn kept(admin: &Client) -> TestResult {
    let objects = Api::<CertificateSigningRequest>::all(admin.clone());
    wait::never(Duration::from_secs(2), "something fresh is deleted", async || {
        let mut left = Vec::new();
        for (name, _) in fresh() {
            left.extend(objects.get_opt(name).await?);
        }
        Ok((left.len() < fresh().len()).then_some(()))
    })
    .await?;
    Ok(())
}

fn at(condition: CertificateSigningRequestCondition, time: Timestamp) -> CertificateSigningRequestCondition {
    CertificateSigningRequestCondition { last_update_time: Some(Time(time)), ..condition }
}

fn ago(minutes: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_mins(minutes)
}

/// Any certificate that expires in so many minutes.
fn certificate(minutes: i64) -> anyhow::Result<String> {
    let authority = Authority::lasting("any", KeyKind::P256, time::Duration::minutes(minutes))?;
    Ok(authority.certificate().to_owned())
}
