//! The section `signers`: what good ones mean, and what is said of bad ones.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails where something is missing")]

use config::{CaFiles, Configuration, GivenLifetime, Signer, parse};
use csr::profile::{
    Chain, KeyLimits, Limits, NameLimits, Otherwise, Pointers, SubjectLimits, Treatment, UriPrefix,
};
use csr::{AttributeType, SignerName, Usage};
use time::Duration;

const HEAD: &str = "apiVersion: countersign.dev/v1alpha1\nkind: CountersignConfiguration\nsigners:\n";

/// A file with one signer, which begins in line 4.
fn with(signer: &str) -> String {
    let mut text = HEAD.to_owned();
    for (index, line) in signer.lines().enumerate() {
        text += &format!("{} {line}\n", if index == 0 { "-" } else { " " });
    }
    text
}

fn read(signer: &str) -> Signer {
    let text = with(signer);
    let mut signers = parse(&text).unwrap_or_else(|mistakes| panic!("{text}\n{mistakes}")).signers;
    assert_eq!(signers.len(), 1);
    signers.remove(0)
}

const LEAST: &str = "name: example.com/serving
certificateAuthority: {certificate: /ca/tls.crt, key: /ca/tls.key}
usages: [server auth]";

const EVERYTHING: &str = r#"name: example.com/serving
certificateAuthority: {certificate: /ca/tls.crt, key: /ca/tls.key}
allowClusterCA: true
usages: [digital signature, server auth]
subject:
  attributes: {commonName: require, organization: pass, country: drop, locality: refuse}
  commonNames: ["**.apps.example.com"]
  organizations: ["team-*"]
