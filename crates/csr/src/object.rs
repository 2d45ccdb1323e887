use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer};
use serde_json::value::{RawValue, to_raw_value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::{Condition, ConditionType, IssuedCertificate, Progress, Requester, SignerName, Since, Usages};

/// A CertificateSigningRequest as the API server sent it.
///
/// Only what we read is decoded. Metadata, spec, status and whatever a newer API server may add stay as they came, so
/// that a PUT loses nothing: labels, annotations, finalizers, owner references and unknown fields go back unaltered. Only
/// managedFields are dropped; the API server keeps its own when an update carries none.
#[derive(Clone, Debug)]
pub struct CertificateSigningRequest {
    name: Arc<str>,
    uid: Arc<str>,
    resource_version: u64,
    created: Option<OffsetDateTime>,
    spec: Spec,
    status: Status,
    raw: RawObject,
}

/// `spec`, decoded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Spec {
    /// `spec.request`: a PEM block holding a PKCS #10 request, as sent.
    pub request: Vec<u8>,

    /// `spec.signerName`.
    pub signer_name: SignerName,

    /// `spec.usages`.
    pub usages: Usages,

    /// `spec.expirationSeconds`: the lifetime asked for, in seconds.
    pub expiration_seconds: Option<i32>,

    /// `spec.username`, `uid`, `groups` and `extra`.
    pub requester: Arc<Requester>,
}

