//! Kubeconfig files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::pki::Pair;

/// The text of a kubeconfig file: JSON, which is YAML too.
pub(crate) fn render(url: &str, authority: &str, credential: &Value) -> String {
    let mut cluster = json!({ "server": url });
    if url.starts_with("https:") {
        cluster["certificate-authority-data"] = BASE64.encode(authority).into();
    }
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "test", "cluster": cluster }],
        "users": [{ "name": "test", "user": credential }],
        "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test" } }],
        "current-context": "test",
    })
    .to_string()
}

pub(crate) fn token(token: &str) -> Value {
    json!({ "token": token })
}

pub(crate) fn certificate(pair: &Pair) -> Value {
    json!({
        "client-certificate-data": BASE64.encode(&pair.certificate),
        "client-key-data": BASE64.encode(&pair.key),
    })
}
