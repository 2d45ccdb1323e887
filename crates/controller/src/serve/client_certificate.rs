//! Callers who present a client certificate, judged by the cluster's client CA.
//!
//! The handshake asks for a certificate and takes any, with proof of its key: whoever has a token must not be turned away for
//! a certificate that means nothing here. What it means is found out when it is needed: the client CA is what the API server
//! publishes in the ConfigMap `extension-apiserver-authentication` for servers such as this one.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::authentication::v1::UserInfo;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, UnixTime};
use tokio::sync::Mutex;
use tokio::time::Instant;
use x509_cert::der::Decode;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::name::DirectoryString;

use crate::log::MissingPermissions;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");

/// How long the client CA is used before it is read again. A CA is rotated over days, with both in the bundle.
const KEPT: Duration = Duration::from_secs(60);

/// Asks for a certificate in the handshake, and checks nothing but that the caller has its key.
#[derive(Debug)]
pub(super) struct AskForCertificate(Arc<CryptoProvider>);

impl AskForCertificate {
    pub(super) fn new(provider: Arc<CryptoProvider>) -> Arc<Self> {
        Arc::new(Self(provider))
    }
}

impl ClientCertVerifier for AskForCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    /// Nothing is granted by this: see [`ClientAuthorities::user`].
    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// The cluster's client CA, as last read.
#[derive(Debug)]
pub(super) struct ClientAuthorities {
    published: Api<ConfigMap>,
    kept: Mutex<Option<Kept>>,
    missing: MissingPermissions,
}

#[derive(Debug)]
struct Kept {
    at: Instant,
    verifier: Arc<dyn ClientCertVerifier>,
}

impl ClientAuthorities {
    pub(super) fn new(client: &kube::Client) -> Self {
        Self {
            published: Api::namespaced(client.clone(), "kube-system"),
            kept: Mutex::default(),
            missing: MissingPermissions::default(),
        }
    }

    /// Who presents `chain`: the subject's common name and organizations, when the client CA vouches for it; the inner `None`
    /// when it does not, the outer one when the client CA is not known.
    pub(super) async fn user(&self, chain: &[CertificateDer<'static>]) -> Option<Option<UserInfo>> {
        let Some((certificate, intermediates)) = chain.split_first() else {
            return Some(None);
        };
        let verified = self.verifier().await?.verify_client_cert(certificate, intermediates, UnixTime::now());
        Some(verified.ok().and_then(|_| user(certificate)))
    }

    /// Reads the client CA again when its time is over, and falls back on the last one.
    async fn verifier(&self) -> Option<Arc<dyn ClientCertVerifier>> {
        let mut kept = self.kept.lock().await;
        let fresh = kept.as_ref().is_some_and(|kept| kept.at.elapsed() < KEPT);
        if !fresh && let Some(verifier) = self.read().await {
            *kept = Some(Kept { at: Instant::now(), verifier });
        }
        kept.as_ref().map(|kept| Arc::clone(&kept.verifier))
    }

    async fn read(&self) -> Option<Arc<dyn ClientCertVerifier>> {
        let published = match self.published.get("extension-apiserver-authentication").await {
            Ok(published) => published,
            Err(kube::Error::Api(status)) if status.code == 403 => {
                self.missing.report(
                    "get",
                    "configmaps (kube-system/extension-apiserver-authentication)",
                    &status.message,
                );
                return None;
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(error, "the cluster's client CA could not be read");
                return None;
            }
        };
        let mut roots = RootCertStore::empty();
        let bundle = published.data?.remove("client-ca-file")?;
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(bundle.as_bytes()).flatten());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
        verifier.ok()
    }
}

/// The user that Kubernetes reads out of a client certificate (`apiserver/pkg/authentication/request/x509`). One with several
/// common names is nobody: which of them counts would be a matter of reading order.
fn user(certificate: &CertificateDer<'_>) -> Option<UserInfo> {
    let certificate = x509_cert::Certificate::from_der(certificate).ok()?;
    let subject = certificate.tbs_certificate().subject();
    let values = |kind: ObjectIdentifier| {
        let attributes = subject.iter().filter(move |attribute| attribute.oid == kind);
        attributes.map(|attribute| {
            attribute.value.decode_as::<DirectoryString>().map(|text| text.value().into_owned())
        })
    };
    let names = values(COMMON_NAME).collect::<Result<Vec<_>, _>>().ok()?;
    let [name] = <[String; 1]>::try_from(names).ok().filter(|[name]| !name.is_empty())?;
    let mut groups = values(ORGANIZATION).collect::<Result<Vec<_>, _>>().ok()?;
    groups.push("system:authenticated".to_owned());
    Some(UserInfo { username: Some(name), groups: Some(groups), ..Default::default() })
}
