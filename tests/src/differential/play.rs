//! Gives a corpus to one signer.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::Request;
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use kube::api::{DeleteParams, ListParams};
use kube::{Api, Client};
use serde_json::json;

use crate::approval::{self, Verdict};
use crate::control_plane::ControlPlane;
use crate::differential::compare::Observations;
use crate::differential::corpus::{self, Action, Corpus, Entry};
use crate::differential::observation::Observation;
use crate::signer::Command;
use crate::{bindings, quiescence, requests, wait};

/// A control plane on which every requester may create requests.
#[expect(missing_debug_implementations, reason = "a client has none")]
pub struct Stage<'a> {
    cluster: &'a ControlPlane,
    admin: Client,
    objects: Api<CertificateSigningRequest>,
}

/// Entries whose verdict by hand falls before the signer starts, and while it runs.
type Halves<'a> = (Vec<&'a Entry>, Vec<&'a Entry>);

impl<'a> Stage<'a> {
    /// Lets every user create requests, and those a corpus calls granted have theirs approved.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn new(cluster: &'a ControlPlane) -> Result<Self> {
        let admin = cluster.admin().await?;
        let everyone = ("system:node-bootstrapper", "system:authenticated");
        bindings::bind(&admin, "everyone-requests", everyone).await?;
        bindings::bind(&admin, "granted", (bindings::NODE_CLIENT, corpus::GRANTED)).await?;
        let objects = Api::all(admin.clone());
        Ok(Self { cluster, admin, objects })
    }

    /// What becomes of `corpus` when `signer` alone looks after it. Nothing is left behind.
    ///
    /// # Errors
    /// When the signer does not start, or the API server fails.
    pub async fn play(&self, corpus: &Corpus, signer: Command<'_>) -> Result<Observations> {
        let mut observations = self.create(corpus).await?;
        let (before, during) = self.halves(corpus, &observations);
        self.decide(&before).await?;
        let signer = signer.start().await?;
        self.decide(&during).await?;
        quiescence::settle(&self.admin).await?;
        self.observe(&mut observations).await?;
        signer.stop().await?;
        self.clear().await?;
        Ok(observations)
    }

    /// Creates each request as its requester and returns those that were refused.
    async fn create(&self, corpus: &Corpus) -> Result<Observations> {
        let create = async |entry: &Entry| -> Result<_> {
            match self.admin.request::<CertificateSigningRequest>(creation(entry)?).await {
                Ok(_) => Ok(None),
                Err(kube::Error::Api(status)) => {
                    Ok(Some((entry.name.clone(), Observation::refused(&status))))
                }
                Err(error) => Err(error).with_context(|| format!("failed to create {}", entry.name)),
            }
        };
        let refused = stream::iter(&corpus.entries).map(create).buffered(CONCURRENCY);
        refused.try_filter_map(async |refusal| Ok(refusal)).try_collect().await
    }

    /// Requests that an approver may take are decided before it could, or the two would race; of the others every
    /// second is decided under the signer's eyes.
    fn halves<'b>(&self, corpus: &'b Corpus, refused: &Observations) -> Halves<'b> {
        let accepted = corpus.entries.iter().filter(|entry| !refused.contains_key(&entry.name));
        let decided: Vec<_> = accepted.filter(|entry| entry.action != Action::None).collect();
        let (safe, raced): (Vec<_>, Vec<_>) =
            decided.into_iter().partition(|entry| entry.signer_name != requests::KUBELET_CLIENT);
        let (mut before, mut during) = (raced, Vec::new());
        for (index, entry) in safe.into_iter().enumerate() {
            if index % 2 == 0 { before.push(entry) } else { during.push(entry) }
        }
        (before, during)
    }

    async fn decide(&self, entries: &[&Entry]) -> Result<()> {
        let decide = async |entry: &&Entry| {
            let verdict = if entry.action == Action::Deny { Verdict::Denied } else { Verdict::Approved };
            approval::decide(&self.admin, &entry.name, verdict).await
        };
        stream::iter(entries).map(decide).buffer_unordered(CONCURRENCY).try_collect().await
    }

    async fn observe(&self, observations: &mut Observations) -> Result<()> {
        for csr in self.objects.list(&ListParams::default()).await? {
            let name = csr.metadata.name.clone().unwrap_or_default();
            let observation = Observation::of(&csr, self.cluster.authority());
            observations.insert(name.clone(), observation.with_context(|| name)?);
        }
        Ok(())
    }

    async fn clear(&self) -> Result<()> {
        self.objects.delete_collection(&DeleteParams::default(), &ListParams::default()).await?;
        wait::until("all requests are deleted", async || {
            let left = self.objects.list_metadata(&ListParams::default().limit(1)).await?;
            Ok(left.items.is_empty().then_some(()))
        })
        .await
    }
}

/// The POST of an entry as its requester.
fn creation(entry: &Entry) -> Result<Request<Vec<u8>>> {
    let mut spec = json!({ "request": BASE64.encode(&entry.request), "signerName": entry.signer_name });
    if let Some(usages) = &entry.usages {
        spec["usages"] = json!(usages);
    }
    if let Some(seconds) = entry.expiration_seconds {
        spec["expirationSeconds"] = json!(seconds);
    }
    // The API server tracks who wrote what, and when, only where the creator set a field it can own.
    let metadata = json!({
        "name": entry.name, "generateName": entry.name,
        "labels": entry.labels, "annotations": entry.annotations,
    });
    let object = json!({
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": metadata,
        "spec": spec,
    });
    let mut request = Request::post("/apis/certificates.k8s.io/v1/certificatesigningrequests")
        .header("content-type", "application/json")
        .header("impersonate-user", &entry.requester.username);
    for group in &entry.requester.groups {
        request = request.header("impersonate-group", group);
    }
    Ok(request.body(serde_json::to_vec(&object)?)?)
}

/// Requests on their way to the API server at once.
const CONCURRENCY: usize = 16;
