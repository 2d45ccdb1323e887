//! The API server misbehaves: nothing is lost, and nothing is signed twice.

use std::time::Duration;

use anyhow::{Context as _, Result};
use countersign_e2e::faults::{Call, Fault, Proxy};
use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::{ControlPlane, Options, Program, Signer, TestResult, quiescence, requests, wait};
use http::{Method, StatusCode};
use kube::Client;

/// A signer that reaches the API server through a proxy, and an administrator who does not.
struct Stage {
    proxy: Proxy,
    admin: Client,
    _signer: Signer,
    _cluster: ControlPlane,
}

const REVIEW: (Method, &str) = (Method::POST, "/subjectaccessreviews");
const APPROVAL: (Method, &str) = (Method::PUT, "/approval");
const STATUS: (Method, &str) = (Method::PUT, "/status");
const CSRS: &str = "/certificatesigningrequests";
const LIST: &str = "/certificatesigningrequests? limit=";
const WATCH: &str = "/certificatesigningrequests? watch=true";

impl Stage {
    async fn start() -> Result<Self> {
        let cluster = ControlPlane::start(Options::default()).await?;
        let proxy = Proxy::start(&cluster).await?;
        let signer = cluster.signer(Program::under_test()).through(proxy.url()).start().await?;
        wait::until("the signer watches", async || {
            let watches = proxy.calls(&Method::GET, WATCH);
            Ok(watches.iter().any(|call| call.2 == Some(StatusCode::OK)).then_some(()))
        })
        .await?;
        Ok(Self { proxy, admin: cluster.admin().await?, _signer: signer, _cluster: cluster })
    }

    /// Creates requests and returns their names.
    async fn create(&self, count: usize) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for _ in 0..count {
            names.push(requests::kubelet_client("a")?.create(&self.admin).await?);
        }
        Ok(names)
    }

    /// Lets three of the calls go wrong, and expects certificates all the same.
    async fn overcomes(&self, (method, path): (Method, &'static str), fault: Fault) -> Result<()> {
        self.proxy.add(method.clone(), path, (fault, 3));
        let names = self.create(2).await?;
        let issued = self.issued_once(&names).await;
        issued.with_context(|| format!("{fault:?} for {method} {path}"))?;
        let left = self.proxy.left();
        anyhow::ensure!(left == 0, "{left} of {method} {path} went well that should have met {fault:?}");
        Ok(())
    }

    /// Waits until each has its certificate, and expects that to have been written once.
    async fn issued_once(&self, names: &[String]) -> Result<()> {
        for name in names {
            outcome::reached(&self.admin, name, Outcome::Issued).await?;
            let written = || {
                let puts = self.puts(name, "status").into_iter();
                puts.filter(|(_, _, status)| *status == Some(StatusCode::OK)).count()
            };
            // The watch can be ahead of the answer that the proxy passes on.
            wait::until("the answer has come", async || Ok((written() > 0).then_some(()))).await?;
            anyhow::ensure!(written() == 1, "the certificate of {name} was written {} times", written());
        }
        Ok(())
    }

    /// The writes of a subresource that were tried, whatever came of them.
    fn puts(&self, name: &str, subresource: &str) -> Vec<Call> {
        self.proxy.calls(&Method::PUT, &format!("{CSRS}/{name}/{subresource}"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_refusal_of_any_call_is_overcome() -> TestResult {
    let stage = Stage::start().await?;
    for status in [409, 429, 500, 503] {
        let fault = Fault::Status(StatusCode::from_u16(status)?);
        for (method, path) in [REVIEW, APPROVAL, STATUS] {
            stage.overcomes((method, path), fault).await?;
        }
    }
    Ok(())
}

/// Not found says the API server of an object that is gone; said by somebody else it means nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_not_found_is_no_deleted_object() -> TestResult {
    let stage = Stage::start().await?;
    for call in [REVIEW, APPROVAL, STATUS] {
        stage.overcomes(call, Fault::Foreign(StatusCode::NOT_FOUND)).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_refused_is_asked_for_again() -> TestResult {
    let stage = Stage::start().await?;
    stage.proxy.add(Method::GET, WATCH, (Fault::Expired, 1));
    stage.proxy.add(Method::GET, LIST, (Fault::Status(StatusCode::INTERNAL_SERVER_ERROR), 1));
    stage.proxy.cut();
    let names = stage.create(2).await?;
    stage.issued_once(&names).await?;
    assert_eq!(stage.proxy.left(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_is_lost_is_not_done_again() -> TestResult {
    let stage = Stage::start().await?;
    let mut names = Vec::new();
    for (method, path) in [APPROVAL, STATUS] {
        stage.proxy.add(method, path, (Fault::Lost, 1));
        let created = stage.create(1).await?;
        outcome::reached(&stage.admin, &created[0], Outcome::Issued).await?;
        names.extend(created);
    }
    // Long enough for a second try to come.
    quiescence::settle(&stage.admin).await?;
    assert_eq!(stage.proxy.left(), 0);
    for name in names {
        for subresource in ["approval", "status"] {
            let tried = stage.puts(&name, subresource);
            assert_eq!(tried.len(), 1, "{tried:?}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_made_while_watches_are_cut_are_not_missed() -> TestResult {
    let stage = Stage::start().await?;
    let mut names = Vec::new();
    for _ in 0..5 {
        stage.proxy.cut();
        names.extend(stage.create(2).await?);
    }
    stage.issued_once(&names).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_from_too_old_a_version_starts_anew() -> TestResult {
    let stage = Stage::start().await?;
    stage.proxy.add(Method::GET, WATCH, (Fault::Expired, 1));
    stage.proxy.cut();
    let names = stage.create(2).await?;
    stage.issued_once(&names).await?;
    let watches = stage.proxy.calls(&Method::GET, WATCH).len();
    assert_eq!(stage.proxy.left(), 0);
    assert!(watches >= 3, "the first, the one that was too old, and its successor: {watches}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_was_away_is_found_again() -> TestResult {
    let stage = Stage::start().await?;
    for method in [Method::GET, Method::PUT, Method::POST] {
        stage.proxy.add(method, "/", (Fault::Refused, usize::MAX));
    }
    stage.proxy.cut();
    let names = stage.create(3).await?;
    wait::until("the signer calls in vain", async || {
        let refused = stage.proxy.calls(&Method::GET, CSRS).into_iter().filter(|call| call.2.is_none());
        Ok((refused.count() >= 2).then_some(()))
    })
    .await?;
    stage.proxy.heal();
    stage.issued_once(&names).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_api_server_is_waited_for() -> TestResult {
    let stage = Stage::start().await?;
    for (method, path) in [REVIEW, APPROVAL, STATUS] {
        stage.proxy.add(method, path, (Fault::Slow(Duration::from_millis(700)), 20));
    }
    let names = stage.create(5).await?;
    stage.issued_once(&names).await?;
    Ok(())
}
