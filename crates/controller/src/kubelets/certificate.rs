//! The certificate that a kubelet presents, and whether a client that looks would trust it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use der::Decode;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::{AlertDescription, CertificateError};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use time::OffsetDateTime;
use tokio::net::lookup_host;
use tokio::time::timeout;
use x509_cert::Certificate;
use x509_cert::certificate::TbsCertificate;

use super::Verdict;
use crate::chain::Chain;
use crate::facts::peer::{self, Anyone, PeerError};

/// How long one kubelet may take, its name's resolution included.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whom a client trusts, at one moment.
#[derive(Debug)]
pub struct Authorities {
    verifier: Arc<WebPkiServerVerifier>,
    anyone: Anyone,
    now: OffsetDateTime,
}

/// What was found at an address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Presented {
    /// What a client would make of it.
    pub verdict: Verdict,

    /// When the certificate expires, where there is one that can be read.
    pub not_after: Option<OffsetDateTime>,

    /// What was found, for people.
    pub note: String,
}

impl Presented {
    /// Nothing but this.
    #[must_use]
    pub fn nothing(verdict: Verdict) -> Self {
        Self { verdict, not_after: None, note: String::new() }
    }
}

impl Authorities {
    /// A client that trusts these certificates, in DER, at this time.
    ///
    /// # Errors
    /// When there is none that can be used.
    pub fn new(trusted: &[Vec<u8>], now: OffsetDateTime) -> Result<Self, PeerError> {
        let verifier = peer::verifier(trusted.iter().map(Vec::as_slice))?;
        Ok(Self { verifier, anyone: Anyone::new()?, now })
    }

    /// The present, as certificates are judged by.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.now
    }

    /// What a client finds that dials this name or address.
    pub async fn presented(&self, address: &str, port: u16) -> Presented {
        let nothing = |verdict, note| Presented { note, ..Presented::nothing(verdict) };
        let Ok(name) = ServerName::try_from(address.to_owned()) else {
            return nothing(Verdict::NoAddress, format!("{address:?} is neither a name nor an address"));
        };
        match timeout(PATIENCE, self.chain(&name, (address, port))).await {
            Ok(Ok(chain)) => self.judged(&chain, &name),
            Ok(Err(error)) => nothing(verdict_without(&error), Chain(&error).to_string()),
            Err(_) => nothing(Verdict::Unreachable, format!("no answer within {PATIENCE:?}")),
        }
    }

    /// The certificates that are presented there.
    async fn chain(
        &self,
        name: &ServerName<'static>,
        at: (&str, u16),
    ) -> Result<Vec<CertificateDer<'static>>, PeerError> {
        let mut last = PeerError::Nowhere;
        // A Node may list anything: this host is not to be made to talk to itself, or to its link.
        for at in lookup_host(at).await.map_err(PeerError::Handshake)?.filter(|at| is_a_nodes(at.ip())) {
            match self.anyone.presented(at, name.clone()).await {
                Ok(chain) => return Ok(chain),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn judged(&self, chain: &[CertificateDer<'_>], name: &ServerName<'_>) -> Presented {
        let Some((leaf, others)) = chain.split_first() else {
            return Presented::nothing(Verdict::NoCertificate);
        };
        let certificate = match Certificate::from_der(leaf) {
            Ok(certificate) => certificate,
            Err(error) => {
                return Presented { note: error.to_string(), ..Presented::nothing(Verdict::Invalid) };
            }
        };
        let certificate = certificate.tbs_certificate();
        let since_epoch = self.now.unix_timestamp().try_into().map(Duration::from_secs).unwrap_or_default();
        let now = UnixTime::since_unix_epoch(since_epoch);
        let (verdict, note) = match self.verifier.verify_server_cert(leaf, others, name, &[], now) {
            // A certificate that says nothing of what it is for is taken by some clients, and was issued for another end.
            Ok(_) if !peer::is_for_servers(certificate).unwrap_or_default() => {
                (Verdict::NotForServers, String::new())
            }
            Ok(_) => (Verdict::Verifies, String::new()),
            Err(error) => fault(&error, certificate),
        };
        let end = certificate.validity().not_after.to_unix_duration().as_secs();
        let not_after = i64::try_from(end).ok().and_then(|end| OffsetDateTime::from_unix_timestamp(end).ok());
        Presented { verdict, not_after, note }
    }
}

/// Why a certificate is not trusted.
fn fault(error: &rustls::Error, certificate: &TbsCertificate) -> (Verdict, String) {
    use CertificateError as E;
    let rustls::Error::InvalidCertificate(fault) = error else {
        return (Verdict::Invalid, error.to_string());
    };
    let plain = |verdict| (verdict, String::new());
    match fault {
        E::Expired | E::ExpiredContext { .. } => plain(Verdict::Expired),
        E::NotValidYet | E::NotValidYetContext { .. } => plain(Verdict::NotYetValid),
        E::NotValidForName | E::NotValidForNameContext { .. } => {
            (Verdict::WrongAddress, format!("it is for {}", names(certificate)))
        }
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => plain(Verdict::NotForServers),
        E::UnknownIssuer | E::BadSignature if is_self_signed(certificate) => plain(Verdict::SelfSigned),
        E::UnknownIssuer | E::BadSignature => {
            (Verdict::OtherAuthority, format!("issued by {}", certificate.issuer()))
        }
        _ => (Verdict::Invalid, error.to_string()),
    }
}

/// Why there is no certificate. A kubelet that has none answers a handshake with the alert `internal_error`, as Go's TLS does for
/// want of a certificate.
fn verdict_without(error: &PeerError) -> Verdict {
    let PeerError::Handshake(error) = error else { return Verdict::Unreachable };
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::AlertReceived(AlertDescription::InternalError)) => Verdict::NoCertificate,
        Some(_) => Verdict::Invalid,
        None => Verdict::Unreachable,
    }
}

/// Whether a node can have this address for others to reach it.
fn is_a_nodes(address: IpAddr) -> bool {
    let is_local = match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local(),
    };
    !(is_local || address.is_unspecified() || address.is_multicast())
}

/// Whether a kubelet has made it for itself: it is its own issuer, or is issued as client-go's `GenerateSelfSignedCertKey` does, by an
/// authority `<host>-ca@<time>` that is made for this one certificate.
fn is_self_signed(certificate: &TbsCertificate) -> bool {
    certificate.issuer() == certificate.subject() || certificate.issuer().to_string().contains("-ca@")
}

/// Whom a certificate is for, as far as TLS looks.
fn names(certificate: &TbsCertificate) -> String {
    let names = peer::named(certificate).map(|found| found.sans).unwrap_or_default();
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests;
