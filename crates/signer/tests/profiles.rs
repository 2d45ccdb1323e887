//! Configured profiles: what they permit, one row for each way to be wrong, and what strangers make of what they issue.

#![allow(clippy::unwrap_used, reason = "a test fails where something is missing")]

mod issue;
mod requests;

use std::collections::BTreeSet;
use std::sync::Arc;

use csr::profile::{
    Chain, KeyLimits, Limits, NameLimits, Otherwise, Pattern, Pointers, SubjectLimits, Terms, Treatment,
    UriPrefix,
};
use csr::{AttributeType, Request, SignerName, Usage};
use issue::{NOW, SERIAL, authority};
use openssl::x509::X509;
use requests::Asked;
use signer::{Approval, Certificate, CertificateAuthority, Profile, RULES, SerialNumber, Signer};
use time::Duration;

const NAME: &str = "example.com/serving";

fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// Serving certificates of one team's applications.
fn limits() -> Limits {
    Limits {
        usages: Some(vec![Usage::DigitalSignature, Usage::KeyEncipherment, Usage::ServerAuth]),
        subject: SubjectLimits {
            attributes: [
                (AttributeType::CommonName, Treatment::Require),
                (AttributeType::Organization, Treatment::Pass),
                (AttributeType::Country, Treatment::Drop),
            ]
            .into(),
            otherwise: Treatment::Refuse,
            common_names: patterns(&["**.apps.example.com"]),
            organizations: patterns(&["team-*"]),
        },
        names: NameLimits {
            dns: patterns(&["*.apps.example.com"]),
            ip: vec!["10.1.0.0/16".parse().unwrap()],
            email: patterns(&["*@example.com"]),
            uri: vec![UriPrefix::from_text("spiffe://example.com/apps/").unwrap()],
            otherwise: Otherwise::Refuse,
            least: 1,
            most: 4,
        },
        keys: KeyLimits { rsa: Some(3072), ecdsa: Some(256), ed25519: false },
    }
}

fn profile() -> Profile {
    Profile::custom(limits(), Terms::upstream(Duration::days(30)))
}

fn asked() -> Asked {
    Asked {
        subject: vec![("CN", "shop.apps.example.com"), ("O", "team-a")],
        dns: vec!["shop.apps.example.com"],
        ..Asked::default()
    }
}

fn request(asked: &Asked, usages: &[&str]) -> Request {
    issue::request(&asked.pem(), NAME, usages)
}

fn issued(profile: Profile, authority: &Arc<CertificateAuthority>, request: &Request) -> Certificate {
    let signer = Signer::new(SignerName::from(NAME), profile, Arc::clone(authority));
    let validated = signer.validate(request, Approval::by_operator()).unwrap().expect("within the profile");
    let to_be_signed = validated.prepare(NOW, SerialNumber::from_random(SERIAL)).unwrap();
    let signature = authority.key().sign(to_be_signed.bytes()).unwrap();
    to_be_signed.finish(&signature).unwrap()
}

const SERVING: &[&str] = &["digital signature", "server auth"];

#[test]
fn what_is_within_the_profile_is_signed() {
    for accepted in [
        asked(),
        Asked { dns: vec!["*.apps.example.com"], ..asked() },
        Asked { dns: vec!["SHOP.apps.Example.com"], ..asked() },
        Asked { dns: vec![], ip: vec!["10.1.2.3"], ..asked() },
        Asked { dns: vec![], email: vec!["ops@example.com"], ..asked() },
        Asked { dns: vec![], uri: vec!["spiffe://example.com/apps/shop"], ..asked() },
        Asked { subject: vec![("CN", "a.b.apps.example.com"), ("C", "NL")], ..asked() },
    ] {
        let verdict = profile().validate(&request(&accepted, SERVING));
        assert_eq!(verdict, Ok(()), "{accepted:?}");
    }
}

