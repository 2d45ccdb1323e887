//! What of a request is read, what is passed over, and what makes it unreadable: the rules of upstream's `ParseCSR`.

mod pkcs10;

use csr::{Curve, DerError, Digest, ParseError, PublicKey, PublicKeyError, SignatureAlgorithm};
use pkcs10::{
    CN, DNS, ED25519, EXTENSION_REQUEST, O, Pkcs10, SUBJECT_ALT_NAME, attribute, element, extension,
    parse_der, parse_pem, sequence,
};

const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const CHALLENGE_PASSWORD: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x07];
const RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
const EC: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01";
const P256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
const NULL: &[u8] = &[5, 0];

fn names(value: &str) -> Vec<u8> {
    sequence(&[element(DNS, &[value.as_bytes()])])
}

fn with_key(algorithm: &[&[u8]], key: &[u8]) -> Pkcs10 {
    let algorithm = element(0x30, algorithm);
    Pkcs10 { public_key: element(0x30, &[&algorithm, &element(0x03, &[&[0], key])]), ..Pkcs10::default() }
}

fn rsa_numbers(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    element(0x30, &[&element(0x02, &[modulus]), &element(0x02, &[exponent])])
}

#[test]
fn names_key_and_signature_are_read() {
    let made = Pkcs10::default().subject(&[(O, "o"), (CN, "n")]).sans(&[(DNS, b"d")]);
    let request = made.parse(&["client auth"]).unwrap();
    assert_eq!(request.subject().organizations().collect::<Vec<_>>(), ["o"]);
    assert_eq!(request.subject().common_name(), "n");
    assert_eq!(request.sans().dns, ["d"]);
    assert_eq!(*request.public_key(), PublicKey::Ed25519(Box::new([7; 32])));
    assert_eq!(request.signature_algorithm(), SignatureAlgorithm::Ed25519);
    assert_eq!(request.signature(), [9; 64]);
    assert_eq!(request.der(), made.der());
    assert!(made.der()[..].windows(request.info_der().len()).any(|part| part == request.info_der()));
}

#[test]
fn only_the_first_pem_block_counts_and_only_if_it_is_a_request() {
    let der = Pkcs10::default().der();
    let request = csr::pem::encode("CERTIFICATE REQUEST", &der);
    let other = csr::pem::encode("CERTIFICATE", &der);
    for (pem, readable) in [
        (request.clone(), true),
        (format!("text\n{request}"), true),
        (format!("{request}{other}"), true),
        (request.replace('\n', "\r\n"), true),
        (request.replace("REQUEST-----\nMI", "REQUEST-----\nname: value\n\nMI"), true),
        (format!("{other}{request}"), false),
        (csr::pem::encode("NEW CERTIFICATE REQUEST", &der), false),
        (String::new(), false),
        ("noise".to_owned(), false),
    ] {
        let parsed = parse_pem(pem.clone().into_bytes(), &[]);
        assert_eq!(parsed.as_ref().err(), (!readable).then_some(&ParseError::PemBlock), "{pem}");
    }
}

#[test]
fn what_does_not_matter_is_passed_over() {
    let malformed = element(0x30, &[&element(0x06, &[CHALLENGE_PASSWORD]), &[0x31, 5]]);
    let valueless = attribute(EXTENSION_REQUEST, &[]);
    let unknown_extension = extension(KEY_USAGE, b"not DER at all");
    let sans = extension(SUBJECT_ALT_NAME, &names("d"));
    let critical =
        element(0x30, &[&element(0x06, &[SUBJECT_ALT_NAME]), &[1, 1, 0xff], &element(0x04, &[&names("d")])]);
    for attributes in [
        vec![attribute(EXTENSION_REQUEST, &[&sequence(std::slice::from_ref(&sans))])],
        vec![
            malformed,
            valueless,
            attribute(EXTENSION_REQUEST, &[&sequence(&[unknown_extension, critical])]),
        ],
        vec![attribute(EXTENSION_REQUEST, &[&sequence(&[sans]), &[5, 0]]), vec![5, 0]],
    ] {
        let request = Pkcs10 { attributes, ..Pkcs10::default() }.parse(&[]).unwrap();
        assert_eq!(request.sans().dns, ["d"]);
    }
}

