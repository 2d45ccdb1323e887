//! Whatever a requester sends: never a panic, and time and memory in proportion to its size.

mod pkcs10;

use pkcs10::{CN, DNS, IP, Pkcs10, URI, parse_der, parse_pem};
use proptest::prelude::*;

fn sound() -> Vec<u8> {
    let names: &[(u8, &[u8])] =
        &[(DNS, b"a.example"), (IP, &[10, 0, 0, 1]), (URI, b"http://u:p@[::1%25e]:80/a%2fb?c#d")];
    Pkcs10::default().subject(&[(CN, "system:node:a")]).sans(names).der()
}

#[test]
fn every_octet_may_be_changed_to_any_other() {
    let sound = sound();
    for index in 0..sound.len() {
        for octet in 0..=u8::MAX {
            let mut mutant = sound.clone();
            mutant[index] = octet;
            let _ = parse_der(&mutant, &[]);
        }
    }
}

#[test]
fn a_request_may_end_anywhere() {
    let sound = sound();
    for end in 0..sound.len() {
        assert!(parse_der(&sound[..end], &[]).is_err());
    }
}

proptest! {
    #[test]
    fn parse_never_panics(noise in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = parse_der(&noise, &[]);
        let _ = parse_pem(noise, &[]);
    }

    #[test]
    fn parse_never_panics_on_several_changes(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut mutant = sound();
        for (index, octet) in changes {
            let index = index.index(mutant.len());
            mutant[index] = octet;
        }
        let _ = parse_der(&mutant, &[]);
    }

    #[test]
    fn pem_of_any_lines_is_read_without_a_panic(lines in prop::collection::vec("(-----BEGIN |-----END |CERTIFICATE REQUEST|-----|AAAA|=|:| |\r|\n){0,6}", 0..12)) {
        let _ = parse_pem(lines.join("\n").into_bytes(), &["client auth"]);
    }

    #[test]
    fn what_goes_in_as_names_comes_out(dns in prop::collection::vec("[a-z.*]{0,20}", 0..10), common_name in "\\PC{0,30}") {
        let names: Vec<(u8, &[u8])> = dns.iter().map(|name| (DNS, name.as_bytes())).collect();
        let request = Pkcs10::default().subject(&[(CN, &common_name)]).sans(&names).parse(&[]);
        let request = request.expect("sound");
        prop_assert_eq!(request.subject().common_name(), common_name);
        prop_assert_eq!(&request.sans().dns, &dns);
    }
}

/// Many times what the API server lets in: time that grew with the square of the size would not end.
#[test]
fn large_requests_take_time_in_proportion_to_their_size() {
    let many: Vec<(u8, &[u8])> = vec![(URI, b"http://example.com/%41"); 500_000];
    let attributes: Vec<(u8, &str)> = vec![(CN, "name"); 500_000];
    let nested = (0..2_000).fold(Vec::new(), |inside: Vec<u8>, _| pkcs10::element(0x30, &[&inside]));
    for (what, request) in [
        ("500,000 names", Pkcs10::default().sans(&many)),
        ("500,000 attributes in the subject", Pkcs10::default().subject(&attributes)),
        ("one name of sixteen megabytes", Pkcs10::default().sans(&[(DNS, &[b'a'; 16 << 20])])),
        ("one attribute of sixteen megabytes", Pkcs10::default().subject(&[(CN, &"a".repeat(16 << 20))])),
        ("deep nesting", Pkcs10 { attributes: vec![nested], ..Pkcs10::default() }),
    ] {
        assert!(request.parse(&[]).is_ok(), "{what}");
    }
}

/// As above: sixteen megabytes, where the API server lets in one and a half.
#[test]
fn large_text_takes_time_in_proportion_to_its_size() {
    for part in [
        "-----BEGIN CERTIFICATE REQUEST-----\n",
        "-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST----\n",
        "-----BEGIN A:B-----\n",
        "-----BEGIN CERTIFICATE REQUEST-----\n!\n-----END CERTIFICATE REQUEST-----\n",
        "\n-----END ",
        "a: b\n",
        " \t",
    ] {
        assert!(parse_pem(part.repeat((16 << 20) / part.len()).into_bytes(), &[]).is_err(), "{part:?}");
    }
}