/// One row for each way to be wrong, with the rule it breaks.
fn wrong() -> Vec<(Asked, &'static [&'static str], &'static str)> {
    let subject = |subject: &[(&'static str, &'static str)]| Asked { subject: subject.to_vec(), ..asked() };
    let dns = |name| Asked { dns: vec![name], ..asked() };
    let uri = |name| Asked { uri: vec![name], ..asked() };
    let cn = ("CN", "shop.apps.example.com");
    vec![
        (asked(), &["client auth"], "profile/usages"),
        (asked(), &["digital signature", "server auth", "any"], "profile/usages"),
        (subject(&[("O", "team-a")]), SERVING, "profile/subject"),
        (subject(&[cn, ("OU", "shop")]), SERVING, "profile/subject"),
        (subject(&[("CN", "shop.example.com")]), SERVING, "profile/subject-value"),
        (subject(&[cn, ("CN", "shop.example.com")]), SERVING, "profile/subject-value"),
        (subject(&[cn, ("O", "team-a"), ("O", "system:masters")]), SERVING, "profile/subject-value"),
        (dns("apps.example.com"), SERVING, "profile/names"),
        (dns("a.shop.apps.example.com"), SERVING, "profile/names"),
        (dns("shop.apps.example.com.evil.org"), SERVING, "profile/names"),
        (dns("evil org/.apps.example.com"), SERVING, "profile/names"),
        (Asked { ip: vec!["10.2.0.1"], ..asked() }, SERVING, "profile/names"),
        (Asked { ip: vec!["fd00::1"], ..asked() }, SERVING, "profile/names"),
        (Asked { email: vec!["a@b@example.com"], ..asked() }, SERVING, "profile/names"),
        (Asked { email: vec!["a@example.org"], ..asked() }, SERVING, "profile/names"),
        (uri("spiffe://example.com/appsx"), SERVING, "profile/names"),
        (uri("spiffe://example.com/apps/../admin"), SERVING, "profile/names"),
        (uri("spiffe://example.com/apps/%2e%2e/admin"), SERVING, "profile/names"),
        (uri("spiffe://example.org/apps/shop"), SERVING, "profile/names"),
        (Asked { dns: vec![], ..asked() }, SERVING, "profile/name-count"),
        (Asked { dns: vec!["a.apps.example.com"; 5], ..asked() }, SERVING, "profile/name-count"),
        (Asked { rsa: Some(2048), ..asked() }, SERVING, "profile/key"),
    ]
}

#[test]
fn each_rule_is_broken_by_a_request_that_is_otherwise_within_the_profile() {
    let mut broken = BTreeSet::new();
    for (asked, usages, rule) in wrong() {
        let request = request(&asked, usages);
        let rejection = profile().validate(&request).expect_err(&format!("{rule} {asked:?}"));
        assert_eq!(rejection.rule.id, rule, "{asked:?} {rejection}");
        assert_eq!(rejection.reason(), "SignerValidationFailure");
        let found = profile().trace(&request).into_iter().find(|(_, finding)| finding.is_err());
        assert_eq!(found.map(|(rule, _)| rule.id), Some(rule), "explain says the same");
        // Without limits nothing stands against it.
        let unlimited = Profile::custom(Limits::none(), Terms::upstream(Duration::DAY));
        assert_eq!(unlimited.validate(&request), Ok(()), "{asked:?}");
        broken.insert(rule);
    }
    let ids = RULES.iter().map(|rule| rule.id).filter(|id| id.starts_with("profile/"));
    let all: BTreeSet<_> = ids.filter(|id| *id != "profile/cluster-subject").collect();
    assert_eq!(broken, all, "every rule needs a row");
}

#[test]
fn a_key_of_an_algorithm_that_is_not_named_is_refused() {
    for (keys, rsa, permitted) in [
        (KeyLimits { rsa: None, ecdsa: Some(256), ed25519: true }, Some(3072), false),
        (KeyLimits { rsa: Some(3072), ecdsa: None, ed25519: true }, None, false),
        (KeyLimits { rsa: None, ecdsa: Some(384), ed25519: true }, None, false),
        (KeyLimits { rsa: None, ecdsa: Some(256), ed25519: false }, None, true),
        (KeyLimits { rsa: Some(3072), ecdsa: None, ed25519: false }, Some(3072), true),
    ] {
        let profile = Profile::custom(Limits { keys, ..limits() }, Terms::upstream(Duration::DAY));
        let verdict = profile.validate(&request(&Asked { rsa, ..asked() }, SERVING));
        assert_eq!(verdict.is_ok(), permitted, "{keys:?} {rsa:?}");
    }
}

#[test]
fn only_usages_need_be_said_and_then_a_common_name_is_all_there_may_be() {
    let strictest = Limits::strictest(vec![Usage::ServerAuth]);
    let profile = Profile::custom(strictest, Terms::upstream(Duration::DAY));
    let rule = |asked: &Asked| profile.validate(&request(asked, &["server auth"])).err().map(|no| no.rule.id);
    let alone = Asked { subject: vec![("CN", "anybody")], ..Asked::default() };
    assert_eq!(rule(&alone), None);
    assert_eq!(rule(&Asked { dns: vec!["a.example"], ..alone.clone() }), Some("profile/names"));
    let group = Asked { subject: vec![("CN", "anybody"), ("O", "system:masters")], ..alone };
    assert_eq!(rule(&group), Some("profile/subject"));
}

