//! What the API server was asked for, by its own count.

use std::collections::BTreeMap;

use anyhow::Result;
use http::Request;
use kube::Client;

/// Calls that serve requests, by verb and resource. What the load generator itself asks for is not among them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls(BTreeMap<String, f64>);

impl Calls {
    /// Since the API server started.
    pub(crate) async fn counted(client: &Client) -> Result<Self> {
        let text = client.request_text(Request::get("/metrics").body(Vec::new())?).await?;
        let mut calls = BTreeMap::new();
        for line in text.lines().filter(|line| line.starts_with("apiserver_request_total{")) {
            let Some((labels, value)) = line.rsplit_once(' ') else { continue };
            if let Some(call) = call(labels) {
                *calls.entry(call).or_default() += value.parse::<f64>()?;
            }
        }
        Ok(Self(calls))
    }

    /// How many since `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> f64 {
        self.0.iter().map(|(call, count)| count - earlier.0.get(call).copied().unwrap_or_default()).sum()
    }
}

/// Reviews, reads of one object, and writes to `/approval`, `/status` and the record of approvals.
fn call(labels: &str) -> Option<String> {
    let label = |name: &str| -> Option<&str> {
        let (_, rest) = labels.split_once(&format!("{name}=\""))?;
        rest.split('"').next()
    };
    let (verb, resource, subresource) = (label("verb")?, label("resource")?, label("subresource")?);
    let serves = match (resource, subresource) {
        ("subjectaccessreviews", _) => verb == "POST",
        ("certificatesigningrequests" | "nodes", "") => verb == "GET",
        ("certificatesigningrequests", _) => matches!(verb, "PUT" | "PATCH"),
        ("configmaps", _) => verb == "PUT",
        _ => false,
    };
    serves.then(|| format!("{verb} {resource}/{subresource}"))
}
