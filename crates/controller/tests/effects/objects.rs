//! CertificateSigningRequests and what goes with them.

use std::sync::Arc;

use controller::policy::Policy;
use csr::{CertificateSigningRequest, Condition, ConditionType, SignerName};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, KeyUsagePurpose};
use serde_json::{Value, json};
use signer::{CertificateAuthority, Profile, Signer};

/// The PEM of a kubelet's request for a client certificate, or of somebody's who has this common name.
pub(crate) fn request(common_name: &str) -> String {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::OrganizationName, "system:nodes");
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap()
}

/// The object `name` with a request in PEM, approved or not.
pub(crate) fn object(pem: &str, approved: bool) -> Value {
    let conditions = if approved { json!([{"type": "Approved", "status": "True"}]) } else { json!([]) };
    json!({
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": "node csr", "uid": "u-1", "resourceVersion": "42", "labels": {"kept": "yes"}},
        "spec": {
            "request": base64(pem),
            "signerName": SignerName::KUBE_APISERVER_CLIENT_KUBELET,
            "usages": ["digital signature", "client auth"],
            "username": "system:node:n", "uid": "who", "groups": ["system:nodes"], "extra": {"k": ["v"]},
        },
        "status": {"conditions": conditions},
    })
}

/// The same, as the API server answers whoever asked for metadata alone, in this version.
pub(crate) fn metadata_of(object: &Value, version: &str) -> Value {
    let mut metadata = object["metadata"].clone();
    metadata["resourceVersion"] = version.into();
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
}

/// The same, decoded.
pub(crate) fn decoded(object: &Value) -> Arc<CertificateSigningRequest> {
    Arc::new(object.to_string().parse().unwrap())
}

/// A condition of this type.
pub(crate) fn condition(kind: ConditionType) -> Condition {
    Condition { kind, reason: "Because", message: "so it is".into(), last_update_time: None }
}

/// A policy in which a CA made here signs for kubelets' client certificates.
pub(crate) fn policy() -> Policy {
    let name = SignerName::from(SignerName::KUBE_APISERVER_CLIENT_KUBELET);
    let profile = Profile::built_in(&name, time::Duration::days(365)).unwrap();
    let signer = Signer::new(name.clone(), profile, Arc::new(authority()));
    Policy { signers: [(name, signer)].into(), ..Policy::default() }
}

fn authority() -> CertificateAuthority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    CertificateAuthority::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap()
}

fn base64(text: &str) -> String {
    base64::Engine::encode(&base64::prelude::BASE64_STANDARD, text)
}
