//! One reading only: what a kubelet sends is plain, and each way to be read differently is named.

#![allow(clippy::unwrap_used, reason = "a test that cannot build its input fails")]

mod pkcs10;

use csr::Ambiguity;
use pkcs10::{
    CN, DNS, EXTENSION_REQUEST, O, Pkcs10, SUBJECT_ALT_NAME, attribute, element, extension, parse_der,
    parse_pem, sequence,
};

fn kubelets() -> Pkcs10 {
    let subject = [(O, "system:nodes"), (CN, "system:node:n")];
    Pkcs10::default().subject(&subject).sans(&[(DNS, b"n")])
}

fn ambiguity(request: &Pkcs10) -> Option<Ambiguity> {
    request.parse(&[]).unwrap().ambiguity()
}

fn names() -> Vec<u8> {
    sequence(&[element(DNS, &[b"n"])])
}

#[test]
fn what_a_kubelet_sends_has_one_reading() {
    assert_eq!(ambiguity(&kubelets()), None);
    assert_eq!(ambiguity(&Pkcs10::default().subject(&[(CN, "system:node:n")])), None);
    let critical = element(
        0x30,
        &[&element(0x06, &[SUBJECT_ALT_NAME]), &element(0x01, &[&[0xff]]), &element(0x04, &[&names()])],
    );
    let mut request = Pkcs10::default().subject(&[(CN, "n")]).extensions(&[critical]);
    assert_eq!(ambiguity(&request), None);
    request.attributes.push(attribute(&[0x55, 0x04, 0x03], &[&element(0x0c, &[b"challenge"])]));
    assert_eq!(ambiguity(&request), None, "another attribute asks for nothing");
}

#[test]
fn fields_that_nobody_reads_are_ambiguous() {
    let san = extension(SUBJECT_ALT_NAME, &names());
    let more = element(0x04, &[b"more"]);
    let long = element(0x30, &[&element(0x06, &[SUBJECT_ALT_NAME]), &element(0x04, &[&names()]), &more]);
    let behind = extension(SUBJECT_ALT_NAME, &[names(), names()].concat());
    for (extensions, expected) in [(vec![long], Ambiguity::Fields), (vec![behind], Ambiguity::Fields)] {
        let request = Pkcs10 { attributes: Vec::new(), ..kubelets() }.extensions(&extensions);
        assert_eq!(ambiguity(&request), Some(expected));
    }
    for attributes in [
        // The first value is the one that is read.
        vec![attribute(EXTENSION_REQUEST, &[&sequence(std::slice::from_ref(&san)), &sequence(&[])])],
        vec![
            attribute(EXTENSION_REQUEST, &[&sequence(&[san])]),
            attribute(EXTENSION_REQUEST, &[&sequence(&[])]),
        ],
    ] {
        assert_eq!(ambiguity(&Pkcs10 { attributes, ..kubelets() }), Some(Ambiguity::Extensions));
    }
}

#[test]
fn a_field_behind_the_signature_is_ambiguous() {
    let der = kubelets().der();
    let mut elements = csr::asn1::Elements(&der);
    let request = elements.expect(0x30).unwrap();
    let longer = element(0x30, &[request.contents, &element(0x04, &[b"more"])]);
    assert_eq!(parse_der(&longer, &[]).unwrap().ambiguity(), Some(Ambiguity::Fields));
}

#[test]
fn another_number_of_common_names_than_one_is_ambiguous() {
    let twice = [(O, "system:nodes"), (CN, "system:node:a"), (CN, "system:node:n")];
    for subject in [&twice[..], &twice[..1]] {
        assert_eq!(ambiguity(&kubelets().subject(subject)), Some(Ambiguity::CommonName));
    }
}

#[test]
fn whatever_stands_beside_the_block_is_ambiguous() {
    let block = csr::pem::encode("CERTIFICATE REQUEST", &kubelets().der());
    let plain = |text: String| parse_pem(text.into_bytes(), &[]).unwrap().ambiguity();
    for text in [block.clone(), format!("\n{block}\n\n"), block.replace('\n', "\r\n")] {
        assert_eq!(plain(text.clone()), None, "{text}");
    }
    for text in [
        format!("{block}{block}"),
        format!("words\n{block}"),
        format!("{block}words"),
        block
            .replace("REQUEST-----\n", "REQUEST-----\nProc-Type: 4\n\n")
            .replace("END CERTIFICATE REQUEST-----\nProc-Type: 4\n\n", "END CERTIFICATE REQUEST-----\n"),
    ] {
        assert_eq!(plain(text.clone()), Some(Ambiguity::Pem), "{text}");
    }
}
