//! Objects as the API server sends them: a kubelet's request at its bootstrap, pending and issued, managedFields included.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use serde_json::{Value, json};

/// What a kubelet sends: P-256, one organization, no extension.
pub(crate) fn request() -> String {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "system:nodes");
    params
        .distinguished_name
        .push(DnType::CommonName, "system:node:ip-10-0-137-201.eu-central-1.compute.internal");
    let key = KeyPair::generate().expect("a key");
    params.serialize_request(&key).and_then(|request| request.pem()).expect("a request")
}

/// Some 3.5 KB: nothing was decided yet.
pub(crate) fn pending(request: &str) -> Value {
    json!({
        "kind": "CertificateSigningRequest",
        "apiVersion": "certificates.k8s.io/v1",
        "metadata": {
            "name": "node-csr-m4yKx1b0pQ2vT7hJzWq9sDfGc3nRlEoUiAaHtYw5B8",
            "uid": "6e0d2f3c-64a5-4c38-9a53-1f0f6e1c2d47",
            "resourceVersion": "184467",
            "creationTimestamp": "2026-11-22T11:59:58Z",
            "labels": {"topology.kubernetes.io/region": "eu-central-1", "example.com/pool": "general"},
            "managedFields": [fields("kubelet", 18), fields("node-labeller", 14)],
        },
        "spec": {
            "request": BASE64_STANDARD.encode(request),
            "signerName": "kubernetes.io/kube-apiserver-client-kubelet",
            "expirationSeconds": 31_536_000,
            "usages": ["digital signature", "client auth"],
            "username": "system:bootstrap:07401b",
            "groups": ["system:bootstrappers", "system:bootstrappers:kubeadm:default-node-token", "system:authenticated"],
            "extra": {"authentication.kubernetes.io/credential-id": ["X509SHA256=5d4f9b7a0c1e2d3f4a5b6c7d8e9f0a1b"]},
        },
        "status": {},
    })
}

/// Some 6 KB: approved, and the certificate is there.
pub(crate) fn issued(request: &str, certificate: &str) -> Value {
    let mut object = pending(request);
    object["metadata"]["resourceVersion"] = json!("184492");
    let managers = object["metadata"]["managedFields"].as_array_mut().expect("a list");
    managers.push(fields("countersign", 16));
    object["status"] = json!({
        "conditions": [{
            "type": "Approved",
            "status": "True",
            "reason": "AutoApproved",
            "message": "Auto approving kubelet client certificate after SubjectAccessReview.",
            "lastUpdateTime": "2026-11-22T11:59:59Z",
            "lastTransitionTime": "2026-11-22T11:59:59Z",
        }],
        "certificate": BASE64_STANDARD.encode(certificate),
    });
    object
}

fn fields(manager: &str, number: usize) -> Value {
    let owned: serde_json::Map<_, _> = (0..number)
        .map(|index| (format!("f:example.com/field-number-{index}"), json!({".": {}, "f:value": {}})))
        .collect();
    json!({
        "manager": manager,
        "operation": "Update",
        "apiVersion": "certificates.k8s.io/v1",
        "time": "2026-11-22T11:59:58Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:metadata": {"f:annotations": owned}},
    })
}
