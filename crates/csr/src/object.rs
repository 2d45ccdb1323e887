mod text;
mod wire;

use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};

use self::text::Text;
use self::wire::Object;
use crate::memory::allocation;
use crate::{Condition, Progress, Requester, SignerName, StandingCondition, Usage, Usages};

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
    progress: Progress,
    spec: Spec,
    text: Text,
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
        self.progress
    }

    /// The conditions that stand, of whatever type, in the order received; none where they cannot be read.
    pub fn conditions(&self) -> Vec<StandingCondition> {
        self.text.conditions()
    }

    /// Roughly the bytes that the object holds in memory.
    pub fn size(&self) -> usize {
        let Spec { request, signer_name, usages, expiration_seconds: _, requester } = &self.spec;
        let names = [self.name.len(), self.uid.len(), signer_name.as_str().len()];
        let names: usize = names.into_iter().map(|length| allocation(ARC_HEADER + length)).sum();
        let usages = allocation(usages.iter().count() * size_of::<Usage>());
        let spec = allocation(request.len()) + usages + requester.size();
        allocation(size_of::<Self>()) + names + spec + self.text.size()
    }

    /// The body of a PUT that adds one condition to those that stand, and changes nothing else.
    pub fn with_condition(&self, condition: &Condition) -> Result<Vec<u8>, serde_json::Error> {
        self.text.with_condition(condition)
    }

    /// The body of a PUT that sets the certificate, and changes nothing else. `pem` is `status.certificate` before base64.
    pub fn with_certificate(&self, pem: &str) -> Vec<u8> {
        self.text.with_certificate(pem)
    }

    fn decode(object: &Object<'_>) -> Result<Self, DecodeError> {
        let metadata = object.metadata.as_ref().ok_or(DecodeError::Missing("metadata"))?;
        let spec = object.spec.ok_or(DecodeError::Missing("spec"))?;
        let text = |name| metadata.read::<String>(name);
        let resource_version = match text("resourceVersion")?.as_str() {
            "" => 0,
            digits => digits.parse().map_err(|_| DecodeError::ResourceVersion(digits.into()))?,
        };
        Ok(Self {
            name: text("name")?.into(),
            uid: text("uid")?.into(),
            resource_version,
            progress: wire::progress(metadata, &object.status)?,
            spec: wire::spec(spec)?,
            text: Text::new(metadata, spec, &object.status, &object.others)?,
        })
    }
}

impl FromStr for CertificateSigningRequest {
    type Err = DecodeError;

    fn from_str(json: &str) -> Result<Self, DecodeError> {
        Self::decode(&serde_json::from_str(json)?)
    }
}

/// From JSON in memory only, as parts of it are kept as they are.
impl<'de> Deserialize<'de> for CertificateSigningRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::decode(&Object::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The counts of those who share a value.
const ARC_HEADER: usize = 16;

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use serde_json::{Value, json};
    use time::macros::datetime;

    use super::*;
    use crate::{ConditionType, Since};

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
        let written: Value = serde_json::from_slice(&csr.with_certificate("pem")).unwrap();
        assert_eq!(written, expected);
    }

    #[test]
    fn a_write_adds_to_whatever_status_there_is() {
        let added = serde_json::to_value(condition()).unwrap();
        let approved = json!({"type": "Approved", "status": "True", "message": "a ] \\ \" }"});
        for (status, conditions) in [
            (json!(null), json!([added])),
            (json!({}), json!([added])),
            (json!({"conditions": null}), json!([added])),
            (json!({"conditions": []}), json!([added])),
            (json!({"conditions": [approved], "certificate": null}), json!([approved, added])),
            (
                json!({"certificate": "b2xk", "conditions": [approved, approved]}),
                json!([approved, approved, added]),
            ),
            (json!({"quo\"te\n": {"deep": [1.5, "}"]}, "certificate": ""}), json!([added])),
        ] {
            let mut object = object();
            object["metadata"] = json!({"managedFields": []});
            object["status"] = status.clone();
            for text in [object.to_string(), serde_json::to_string_pretty(&object).unwrap()] {
                let csr: CertificateSigningRequest = text.parse().unwrap();
                let mut expected = status.as_object().cloned().unwrap_or_default();
                expected.insert("conditions".into(), conditions.clone());
                let written: Value =
                    serde_json::from_slice(&csr.with_condition(&condition()).unwrap()).unwrap();
                assert_eq!((&written["status"], &written["metadata"]), (&expected.into(), &json!({})));

                let written: Value = serde_json::from_slice(&csr.with_certificate("pem")).unwrap();
                assert_eq!(written["status"]["certificate"], json!(BASE64_STANDARD.encode("pem")));
                let stood = status["conditions"].as_array().filter(|stood| !stood.is_empty());
                assert_eq!(written["status"].get("conditions").and_then(Value::as_array), stood);
            }
        }
    }

    #[test]
    fn conditions_that_stand_are_read_with_their_words() {
        let mut object = object();
        object["status"] = json!({"conditions": [
            {"type": "Denied", "status": "True", "reason": "KubectlDeny", "message": "no"},
            {"type": "example.com/Seen"},
        ]});
        let words = |[kind, reason, message]: [&str; 3]| StandingCondition {
            kind: kind.into(),
            reason: reason.into(),
            message: message.into(),
        };
        let expected = [words(["Denied", "KubectlDeny", "no"]), words(["example.com/Seen", "", ""])];
        assert_eq!(decoded(&object).conditions(), expected);
    }

    #[test]
    fn numbers_go_back_digit_for_digit() {
        let number = "123456789012345678901234567890.10e-7";
        let text = format!(
            r#"{{"metadata": {{"x": {number}}}, "spec": {{"x": {number}}}, "status": {{"x": {number}}}, "x": {number}}}"#
        );
        let csr: CertificateSigningRequest = text.parse().unwrap();
        let written = String::from_utf8(csr.with_certificate("pem")).unwrap();
        assert_eq!(written.matches(number).count(), 4, "{written}");
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