#[test]
fn an_extension_asked_for_twice_is_refused() {
    let sans = extension(SUBJECT_ALT_NAME, &names("a"));
    let once = || Pkcs10::default().extensions(std::slice::from_ref(&sans));
    for twice in [
        Pkcs10::default().extensions(&[sans.clone(), sans.clone()]),
        once().extensions(std::slice::from_ref(&sans)),
    ] {
        assert_eq!(twice.parse(&[]).unwrap_err(), ParseError::DuplicateExtensions);
    }
    let other = extension(KEY_USAGE, &[5, 0]);
    assert!(once().extensions(&[other]).parse(&[]).is_ok());
}

#[test]
fn a_malformed_structure_is_refused() {
    let sound = Pkcs10::default();
    let der = sound.der();
    let info_without_attributes = element(0x30, &[&sound.version, &sound.subject, &sound.public_key]);
    let no_attributes = element(0x30, &[&info_without_attributes, ED25519, &sound.signature]);
    for (what, malformed, expected) in [
        ("nothing", vec![], ParseError::Der(DerError::Truncated)),
        ("cut short", der[..der.len() - 1].to_vec(), ParseError::Der(DerError::Truncated)),
        ("trailing data", [der.as_slice(), &[0]].concat(), ParseError::TrailingData),
        ("no attributes", no_attributes, ParseError::Der(DerError::Truncated)),
        ("another element", element(0x31, &[]), ParseError::Der(DerError::UnexpectedTag)),
        ("indefinite length", vec![0x30, 0x80, 0, 0], ParseError::Der(DerError::Length)),
        ("long form of a short length", vec![0x30, 0x81, 1, 0], ParseError::Der(DerError::Length)),
        ("leading zero in a length", vec![0x30, 0x82, 0, 0x80], ParseError::Der(DerError::Length)),
    ] {
        assert_eq!(parse_der(&malformed, &[]).unwrap_err(), expected, "{what}");
    }
    for (what, malformed, expected) in [
        ("version", Pkcs10 { version: element(2, &[&[0, 1]]), ..sound.clone() }, DerError::Integer),
        ("long version", Pkcs10 { version: element(2, &[&[1; 9]]), ..sound.clone() }, DerError::Integer),
        ("signature", Pkcs10 { signature: element(3, &[&[8, 0]]), ..sound.clone() }, DerError::BitString),
        ("attribute", Pkcs10 { attributes: vec![vec![0x30, 9]], ..sound.clone() }, DerError::Truncated),
        (
            "extension request",
            Pkcs10 { attributes: vec![attribute(EXTENSION_REQUEST, &[&[0x31, 0]])], ..sound.clone() },
            DerError::UnexpectedTag,
        ),
        (
            "extension",
            sound.clone().extensions(&[element(0x30, &[&[6, 1, 0x80]])]),
            DerError::ObjectIdentifier,
        ),
    ] {
        assert_eq!(malformed.parse(&[]).unwrap_err(), ParseError::Der(expected), "{what}");
    }
}

#[test]
fn keys_are_read_as_go_reads_them() {
    let point = [&[4][..], &[1; 64]].concat();
    for (what, request, expected) in [
        (
            "RSA",
            with_key(&[RSA, NULL], &rsa_numbers(&[0, 0x80, 1], &[3])),
            PublicKey::Rsa { modulus: [0x80, 1].into(), exponent: 3 },
        ),
        (
            "P-256",
            with_key(&[EC, P256], &point),
            PublicKey::Ecdsa { curve: Curve::P256, point: point.clone().into() },
        ),
        ("an unknown algorithm", with_key(&[&[6, 1, 42]], b"anything"), PublicKey::Unsupported),
    ] {
        assert_eq!(*request.parse(&[]).expect(what).public_key(), expected);
    }
}