/// Why an object cannot be read. The API server sends none like it; a file may.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON, or not of the right shape.
    #[error("failed to decode a CertificateSigningRequest")]
    Json(#[from] serde_json::Error),

    /// A part that every CertificateSigningRequest has is not there.
    #[error("CertificateSigningRequest has no {0}")]
    Missing(&'static str),

    /// `metadata.resourceVersion` is no integer, so events cannot be ordered.
    #[error("resourceVersion {0:?} is not an integer")]
    ResourceVersion(String),
}

type RawMap = BTreeMap<Box<str>, Box<RawValue>>;

/// The parts of the object that go back as they came.
#[derive(Clone, Debug)]
struct RawObject {
    top: RawMap,
    metadata: RawMap,
    status: RawMap,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSpec {
    #[serde(default)]
    request: String,
    #[serde(default)]
    signer_name: String,
    #[serde(default)]
    usages: Option<Vec<String>>,
    expiration_seconds: Option<i32>,
    #[serde(default)]
    username: String,
    #[serde(default)]
    uid: String,
    #[serde(default)]
    groups: Option<Vec<String>>,
    #[serde(default)]
    extra: Option<BTreeMap<String, Vec<String>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCondition {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    status: String,
    last_update_time: Option<String>,
}

#[derive(Clone, Debug, Default)]
struct Status {
    conditions: Vec<(Option<ConditionType>, bool, Since)>,
    certificate: IssuedCertificate,
}

impl CertificateSigningRequest {
    /// `metadata.name`.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// `metadata.uid`; empty for an object that never was in a cluster.
    pub fn uid(&self) -> &Arc<str> {
        &self.uid
    }

    /// `metadata.resourceVersion`: a later state of an object has a greater one. 0 for an object that never was in a cluster.
    pub fn resource_version(&self) -> u64 {
        self.resource_version
    }

    /// What is asked for, and by whom.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Where the object stands.
    pub fn progress(&self) -> Progress {
        let mut progress =
            Progress { created: self.created, certificate: self.status.certificate, ..Progress::default() };
        for (kind, effective, since) in &self.status.conditions {
            let place = match kind {
                Some(ConditionType::Approved) => &mut progress.approved,
                Some(ConditionType::Denied) => &mut progress.denied,
                Some(ConditionType::Failed) => {
                    progress.failed_effective |= effective;
                    &mut progress.failed
                }
                None => {
                    progress.other_conditions = true;
                    continue;
                }
            };
            *place = Some(place.map_or(*since, |earlier| earlier.earlier(*since)));
        }
        progress
    }

    /// Roughly the bytes that the object holds in memory.
    pub fn size(&self) -> usize {
        let map = |raw: &RawMap| -> usize {
            raw.iter().map(|(key, value)| key.len() + value.get().len() + 64).sum()
        };
        size_of::<Self>()
            + map(&self.raw.top)
            + map(&self.raw.metadata)
            + map(&self.raw.status)
            + self.spec.request.len()
    }

    /// The body of a PUT that adds one condition to those that stand, and changes nothing else.
    pub fn with_condition(&self, condition: &Condition) -> Result<Vec<u8>, serde_json::Error> {
        let mut status = self.raw.status.clone();
        let added = to_raw_value(condition)?;
        let mut conditions: Vec<Box<RawValue>> = read(&status, "conditions")?;
        conditions.push(added);
        status.insert("conditions".into(), to_raw_value(&conditions)?);
        self.with_status(&status)
    }

    /// The body of a PUT that sets the certificate, and changes nothing else. `pem` is `status.certificate` before base64.
    pub fn with_certificate(&self, pem: &str) -> Result<Vec<u8>, serde_json::Error> {
        let mut status = self.raw.status.clone();
        status.insert("certificate".into(), to_raw_value(&BASE64_STANDARD.encode(pem))?);
        self.with_status(&status)
    }

    /// This object, in this version, with the status of a body that [`Self::with_condition`] or [`Self::with_certificate`] made.
    pub fn with_status_of(&self, body: &[u8]) -> Result<Self, DecodeError> {
        #[derive(Deserialize)]
        struct Body {
            status: RawMap,
        }
        let Body { status } = serde_json::from_slice(body)?;
        let mut changed = self.clone();
        changed.status = Status::decode(&status)?;
        changed.raw.status = status;
        Ok(changed)
    }

    fn with_status(&self, status: &RawMap) -> Result<Vec<u8>, serde_json::Error> {
        let mut object: BTreeMap<&str, &RawValue> =
            self.raw.top.iter().map(|(key, raw)| (&**key, &**raw)).collect();
        // Items of a list carry neither, and a PUT needs both.
        let (version, kind) =
            (to_raw_value("certificates.k8s.io/v1")?, to_raw_value("CertificateSigningRequest")?);
        let (metadata, status) = (to_raw_value(&self.raw.metadata)?, to_raw_value(status)?);
        object.extend([
            ("apiVersion", &*version),
            ("kind", &*kind),
            ("metadata", &*metadata),
            ("status", &*status),
        ]);
        serde_json::to_vec(&object)
    }

    fn decode(mut top: RawMap) -> Result<Self, DecodeError> {
        let metadata = top.remove("metadata").ok_or(DecodeError::Missing("metadata"))?;
        let mut metadata: RawMap = serde_json::from_str(metadata.get())?;
        metadata.remove("managedFields");
        let spec = top.get("spec").ok_or(DecodeError::Missing("spec"))?;
        let spec = Spec::try_from(serde_json::from_str::<WireSpec>(spec.get())?)?;
        let status: RawMap = read(&top, "status")?;
        top.remove("status");
        let version: String = read(&metadata, "resourceVersion")?;
        let resource_version = match version.as_str() {
            "" => 0,
            digits => digits.parse().map_err(|_| DecodeError::ResourceVersion(digits.into()))?,
        };
        Ok(Self {
            name: read::<String>(&metadata, "name")?.into(),
            uid: read::<String>(&metadata, "uid")?.into(),
            resource_version,
            created: timestamp(&read::<String>(&metadata, "creationTimestamp")?),
            spec,
            status: Status::decode(&status)?,
            raw: RawObject { top, metadata, status },
        })
    }
}

impl FromStr for CertificateSigningRequest {
    type Err = DecodeError;

    fn from_str(json: &str) -> Result<Self, DecodeError> {
        Self::decode(serde_json::from_str(json)?)
    }
}

impl<'de> Deserialize<'de> for CertificateSigningRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::decode(RawMap::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl TryFrom<WireSpec> for Spec {
    type Error = DecodeError;

    fn try_from(wire: WireSpec) -> Result<Self, DecodeError> {
        let request = BASE64_STANDARD.decode(&wire.request).map_err(serde::de::Error::custom);
        Ok(Self {
            request: request.map_err(DecodeError::Json)?,
            signer_name: SignerName::from(wire.signer_name.as_str()),
            usages: wire.usages.iter().flatten().map(String::as_str).collect(),
            expiration_seconds: wire.expiration_seconds,
            requester: Arc::new(Requester {
                username: wire.username,
                uid: wire.uid,
                groups: wire.groups.unwrap_or_default(),
                extra: wire.extra.unwrap_or_default(),
            }),
        })
    }
}

impl Status {
    fn decode(status: &RawMap) -> Result<Self, DecodeError> {
        let conditions: Vec<Box<RawValue>> = read(status, "conditions")?;
        let decode = |raw: &RawValue| -> Result<_, DecodeError> {
            let wire: WireCondition = serde_json::from_str(raw.get())?;
            let effective = wire.status.is_empty() || wire.status == "True";
            let since = Since(wire.last_update_time.as_deref().and_then(timestamp));
            Ok((ConditionType::from_name(&wire.r#type), effective, since))
        };
        Ok(Self {
            conditions: conditions.iter().map(|raw| decode(raw)).collect::<Result<_, _>>()?,
            certificate: IssuedCertificate::from_base64(&read::<String>(status, "certificate")?),
        })
    }
}

/// The value of `key`, or its default when it is absent or null.
fn read<T: serde::de::DeserializeOwned + Default>(map: &RawMap, key: &str) -> Result<T, serde_json::Error> {
    let value: Option<T> = map.get(key).map_or(Ok(None), |raw| serde_json::from_str(raw.get()))?;
    Ok(value.unwrap_or_default())
}

fn timestamp(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use time::macros::datetime;

    fn object() -> Value {
        json!({
            "metadata": {
                "name": "csr-1", "uid": "u-1", "resourceVersion": "42", "creationTimestamp": "2026-11-22T08:00:00Z",
                "labels": {"team": "a"}, "annotations": {"note": "kept"}, "finalizers": ["example.com/hold"],
                "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u-2"}],
                "managedFields": [{"manager": "kubelet"}], "fieldOfTomorrow": {"deep": [1, 2]},
            },
            "spec": {
                "request": BASE64_STANDARD.encode("pem"), "signerName": SignerName::KUBELET_SERVING,
                "usages": ["server auth"], "expirationSeconds": 3600, "username": "system:node:n", "uid": "u-2",
                "groups": ["system:nodes"], "extra": {"example.com/k": ["v"]}, "specOfTomorrow": true,
            },
            "status": {
                "conditions": [{"type": "Approved", "status": "True", "conditionOfTomorrow": 1}], "statusOfTomorrow": "x",
            },
            "topOfTomorrow": 7,
        })
    }

    fn decoded(object: &Value) -> CertificateSigningRequest {
        object.to_string().parse().unwrap()
    }

    fn condition() -> Condition {
        Condition {
            kind: ConditionType::Failed,
            reason: "SignerValidationFailure",
            message: "no".into(),
            last_update_time: Some(datetime!(2026-11-22 08:00:00.5 UTC)),
        }
    }

    #[test]
    fn what_is_asked_and_by_whom_is_decoded() {
        let csr = decoded(&object());
        assert_eq!((&**csr.name(), &**csr.uid(), csr.resource_version()), ("csr-1", "u-1", 42));
        let spec = csr.spec();
        assert_eq!(spec.request, b"pem");
        assert_eq!(spec.signer_name.as_str(), SignerName::KUBELET_SERVING);
        assert_eq!(spec.usages, ["server auth"].into_iter().collect());
        assert_eq!(spec.expiration_seconds, Some(3600));
        assert_eq!(spec.requester.username, "system:node:n");
        assert_eq!(spec.requester.groups, ["system:nodes"]);
        assert_eq!(spec.requester.extra["example.com/k"], ["v"]);
    }

    #[test]
    fn a_write_loses_nothing_but_managed_fields() {
        let csr = decoded(&object());
        let mut expected = object();
        expected["metadata"].as_object_mut().unwrap().remove("managedFields");
        expected["apiVersion"] = json!("certificates.k8s.io/v1");
        expected["kind"] = json!("CertificateSigningRequest");
        let mut failed = expected.clone();
        failed["status"]["conditions"].as_array_mut().unwrap().push(json!({
            "type": "Failed", "status": "True", "reason": "SignerValidationFailure", "message": "no",
            "lastUpdateTime": "2026-11-22T08:00:00Z",
        }));
        let written: Value = serde_json::from_slice(&csr.with_condition(&condition()).unwrap()).unwrap();
        assert_eq!(written, failed);

        expected["status"]["certificate"] = json!(BASE64_STANDARD.encode("pem"));
        // The existing conditions go back too: the API server refuses to lose one.
        let written: Value = serde_json::from_slice(&csr.with_certificate("pem").unwrap()).unwrap();
        assert_eq!(written, expected);
    }

    #[test]
    fn a_status_that_was_sent_is_taken_over_and_nothing_else() {
        let csr = decoded(&object());
        let body = csr.with_condition(&condition()).unwrap();
        let changed = csr.with_status_of(&body).unwrap();
        let sent: CertificateSigningRequest = serde_json::from_slice(&body).unwrap();
        assert_eq!(changed.progress(), sent.progress());
        assert_ne!(changed.progress(), csr.progress());
        assert_eq!((changed.resource_version(), changed.uid()), (csr.resource_version(), csr.uid()));
        assert_eq!(changed.with_certificate("pem").unwrap(), sent.with_certificate("pem").unwrap());
    }

    #[test]
    fn progress_keeps_what_the_rules_disagree_about() {
        let at = "2026-11-22T08:00:00Z";
        let since = Some(Since(Some(datetime!(2026-11-22 08:00 UTC))));
        let timeless = Some(Since(None));
        let base = Progress { created: Some(datetime!(2026-11-22 08:00 UTC)), ..Progress::default() };
        let denied = Progress { denied: since, ..base };
        let failed = Progress { failed: since, failed_effective: true, ..base };
        for (conditions, expected) in [
            (json!(null), base),
            (json!([{"type": "Approved", "status": "False"}]), Progress { approved: timeless, ..base }),
            (json!([{"type": "Denied", "lastUpdateTime": at}]), denied),
            (json!([{"type": "Failed", "status": "", "lastUpdateTime": at}]), failed),
            (
                json!([{"type": "Failed", "status": "False", "lastUpdateTime": null}]),
                Progress { failed: timeless, ..base },
            ),
            (json!([{"type": "Custom", "status": "True"}]), Progress { other_conditions: true, ..base }),
            (
                json!([{"type": "Denied", "lastUpdateTime": "2027-01-01T00:00:00Z"}, {"type": "Denied", "lastUpdateTime": at}]),
                denied,
            ),
        ] {
            let mut object = object();
            object["status"] = json!({ "conditions": conditions });
            assert_eq!(decoded(&object).progress(), expected, "{conditions}");
        }
    }

    #[test]
    fn an_object_of_the_wrong_shape_is_refused_with_what_is_missing() {
        for (object, message) in [
            (json!({"spec": {}}), "CertificateSigningRequest has no metadata"),
            (json!({"metadata": {}}), "CertificateSigningRequest has no spec"),
            (
                json!({"metadata": {"resourceVersion": "v1"}, "spec": {}}),
                "resourceVersion \"v1\" is not an integer",
            ),
            (
                json!({"metadata": {}, "spec": {"request": "%"}}),
                "failed to decode a CertificateSigningRequest",
            ),
            (json!([]), "failed to decode a CertificateSigningRequest"),
        ] {
            let error = object.to_string().parse::<CertificateSigningRequest>().unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
