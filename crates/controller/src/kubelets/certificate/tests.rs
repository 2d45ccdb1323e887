use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose as Purpose, IsCa, Issuer, KeyPair,
};
use time::Duration as Days;
use time::macros::datetime;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-22 08:00 UTC);

struct Authority(Issuer<'static, KeyPair>, Vec<u8>);

impl Authority {
    fn called(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = named(name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let der = params.self_signed(&key).unwrap().der().to_vec();
        Self(Issuer::new(params, key), der)
    }

    fn issue(&self, params: &CertificateParams) -> Vec<u8> {
        params.signed_by(&KeyPair::generate().unwrap(), &self.0).unwrap().der().to_vec()
    }

    fn judge(&self, chain: &[Vec<u8>], dialled: &'static str) -> Presented {
        let chain: Vec<_> = chain.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        trusting(self).judged(&chain, &dialled.try_into().unwrap())
    }
}

fn trusting(authority: &Authority) -> Authorities {
    Authorities::new(std::slice::from_ref(&authority.1), NOW).unwrap()
}

fn named(common_name: &str, sans: &[&str]) -> CertificateParams {
    let mut params =
        CertificateParams::new(sans.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = NOW - Days::days(1);
    params.not_after = NOW + Days::days(364);
    params
}

/// What a kubelet serves with.
fn serving() -> CertificateParams {
    let mut params = named("system:node:a", &["a", "203.0.113.1"]);
    params.extended_key_usages = vec![Purpose::ServerAuth];
    params
}

#[test]
fn a_certificate_of_ours_for_what_is_dialled_verifies() {
    let ours = Authority::called("kubernetes");
    let certificate = ours.issue(&serving());
    for dialled in ["203.0.113.1", "a", "A"] {
        let expected =
            Presented { not_after: Some(NOW + Days::days(364)), ..Presented::nothing(Verdict::Verifies) };
        assert_eq!(ours.judge(std::slice::from_ref(&certificate), dialled), expected, "{dialled}");
    }
}

#[test]
fn what_is_wrong_with_a_certificate_is_named() {
    let (ours, other) = (Authority::called("kubernetes"), Authority::called("kubernetes"));
    let changed = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = serving();
        change(&mut params);
        ours.issue(&params)
    };
    let own = serving().self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
    // As a kubelet makes them that was told nothing else.
    let kubelets_own = Authority::called("a-ca@1795334400");
    let rows = [
        ("203.0.113.2", vec![ours.issue(&serving())], Verdict::WrongAddress),
        ("b", vec![ours.issue(&serving())], Verdict::WrongAddress),
        ("203.0.113.1", vec![changed(&|params| params.subject_alt_names.clear())], Verdict::WrongAddress),
        ("203.0.113.1", vec![changed(&|params| params.not_after = NOW - Days::seconds(1))], Verdict::Expired),
        (
            "203.0.113.1",
            vec![changed(&|params| params.not_before = NOW + Days::hours(1))],
            Verdict::NotYetValid,
        ),
        (
            "203.0.113.1",
            vec![changed(&|params| params.extended_key_usages = vec![Purpose::ClientAuth])],
            Verdict::NotForServers,
        ),
        ("203.0.113.1", vec![changed(&|params| params.extended_key_usages.clear())], Verdict::NotForServers),
        ("203.0.113.1", vec![own], Verdict::SelfSigned),
        ("203.0.113.1", vec![kubelets_own.issue(&serving()), kubelets_own.1.clone()], Verdict::SelfSigned),
        ("203.0.113.1", vec![other.issue(&serving())], Verdict::OtherAuthority),
        ("203.0.113.1", vec![other.issue(&serving()), other.1.clone()], Verdict::OtherAuthority),
        ("203.0.113.1", vec![b"no certificate".to_vec()], Verdict::Invalid),
        ("203.0.113.1", vec![], Verdict::NoCertificate),
    ];
    for (number, (dialled, chain, verdict)) in rows.into_iter().enumerate() {
        assert_eq!(ours.judge(&chain, dialled).verdict, verdict, "row {number}");
    }
}

#[test]
fn a_certificate_for_something_else_says_for_what() {
    let ours = Authority::called("kubernetes");
    assert_eq!(ours.judge(&[ours.issue(&serving())], "203.0.113.2").note, "it is for a, 203.0.113.1");
}

/// A server that sends these octets, and where it is.
async fn answering(octets: &'static [u8]) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.write_all(octets).await;
        // It stays open until the other side hangs up.
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    });
    address
}

#[tokio::test]
async fn a_kubelet_without_a_certificate_is_told_from_one_that_does_not_answer() {
    let ours = trusting(&Authority::called("kubernetes"));
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    for (at, verdict) in [
        // A fatal alert, internal_error (RFC 8446 §6).
        (answering(&[0x15, 3, 3, 0, 2, 2, 80]).await, Verdict::NoCertificate),
        (answering(&[0x15, 3, 3, 0, 2, 2, 40]).await, Verdict::Invalid),
        (answering(b"HTTP/1.1 400 Bad Request\r\n\r\n").await, Verdict::Invalid),
        (gone, Verdict::Unreachable),
    ] {
        let error = ours.anyone.presented(at, "a".try_into().unwrap()).await.unwrap_err();
        assert_eq!(verdict_without(&error), verdict, "{error:?}");
    }
}

#[tokio::test]
async fn a_node_cannot_have_this_host_talk_to_itself() {
    let ours = trusting(&Authority::called("kubernetes"));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    for address in
        ["127.0.0.1", "localhost", "::1", "::ffff:127.0.0.1", "0.0.0.0", "169.254.169.254", "fe80::1"]
    {
        let found = ours.presented(address, port).await;
        assert_eq!(
            (found.verdict, &*found.note),
            (Verdict::Unreachable, "there is no address to dial"),
            "{address}"
        );
    }
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    assert_eq!(ours.presented("a b", port).await.verdict, Verdict::NoAddress);
}
