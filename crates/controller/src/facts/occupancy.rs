//! Whether a node is alive: its Node, and its Lease, which kubelets renew every ten seconds.

use std::collections::BTreeMap;
use std::time::Duration;

use approver::Occupancy;
use http::Request;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Facts;
use crate::kube::call::{CallError, Operation};
use crate::kube::path::encoded;

const READ_NODE: Operation = Operation::new("get", "nodes");
const READ_LEASE: Operation = Operation::new("get", "leases");

const NODES: &str = "/api/v1/nodes";
const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";

/// A Lease that was renewed within this time is that of a node that is alive: some thirty times its period, so that a restart or a
/// short partition makes nobody's name free.
const LATELY: Duration = Duration::from_secs(5 * 60);

#[derive(Debug, Deserialize)]
struct Metadata {
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Node {
    metadata: Metadata,
    #[serde(default)]
    status: NodeStatus,
}

#[derive(Debug, Default, Deserialize)]
struct NodeStatus {
    #[serde(default)]
    conditions: Vec<NodeCondition>,
}

#[derive(Debug, Deserialize)]
struct NodeCondition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

#[derive(Debug, Deserialize)]
struct Lease {
    metadata: Metadata,
    #[serde(default)]
    spec: LeaseSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LeaseSpec {
    #[serde(default)]
    renew_time: Option<String>,
}

impl Facts {
    /// Whether a node of this name, which must be one that a Node can have, is there and alive.
    ///
    /// # Errors
    /// When its Node or its Lease cannot be read.
    pub async fn occupancy(&self, name: &str) -> Result<Occupancy, CallError> {
        let Some(node) = self.object::<Node>(READ_NODE, (NODES, name)).await? else {
            return Ok(Occupancy::Vacant);
        };
        if node.metadata.labels.get(Occupancy::RELEASE_LABEL).is_some_and(|value| value == "true") {
            return Ok(Occupancy::Released);
        }
        let is_ready = |condition: &NodeCondition| condition.kind == "Ready" && condition.status == "True";
        if node.status.conditions.iter().any(is_ready) {
            return Ok(Occupancy::Ready);
        }
        let lease = self.object::<Lease>(READ_LEASE, (LEASES, name)).await?;
        let is_renewed = lease.is_some_and(|lease| lease.is_renewed(OffsetDateTime::now_utc()));
        Ok(if is_renewed { Occupancy::Renewed } else { Occupancy::Silent })
    }

    /// An object of this name in a collection; `None` where there is none.
    async fn object<T: DeserializeOwned + Named>(
        &self,
        operation: Operation,
        (collection, name): (&str, &str),
    ) -> Result<Option<T>, CallError> {
        let path = format!("{collection}/{}", encoded(name));
        let answer = match self.caller.call(operation, Request::get(path).body(Vec::new())).await {
            Err(error) if error.is_gone(name) => return Ok(None),
            answer => answer?,
        };
        let unreadable =
            |source: serde_json::Error| CallError::Unreadable { operation, source: source.into() };
        let object: T = serde_json::from_slice(&answer).map_err(unreadable)?;
        let found = object.name();
        if found != name {
            let (asked, found) = (name.to_owned(), found.to_owned());
            return Err(CallError::OtherObject { operation, asked, found });
        }
        Ok(Some(object))
    }
}

impl Lease {
    /// One that was renewed in the future was by another clock. One whose time cannot be read was renewed by somebody.
    fn is_renewed(&self, now: OffsetDateTime) -> bool {
        let Some(text) = &self.spec.renew_time else {
            return false;
        };
        !OffsetDateTime::parse(text, &Rfc3339).is_ok_and(|at| now - at > LATELY)
    }
}

/// An object that says whose name it has.
trait Named {
    fn name(&self) -> &str;
}

impl Named for Node {
    fn name(&self) -> &str {
        &self.metadata.name
    }
}

impl Named for Lease {
    fn name(&self) -> &str {
        &self.metadata.name
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_lease_is_renewed_lately_up_to_its_limit() {
        let now = datetime!(2026-11-22 08:00 UTC);
        for (renewed, expected) in [
            (Some("2026-11-22T07:59:50.000000Z"), true),
            (Some("2026-11-22T07:55:00.000000Z"), true),
            (Some("2026-11-22T07:54:59.999999Z"), false),
            (Some("2026-11-22T09:00:00.000000Z"), true),
            (Some("yesterday"), true),
            (None, false),
        ] {
            let metadata = Metadata { name: "n".to_owned(), labels: BTreeMap::new() };
            let lease = Lease { metadata, spec: LeaseSpec { renew_time: renewed.map(str::to_owned) } };
            assert_eq!(lease.is_renewed(now), expected, "{renewed:?}");
        }
    }
}
