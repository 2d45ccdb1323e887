//! Real handshakes on loopback.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PublicKeyData as _};
use rcgen::{ExtendedKeyUsagePurpose as Purpose, SanType};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use time::{Duration as Days, OffsetDateTime};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

/// An authority. All of them have one name, so that the signature alone tells them apart.
pub(in crate::facts) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(in crate::facts) der: Vec<u8>,
}

impl Authority {
    pub(in crate::facts) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = named("kubernetes", &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let der = params.self_signed(&key).unwrap().der().to_vec();
        Self { issuer: Issuer::new(params, key), der }
    }

    pub(in crate::facts) fn issue(&self, params: &CertificateParams) -> Presented {
        let key = KeyPair::generate().unwrap();
        Presented { der: params.signed_by(&key, &self.issuer).unwrap().der().to_vec(), key }
    }
}

/// What a server presents, with its key.
pub(in crate::facts) struct Presented {
    der: Vec<u8>,
    key: KeyPair,
}

impl Presented {
    /// Serves with it, and returns where.
    pub(in crate::facts) async fn serve(self) -> SocketAddr {
        let key = PrivateKeyDer::Pkcs8(self.key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_no_client_auth().with_single_cert(vec![self.der.into()], key);
        let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
        answer(async move |stream| {
            // Those who do not trust it hang up.
            let _ = acceptor.accept(stream).await;
        })
        .await
    }
}

/// Treats one connection so, and returns where.
async fn answer<F>(treat: impl FnOnce(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { treat(listener.accept().await.unwrap().0).await });
    address
}

pub(in crate::facts) fn named(common_name: &str, sans: &[&str]) -> CertificateParams {
    let mut params =
        CertificateParams::new(sans.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}

/// What a kubelet serves with.
fn serving() -> CertificateParams {
    let mut params = named("system:node:a", &["a", "a.example.com", "10.0.0.1", "fd00::1"]);
    params.extended_key_usages = vec![Purpose::ServerAuth];
    params
}

async fn look(authority: &Authority, at: SocketAddr) -> Result<LiveCertificate, PeerError> {
    Peers::trusting([&*authority.der]).unwrap().for_servers_only().certificate(at).await
}

#[tokio::test]
async fn a_certificate_of_ours_is_read_whatever_name_it_has() {
    let ours = Authority::new();
    let found = look(&ours, ours.issue(&serving()).serve().await).await.unwrap();
    let sans = ["a", "a.example.com", "10.0.0.1", "fd00::1"];
    let sans = sans.into_iter().map(|text| San::from_text(text).unwrap()).collect();
    assert_eq!(found, LiveCertificate { common_name: "system:node:a".to_owned(), sans });

    let mut odd = named("", &["Upper.Example."]);
    odd.extended_key_usages = vec![Purpose::ClientAuth, Purpose::ServerAuth];
    odd.subject_alt_names.push(SanType::URI("spiffe://a".try_into().unwrap()));
    odd.subject_alt_names.push(SanType::IpAddress("::ffff:10.0.0.2".parse().unwrap()));
    let found = look(&ours, ours.issue(&odd).serve().await).await.unwrap();
    let sans = ["upper.example", "10.0.0.2"].into_iter().map(|text| San::from_text(text).unwrap()).collect();
    assert_eq!(found, LiveCertificate { common_name: String::new(), sans });
}

#[tokio::test]
async fn a_certificate_of_two_authorities_that_are_trusted_counts() {
    let (one, other) = (Authority::new(), Authority::new());
    let both = Peers::trusting([&*one.der, &*other.der]).unwrap();
    for authority in [&one, &other] {
        let found = both.certificate(authority.issue(&serving()).serve().await).await;
        assert_eq!(found.unwrap().common_name, "system:node:a");
    }
}

#[tokio::test]
async fn a_certificate_that_proves_nothing_is_refused() {
    let ours = Authority::new();
    let now = OffsetDateTime::now_utc();
    let changed = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = serving();
        change(&mut params);
        ours.issue(&params)
    };
    let own_key = KeyPair::generate().unwrap();
    let own = serving().self_signed(&own_key).unwrap().der().to_vec();
    let rows = [
        ("of another authority of that name", Authority::new().issue(&serving())),
        ("self-signed", Presented { der: own, key: own_key }),
        ("expired", changed(&|params| params.not_after = now - Days::seconds(2))),
        ("not valid yet", changed(&|params| params.not_before = now + Days::days(1))),
        ("for clients", changed(&|params| params.extended_key_usages = vec![Purpose::ClientAuth])),
        ("for nothing in particular", changed(&|params| params.extended_key_usages.clear())),
        ("for anything", changed(&|params| params.extended_key_usages = vec![Purpose::Any])),
        ("an authority's", changed(&|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained))),
    ];
    for (what, presented) in rows {
        let found = look(&ours, presented.serve().await).await;
        let is_refused = matches!(found, Err(PeerError::Handshake(_) | PeerError::NotForServers));
        assert!(is_refused, "{what}: {found:?}");
    }
}

