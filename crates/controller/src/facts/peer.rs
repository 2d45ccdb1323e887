//! What a server presents in a TLS handshake, and nothing sent beyond that.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use approver::{LiveCertificate, San};
use der::Decode;
use der::asn1::ObjectIdentifier;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_cert::certificate::TbsCertificate;
use x509_cert::ext::pkix::name::{DirectoryString, GeneralName};
use x509_cert::ext::pkix::{ExtendedKeyUsage, SubjectAltName};

mod anyone;

pub(crate) use anyone::Anyone;

/// How long a server may take to present its certificate.
const PATIENCE: Duration = Duration::from_secs(3);

/// Looks at servers' certificates that chain to these authorities.
#[derive(Clone)]
pub struct Peers {
    connector: TlsConnector,
    for_servers_only: bool,
}

/// Why a server's certificate is not known.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// Nobody answered in time.
    #[error("no certificate was presented within {PATIENCE:?}")]
    TimedOut,

    /// No connection, or a certificate that is expired, not for servers, or of another authority.
    #[error("failed to get the certificate")]
    Handshake(#[source] io::Error),

    /// A certificate that is not said to be for servers, where that is demanded.
    #[error("the certificate is not said to be for servers")]
    NotForServers,

    /// A certificate that cannot be read.
    #[error("failed to read the certificate")]
    Unreadable(#[source] der::Error),

    /// A name that leads to no address that a server for others can have.
    #[error("there is no address to dial")]
    Nowhere,

    /// An authority that none can be.
    #[error("failed to take the certificates for authorities")]
    Authorities(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Peers {
    /// Trusts these authorities, in DER, and no others. Whose name a certificate has does not matter: that is what is looked for.
    ///
    /// # Errors
    /// When there is none that can be used.
    pub fn trusting<'a>(authorities: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, PeerError> {
        let connector = connector(Arc::new(AnyName(verifier(authorities)?)))?;
        Ok(Self { connector, for_servers_only: false })
    }

    /// Demands that a certificate says that it is for servers. TLS also takes one that says nothing of what it is for, and such
    /// are issued for other ends.
    #[must_use]
    pub fn for_servers_only(self) -> Self {
        Self { for_servers_only: true, ..self }
    }

    /// The certificate that is presented at an address.
    ///
    /// # Errors
    /// When there is none that can be trusted.
    pub async fn certificate(&self, at: SocketAddr) -> Result<LiveCertificate, PeerError> {
        let stream = shaken(&self.connector, at, ServerName::IpAddress(at.ip().into())).await?;
        let presented = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let none = || PeerError::Handshake(io::ErrorKind::UnexpectedEof.into());
        self.read(presented.ok_or_else(none)?)
    }

    /// Who a certificate is for.
    fn read(&self, der: &[u8]) -> Result<LiveCertificate, PeerError> {
        let certificate = x509_cert::Certificate::from_der(der).map_err(PeerError::Unreadable)?;
        let certificate = certificate.tbs_certificate();
        if self.for_servers_only && !is_for_servers(certificate).map_err(PeerError::Unreadable)? {
            return Err(PeerError::NotForServers);
        }
        named(certificate).map_err(PeerError::Unreadable)
    }
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peers").finish_non_exhaustive()
    }
}

/// Verifies certificates that chain to these authorities, in DER.
///
/// # Errors
/// When there is none that can be used.
pub(crate) fn verifier<'a>(
    authorities: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Arc<WebPkiServerVerifier>, PeerError> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        let added = roots.add(CertificateDer::from(authority));
        added.map_err(|error| PeerError::Authorities(error.into()))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    verifier.map_err(|error| PeerError::Authorities(error.into()))
}

/// Makes connections whose certificates `verifier` takes.
fn connector(verifier: Arc<dyn ServerCertVerifier>) -> Result<TlsConnector, PeerError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| PeerError::Authorities(error.into()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// A connection to a server, after the handshake.
async fn shaken(
    connector: &TlsConnector,
    at: SocketAddr,
    name: ServerName<'static>,
) -> Result<TlsStream<TcpStream>, PeerError> {
    let handshake = async { connector.connect(name, TcpStream::connect(at).await?).await };
    timeout(PATIENCE, handshake).await.map_err(|_| PeerError::TimedOut)?.map_err(PeerError::Handshake)
}

/// Whom a certificate, in DER, names.
///
/// # Errors
/// When it cannot be read.
pub fn read(der: &[u8]) -> Result<LiveCertificate, der::Error> {
    named(x509_cert::Certificate::from_der(der)?.tbs_certificate())
}

/// Whether the extended key usages name servers (RFC 5280 §4.2.1.12).
pub(crate) fn is_for_servers(certificate: &TbsCertificate) -> Result<bool, der::Error> {
    let usages = certificate.get_extension::<ExtendedKeyUsage>()?;
    Ok(usages.is_some_and(|(_, ExtendedKeyUsage(usages))| usages.contains(&SERVER_AUTH)))
}

/// Whom a certificate names.
pub(crate) fn named(certificate: &TbsCertificate) -> Result<LiveCertificate, der::Error> {
    let mut common_name = String::new();
    for attribute in certificate.subject().iter().filter(|attribute| attribute.oid == COMMON_NAME) {
        common_name = DirectoryString::try_from(&attribute.value)?.value().into_owned();
    }
    let mut sans = BTreeSet::new();
    if let Some((_, SubjectAltName(names))) = certificate.get_extension::<SubjectAltName>()? {
        sans.extend(names.iter().filter_map(san));
    }
    Ok(LiveCertificate { common_name, sans })
}

fn san(name: &GeneralName) -> Option<San> {
    match name {
        GeneralName::DnsName(name) => San::dns(name.as_str()),
        GeneralName::IpAddress(octets) => {
            let v4 = <[u8; 4]>::try_from(octets.as_bytes()).map(Into::into);
            v4.or_else(|_| <[u8; 16]>::try_from(octets.as_bytes()).map(Into::into)).ok().map(San::ip)
        }
        _ => None,
    }
}

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");

/// Verifies all of a server's certificate but whose name it has.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        use CertificateError::{NotValidForName, NotValidForNameContext};
        match self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is looked at last (`rustls::client::WebPkiServerVerifier`).
            Err(rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. })) => {
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

#[cfg(test)]
pub(super) mod tests;