#[test]
fn malformed_keys_are_refused() {
    let compressed = [&[2][..], &[1; 32]].concat();
    let numbers = rsa_numbers(&[0x7f], &[3]);
    let secp256k1 = b"\x06\x05\x2b\x81\x04\x00\x0a";
    for (request, expected) in [
        (with_key(&[RSA], &numbers), PublicKeyError::RsaWithoutNull),
        (with_key(&[RSA, NULL], b"noise"), PublicKeyError::Rsa),
        (with_key(&[RSA, NULL], &rsa_numbers(&[0x7f], &[1; 9])), PublicKeyError::Rsa),
        (with_key(&[RSA, NULL], &rsa_numbers(&[0x80], &[3])), PublicKeyError::RsaNotPositive),
        (with_key(&[RSA, NULL], &rsa_numbers(&[0x7f], &[0])), PublicKeyError::RsaNotPositive),
        (with_key(&[EC], &[4; 65]), PublicKeyError::EcdsaParameters),
        (with_key(&[EC, &element(0x30, &[])], &[4; 65]), PublicKeyError::EcdsaParameters),
        (with_key(&[EC, secp256k1], &[4; 65]), PublicKeyError::UnsupportedCurve),
        (with_key(&[EC, P256], &compressed), PublicKeyError::EcdsaPoint),
        (with_key(&[EC, P256], &[4; 64]), PublicKeyError::EcdsaPoint),
        (with_key(&[&ED25519[2..], NULL], &[7; 32]), PublicKeyError::Ed25519Parameters),
        (with_key(&[&ED25519[2..]], &[7; 31]), PublicKeyError::Ed25519Size),
        (with_key(&[b"\x06\x07\x2a\x86\x48\xce\x38\x04\x01", NULL], &[2, 1, 1]), PublicKeyError::Dsa),
    ] {
        assert_eq!(request.parse(&[]).unwrap_err(), ParseError::PublicKey(expected));
    }
}

#[test]
fn signature_algorithms_are_read_as_go_reads_them() {
    let rsa = |last: u8| element(0x30, &[&[&RSA[..10], &[last]].concat(), NULL]);
    let sha256 = element(0x30, &[b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"]);
    let pss = |salt: u8| {
        let mask = element(0x30, &[&[&RSA[..10], &[8]].concat(), &sha256]);
        let parameters =
            [element(0xa0, &[&sha256]), element(0xa1, &[&mask]), element(0xa2, &[&[2, 1, salt]])];
        element(0x30, &[&[&RSA[..10], &[10]].concat(), &sequence(&parameters)])
    };
    for (algorithm, expected) in [
        (rsa(4), SignatureAlgorithm::Md5WithRsa),
        (rsa(5), SignatureAlgorithm::RsaPkcs1(Digest::Sha1)),
        (rsa(11), SignatureAlgorithm::RsaPkcs1(Digest::Sha256)),
        (rsa(14), SignatureAlgorithm::Unknown),
        (pss(32), SignatureAlgorithm::RsaPss(Digest::Sha256)),
        (pss(20), SignatureAlgorithm::Unknown),
        (ED25519.to_vec(), SignatureAlgorithm::Ed25519),
        (element(0x30, &[&ED25519[2..], NULL]), SignatureAlgorithm::Unknown),
        (
            element(0x30, &[b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"]),
            SignatureAlgorithm::Ecdsa(Digest::Sha384),
        ),
        (element(0x30, &[b"\x06\x07\x2a\x86\x48\xce\x38\x04\x03"]), SignatureAlgorithm::Dsa),
    ] {
        let request = Pkcs10 { algorithm: algorithm.clone(), ..Pkcs10::default() }.parse(&[]).unwrap();
        assert_eq!(request.signature_algorithm(), expected, "{algorithm:02x?}");
    }
}