#[test]
fn what_is_dropped_is_neither_judged_nor_signed() {
    let mut limits = limits();
    limits.subject.attributes.insert(AttributeType::Organization, Treatment::Drop);
    limits.names.otherwise = Otherwise::Drop;
    let profile = Profile::custom(limits, Terms::upstream(Duration::DAY));
    let asked = Asked {
        subject: vec![("CN", "shop.apps.example.com"), ("O", "system:masters"), ("C", "NL")],
        dns: vec!["kubernetes.default.svc", "shop.apps.example.com"],
        ip: vec!["10.96.0.1", "10.1.0.1"],
        email: vec!["root@example.org"],
        uri: vec!["spiffe://example.com/admin"],
        ..Asked::default()
    };
    let certificate = issued(profile.clone(), &authority("ca-p256"), &request(&asked, SERVING));
    let certificate = X509::from_der(certificate.der()).unwrap();
    let text = String::from_utf8_lossy(&certificate.to_text().unwrap()).into_owned();
    assert!(text.contains("DNS:shop.apps.example.com, IP Address:10.1.0.1\n"), "{text}");
    for dropped in ["system:masters", "kubernetes.default", "10.96", "root@", "spiffe:", "NL"] {
        assert!(!text.contains(dropped), "{dropped} {text}");
    }
    let nothing_left = Asked { dns: vec!["kubernetes.default.svc"], ..self::asked() };
    let rejection = profile.validate(&request(&nothing_left, SERVING)).unwrap_err();
    assert_eq!(rejection.rule.id, "profile/name-count", "what is left is judged");
}

#[test]
fn a_signer_with_the_clusters_ca_makes_nobody_one_of_the_clusters_own() {
    let client: &[&str] = &["client auth"];
    for (subject, usages, dropped, refused) in [
        ([("CN", "eve"), ("O", "system:masters")], client, false, true),
        ([("CN", "system:node:worker-1"), ("O", "x")], client, false, true),
        ([("CN", "system:node:worker-1"), ("O", "x")], &["server auth"], false, true),
        ([("CN", "eve"), ("O", "kubeadm:cluster-admins")], client, false, true),
        ([("CN", "eve"), ("O", "system:masters")], &["any"], false, true),
        // No purpose is every purpose.
        ([("CN", "eve"), ("O", "system:masters")], &["digital signature"], false, true),
        ([("CN", "eve"), ("O", "system:masters")], &["server auth"], false, false),
        ([("CN", "eve"), ("O", "system:masters")], client, true, false),
        ([("CN", "eve"), ("O", "developers")], client, false, false),
    ] {
        let mut limits = Limits::none();
        if dropped {
            limits.subject.attributes.insert(AttributeType::Organization, Treatment::Drop);
        }
        let asked = Asked { subject: subject.to_vec(), ..Asked::default() };
        let request = request(&asked, usages);
        let profile = Profile::custom(limits, Terms::upstream(Duration::DAY));
        assert_eq!(profile.validate(&request), Ok(()), "without the rule the attack succeeds");
        let rule = profile.sharing_cluster_ca().validate(&request).err().map(|no| no.rule.id);
        assert_eq!(rule, refused.then_some("profile/cluster-subject"), "{subject:?} {usages:?}");
    }
}

#[test]
fn a_built_in_signer_can_be_narrowed_and_never_widened() {
    let name = SignerName::from(SignerName::KUBELET_SERVING);
    let upstream = Profile::built_in(&name, Duration::days(365)).unwrap();
    let kubelet = issue::request(issue::SERVING, SignerName::KUBELET_SERVING, SERVING);
    let plain = Profile::clone(&upstream).narrowed(Limits::none(), Terms::upstream(Duration::days(365)));
    let ids = |profile: &Profile| profile.trace(&kubelet).iter().map(|(rule, _)| rule.id).collect::<Vec<_>>();
    assert_eq!(ids(&plain), ids(&upstream), "nothing configured, nothing new");
    let narrow = Limits { names: NameLimits::default(), ..Limits::none() };
    let narrowed = upstream.clone().narrowed(narrow, Terms::upstream(Duration::DAY));
    assert_eq!(narrowed.validate(&kubelet).unwrap_err().rule.id, "profile/names");
    let other = issue::request(&asked().pem(), SignerName::KUBELET_SERVING, SERVING);
    assert_eq!(plain.validate(&other).unwrap_err().rule.id, "kubelet-serving/organization");
}

