//! Signers of the configuration file: each with its own CA and its own profile, and none a way around the built-in ones.

use std::fs;

use anyhow::{Context as _, Result};
use countersign_e2e::approval::{self, Verdict};
use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::pki::{Authority, KeyKind, PairFiles};
use countersign_e2e::requests::{self, CLIENT, Draft, SanType};
use countersign_e2e::{ControlPlane, Options, Program, Signer, TestResult, User, certificate, wait};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use kube::Client;

const SERVING: &str = "example.com/serving";
const TEAM: &str = "example.com/team";

/// A cluster with two signers beside the built-in ones, each with a CA of its own.
struct Signers {
    cluster: ControlPlane,
    admin: Client,
    serving: Authority,
    serving_files: PairFiles,
    team: Authority,
    _signer: Signer,
}

fn signer(name: &str, files: &PairFiles, rest: &str) -> String {
    let (certificate, key) = (files.certificate.display(), files.key.display());
    format!("- name: {name}\n  certificateAuthority: {{certificate: {certificate}, key: {key}}}\n{rest}")
}

async fn start(cluster: &ControlPlane, signers: &str) -> Result<Signer> {
    let file = cluster.directory().join("countersign.yaml");
    let head = "apiVersion: countersign.dev/v1alpha1\nkind: CountersignConfiguration\nsigners:\n";
    fs::write(&file, format!("{head}{signers}"))?;
    let command = cluster.signer(Program::Countersign);
    command.flag("config", &file.display().to_string()).start().await
}

impl Signers {
    async fn start() -> Result<Self> {
        let cluster = ControlPlane::start(Options::default()).await?;
        let (serving, team) =
            (Authority::new("serving", KeyKind::P256)?, Authority::new("team", KeyKind::P384)?);
        let serving_files = serving.pair().write(cluster.directory(), "serving")?;
        let team_files = team.pair().write(cluster.directory(), "team")?;
        let profile = "  usages: [digital signature, server auth]\n  names: {dns: ['*.apps.example.com'], min: 1}\n  \
                       lifetime: {max: 24h}\n";
        let signers = signer(SERVING, &serving_files, profile)
            + &signer(TEAM, &team_files, "  usages: [digital signature, client auth]\n");
        let signer = start(&cluster, &signers).await?;
        let admin = cluster.admin().await?;
        Ok(Self { cluster, admin, serving, serving_files, team, _signer: signer })
    }

    /// The object once it is approved by hand and stands there.
    async fn approved(&self, draft: Draft, outcome: Outcome) -> Result<CertificateSigningRequest> {
        approved(&self.admin, &draft, outcome).await
    }

    /// Which of the CAs signed what such a request gets.
    async fn signs(&self, draft: Draft) -> Result<&'static str> {
        let issued = self.approved(draft, Outcome::Issued).await?;
        let pem = outcome::certificate(&issued).context("no certificate")?;
        let all = [("serving", &self.serving), ("team", &self.team), ("cluster", self.cluster.authority())];
        for (name, authority) in all {
            if certificate::is_signed_by(pem, authority)? {
                return Ok(name);
            }
        }
        Ok("nobody we know")
    }
}

async fn approved(client: &Client, draft: &Draft, outcome: Outcome) -> Result<CertificateSigningRequest> {
    let name = draft.create(client).await?;
    approval::decide(client, &name, Verdict::Approved).await?;
    outcome::reached(client, &name, outcome).await
}

fn serving(name: &str) -> Result<Draft> {
    let san = SanType::DnsName(name.try_into()?);
    requests::custom(("shop", None), vec![san], (SERVING, &["digital signature", "server auth"]))
}

