//! What the signer will never sign: the condition says why, in upstream's words.

use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::requests::{self, CLIENT, Draft, KUBELET_CLIENT, KUBELET_SERVING, SanType};
use countersign_e2e::{Shared, TestResult, quiescence};

const NODE: (&str, Option<&str>) = ("system:node:a", Some("system:nodes"));
const CLIENT_USAGES: &[&str] = &["digital signature", "client auth"];
const SERVER_USAGES: &[&str] = &["digital signature", "server auth"];

/// A request and the message it fails with.
type Row = (Result<Draft, anyhow::Error>, &'static str);

fn dns() -> SanType {
    SanType::DnsName("a.example.com".try_into().expect("an ASCII name"))
}

fn email() -> SanType {
    SanType::Rfc822Name("a@example.com".try_into().expect("an ASCII name"))
}

fn uri() -> SanType {
    SanType::URI("https://example.com/a".try_into().expect("an ASCII name"))
}

fn address() -> SanType {
    SanType::IpAddress([192, 0, 2, 1].into())
}

fn kubelet_client(
    subject: (&str, Option<&str>),
    names: Vec<SanType>,
    usages: &[&str],
) -> anyhow::Result<Draft> {
    requests::custom(subject, names, (KUBELET_CLIENT, usages))
}

fn kubelet_serving(
    subject: (&str, Option<&str>),
    names: Vec<SanType>,
    usages: &[&str],
) -> anyhow::Result<Draft> {
    requests::custom(subject, names, (KUBELET_SERVING, usages))
}

fn client(usages: &[&str]) -> anyhow::Result<Draft> {
    requests::custom(("alice", None), vec![dns()], (CLIENT, usages))
}

const ORGANIZATION: &str = "subject organization is not system:nodes";
const COMMON_NAME: &str = "subject common name does not begin with system:node:";
const CLIENT_MISMATCH: &str = "usages did not match [client auth digital signature key encipherment]";
const SERVER_MISMATCH: &str = "usages did not match [digital signature key encipherment server auth]";

/// In the order of the rules of each signerName.
fn rows() -> Vec<Row> {
    vec![
        (kubelet_client(("system:node:a", None), vec![], CLIENT_USAGES), ORGANIZATION),
        (kubelet_client(("system:node:a", Some("nodes")), vec![], CLIENT_USAGES), ORGANIZATION),
        (kubelet_client(NODE, vec![dns()], CLIENT_USAGES), "DNS subjectAltNames are not allowed"),
        (kubelet_client(NODE, vec![email()], CLIENT_USAGES), "Email subjectAltNames are not allowed"),
        (kubelet_client(NODE, vec![address()], CLIENT_USAGES), "IP subjectAltNames are not allowed"),
        (kubelet_client(NODE, vec![uri()], CLIENT_USAGES), "URI subjectAltNames are not allowed"),
        (kubelet_client(("a", Some("system:nodes")), vec![], CLIENT_USAGES), COMMON_NAME),
        (kubelet_client(NODE, vec![], SERVER_USAGES), CLIENT_MISMATCH),
        (kubelet_client(NODE, vec![], &["client auth"]), CLIENT_MISMATCH),
        (kubelet_serving(("system:node:a", None), vec![dns()], SERVER_USAGES), ORGANIZATION),
        (kubelet_serving(NODE, vec![], SERVER_USAGES), "DNS or IP subjectAltName is required"),
        (kubelet_serving(NODE, vec![dns(), email()], SERVER_USAGES), "Email subjectAltNames are not allowed"),
        (kubelet_serving(NODE, vec![dns(), uri()], SERVER_USAGES), "URI subjectAltNames are not allowed"),
        (kubelet_serving(NODE, vec![dns()], CLIENT_USAGES), SERVER_MISMATCH),
        (kubelet_serving(("a", Some("system:nodes")), vec![address()], SERVER_USAGES), COMMON_NAME),
        (client(SERVER_USAGES), "invalid usage for client certificate: server auth"),
        (client(&["digital signature"]), "missing required usage for client certificate: client auth"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_rule_fails_with_upstreams_message() -> TestResult {
    let cluster = Shared::cluster().await?;
    let admin = cluster.admin().await?;
    let mut expected = Vec::new();
    for (draft, message) in rows() {
        let name = draft?.create(&admin).await?;
        cluster.kubectl(&["certificate", "approve", &name])?;
        expected.push((name, message));
    }
    for (name, message) in expected {
        let failed = outcome::reached(&admin, &name, Outcome::Failed).await?;
        let failure = outcome::condition(&failed, "Failed").ok_or("no failure")?;
        assert_eq!(failure.message.as_deref(), Some(message));
        assert_eq!(failure.reason.as_deref(), Some("SignerValidationFailure"));
        assert_eq!(failure.status, "True");
        assert!(failure.last_update_time.is_some());
        assert!(outcome::condition(&failed, "Approved").is_some());
        assert!(cluster.kubectl(&["get", "csr", &name])?.contains("Approved,Failed"));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_breaks_a_rule_stays_pending_until_somebody_approves_it() -> TestResult {
    let cluster = Shared::cluster().await?;
    let admin = cluster.admin().await?;
    let name = kubelet_client(NODE, vec![dns()], CLIENT_USAGES)?.create(&admin).await?;
    quiescence::turn(&admin).await?;
    outcome::reached(&admin, &name, Outcome::Pending).await?;
    Ok(())
}
