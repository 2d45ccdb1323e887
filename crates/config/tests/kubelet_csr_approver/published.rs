//! The cases of kubelet-csr-approver's own tests, in our words: `internal/controller/csr_controller_test.go` and
//! `testenv_setup_test.go` of postfinance/kubelet-csr-approver at commit 993754f (v1.2.14), each under the name that it has there.
//!
//! Two things are as kubelets have them and not as there: the requester is in group `system:nodes`, where its tests have
//! `system:masters`, and the Node exists.

use approver::Outcome;
use config::import::{Options, Source, kubelet_csr_approver};

use crate::world::{Asked, VALID, Zones};

/// What it does with a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    Approved,
    Denied,
    LeftAlone,
}

use Verdict::{Approved, Denied, LeftAlone};

/// Why we leave a request alone, and by which rule.
struct Difference {
    rule: &'static str,
    why: &'static str,
}

struct Case {
    name: &'static str,
    /// What is set beside the settings that all its tests share.
    also: &'static str,
    asked: Asked,
    theirs: Verdict,
    differs: Option<Difference>,
}

const fn same(name: &'static str, theirs: Verdict, asked: Asked) -> Case {
    Case { name, also: "", asked, theirs, differs: None }
}

const SETTINGS: &str = r"--leader-election --provider-regex '^[\w-]*\.test\.ch$' --max-expiration-sec 31708800 \
    --allowed-dns-names 3 --ignore-non-system-node --provider-ip-prefixes 192.168.0.0/16,fc00::/7";

fn zones() -> Zones {
    Zones::from([
        ("n4x2.test.ch", &["192.168.14.34", "fc00:1291:feed::cafe"][..]),
        ("fishing.google.com", &["1.2.3.14"]),
        ("n4x2.phishingtemptative.ch", &["1.2.3.14"]),
        ("n4x2-v4-non-whitelisted.test.ch", &["9.9.9.9"]),
        ("n4x2-v6-non-whitelisted.test.ch", &["2001:c0fe:beef::14"]),
    ])
}

const fn asking(sans: &'static [&'static str]) -> Asked {
    Asked { sans, ..VALID }
}

/// Cases in which we do the same.
fn equal() -> Vec<Case> {
    let foreign = Asked { signer_name: "example.com/not-kubelet-serving", ..VALID };
    let too_long = Asked { expiration_seconds: Some(368 * 24 * 3600), ..asking(&["n4x2.test.ch"]) };
    let evil = Asked { node: "a", sans: &["a.test.ch", "auth.evil.io"], ..VALID };
    let fishing = asking(&["fishing-test.google.com", "192.168.14.34"]);
    vec![
        same("TestValidCsrApproved", Approved, VALID),
        same("TestWrongSignerCsr", LeftAlone, foreign),
        Case { also: "--skip-deny-step", ..same("TestSkipDenyFlag", LeftAlone, fishing) },
        Case { also: BYPASS, ..same("TestRegexCheckActiveWithBypass", Denied, evil) },
        same("TestInvalidDNSName", Denied, asking(&["fishing.google.com"])),
        same("TestInvalidRegexName", Denied, asking(&["n4x2.phishingTemptative.ch"])),
        same("TestMismatchedResolvedIpsSANIps", Denied, asking(&["n4x2.test.ch", "9.9.9.9"])),
        same("TestExpirationSecondsTooLarge", Denied, too_long),
        same("TestIPv4NotWhitelisted", Denied, asking(&["n4x2-v4-non-whitelisted.test.ch", "9.9.9.9"])),
        same(
            "TestIPv6NotWhitelisted",
            Denied,
            asking(&["n4x2-v6-non-whitelisted.test.ch", "2001:c0fe:beef::14"]),
        ),
        same("TestIPv6WithoutDNSNotWhitelisted", Denied, asking(&["2001:c0fe:beef::14"])),
    ]
}