fn team(organization: Option<&str>) -> Result<Draft> {
    requests::custom(("alice", organization), vec![], (TEAM, &["digital signature", "client auth"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_within_its_profile_is_signed_and_what_is_not_fails_for_good() -> TestResult {
    let signers = Signers::start().await?;
    assert_eq!(signers.signs(serving("shop.apps.example.com")?).await?, "serving");
    for (draft, message) in [
        (
            serving("kubernetes.default.svc")?,
            "this signer does not permit the DNS subjectAltName \"kubernetes.default.svc\"",
        ),
        (
            requests::custom(("shop", None), vec![], (SERVING, &["server auth"]))?,
            "this signer issues certificates with 1 to 32 subjectAltNames, not with 0",
        ),
        (
            serving("a.apps.example.com")?.usages(&["client auth"]),
            "this signer does not permit the usage \"client auth\"",
        ),
        (team(Some("system:masters"))?, "this signer does not permit organization in the subject"),
    ] {
        let failed = signers.approved(draft, Outcome::Failed).await?;
        let failure = outcome::condition(&failed, "Failed").context("no failure")?;
        assert_eq!(failure.reason.as_deref(), Some("SignerValidationFailure"));
        assert_eq!(failure.message.as_deref(), Some(message));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_certificate_comes_from_the_wrong_ca_though_all_signers_are_busy() -> TestResult {
    let signers = Signers::start().await?;
    let one = async |index: usize| -> Result<()> {
        let host = format!("shop-{index}.apps.example.com");
        let (a, b, c) = tokio::join!(
            signers.signs(serving(&host)?),
            signers.signs(team(None)?),
            signers.signs(requests::user("alice")?.signer(CLIENT)),
        );
        assert_eq!((a?, b?, c?), ("serving", "team", "cluster"), "{index}");
        Ok(())
    };
    let all: Vec<Result<()>> = futures::future::join_all((0..20).map(one)).await;
    all.into_iter().collect::<Result<()>>()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ca_of_one_signer_is_exchanged_and_the_others_stay_what_they_are() -> TestResult {
    let signers = Signers::start().await?;
    assert_eq!(signers.signs(serving("a.apps.example.com")?).await?, "serving");
    let new = Authority::new("serving", KeyKind::P384)?;
    for (path, text) in [
        (&signers.serving_files.key, new.pair().key),
        (&signers.serving_files.certificate, new.pair().certificate),
    ] {
        let fresh = path.with_extension("fresh");
        fs::write(&fresh, text)?;
        fs::rename(fresh, path)?;
    }
    wait::until("the new authority signs", async || {
        let issued = signers.approved(serving("a.apps.example.com")?, Outcome::Issued).await?;
        let pem = outcome::certificate(&issued).context("no certificate")?;
        assert_eq!(signers.signs(team(None)?).await?, "team");
        Ok(certificate::is_signed_by(pem, &new)?.then_some(()))
    })
    .await?;
    Ok(())
}

/// One signer with the cluster's own CA, and nobody who signs for the built-in names.
async fn with_the_clusters_ca(rest: &str) -> Result<(ControlPlane, Signer)> {
    let cluster = ControlPlane::start(Options::default()).await?;
    let files = cluster.authority_files();
    let rest = format!(
        "  usages: [client auth]\n  subject: {{attributes: {{commonName: pass, organization: pass}}}}\n{rest}"
    );
    let file = cluster.directory().join("countersign.yaml");
    let head = "apiVersion: countersign.dev/v1alpha1\nkind: CountersignConfiguration\nsigners:\n";
    fs::write(&file, format!("{head}{}", signer(TEAM, &files, &rest)))?;
    let command = cluster.signer(Program::Countersign).flag("config", &file.display().to_string());
    let command = command.without("cluster-signing-cert-file").without("cluster-signing-key-file");
    let signer = command.start().await?;
    Ok((cluster, signer))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signer_that_shares_the_clusters_ca_signs_nothing() -> TestResult {
    let (cluster, signer) = with_the_clusters_ca("").await?;
    let admin = cluster.admin().await?;
    let draft = team(Some("system:masters"))?.usages(&["client auth"]);
    let object = approved(&admin, &draft, Outcome::Approved).await?;
    wait::until("it says that the CA is the cluster's", async || {
        let refused = signer.metric("countersign_errors_total{error=\"cluster_ca\"}").await?;
        Ok((refused >= 1.0).then_some(()))
    })
    .await?;
    let name = object.metadata.name.context("no name")?;
    outcome::reached(&admin, &name, Outcome::Approved).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signer_that_may_share_the_clusters_ca_makes_users_and_none_of_the_clusters_own() -> TestResult {
    let (cluster, _signer) = with_the_clusters_ca("  allowClusterCA: true\n").await?;
    let admin = cluster.admin().await?;
    let user = team(Some("developers"))?.usages(&["client auth"]);
    let issued = approved(&admin, &user, Outcome::Issued).await?;
    let alice = User::with_certificate(user.pair(&issued)?);
    let alice = cluster.client_for(&alice).await?;
    let who = wait::until("the API server knows alice", async || {
        let review = kube::Api::all(alice.clone());
        let posted = review.create(&kube::api::PostParams::default(), &SelfSubjectReview::default()).await;
        Ok(posted.ok())
    })
    .await?;
    let who = who.status.and_then(|status| status.user_info).and_then(|user| user.groups);
    assert!(who.is_some_and(|groups| groups.contains(&"developers".to_owned())), "the attack would succeed");
    let masters = team(Some("system:masters"))?.usages(&["client auth"]);
    let failed = approved(&admin, &masters, Outcome::Failed).await?;
    let failure = outcome::condition(&failed, "Failed").and_then(|failure| failure.message.clone());
    assert!(failure.is_some_and(|message| message.contains("system:masters")));
    Ok(())
}
