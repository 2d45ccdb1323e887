//! Strangers judge what we issue: webpki as a TLS peer would, OpenSSL as everyone's tool does, and a second
//! implementation of ECDSA.

mod issue;

use issue::{CLIENT, NOW, SERVING, SERVING_USAGES, authority, request};
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyParam;
use openssl::x509::{X509, X509StoreContext};
use p256::ecdsa::signature::Verifier;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

const AUTHORITIES: [&str; 6] = ["ca-rsa2048", "ca-rsa4096", "ca-p256", "ca-p384", "ca-p521", "ca-ed25519"];

#[test]
fn webpki_accepts_what_every_kind_of_ca_issues() {
    let now =
        UnixTime::since_unix_epoch(core::time::Duration::from_secs(NOW.unix_timestamp().unsigned_abs()));
    let request = request(SERVING, "kubernetes.io/kubelet-serving", SERVING_USAGES);
    for name in AUTHORITIES {
        let authority = authority(name);
        let issued = issue::issue(&request, &authority);
        let (leaf, ca) =
            (CertificateDer::from(issued.der()), CertificateDer::from(authority.certificate_der()));
        let anchors = [anchor_from_trusted_cert(&ca).expect(name)];
        let leaf = EndEntityCert::try_from(&leaf).expect(name);
        let verify = |usage| {
            leaf.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, &[], now, usage, None, None).map(|_| ())
        };
        assert_eq!(verify(KeyUsage::server_auth()), Ok(()), "{name}");
        assert!(verify(KeyUsage::client_auth()).is_err(), "{name}");
        for (host, valid) in [
            ("worker-1", true),
            ("192.0.2.7", true),
            ("2001:db8::7", true),
            ("worker-2", false),
            ("192.0.2.8", false),
        ] {
            let host = ServerName::try_from(host).expect("a name");
            assert_eq!(leaf.verify_is_valid_for_subject_name(&host).is_ok(), valid, "{host:?}");
        }
    }
}

#[test]
fn openssl_verifies_and_reads_what_every_kind_of_ca_issues() {
    let request =
        request(CLIENT, "kubernetes.io/kube-apiserver-client", &["client auth", "key encipherment"]);
    for name in AUTHORITIES {
        let authority = authority(name);
        let issued = issue::issue(&request, &authority);
        let leaf = X509::from_pem(issued.pem().as_bytes()).expect(name);
        assert!(is_trusted(&leaf, authority.certificate_der()), "{name}");
        // OpenSSL releases differ in the blanks they put around these.
        let text = String::from_utf8(leaf.to_text().expect(name)).expect("text");
        let text = text.replace(" = ", "=").replace(" + ", "+");
        for line in [
            "Version: 3 (0x2)",
            "Serial Number:\n            c5:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f",
            "Issuer: CN=kubernetes",
            "Not Before: Nov 22 11:55:00 2026 GMT",
            "Not After : Nov 23 11:55:00 2026 GMT",
            "Subject: O=dev+O=ops, CN=alice",
            "X509v3 Key Usage: critical\n                Key Encipherment\n",
            "X509v3 Extended Key Usage: \n                TLS Web Client Authentication\n",
            "X509v3 Basic Constraints: critical\n                CA:FALSE\n",
        ] {
            assert!(text.contains(line), "{name}: {line:?} is not in\n{text}");
        }
    }
}

fn is_trusted(leaf: &X509, ca: &[u8]) -> bool {
    let mut at = X509VerifyParam::new().expect("OpenSSL");
    at.set_time(NOW.unix_timestamp());
    let mut store = X509StoreBuilder::new().expect("OpenSSL");
    store.set_param(&at).expect("OpenSSL");
    store.add_cert(X509::from_der(ca).expect("a CA")).expect("OpenSSL");
    let (store, intermediates) = (store.build(), Stack::new().expect("OpenSSL"));
    let mut context = X509StoreContext::new().expect("OpenSSL");
    context.init(&store, leaf, &intermediates, |context| context.verify_cert()).expect("OpenSSL")
}

#[test]
fn another_implementation_of_ecdsa_verifies_the_signature() {
    let authority = authority("ca-p256");
    let request = request(SERVING, "kubernetes.io/kubelet-serving", SERVING_USAGES);
    let issued = issue::issue(&request, &authority);
    let ca = X509::from_der(authority.certificate_der()).unwrap();
    let point = ca.public_key().unwrap().public_key_to_der().unwrap();
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point[point.len() - 65..]).unwrap();
    let leaf = X509::from_der(issued.der()).unwrap();
    let signature = p256::ecdsa::DerSignature::try_from(leaf.signature().as_slice()).unwrap();
    // A certificate starts with a header of four octets; the signed part has one too.
    let signed = &issued.der()[4..];
    let length = 4 + usize::from(u16::from_be_bytes([signed[2], signed[3]]));
    assert!(key.verify(&signed[..length], &signature).is_ok());
    assert!(key.verify(&signed[..length - 1], &signature).is_err());
}