names:
  dns: ["*.Apps.example.com"]
  ip: [10.0.0.0/16]
  email: ["*@example.com"]
  uri: [spiffe://example.com/apps/]
  otherwise: drop
  min: 1
  max: 8
lifetime: {min: 1h, default: 24h, max: 720h}
backdate: 1m
jitter: 10m
keys: {rsa: 3072, ecdsa: 384}
chain: intermediates
authorityInformationAccess: {ocsp: ["http://ocsp.example.com"], caIssuers: ["http://ca.example.com/ca.crt"]}
crlDistributionPoints: ["http://ca.example.com/ca.crl"]"#;

fn files() -> Option<CaFiles> {
    Some(CaFiles { certificate: "/ca/tls.crt".into(), key: "/ca/tls.key".into() })
}

#[test]
fn what_is_not_said_is_the_strictest() {
    let expected = Signer {
        authority: files(),
        limits: Limits::strictest(vec![Usage::ServerAuth]),
        ..Signer::unlimited(SignerName::from("example.com/serving"))
    };
    assert_eq!(read(LEAST), expected);
}

#[test]
fn every_field_means_what_the_signer_takes_it_for() {
    let patterns = |text: &str| vec![text.parse().unwrap()];
    let limits = Limits {
        usages: Some(vec![Usage::DigitalSignature, Usage::ServerAuth]),
        subject: SubjectLimits {
            attributes: [
                (AttributeType::CommonName, Treatment::Require),
                (AttributeType::Organization, Treatment::Pass),
                (AttributeType::Country, Treatment::Drop),
                (AttributeType::Locality, Treatment::Refuse),
            ]
            .into(),
            otherwise: Treatment::Refuse,
            common_names: patterns("**.apps.example.com"),
            organizations: patterns("team-*"),
        },
        names: NameLimits {
            dns: patterns("*.apps.example.com"),
            ip: vec!["10.0.0.0/16".parse().unwrap()],
            email: patterns("*@example.com"),
            uri: vec![UriPrefix::from_text("spiffe://example.com/apps/").unwrap()],
            otherwise: Otherwise::Drop,
            least: 1,
            most: 8,
        },
        keys: KeyLimits { rsa: Some(3072), ecdsa: Some(384), ed25519: false },
    };
    let expected = Signer {
        name: SignerName::from("example.com/serving"),
        authority: files(),
        allow_cluster_ca: true,
        limits,
        lifetime: GivenLifetime {
            min: Some(Duration::hours(1)),
            default: Some(Duration::hours(24)),
            max: Some(Duration::hours(720)),
        },
        backdate: Duration::minutes(1),
        jitter: Duration::minutes(10),
        chain: Chain::Intermediates,
        pointers: Pointers {
            ocsp: vec!["http://ocsp.example.com".to_owned()],
            ca_issuers: vec!["http://ca.example.com/ca.crt".to_owned()],
            crl: vec!["http://ca.example.com/ca.crl".to_owned()],
        },
    };
    assert_eq!(read(EVERYTHING), expected);
}

#[test]
fn what_is_shown_is_a_file_that_means_the_same() {
    let signers = |text: &str| parse(text).unwrap_or_else(|mistakes| panic!("{text}\n{mistakes}")).signers;
    for signer in [
        LEAST,
        EVERYTHING,
        "name: kubernetes.io/kubelet-serving",
        "name: kubernetes.io/kube-apiserver-client\nnames: {max: 0}\nsubject: {organizations: [dev]}",
        "name: kubernetes.io/legacy-unknown\nnames: {ip: [10.0.0.0/8]}\nkeys: {ed25519: true}",
    ] {
        let configuration = parse(&with(signer)).unwrap();
        let yaml = serde_saphyr::to_string(&config::effective(&configuration)).unwrap();
        assert_eq!(signers(&yaml), configuration.signers, "{yaml}");
        let json = serde_json::to_string(&config::effective(&configuration)).unwrap();
        assert_eq!(signers(&json), configuration.signers, "{json}");
    }
    let nothing = serde_json::to_value(config::effective(&Configuration::default())).unwrap();
    assert_eq!(nothing.get("signers"), None);
}

#[test]
fn a_built_in_signer_of_which_nothing_is_said_is_upstreams() {
    for name in SignerName::BUILT_IN {
        assert_eq!(read(&format!("name: {name}")), Signer::unlimited(SignerName::from(name)));
    }
}

#[test]
fn lifetimes_are_what_is_said_and_for_built_in_signers_never_more_than_the_flag_says() {
    let (flag, hours) = (Duration::hours(100), Duration::hours);
    let minutes = Duration::minutes;
    for (said, custom, built_in) in [
        ("{}", [minutes(10), flag, flag], [minutes(10), flag, flag]),
        ("{max: 24h}", [minutes(10), hours(24), hours(24)], [minutes(10), hours(24), hours(24)]),
        ("{default: 24h}", [minutes(10), hours(24), hours(24)], [minutes(10), hours(24), hours(24)]),
        ("{default: 24h, max: 200h}", [minutes(10), hours(24), hours(200)], [minutes(10), hours(24), flag]),
        ("{min: 300h, max: 300h}", [hours(300); 3], [flag; 3]),
        ("{max: 5m}", [minutes(5); 3], [minutes(5); 3]),
    ] {
        let names = [
            ("kubernetes.io/legacy-unknown".to_owned(), built_in),
            (LEAST.to_owned()[6..].to_owned(), custom),
        ];
        for (name, [min, default, max]) in names {
            let signer = read(&format!("name: {name}\nlifetime: {said}"));
            let lifetime = signer.terms(flag).lifetime;
            assert_eq!((lifetime.min, lifetime.default, lifetime.max), (min, default, max), "{name} {said}");
        }
    }
}

/// A signer, and what is said about it.
const BAD: &[(&str, &[&str])] = &[
    (
        "name: example.com/a",
        &[
            "line 4, column 3: signers[0].certificateAuthority: missing: expected the files of the CA that signs",
            "line 4, column 3: signers[0].usages: missing: expected the usages that certificates may have",
        ],
    ),
    (
        "name: example/a\ncertificateAuthority: {certificate: a}\nusages: []",
        &[
            "line 4, column 9: signers[0].name: expected a signerName such as example.com/serving, or one of the four of kubernetes.io that are signed here, not \"example/a\"",
            "line 5, column 25: signers[0].certificateAuthority.key: missing: expected the path of its private key, PEM",
            "line 6, column 11: signers[0].usages: expected one usage at least, not a list",
        ],
    ),
    (
        "name: kubernetes.io/kubelet-serving\nallowClusterCA: true",
        &["line 5, column 19: signers[0].allowClusterCA: only a signer that is not built in needs it"],
    ),
    (
        "name: kubernetes.io/kubelet-serving\nsubject: {attributes: {CN: pass, organization: allow}, commonNames: ['']}",
        &[
            "line 5, column 26: signers[0].subject.attributes.CN: unknown field",
            "line 5, column 50: signers[0].subject.attributes.organization: expected pass, drop, require or refuse, not \"allow\"",
            "line 5, column 72: signers[0].subject.commonNames[0]: expected a pattern, in which * stands for any text without a dot and ** for any text, not \"\"",
        ],
    ),
    (
        "name: kubernetes.io/kubelet-serving\nnames: {uri: ['https://a.example'], otherwise: deny, min: 3, max: 2}",
        &[
            "line 5, column 17: signers[0].names.uri[0]: expected the beginning of a URI, with its authority and a slash at the end, such as spiffe://example.com/apps/, not \"https://a.example\"",
            "line 5, column 50: signers[0].names.otherwise: expected refuse, drop or pass, not \"deny\"",
            "line 5, column 61: signers[0].names.min: more names than max are required",
        ],
    ),
    (
        "name: kubernetes.io/kubelet-serving\nlifetime: {min: 2h, default: 1h, max: 0s}\nbackdate: 48h\njitter: -1s",
        &[
            "line 5, column 32: signers[0].lifetime.default: less than what goes before: min, default and max rise in that order",
            "line 5, column 41: signers[0].lifetime.max: expected a duration of whole seconds from 1s to 596523h14m7s, not \"0s\"",
            "line 6, column 13: signers[0].backdate: expected a duration of whole seconds from 0s to 24h, not \"48h\"",
            "line 7, column 11: signers[0].jitter: expected a duration of whole seconds from 0s to 596523h14m7s, not \"-1s\"",
        ],
    ),
    (
        "name: kubernetes.io/kubelet-serving\nkeys: {}\nchain: root\ncrlDistributionPoints: [ldap://a, 'http:// a']",
        &[
            "line 5, column 9: signers[0].keys: expected one of rsa, ecdsa and ed25519 at least, not a mapping",
            "line 6, column 10: signers[0].chain: expected leaf or intermediates, not \"root\"",
            "line 7, column 27: signers[0].crlDistributionPoints[0]: expected a URL such as http://ca.example.com/ca.crl, not \"ldap://a\"",
            "line 7, column 37: signers[0].crlDistributionPoints[1]: expected a URL such as http://ca.example.com/ca.crl, not \"http:// a\"",
        ],
    ),
    (
        "name: kubernetes.io/kubelet-serving\nkeys: {rsa: 1024, dsa: 1}",
        &[
            "line 5, column 15: signers[0].keys.rsa: expected a whole number from 2048 to 8192, not 1024",
            "line 5, column 21: signers[0].keys.dsa: unknown field (did you mean rsa?)",
        ],
    ),
];

#[test]
fn every_mistake_is_named_with_its_line_and_its_field() {
    for (signer, expected) in BAD {
        let mistakes = parse(&with(signer)).expect_err(signer);
        let said: Vec<_> = mistakes.0.iter().map(ToString::to_string).collect();
        assert_eq!(said, *expected, "{signer}");
    }
}

#[test]
fn a_signer_has_one_section() {
    let text = with("name: kubernetes.io/kubelet-serving") + "- {name: kubernetes.io/kubelet-serving}\n";
    let said = parse(&text).unwrap_err().to_string();
    assert_eq!(said, "line 5, column 10: signers[1].name: this signer has a section already");
}
