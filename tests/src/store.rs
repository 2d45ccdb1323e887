//! Writing history behind the API server's back.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Request;
use k8s_openapi::jiff::Timestamp;
use kube::{Client, Config};
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
        let key = BASE64.encode(format!("/registry/certificatesigningrequests/{name}"));
        let range = call(&etcd, "/v3/kv/range", &json!({ "key": key })).await?;
        let stored = range["kvs"][0]["value"].as_str().with_context(|| format!("{name} is not stored"))?;
        let mut object: Value = serde_json::from_slice(&BASE64.decode(stored)?)?;
        object["metadata"]["creationTimestamp"] = format!("{:.0}", time).into();
        let changed = BASE64.encode(object.to_string());
        call(&etcd, "/v3/kv/put", &json!({ "key": key, "value": changed })).await?;
        Ok(())
    }
}

/// A call of etcd's JSON gateway.
async fn call(etcd: &Client, path: &str, body: &Value) -> Result<Value> {
    let request =
        Request::post(path).header("content-type", "application/json").body(body.to_string().into_bytes());
    Ok(etcd.request(request?).await?)
}
