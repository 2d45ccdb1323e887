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
    /// The common name it asks for; `None` for what can only be read by the models.
    pub(crate) common_name: Option<String>,
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

    /// The content in a digit, and after it, where PEM allows for it, what the engine may read.
    fn request(&self) -> Vec<u8> {
        let mut request = format!("{}\n", self.content as usize);
        if let Some(name) = &self.common_name {
            request += &csr::pem::encode("CERTIFICATE REQUEST", &pkcs10(name.as_bytes()));
        }
        request.into()
    }

    fn json(&self) -> String {
        let request = base64(&self.request());
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

/// A PKCS #10 request for a common name, with a key and a signature of no known algorithm.
fn pkcs10(common_name: &[u8]) -> Vec<u8> {
    let unknown = der(0x30, &[&der(0x06, &[&[0x2a]])]);
    let bits = der(0x03, &[&[0]]);
    let attribute = der(0x30, &[&der(0x06, &[&[0x55, 0x04, 3]]), &der(0x0c, &[common_name])]);
    let subject = der(0x30, &[&der(0x31, &[&attribute])]);
    let public_key = der(0x30, &[&unknown, &bits]);
    let info = der(0x30, &[&der(0x02, &[&[0]]), &subject, &public_key, &der(0xa0, &[])]);
    der(0x30, &[&info, &unknown, &bits])
}

fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let length = u16::try_from(contents.len()).unwrap();
    let header = match (length, length.to_be_bytes()) {
        (..128, [_, low]) => vec![tag, low],
        (128..256, [_, low]) => vec![tag, 0x81, low],
        (256.., [high, low]) => vec![tag, 0x82, high, low],
    };
    [header, contents].concat()
}

/// The base64 of PEM, without its lines.
fn base64(octets: &[u8]) -> String {
    csr::pem::encode("", octets).lines().filter(|line| !line.starts_with('-')).collect()
}
