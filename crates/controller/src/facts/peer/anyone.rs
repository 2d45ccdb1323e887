//! What is presented, whoever issued it: to say what is wrong with it.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::{DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::TlsConnector;

use super::{PeerError, connector, shaken};

/// Looks at servers' certificates, and trusts none of them: nothing is sent over such a connection.
#[derive(Clone)]
pub(crate) struct Anyone(TlsConnector);

impl Anyone {
    /// Looks at anyone's.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(crate) fn new() -> Result<Self, PeerError> {
        let algorithms = rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms;
        Ok(Self(connector(Arc::new(AnyCertificate(algorithms)))?))
    }

    /// The certificates that are presented at an address to who asks for this name, the server's own first. That the server has
    /// the key of it is verified, and nothing else.
    ///
    /// # Errors
    /// When none is presented.
    pub(crate) async fn presented(
        &self,
        at: SocketAddr,
        name: ServerName<'static>,
    ) -> Result<Vec<CertificateDer<'static>>, PeerError> {
        let stream = shaken(&self.0, at, name).await?;
        let presented = stream.get_ref().1.peer_certificates().unwrap_or_default();
        Ok(presented.iter().cloned().map(CertificateDer::into_owned).collect())
    }
}

impl std::fmt::Debug for Anyone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Anyone").finish_non_exhaustive()
    }
}

/// Verifies that a server has the key of its certificate.
#[derive(Debug)]
struct AnyCertificate(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