/// Cases in which we leave a request alone, by a rule and for a reason.
fn different() -> Vec<Case> {
    let left = |case: Case, rule, why| Case { differs: Some(Difference { rule, why }), ..case };
    let prefixed = |name, sans| {
        let case = Case { also: BYPASS, ..same(name, Approved, asking(sans)) };
        left(case, "kubelet-serving/san-justified", PREFIX)
    };
    let funny = Asked { common_name: Some("funny-common-name"), ..VALID };
    let unresolved = Asked { node: "unresolved", sans: &["unresolved.test.ch"], ..VALID };
    vec![
        left(same("TestNonMatchingCommonNameUsername", Denied, funny), "kubelet-serving/common-name", OTHERS),
        left(same("TestUnresolvedDNSName", Denied, unresolved), "kubelet-serving/san-justified", FOR_EVER),
        prefixed("TestSANCheckedEvenWithDNSResolutionBypassed", &["n4x2-unresolved.test.ch"]),
        prefixed("TestX509CRIPAddressesWithDNSBypass", &["n4x2-unresolved.test.ch", "192.168.3.4"]),
        prefixed("TestBypassDNSResolution", &["n4x2-unresolved.test.ch"]),
    ]
}

const BYPASS: &str = "--bypass-dns-resolution";
const PREFIX: &str = "a name that merely begins with the node's is not the node's own";
const OTHERS: &str = "a request that is no kubelet's is left to others";
const FOR_EVER: &str = "what DNS does not know yet may be known soon, and a denial is for ever";

/// Our answer to a request under the settings that all its tests share and some more, and the rules that it breaks.
fn answered(asked: &Asked, also: &str) -> (Verdict, Vec<&'static str>) {
    let imported =
        kubelet_csr_approver(&Source::Text(format!("{SETTINGS} {also}")), &Options::default()).unwrap();
    let policy = config::parse(&imported.text).unwrap().approval();
    let decision = asked.judged(&policy, &zones());
    let verdict = match decision.outcome {
        Outcome::Approve(_) => Approved,
        Outcome::Deny { .. } => Denied,
        Outcome::Hold { .. } | Outcome::NoOpinion => LeftAlone,
        Outcome::Ask(questions) => panic!("{questions:?} are not answered"),
    };
    let broken = decision.trace.iter().filter(|finding| finding.holds != Some(true));
    (verdict, broken.map(|finding| finding.rule.id).collect())
}

#[test]
fn the_published_cases_get_the_same_verdict_or_are_listed_with_the_reason() {
    assert_eq!(equal().len() + different().len(), 16, "as many as there are");
    let page = include_str!("../../../../docs/install/from-kubelet-csr-approver.md");
    for Case { name, also, asked, theirs, differs } in equal().into_iter().chain(different()) {
        let (ours, broken) = answered(&asked, also);
        let Some(difference) = differs else {
            assert_eq!(ours, theirs, "{name}: {broken:?}");
            assert!(!page.contains(name), "{name} is listed as a difference and is none");
            continue;
        };
        assert_ne!(theirs, LeftAlone, "{name} is no difference");
        assert_eq!(ours, LeftAlone, "{name}: {broken:?}");
        assert!(broken.contains(&difference.rule), "{name}: {broken:?}");
        let line = page.lines().find(|line| line.contains(&format!("`{name}`")));
        let line = line.unwrap_or_else(|| panic!("{name} is not on the page"));
        assert!(line.contains(difference.why) && line.contains(difference.rule), "{name}: {line}");
    }
}

#[test]
fn what_differs_for_a_reason_is_approved_without_it() {
    let own = Asked { sans: &["n4x2.test.ch", "192.168.3.4"], ..VALID };
    assert_eq!(answered(&own, "--bypass-dns-resolution"), (Approved, vec![]), "the node's own name");
    let resolved = Asked { sans: &["n4x2.test.ch"], ..VALID };
    assert_eq!(answered(&resolved, ""), (Approved, vec![]), "a name that is in DNS");
}

#[test]
fn its_holes_are_closed() {
    let held = |asked: Asked, also| answered(&asked, also);
    let justified = vec!["kubelet-serving/san-justified"];
    let others = Asked { sans: &["192.168.14.99"], ..VALID };
    assert_eq!(held(others, ""), (LeftAlone, justified.clone()), "another's address, without any name");
    let prefix = Asked { node: "a", sans: &["auth.test.ch"], ..VALID };
    assert_eq!(
        held(prefix.clone(), "--bypass-dns-resolution"),
        (LeftAlone, justified.clone()),
        "a is no prefix of auth"
    );
    assert_eq!(
        held(prefix, "--bypass-dns-resolution --bypass-hostname-check"),
        (LeftAlone, justified.clone()),
        "nor does a switch make it one"
    );
    let stranger = Asked { groups: &["system:masters"], ..VALID };
    assert_eq!(held(stranger, ""), (LeftAlone, vec!["kubelet-serving/group"]), "called a node, and none");
}
