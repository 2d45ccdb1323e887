//! CertificateSigningRequests as kubelets and users send them.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use k8s_openapi::ByteString;
use k8s_openapi::api::certificates::v1::{CertificateSigningRequest, CertificateSigningRequestSpec};
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

pub use rcgen::{self, SanType};

use crate::outcome;
use crate::pki::Pair;

/// The signerName of kubelets' client certificates.
pub const KUBELET_CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";

/// The signerName of kubelets' serving certificates.
pub const KUBELET_SERVING: &str = "kubernetes.io/kubelet-serving";

/// The signerName of everybody else's client certificates.
pub const CLIENT: &str = "kubernetes.io/kube-apiserver-client";

/// An object to be created, with its key.
#[derive(Debug)]
pub struct Draft {
    /// The object; change it freely before it is created.
    pub object: CertificateSigningRequest,
    /// The key of the request, PKCS#8 in PEM.
    pub key: String,
}

/// What the kubelet of `node` sends for its client certificate, at the bootstrap and at each renewal.
///
/// # Errors
/// When the request cannot be made.
pub fn kubelet_client(node: &str) -> Result<Draft> {
    let name = format!("system:node:{node}");
    custom((&name, Some("system:nodes")), Vec::new(), (KUBELET_CLIENT, &["digital signature", "client auth"]))
}

/// What the kubelet of `node` sends for its serving certificate; `names` are DNS names and addresses.
///
/// # Errors
/// When the request cannot be made.
pub fn kubelet_serving(node: &str, names: &[&str]) -> Result<Draft> {
    let name = format!("system:node:{node}");
    let names = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let subject = (name.as_str(), Some("system:nodes"));
    custom(subject, names.subject_alt_names, (KUBELET_SERVING, &["digital signature", "server auth"]))
}

/// The same, with a key that is there already.
///
/// # Errors
/// When the request cannot be made.
pub fn kubelet_serving_with(node: &str, names: &[&str], key: &KeyPair) -> Result<Draft> {
    let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("system:node:{node}"));
    params.distinguished_name.push(DnType::OrganizationName, "system:nodes");
    with_key(&params, (KUBELET_SERVING, &["digital signature", "server auth"]), key)
}

/// What a human sends for a client certificate.
///
/// # Errors
/// When the request cannot be made.
pub fn user(name: &str) -> Result<Draft> {
    custom((name, None), Vec::new(), (CLIENT, &["digital signature", "client auth"]))
}

impl Draft {
    /// Gives the object a name in place of a generated one.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.object.metadata.name = Some(name.to_owned());
        self
    }

    /// Asks another signer.
    #[must_use]
    pub fn signer(mut self, name: &str) -> Self {
        name.clone_into(&mut self.object.spec.signer_name);
        self
    }

    /// Asks for other usages.
    #[must_use]
    pub fn usages(mut self, usages: &[&str]) -> Self {
        self.object.spec.usages = Some(usages.iter().map(ToString::to_string).collect());
        self
    }

    /// Asks for a lifetime, in seconds.
    #[must_use]
    pub fn lasting(mut self, seconds: i32) -> Self {
        self.object.spec.expiration_seconds = Some(seconds);
        self
    }

    /// Labels the object.
    #[must_use]
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.object
            .metadata
            .labels
            .get_or_insert_with(BTreeMap::new)
            .insert(key.to_owned(), value.to_owned());
        self
    }

    /// The credential its requester then has: the certificate issued and the key of this draft.
    ///
    /// # Errors
    /// When no certificate has been issued.
    pub fn pair(&self, issued: &CertificateSigningRequest) -> Result<Pair> {
        let certificate = outcome::certificate(issued).context("no certificate has been issued")?;
        Ok(Pair { certificate: String::from_utf8(certificate.to_vec())?, key: self.key.clone() })
    }

    /// Creates the object and returns its name.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn create(&self, client: &Client) -> Result<String> {
        let api: Api<CertificateSigningRequest> = Api::all(client.clone());
        let created = api.create(&PostParams::default(), &self.object).await?;
        Ok(created.metadata.name.unwrap_or_default())
    }
}

/// A request of `(common name, organization)` with any alternative names, for `(signerName, usages)`.
///
/// # Errors
/// When the request cannot be made.
pub fn custom(
    (common_name, organization): (&str, Option<&str>),
    names: Vec<SanType>,
    (signer_name, usages): (&str, &[&str]),
) -> Result<Draft> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.subject_alt_names = names;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    if let Some(organization) = organization {
        params.distinguished_name.push(DnType::OrganizationName, organization);
    }
    of(&params, (signer_name, usages))
}

/// A request for whatever `params` say, for `(signerName, usages)`.
///
/// # Errors
/// When the request cannot be made.
pub fn of(params: &CertificateParams, (signer_name, usages): (&str, &[&str])) -> Result<Draft> {
    with_key(params, (signer_name, usages), &KeyPair::generate()?)
}

fn with_key(
    params: &CertificateParams,
    (signer_name, usages): (&str, &[&str]),
    key: &KeyPair,
) -> Result<Draft> {
    let object = CertificateSigningRequest {
        metadata: ObjectMeta { generate_name: Some("csr-".to_owned()), ..Default::default() },
        spec: CertificateSigningRequestSpec {
            request: ByteString(params.serialize_request(key)?.pem()?.into_bytes()),
            signer_name: signer_name.to_owned(),
            usages: Some(usages.iter().map(ToString::to_string).collect()),
            ..Default::default()
        },
        status: None,
    };
    Ok(Draft { object, key: key.serialize_pem() })
}
