//! Its settings in each form that they come in, what becomes of each, and the ways to be wrong.

use std::path::Path;

use config::import::{ApproverError, Difference, Imported, Options, Source, kubelet_csr_approver};

fn imported(text: &str) -> Imported {
    kubelet_csr_approver(&Source::Text(text.to_owned()), &Options::default())
        .unwrap_or_else(|error| panic!("{text}\n{error}"))
}

/// The lines of the file that are no comments.
fn plain(text: &str) -> String {
    imported(text)
        .text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The settings of which something is said, with the difference.
fn remarks(text: &str) -> Vec<(String, Difference)> {
    imported(text).remarks.into_iter().map(|remark| (remark.setting, remark.difference)).collect()
}

const FLAGS: &str = r"kubelet-csr-approver -provider-regex '^node-[\w-]*\.example\.com$' --max-expiration-sec=86400 \
    -provider-ip-prefixes 192.168.8.0/22,fc00::/7 -skip-deny-step -leader-election=true";

const VARIABLES: &str = r"
# As in an env file.
export PROVIDER_REGEX='^node-[\w-]*\.example\.com$'
PROVIDER_IP_PREFIXES=192.168.8.0/22,fc00::/7
MAX_EXPIRATION_SEC=86400
SKIP_DENY_STEP=true
LEVEL=
";

const VALUES: &str = r"
providerRegex: ^node-[\w-]*\.example\.com$
providerIpPrefixes: [192.168.8.0/22, 'fc00::/7']
maxExpirationSeconds: '86400'
bypassDnsResolution: false
skipDenyStep: true
";

const DEPLOYMENT: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: kubelet-csr-approver}
---
apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
      - name: proxy
        args: [--nothing-of-ours]
      - name: kubelet-csr-approver
        args: ["-metrics-bind-address", ":8080", "-max-expiration-sec", "86400", "-skip-deny-step"]
        env:
        - {name: PROVIDER_REGEX, value: '^node-[\w-]*\.example\.com$'}
        - {name: PROVIDER_IP_PREFIXES, value: "192.168.8.0/22,fc00::/7"}
        - {name: MAX_EXPIRATION_SEC, value: "60"}
"#;

#[test]
fn each_form_means_the_same() {
    let flags = plain(FLAGS);
    for text in [VARIABLES, VALUES, DEPLOYMENT] {
        assert_eq!(plain(text), flags, "{text}");
    }
    assert!(flags.contains("names: [\"node-*.example.com\"]"), "{flags}");
    assert!(flags.contains("maxLifetime: 24h"), "a flag goes before the environment: {flags}");
}

#[test]
fn the_file_is_as_it_was_before() {
    for (name, text) in
        [("flags", FLAGS), ("values", CHART), ("deployment", DEPLOYMENT), ("defaults", "--level 0")]
    {
        let found = imported(text).text;
        assert_eq!(found, imported(text).text, "{name}: twice the same");
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/kubelet_csr_approver")
            .join(format!("{name}.yaml"));
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, found).unwrap();
            continue;
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == golden, "{}: BLESS=1 writes it\n{found}", path.display());
    }
}

/// Each of the chart's values that says what is approved, and some others.
const CHART: &str = r"
providerRegex: \.example\.com$
maxExpirationSeconds: ''
bypassDnsResolution: true
allowedDnsNames: 3
ignoreNonSystemNode: true
bypassHostnameCheck: true
providerIpPrefixes: [10.1.2.3/8]
loggingLevel: 3
replicas: 2
image: {tag: v1.2.14}
env: [{name: GOGC, value: '50'}, {name: SKIP_DENY_STEP, value: 'true'}]
providerRegexp: typo
";

#[test]
fn whatever_is_not_carried_over_is_said() {
    let left_out = |text| {
        let remarks = remarks(text).into_iter();
        let found = remarks.filter(|(_, difference)| *difference == Difference::LeftOut);
        found.map(|(setting, _)| setting).collect::<Vec<_>>()
    };
    assert_eq!(left_out(CHART), ["replicas", "image", "GOGC", "providerRegexp"]);
    assert_eq!(left_out("--leader-election true --skip-deny-step"), ["true --skip-deny-step"]);
    let secret = "kind: Pod\nspec: {containers: [{name: x, env: [{name: PROVIDER_REGEX, valueFrom: {}}]}]}";
    assert_eq!(left_out(secret), ["PROVIDER_REGEX"]);
    for remark in imported(CHART).remarks {
        let shown = imported(CHART).text.replace("\n", " ").replace('#', " ");
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
        assert!(words(&shown).contains(&words(&remark.to_string())), "{remark} is not in the file");
    }
}

#[test]
fn values_of_the_chart_count_where_the_chart_counts_them() {
    let lifetime = |value: &str| {
        let text = plain(&format!("providerRegex: a\nmaxExpirationSeconds: {value}"));
        text.lines().find_map(|line| line.trim().strip_prefix("maxLifetime: ")).map(str::to_owned)
    };
    for (value, expected) in [("", "8808h"), ("''", "8808h"), ("0", "8808h"), ("'0'", "1s"), ("600", "10m")] {
        assert_eq!(lifetime(value).as_deref(), Some(expected), "{value}");
    }
}