#[tokio::test]
async fn whoever_has_not_the_key_of_a_certificate_is_refused() {
    let (ours, other) = (Authority::new(), KeyPair::generate().unwrap());
    let stolen = ours.issue(&serving());
    assert_ne!(stolen.key.der_bytes(), other.der_bytes());
    let key = PrivateKeyDer::Pkcs8(other.serialize_der().into());
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let key = provider.key_provider.load_private_key(key).unwrap();
    let certified = rustls::sign::CertifiedKey::new(vec![stolen.der.into()], key);
    let resolver = Arc::new(rustls::sign::SingleCertAndKey::from(certified));
    let config =
        ServerConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions();
    let config = config.unwrap().with_no_client_auth().with_cert_resolver(resolver);
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let at = answer(async move |stream| drop(acceptor.accept(stream).await)).await;
    let found = look(&ours, at).await;
    assert!(matches!(found, Err(PeerError::Handshake(_))), "{found:?}");
}

#[tokio::test]
async fn a_server_that_may_be_anything_is_taken_where_no_more_is_demanded() {
    let ours = Authority::new();
    let mut params = serving();
    params.extended_key_usages.clear();
    let at = ours.issue(&params).serve().await;
    let found = Peers::trusting([&*ours.der]).unwrap().certificate(at).await;
    assert_eq!(found.unwrap().common_name, "system:node:a");
}

/// Time stands still but for what is waited for.
#[tokio::test(start_paused = true)]
async fn silence_ends_by_itself() {
    let ours = Authority::new();
    // The kernel takes the connection, and nobody ever looks at it.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let found = look(&ours, listener.local_addr().unwrap()).await;
    assert!(matches!(found, Err(PeerError::TimedOut)), "{found:?}");
    assert!(listener.accept().is_ok(), "there was a connection");

    // The beginning of a record that never ends.
    let at = answer(async |mut stream| {
        let _ = stream.write_all(&[0x16, 3, 3, 0x40, 0, 2]).await;
        std::future::pending().await
    })
    .await;
    let found = look(&ours, at).await;
    assert!(matches!(found, Err(PeerError::TimedOut)), "{found:?}");
}

#[tokio::test]
async fn what_is_no_tls_is_refused() {
    let ours = Authority::new();
    for garbage in
        [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &[0; 5], &[0x16, 3, 3, 0, 1, 2], &[0xff; 4096], b""]
    {
        let at = answer(async move |mut stream| {
            let _ = stream.write_all(garbage).await;
        })
        .await;
        let found = look(&ours, at).await;
        assert!(matches!(found, Err(PeerError::Handshake(_))), "{garbage:?}: {found:?}");
    }
}

#[tokio::test]
async fn whoever_never_stops_talking_is_not_listened_to_for_long() {
    let ours = Authority::new();
    // Records of a handshake message that is 16 MiB long.
    let at = answer(async |mut stream| {
        let mut record = vec![0x16, 3, 3, 0x40, 0, 2, 0xff, 0xff, 0xff];
        record.resize(5 + 0x4000, 0);
        while stream.write_all(&record).await.is_ok() {
            record[5..9].fill(0);
        }
    })
    .await;
    let found = look(&ours, at).await;
    assert!(matches!(found, Err(PeerError::Handshake(_))), "{found:?}");
}

#[tokio::test]
async fn where_nobody_listens_there_is_no_certificate() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    drop(listener);
    match look(&Authority::new(), at).await {
        Err(PeerError::Handshake(error)) => assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused),
        found => panic!("{found:?}"),
    }
}

#[test]
fn what_is_no_authority_can_trust_nobody() {
    assert!(Peers::trusting([&b"no certificate"[..]]).is_err());
    assert!(Peers::trusting([]).is_err());
}
