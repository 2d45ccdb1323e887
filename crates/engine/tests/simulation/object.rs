use std::sync::Arc;

use csr::{CertificateSigningRequest, SignerName};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A signerName whose requests we decide on and sign.
pub(crate) const CLIENT: &str = SignerName::KUBE_APISERVER_CLIENT_KUBELET;
/// A signerName whose requests we sign, and others decide on.
pub(crate) const SERVING: &str = SignerName::KUBELET_SERVING;
/// A signerName that is none of ours.
pub(crate) const FOREIGN: &str = "example.com/foreign";

/// What approver and signer think of a request; the model's `spec.request`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Content {
    /// Granted with the permission `Node`.
    Node,
    /// Granted with the permission `SelfNode`, and else with `Node`; asked about one after the other.
    SelfNode,
    /// The same, asked about at once.
    Either,
    /// The approver has no opinion.
    Unknown,
    /// Nobody can read it.
    Broken,
    /// The signer refuses it.
    Bad,
    /// The approver denies it.
    Forbidden,
    /// Held until the policy is replaced.
    Unpolitic,
}

impl Content {
    pub(crate) const ALL: [Self; 8] = [
        Self::Node,
        Self::SelfNode,
        Self::Either,
        Self::Unknown,
        Self::Broken,
        Self::Bad,
        Self::Forbidden,
        Self::Unpolitic,
    ];

    pub(crate) fn of(csr: &CertificateSigningRequest) -> Self {
        Self::ALL[usize::from(csr.spec().request[0] - b'0')]
    }
}

/// An object as the model API server keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) resource_version: u64,
    pub(crate) created: OffsetDateTime,
    pub(crate) signer_name: &'static str,
    pub(crate) username: String,
    pub(crate) content: Content,
    pub(crate) conditions: Vec<(&'static str, Option<OffsetDateTime>)>,
    pub(crate) certified: bool,
}

impl Object {
    pub(crate) fn has(&self, condition: &str) -> bool {
        self.conditions.iter().any(|(kind, _)| *kind == condition)
    }

    pub(crate) fn decoded(&self) -> Arc<CertificateSigningRequest> {
        Arc::new(self.json().parse().unwrap())
    }

    fn json(&self) -> String {
        let request = ["MA==", "MQ==", "Mg==", "Mw==", "NA==", "NQ==", "Ng==", "Nw=="][self.content as usize];
        let condition = |(kind, time): &(&str, Option<OffsetDateTime>)| {
            let time =
                time.map_or_else(|| "null".into(), |time| format!("\"{}\"", time.format(&Rfc3339).unwrap()));
            format!(r#"{{"type":"{kind}","status":"True","lastUpdateTime":{time}}}"#)
        };
        let conditions: Vec<_> = self.conditions.iter().map(condition).collect();
        let certificate = if self.certified { r#","certificate":"Q0VSVA==""# } else { "" };
        format!(
            concat!(
                r#"{{"metadata":{{"name":"{}","uid":"{}","resourceVersion":"{}","creationTimestamp":"{}"}},"#,
                r#""spec":{{"request":"{}","signerName":"{}","usages":[],"username":"{}"}},"#,
                r#""status":{{"conditions":[{}]{}}}}}"#
            ),
            self.name,
            self.uid,
            self.resource_version,
            self.created.format(&Rfc3339).unwrap(),
            request,
            self.signer_name,
            self.username,
            conditions.join(","),
            certificate
        )
    }
}
