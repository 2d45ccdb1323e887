//! Nobody can tell countersign from kube-controller-manager.
//!
//! `COUNTERSIGN_CORPUS=<file>` or `COUNTERSIGN_CORPUS_SEED=<number>` chooses another corpus.

use countersign_e2e::differential::{Corpus, Observations, Stage, compare};
use countersign_e2e::pki::KeyKind;
use countersign_e2e::{Command, ControlPlane, Options, Outcome, Program, TestResult};

const KCM: Program = Program::KubeControllerManager;

/// Shows that the judge sees nothing where there is nothing, and sees a change of any fact.
#[tokio::test(flavor = "multi_thread")]
async fn kube_controller_manager_equals_itself() -> TestResult {
    let cluster = ControlPlane::start(Options::default().authority_key(KeyKind::Rsa2048)).await?;
    let stage = Stage::new(&cluster).await?;
    let corpus = Corpus::load(1, COUNT)?;
    let first = stage.play(&corpus, unthrottled(&cluster, KCM)).await?;
    let second = stage.play(&corpus, unthrottled(&cluster, KCM)).await?;
    let report = compare(&corpus, &first, (KCM, &second));
    println!("{}: {report}", corpus.origin);
    report.ensure_equal()?;
    report.ensure_exercised()?;
    every_change_of_an_issued_certificate_is_seen(&corpus, &first, &second);
    Ok(())
}

fn every_change_of_an_issued_certificate_is_seen(
    corpus: &Corpus,
    first: &Observations,
    second: &Observations,
) {
    let issued = second.iter().filter(|(_, observation)| observation.outcome == Some(Outcome::Issued));
    let richest = issued.max_by_key(|(_, observation)| observation.facts.len());
    let (name, observation) = richest.expect("the corpus leads to certificates");
    for fact in observation.facts.keys() {
        let mut tampered = second.clone();
        let facts = tampered.get_mut(name).map(|observation| &mut observation.facts);
        facts.and_then(|facts| facts.get_mut(fact)).expect("the fact is there").push('0');
        let differences = compare(corpus, first, (KCM, &tampered)).differences;
        assert_eq!(differences.len(), 1, "{fact}");
        assert_eq!(&differences[0].facts[0].0, fact);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn countersign_equals_kube_controller_manager() -> TestResult {
    let options = Options::default().authority_key(KeyKind::Rsa2048);
    equal_on(options, Corpus::load(1, COUNT)?, &[]).await
}

/// The key of the authority decides the signature, and its expiry cuts certificates short.
#[tokio::test(flavor = "multi_thread")]
async fn they_are_equal_with_every_kind_of_authority() -> TestResult {
    for (seed, kind) in [(2, KeyKind::P256), (3, KeyKind::P384), (4, KeyKind::P521), (5, KeyKind::Ed25519)] {
        let options = Options::default().authority_key(kind).authority_lifetime(time::Duration::days(30));
        equal_on(options, Corpus::load(seed, SAMPLE)?, &[]).await?;
    }
    Ok(())
}

/// From 2050 on certificates write their times in another form.
#[tokio::test(flavor = "multi_thread")]
async fn they_are_equal_in_the_lifetimes_the_flag_allows() -> TestResult {
    for (seed, duration) in [(6, "9m"), (7, "8h"), (8, "438000h")] {
        let options = Options::default().authority_lifetime(time::Duration::days(36_500));
        let flags = [("cluster-signing-duration", duration)];
        equal_on(options, Corpus::load(seed, SAMPLE)?, &flags).await?;
    }
    Ok(())
}

async fn equal_on(options: Options, corpus: Corpus, flags: &[(&str, &str)]) -> TestResult {
    let cluster = ControlPlane::start(options).await?;
    let stage = Stage::new(&cluster).await?;
    let command = |program| {
        let plain = unthrottled(&cluster, program);
        flags.iter().fold(plain, |command, (name, value)| command.flag(name, value))
    };
    let kcm = stage.play(&corpus, command(KCM)).await?;
    let ours = stage.play(&corpus, command(Program::Countersign)).await?;
    let report = compare(&corpus, &kcm, (Program::Countersign, &ours));
    println!("{}, {flags:?}: {report}", corpus.origin);
    report.ensure_equal()?;
    if corpus.entries.len() >= COUNT {
        report.ensure_exercised()?;
        assert!(!report.exceptions.is_empty(), "the corpus did not lead to an exception: {report}");
    }
    Ok(())
}

/// Without its client's limits kube-controller-manager is done in seconds.
fn unthrottled(cluster: &ControlPlane, program: Program) -> Command<'_> {
    cluster.signer(program).flag("kube-api-qps", "10000").flag("kube-api-burst", "10000")
}

/// Requests of the main corpus: enough for every shape there is.
const COUNT: usize = 1200;

/// Requests where only the authority or a flag differs.
const SAMPLE: usize = 150;
