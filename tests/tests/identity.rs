//! The identity kube-controller-manager has, and no more rights than the shipped manifest adds.

use countersign_e2e::approval::{self, Verdict};
use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::{
    Command, ControlPlane, Options, Program, TestResult, User, binaries, quiescence, requests,
};
use http::StatusCode;
use k8s_openapi::api::certificates::v1::CertificateSigningRequestCondition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

#[tokio::test(flavor = "multi_thread")]
async fn a_drop_in_needs_nothing_but_the_shipped_rbac() -> TestResult {
    let cluster = ControlPlane::start(Options::default()).await?;
    let manifest = binaries::workspace().join("deploy/rbac.yaml");
    if Program::under_test() == Program::Countersign {
        cluster.kubectl(&["apply", "--filename", &manifest.display().to_string()])?;
    }
    let signer = drop_in(&cluster).flag("leader-elect", "true").start().await?;

    let admin = cluster.admin().await?;
    let kubelet = cluster.client_for(&cluster.bootstrap_token().await?).await?;
    let name = requests::kubelet_client("node-1")?.create(&kubelet).await?;
    outcome::reached(&admin, &name, Outcome::Issued).await?;
    // Approves, fails and signs for the other signerNames as well.
    let wrong = requests::user("alice")?.usages(&["code signing"]).create(&admin).await?;
    approval::decide(&admin, &wrong, Verdict::Approved).await?;
    outcome::reached(&admin, &wrong, Outcome::Failed).await?;
    quiescence::turn(&admin).await?;
    // Cleans, whoever's it is.
    let denied = requests::user("alice")?.signer("example.com/foreign").create(&admin).await?;
    let long_ago = Timestamp::now() - SignedDuration::from_mins(61);
    let condition = CertificateSigningRequestCondition {
        last_update_time: Some(Time(long_ago)),
        ..Verdict::Denied.condition()
    };
    approval::add(&admin, &denied, condition).await?;
    outcome::deleted(&admin, &denied).await?;
    // Asks the API server who may read metrics.
    let (status, text) = signer.get("/metrics", Some("admin-token")).await?;
    assert_eq!(status, StatusCode::OK, "{text}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_signer_writes_as_the_controllers_service_account() -> TestResult {
    let cluster = ControlPlane::start(Options::default()).await?;
    let _signer = drop_in(&cluster).start().await?;
    let admin = cluster.admin().await?;
    let name = requests::kubelet_client("node-1")?.create(&admin).await?;
    outcome::reached(&admin, &name, Outcome::Issued).await?;
    let account = cluster.kubectl(&["get", "serviceaccounts", "--namespace=kube-system", "--output=name"])?;
    assert!(account.contains("serviceaccount/certificate-controller"), "{account}");
    Ok(())
}

/// What kubeadm 1.37 renders into kube-controller-manager's manifest, the signing flags and the kubeconfig apart, which the
/// harness sets in the same words.
const KUBEADM: [(&str, &str); 12] = [
    ("allocate-node-cidrs", "true"),
    ("client-ca-file", "/etc/kubernetes/pki/ca.crt"),
    ("cluster-cidr", "10.244.0.0/16"),
    ("cluster-name", "kubernetes"),
    ("controllers", "*,bootstrapsigner,tokencleaner"),
    ("leader-elect", "true"),
    ("requestheader-client-ca-file", "/etc/kubernetes/pki/front-proxy-ca.crt"),
    ("root-ca-file", "/etc/kubernetes/pki/ca.crt"),
    ("service-account-private-key-file", "/etc/kubernetes/pki/sa.key"),
    ("service-cluster-ip-range", "10.96.0.0/12"),
    ("bind-address", "127.0.0.1"),
    ("use-service-account-credentials", "true"),
];

#[tokio::test(flavor = "multi_thread")]
async fn kubeadms_command_line_starts_it_as_it_is() -> TestResult {
    if Program::under_test() == Program::KubeControllerManager {
        return Ok(()); // It would run all its controllers.
    }
    let cluster = ControlPlane::start(Options::default()).await?;
    let manifest = binaries::workspace().join("deploy/rbac.yaml");
    cluster.kubectl(&["apply", "--filename", &manifest.display().to_string()])?;
    let command = KUBEADM.iter().fold(drop_in(&cluster), |command, (name, value)| command.flag(name, value));
    let mut signer = command.start().await?;

    let admin = cluster.admin().await?;
    let kubelet = cluster.client_for(&cluster.bootstrap_token().await?).await?;
    let name = requests::kubelet_client("node-1")?.create(&kubelet).await?;
    outcome::reached(&admin, &name, Outcome::Issued).await?;
    let log = signer.process().log()?;
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("have no effect here")).collect();
    assert_eq!(warnings.len(), 1, "{log}");
    assert!(warnings[0].contains("cluster-cidr") && warnings[0].contains("root-ca-file"), "{warnings:?}");
    Ok(())
}

fn drop_in(cluster: &ControlPlane) -> Command<'_> {
    cluster
        .signer(Program::under_test())
        .identity(User::controller_manager())
        .flag("use-service-account-credentials", "true")
}
