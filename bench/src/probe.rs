//! The bare probe: a review, an approval and a certificate made beforehand for each request, with no judgement, no signature and
//! no order. What it reaches is what the API server allows to whoever makes three calls.

use std::pin::pin;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use csr::{CertificateSigningRequest, Condition, ConditionType};
use futures::{AsyncBufReadExt as _, TryStreamExt as _};
use http::{Method, Request, header};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::client::ConfigExt as _;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::Semaphore;
use tower::{BoxError, ServiceBuilder};

use crate::load::PATH;
use crate::options::Target;

/// Requests served at the same time.
const IN_FLIGHT: usize = 64;

/// Serves requests until it is killed.
pub(crate) async fn run(target: Target) -> Result<()> {
    let kubeconfig = Kubeconfig::read_from(&target.kubeconfig)?;
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    config.default_retry = false;
    let probe = Probe {
        certificate: std::fs::read_to_string(&target.certificate)?,
        client: client(config)?,
        places: Semaphore::new(IN_FLIGHT),
    };
    Arc::new(probe).watch(&target.only).await
}

struct Probe {
    client: Client,
    certificate: String,
    places: Semaphore,
}

impl Probe {
    async fn watch(self: Arc<Self>, only: &str) -> Result<()> {
        let path = format!("{PATH}?watch=true&resourceVersion=0&timeoutSeconds=3600");
        let lines = self.client.request_stream(Request::get(path).body(Vec::new())?).await?;
        println!("watching");
        let mut lines = pin!(lines.lines());
        while let Some(line) = lines.try_next().await? {
            let event: Event<'_> = serde_json::from_str(&line)?;
            if event.r#type != "ADDED" {
                continue;
            }
            let object: CertificateSigningRequest = event.object.get().parse()?;
            if object.name().starts_with(only) && object.progress().approved.is_none() {
                let this = Arc::clone(&self);
                tokio::spawn(async move {
                    if let Err(error) = this.serve(&object).await {
                        eprintln!("{}: {error:#}", object.name());
                    }
                });
            }
        }
        anyhow::bail!("the watch has ended")
    }

    async fn serve(&self, object: &CertificateSigningRequest) -> Result<()> {
        let _place = self.places.acquire().await?;
        self.review(object).await?;
        let condition = Condition {
            kind: ConditionType::Approved,
            reason: "AutoApproved",
            message: "by the probe".into(),
            last_update_time: None,
        };
        let path = format!("{PATH}/{}/approval", object.name());
        let approved = self.call(Method::PUT, &path, object.with_condition(&condition)?).await?;
        let approved: CertificateSigningRequest = serde_json::from_slice(&approved)?;
        let path = format!("{PATH}/{}/status", object.name());
        self.call(Method::PUT, &path, approved.with_certificate(&self.certificate)).await?;
        Ok(())
    }

    async fn review(&self, object: &CertificateSigningRequest) -> Result<()> {
        let requester = &object.spec().requester;
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": requester.username,
                "uid": requester.uid,
                "groups": requester.groups,
                "extra": requester.extra,
                "resourceAttributes": {
                    "group": "certificates.k8s.io",
                    "resource": "certificatesigningrequests",
                    "subresource": "nodeclient",
                    "verb": "create",
                },
            },
        });
        let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
        self.call(Method::POST, path, serde_json::to_vec(&review)?).await.map(drop)
    }

    async fn call(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Vec<u8>> {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::CONTENT_TYPE, "application/json").body(body)?;
        Ok(self.client.request_text(request).await.with_context(|| path.to_owned())?.into_bytes())
    }
}

/// kube's client, but for packets that are not held back: as Go's clients have it.
fn client(config: Config) -> Result<Client> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    let pool = hyper_util::client::legacy::Client::builder(TokioExecutor::new());
    let pool = pool.build(config.rustls_https_connector_with_connector(http)?);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .map_err(BoxError::from)
        .service(pool);
    Ok(Client::new(service, config.default_namespace))
}

#[derive(Deserialize)]
struct Event<'a> {
    r#type: &'a str,
    #[serde(borrow)]
    object: &'a RawValue,
}