#[test]
fn pointers_are_where_openssl_looks_for_them() {
    let pointers = Pointers {
        ocsp: vec!["http://ocsp.example.com/".to_owned()],
        ca_issuers: vec!["http://ca.example.com/ca.crt".to_owned()],
        crl: vec!["http://ca.example.com/1.crl".to_owned(), "http://ca.example.com/2.crl".to_owned()],
    };
    let terms = Terms { pointers, ..Terms::upstream(Duration::DAY) };
    let profile = Profile::custom(limits(), terms);
    let certificate = issued(profile, &authority("ca-p256"), &request(&asked(), SERVING));
    let certificate = X509::from_der(certificate.der()).unwrap();
    assert_eq!(certificate.ocsp_responders().unwrap().iter().collect::<Vec<_>>().len(), 1);
    let text = String::from_utf8_lossy(&certificate.to_text().unwrap()).into_owned();
    for line in [
        "OCSP - URI:http://ocsp.example.com/\n",
        "CA Issuers - URI:http://ca.example.com/ca.crt\n",
        "URI:http://ca.example.com/1.crl\n",
        "URI:http://ca.example.com/2.crl\n",
    ] {
        assert!(text.contains(line), "{line} {text}");
    }
}

#[test]
fn relying_parties_that_know_the_root_alone_accept_a_chain_with_intermediates() {
    let pki = requests::Pki::new();
    let authority = Arc::new(CertificateAuthority::from_pem(&pki.bundle, &pki.key).unwrap());
    for (chain, accepted) in [(Chain::Leaf, false), (Chain::Intermediates, true)] {
        let terms = Terms { chain, ..Terms::upstream(Duration::days(30)) };
        let profile = Profile::custom(limits(), terms);
        let certificate = issued(profile, &authority, &request(&asked(), SERVING));
        let published = X509::stack_from_pem(certificate.pem().as_bytes()).unwrap();
        assert_eq!(published.len(), if accepted { 2 } else { 1 }, "leaf and intermediate, never the root");
        assert_eq!(published[0].to_der().unwrap(), certificate.der());
        assert_eq!(pki.openssl_accepts(&published), accepted);
        assert_eq!(pki.webpki_accepts(&published), accepted);
    }
}

#[test]
fn a_ca_is_known_by_its_key_and_its_issuer_whatever_its_certificate_says() {
    let pki = requests::Pki::new();
    let authority = CertificateAuthority::from_pem(&pki.bundle, &pki.key).unwrap();
    let another = requests::Pki::new();
    for (what, certificate, trusted) in [
        ("itself", pki.intermediate(), true),
        ("its key under another name", pki.renewed_intermediate(), true),
        ("its issuer", pki.root(), true),
        ("the same name with another key", another.intermediate(), false),
    ] {
        assert_eq!(authority.is_trusted_with(&certificate).unwrap(), trusted, "{what}");
    }
    assert!(authority.is_trusted_with(b"no certificate").is_err());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn no_certificate_comes_from_another_signers_ca(turns in proptest::collection::vec((0..3_usize, 0..3_usize), 1..12)) {
        let authorities = ["ca-p256", "ca-p384", "ca-ed25519"].map(authority);
        let names = ["example.com/a", "example.com/b", "kubernetes.io/legacy-unknown"];
        let signers: Vec<Signer> = names.iter().zip(&authorities).map(|(name, authority)| {
            let name = SignerName::from(*name);
            let custom = || Profile::custom(Limits::none(), Terms::upstream(Duration::DAY));
            let profile = Profile::built_in(&name, Duration::DAY).unwrap_or_else(custom);
            Signer::new(name, profile, Arc::clone(authority))
        }).collect();
        for (asked, given) in turns {
            let request = issue::request(issue::SERVING, names[asked], SERVING);
            match signers[given].validate(&request, Approval::by_operator()) {
                Err(error) => proptest::prop_assert!(asked != given && error.label() == "other_signer"),
                Ok(validated) => {
                    proptest::prop_assert_eq!(asked, given);
                    let tbs = validated.unwrap().prepare(NOW, SerialNumber::from_random(SERIAL)).unwrap();
                    for (index, authority) in authorities.iter().enumerate() {
                        proptest::prop_assert_eq!(Arc::ptr_eq(tbs.authority(), authority), index == asked);
                    }
                }
            }
        }
    }
}
