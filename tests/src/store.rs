//! Writing history behind the API server's back.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Request;
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::jiff::Timestamp;
use kube::{Api, Client, Config};
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;

impl ControlPlane {
    /// Changes when a CertificateSigningRequest says it was created, which no API call can. The control plane must have
    /// been started with a [readable store](crate::Options::readable_store).
    ///
    /// # Errors
    /// When there is no such object, or the store cannot be reached.
    pub async fn set_creation(&self, name: &str, time: Timestamp) -> Result<()> {
        let etcd = Client::try_from(Config::new(self.store().parse()?))?;
        let range = call(&etcd, "/v3/kv/range", &json!({ "key": key(name) })).await?;
        let stored = range["kvs"][0]["value"].as_str().with_context(|| format!("{name} is not stored"))?;
        let mut object: Value = serde_json::from_slice(&BASE64.decode(stored)?)?;
        object["metadata"]["creationTimestamp"] = format!("{:.0}", time).into();
        let changed = BASE64.encode(object.to_string());
        call(&etcd, "/v3/kv/put", &json!({ "key": key(name), "value": changed })).await?;
        Ok(())
    }

    /// Stores copies of a CertificateSigningRequest under other names, each as long as the first and with a uid of its own, as
    /// fast as the store takes them: objects in whatever state, without the calls that bring it about.
    ///
    /// # Errors
    /// When there is no such object, a name is longer or shorter, or the store cannot be reached.
    pub async fn copy_object(&self, name: &str, copies: impl IntoIterator<Item = String>) -> Result<()> {
        let etcd = Client::try_from(Config::new(self.store().parse()?))?;
        let admin = Api::<CertificateSigningRequest>::all(self.admin().await?);
        let uid = admin.get(name).await?.metadata.uid.context("an object without a uid")?;
        let range = call(&etcd, "/v3/kv/range", &json!({ "key": key(name) })).await?;
        let stored = range["kvs"][0]["value"].as_str().with_context(|| format!("{name} is not stored"))?;
        let model = BASE64.decode(stored)?;
        let mut puts = Vec::new();
        for copy in copies {
            ensure!(copy.len() == name.len(), "{copy} is not as long as {name}");
            let other = format!("{}{:012x}", &uid[..24], fingerprint(&copy) & 0xffff_ffff_ffff);
            let value = replaced(&replaced(&model, name, &copy), &uid, &other);
            puts.push(json!({ "requestPut": { "key": key(&copy), "value": BASE64.encode(value) } }));
        }
        for batch in puts.chunks(LARGEST_TRANSACTION) {
            call(&etcd, "/v3/kv/txn", &json!({ "success": batch })).await?;
        }
        Ok(())
    }
}

/// Where an object is stored, as etcd's JSON gateway wants it.
fn key(name: &str) -> String {
    BASE64.encode(format!("/registry/certificatesigningrequests/{name}"))
}

/// Everywhere another text of the same length, which no format with lengths in it minds.
fn replaced(stored: &[u8], text: &str, other: &str) -> Vec<u8> {
    let mut replaced = stored.to_vec();
    for at in 0..=stored.len().saturating_sub(text.len()) {
        if stored[at..].starts_with(text.as_bytes()) {
            replaced[at..at + text.len()].copy_from_slice(other.as_bytes());
        }
    }
    replaced
}

/// The same for the same name.
fn fingerprint(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// etcd's default for `--max-txn-ops`.
const LARGEST_TRANSACTION: usize = 128;

/// A call of etcd's JSON gateway.
async fn call(etcd: &Client, path: &str, body: &Value) -> Result<Value> {
    let request =
        Request::post(path).header("content-type", "application/json").body(body.to_string().into_bytes());
    Ok(etcd.request(request?).await?)
}