#[test]
fn what_is_wider_is_said() {
    for (expression, is_wider) in [
        (r"^[\w-]*\.x\.ch$", false),
        (r"^n[12]\.x\.ch$", false),
        (r"^n\d+\.x\.ch$", true),
        ("^n[0-9][0-9]x$", true),
    ] {
        let text = format!("--bypass-dns-resolution --provider-regex '{expression}'");
        let wider = remarks(&text).contains(&("--provider-regex".to_owned(), Difference::Wider));
        assert_eq!(wider, is_wider, "{text}");
    }
}

#[test]
fn what_no_pattern_says_leaves_a_node_its_very_name() {
    let text = r"--provider-regex '^(a\.)+b$' --bypass-dns-resolution";
    assert!(plain(text).contains(r#"names: ["{node}"]"#), "{}", plain(text));
    assert!(remarks(text).contains(&("--provider-regex".to_owned(), Difference::Other)));
    assert!(!plain("--bypass-dns-resolution").contains("names:"), "what takes every name is no constraint");
}

#[test]
fn a_form_that_is_stricter_than_it_was_denies_nothing() {
    let denies =
        |expression: &str| plain(&format!("--provider-regex '{expression}'")).contains("name-pattern");
    assert!(denies(r"^[\w-]*\.x\.ch$"), "it is exact");
    assert!(!denies(r"\.x\.ch$"), "it ends at the fourth dot");
    assert!(!denies(r"^(a\.)+b$"), "it is not said at all");
}

#[test]
fn domains_are_those_given_or_those_of_the_names() {
    let asks = |text: &str, dns_domains: &[&str]| {
        let dns_domains = dns_domains.iter().map(ToString::to_string).collect();
        let text =
            kubelet_csr_approver(&Source::Text(text.to_owned()), &Options { dns_domains }).unwrap().text;
        let accept = text.lines().find(|line| line.contains("accept: [")).unwrap().trim().to_owned();
        let domains = text.lines().find(|line| line.contains("dns: {")).map(|line| line.trim().to_owned());
        (accept, domains)
    };
    let dns = |domains: &str| ("accept: [[dns]]".to_owned(), Some(format!("dns: {{domains: [{domains}]}}")));
    let status = ("accept: [[node-status]]".to_owned(), None);
    assert_eq!(asks(r"--provider-regex '^[^.]*\.x\.ch$'", &[]), dns(r#""x.ch""#));
    assert_eq!(asks(r"--provider-regex '^[^.]*\.x\.ch$'", &["y.ch"]), dns(r#""y.ch""#));
    assert_eq!(asks("--level 0", &["a.ch", "B.ch"]), dns(r#""a.ch", "b.ch""#));
    assert_eq!(asks("--level 0", &[]), status);
    assert_eq!(asks("--bypass-dns-resolution", &["a.ch"]), status, "it was switched off there too");
}

#[test]
fn nothing_that_is_quoted_gets_out_of_its_place() {
    for part in ["\nkind: x", "\u{2028}b", "\"]}", "\u{1b}[31m]", "\r\n    enabled: false", "#\n"] {
        let words = [format!("--provider-regex=^a$|{part}"), "true".to_owned(), part.to_owned()];
        let imported = kubelet_csr_approver(&Source::Words(words.to_vec()), &Options::default()).unwrap();
        assert!(imported.text.chars().all(|c| c == '\n' || (' '..='~').contains(&c)), "{part:?}");
        let read = config::parse(&imported.text).unwrap().kubelet_serving.unwrap();
        assert!(read.enabled, "{part:?}");
        assert_eq!(read.judgement.constraints.names.len(), 1, "{part:?}");
        assert_eq!(imported.text.lines().filter(|line| line.starts_with("kind:")).count(), 1, "{part:?}");
    }
}

#[test]
fn what_it_would_not_start_with_is_refused() {
    for (text, expected) in [
        ("", "no setting of kubelet-csr-approver is in it"),
        ("kubelet-csr-approver", "no setting"),
        ("--nope=1", "kubelet-csr-approver has no flag \"--nope=1\""),
        ("--provider-regex", "--provider-regex: a value is missing"),
        ("--provider-regex=", "--provider-regex: expected a regular expression"),
        ("--provider-regex='('", "--provider-regex: expected a regular expression"),
        (
            "PROVIDER_REGEX='^_$'",
            "PROVIDER_REGEX: expected a regular expression that some host's name matches",
        ),
        ("--provider-ip-prefixes=10.0.0.0", "--provider-ip-prefixes: expected ranges"),
        ("--provider-ip-prefixes '10.0.0.0/8, ::/0'", "--provider-ip-prefixes: expected ranges"),
        ("--max-expiration-sec=31708801", "--max-expiration-sec: expected seconds from 0 to 31708800"),
        ("--max-expiration-sec=-1", "--max-expiration-sec: expected seconds"),
        ("allowedDnsNames: 1001", "allowedDnsNames: expected a number from 1 to 1000, not \"1001\""),
        ("--skip-deny-step=yes", "--skip-deny-step: expected true or false, not \"yes\""),
        ("--provider-regex 'x", "a quote (') is opened and never closed"),
        ("providerRegex: [", "not readable as YAML"),
        ("kind: Deployment\nspec: {}", "no object in it has a container called kubelet-csr-approver"),
    ] {
        let error = kubelet_csr_approver(&Source::Text(text.to_owned()), &Options::default())
            .expect_err(text)
            .to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let options = Options { dns_domains: vec!["a b".to_owned()] };
    let error = kubelet_csr_approver(&Source::Text("--level 0".to_owned()), &options).unwrap_err();
    assert_eq!(error, ApproverError::Domain("a b".to_owned()));
}
