use std::net::SocketAddr;

use csr::SignerName;

use super::*;
use crate::cli::{Verb, parse};

/// The configuration of a line of flags separated by blanks.
fn config(line: &str) -> Result<Config, ConfigError> {
    let words = std::iter::once("countersign").chain(std::iter::once("run"));
    let words = words.chain(line.split_whitespace());
    match parse(words.map(Into::into)) {
        Ok(Verb::Run(args)) => Config::try_from(*args),
        other => panic!("{line}: {other:?}"),
    }
}

fn accepted(line: &str) -> Config {
    config(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn refused(line: &str) -> String {
    config(line).expect_err(line).to_string()
}

#[test]
fn defaults_are_those_of_kube_controller_manager_but_for_the_lease_and_the_port() {
    let defaults = accepted("");
    assert_eq!(defaults.signing, []);
    assert_eq!(defaults.duration, time::Duration::days(365));
    assert_eq!(defaults.duties, Duties { sign: true, approve: true, clean: true });
    let election = defaults.leader_election.unwrap();
    assert_eq!((&*election.namespace, &*election.name), ("kube-system", "countersign"));
    assert_eq!(election.timing, crate::kube::lease::Timing::default());
    let serving = defaults.serving.unwrap();
    assert_eq!(serving.address, SocketAddr::from(([0, 0, 0, 0], 10270)));
    assert_eq!(serving.tls, None);
    let open = ["healthz", "readyz", "livez"].map(|path| AllowedPath::Exactly(path.to_owned()));
    assert_eq!(serving.always_allow_paths, open);
    assert_eq!(defaults.client.rate_limit, None);
    assert!(!defaults.client.use_service_account_credentials);
    assert_eq!((defaults.log.format, &*defaults.log.level), (log::Format::Text, "info"));
    assert_eq!(defaults.max_in_flight.get(), 64);
    assert_eq!(defaults.shutdown_timeout, Duration::from_secs(10));
    assert!(!defaults.check_only);
}

/// As kubeadm v1.37 renders it into `/etc/kubernetes/manifests/kube-controller-manager.yaml`.
const KUBEADM: &str = "--allocate-node-cidrs=true
    --authentication-kubeconfig=/etc/kubernetes/controller-manager.conf
    --authorization-kubeconfig=/etc/kubernetes/controller-manager.conf
    --bind-address=127.0.0.1
    --client-ca-file=/etc/kubernetes/pki/ca.crt
    --cluster-cidr=10.244.0.0/16
    --cluster-name=kubernetes
    --cluster-signing-cert-file=/etc/kubernetes/pki/ca.crt
    --cluster-signing-key-file=/etc/kubernetes/pki/ca.key
    --controllers=*,bootstrapsigner,tokencleaner
    --kubeconfig=/etc/kubernetes/controller-manager.conf
    --leader-elect=true
    --requestheader-client-ca-file=/etc/kubernetes/pki/front-proxy-ca.crt
    --root-ca-file=/etc/kubernetes/pki/ca.crt
    --service-account-private-key-file=/etc/kubernetes/pki/sa.key
    --service-cluster-ip-range=10.96.0.0/12
    --use-service-account-credentials=true";

#[test]
fn the_mistakes_of_the_configuration_file_come_with_all_others() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().display();
    let head = "apiVersion: countersign.dev/v1alpha1\nkind: CountersignConfiguration\n";
    std::fs::write(file.path(), format!("{head}approvals: {{}}\nmetrics: {{}}\n")).unwrap();
    let found = refused(&format!("--v=x --config={path}"));
    let lines: Vec<_> = found.lines().collect();
    assert_eq!(
        lines,
        [
            format!("--config {path}: line 3, column 1: approvals: unknown field (did you mean approval?)"),
            format!("--config {path}: line 4, column 1: metrics: unknown field"),
            "invalid argument \"x\" for --v: expected a whole number".to_owned(),
        ]
    );
    std::fs::write(file.path(), head).unwrap();
    assert!(accepted(&format!("--config={path}")).file.is_some());
    let missing = refused("--config=/nowhere/countersign.yaml");
    assert!(missing.starts_with("--config /nowhere/countersign.yaml: failed to read: "), "{missing}");
}

#[test]
fn the_line_that_kubeadm_renders_starts_us_as_it_is() {
    let config = accepted(KUBEADM);
    let names: Vec<&str> = config.signing.iter().map(|files| files.signer_name.as_str()).collect();
    assert_eq!(names, SignerName::BUILT_IN);
    for files in &config.signing {
        assert_eq!(files.cert.to_str(), Some("/etc/kubernetes/pki/ca.crt"));
        assert_eq!(files.key.to_str(), Some("/etc/kubernetes/pki/ca.key"));
    }
    assert!(config.duties.sign && config.duties.approve && config.duties.clean);
    assert!(config.client.use_service_account_credentials);
    let kubeconfig = "/etc/kubernetes/controller-manager.conf";
    assert_eq!(config.client.kubeconfig.unwrap().path.to_str(), Some(kubeconfig));
    assert_eq!(config.serving.unwrap().address, SocketAddr::from(([127, 0, 0, 1], 10270)));
    assert_eq!(
        config.ignored_flags,
        [
            "allocate-node-cidrs",
            "client-ca-file",
            "cluster-cidr",
            "cluster-name",
            "requestheader-client-ca-file",
            "root-ca-file",
            "service-account-private-key-file",
        ]
    );
}

#[test]
fn the_range_of_services_is_read_as_upstream_reads_it() {
    let ranges = |line: &str| {
        let config = accepted(&format!("--approve-kubelet-serving {line}"));
        let section = config.effective.configuration().kubelet_serving.clone().unwrap();
        section.service_ranges.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(ranges("--service-cluster-ip-range=10.96.0.0/12,fd00::1/108"), ["10.96.0.0/12", "fd00::/108"]);
    assert_eq!(ranges("--service-cluster-ip-range=::ffff:10.96.0.0/108"), ["10.96.0.0/12"]);
    assert_eq!(ranges("--service-cluster-ip-range="), Vec::<String>::new());
    let said = "expected ranges of addresses such as 10.96.0.0/12,fd00::/108";
    for wrong in ["10.96.0.0", "10.96.0.0/12,", "10.96.0.0/33", "x"] {
        let expected = format!("invalid argument {wrong:?} for --service-cluster-ip-range: {said}");
        assert_eq!(refused(&format!("--service-cluster-ip-range={wrong}")), expected);
    }
}

#[test]
fn strict_flags_refuse_what_has_no_effect_and_nothing_else() {
    let message = refused("--strict-flags --cluster-name=x --profiling=false --cluster-name=y");
    let expected = "--strict-flags: these flags of kube-controller-manager have no effect here: --cluster-name, --profiling";
    assert_eq!(message, expected);
    accepted("--strict-flags --leader-elect=false");
}

#[test]
fn a_signer_has_its_own_pair_or_the_one_for_all_and_never_a_mixture() {
    let files = |line: &str| -> Vec<(String, String)> {
        let signing = accepted(line).signing;
        let pair = |files: &SignerFiles| (files.signer_name.to_string(), files.cert.display().to_string());
        signing.iter().map(pair).collect()
    };
    let specific = "--cluster-signing-kubelet-client-cert-file=b --cluster-signing-kubelet-client-key-file=k";
    let rows = [
        ("", vec![]),
        ("--cluster-signing-cert-file= --cluster-signing-key-file=", vec![]),
        (specific, vec![(SignerName::KUBE_APISERVER_CLIENT_KUBELET, "b")]),
        (
            "--cluster-signing-legacy-unknown-cert-file=l --cluster-signing-legacy-unknown-key-file=l \
             --cluster-signing-kubelet-serving-cert-file=s --cluster-signing-kubelet-serving-key-file=t \
             --cluster-signing-kube-apiserver-client-cert-file=c --cluster-signing-kube-apiserver-client-key-file=d",
            vec![
                (SignerName::KUBELET_SERVING, "s"),
                (SignerName::KUBE_APISERVER_CLIENT, "c"),
                (SignerName::LEGACY_UNKNOWN, "l"),
            ],
        ),
    ];
    for (line, expected) in rows {
        let expected: Vec<_> =
            expected.into_iter().map(|(name, cert)| (name.to_owned(), cert.to_owned())).collect();
        assert_eq!(files(line), expected, "{line}");
    }
    assert_eq!(
        accepted(specific).signing[0].cert_origin,
        Origin::Flag("cluster-signing-kubelet-client-cert-file")
    );
}

#[test]
fn half_of_the_pair_for_all_signs_nothing_and_is_remarked_upon() {
    for (line, missing) in [
        ("--cluster-signing-cert-file=/ca.crt", "cluster-signing-key-file"),
        ("--cluster-signing-key-file=/ca.key", "cluster-signing-cert-file"),
    ] {
        let config = accepted(line);
        assert_eq!(config.signing, []);
        let given = line.split('=').nth(1).unwrap().into();
        assert_eq!(config.notices, [Notice::HalfDefaultPair { given, missing }]);
    }
}

#[test]
fn what_is_allowed_and_likely_not_meant_is_remarked_upon() {
    let lifetime = |text: &str| accepted(&format!("--cluster-signing-duration={text}")).notices;
    let hurried = Notice::HurriedRenewal { lifetime: time::Duration::seconds(128) };
    assert_eq!(lifetime("128s"), [hurried]);
    assert_eq!(lifetime("130s"), []);
    assert_eq!(accepted("--approve-kubelet-serving").notices, [Notice::SelfReported]);
    assert_eq!(accepted("--approve-kubelet-serving=false").notices, []);
}

#[test]
fn a_group_is_trusted_with_a_warning_and_one_of_everybody_never() {
    let flag = "--insecure-experimental-approve-all-kubelet-csrs-for-group";
    let config = accepted(&format!("{flag}=example:joiners"));
    let group = "example:joiners".to_owned();
    assert_eq!(config.effective.configuration().trusted_group.as_ref(), Some(&group));
    assert_eq!(config.notices, [Notice::TrustedGroup { group }]);
    assert_eq!(accepted("").effective.configuration().trusted_group, None);
    for group in [
        "",
        "system:authenticated",
        "system:unauthenticated",
        "system:nodes",
        "system:masters",
        "system:serviceaccounts",
        "system:serviceaccounts:kube-system",
    ] {
        let said = refused(&format!("{flag}={group}"));
        assert!(said.contains("would get the certificate of any node"), "{group}: {said}");
    }
}

/// Every way to be wrong, and what is said of it.
const REFUSED: [(&str, &str); 58] = [
    ("--no-such-flag", "unknown flag: --no-such-flag"),
    ("--leader-elekt=true", "unknown flag: --leader-elekt (did you mean --leader-elect?)"),
    (
        "--enable-garbage-colector value",
        "unknown flag: --enable-garbage-colector (did you mean --enable-garbage-collector?)",
    ),
    ("-leader-elect=false", "unknown shorthand flag: -leader-elect=false (long flags have two dashes)"),
    ("--=x", "bad flag syntax: --=x"),
    ("---v=1", "bad flag syntax: ---v=1"),
    ("--kubeconfig", "flag needs an argument: --kubeconfig"),
    ("--cluster-cidr", "flag needs an argument: --cluster-cidr"),
    ("-v", "flag needs an argument: --v"),
    ("--leader-elect false", "countersign run does not take any arguments, got [\"false\"]"),
    ("a --check -- --b", "countersign run does not take any arguments, got [\"a\", \"--b\"]"),
    ("--leader-elect=yes", "invalid argument \"yes\" for --leader-elect: expected true or false"),
    (
        "--master=host:6443",
        "--master: \"host:6443\" is not the URL of an API server, such as https://host:6443",
    ),
    ("--master=/x", "--master: \"/x\" is not the URL of an API server, such as https://host:6443"),
    (
        "--master=ftp://host",
        "--master: \"ftp://host\" is not the URL of an API server, such as https://host:6443",
    ),
    (
        "--master=https://",
        "--master: \"https://\" is not the URL of an API server, such as https://host:6443",
    ),
    ("--check=", "invalid argument \"\" for --check: expected true or false"),
    ("--strict-flags=2", "invalid argument \"2\" for --strict-flags: expected true or false"),
    (
        "--use-service-account-credentials=on",
        "invalid argument \"on\" for --use-service-account-credentials: expected true or false",
    ),
    (
        "--cluster-signing-duration=365d",
        "invalid argument \"365d\" for --cluster-signing-duration: time: unknown unit \"d\" in duration \"365d\"",
    ),
    (
        "--cluster-signing-kubelet-serving-key-file=k",
        "\"cluster-signing-kubelet-serving\": cannot specify key without cert",
    ),
    (
        "--cluster-signing-kubelet-serving-cert-file=c",
        "\"cluster-signing-kubelet-serving\": cannot specify cert without key",
    ),
    (
        "--cluster-signing-kubelet-client-key-file=k",
        "\"cluster-signing-kube-apiserver-client\": cannot specify key without cert",
    ),
    (
        "--cluster-signing-kubelet-client-cert-file=c",
        "\"cluster-signing-kube-apiserver-client\": cannot specify cert without key",
    ),
    (
        "--cluster-signing-kube-apiserver-client-key-file=k",
        "\"cluster-signing-kube-apiserver\": cannot specify key without cert",
    ),
    (
        "--cluster-signing-kube-apiserver-client-cert-file=c",
        "\"cluster-signing-kube-apiserver\": cannot specify cert without key",
    ),
    (
        "--cluster-signing-legacy-unknown-key-file=k",
        "\"cluster-signing-legacy-unknown\": cannot specify key without cert",
    ),
    (
        "--cluster-signing-legacy-unknown-cert-file=c",
        "\"cluster-signing-legacy-unknown\": cannot specify cert without key",
    ),
    (
        "--cluster-signing-cert-file=c --cluster-signing-legacy-unknown-cert-file=c --cluster-signing-legacy-unknown-key-file=k",
        "cannot specify --cluster-signing-{cert,key}-file and other --cluster-signing-*-file flags at the same time",
    ),
    (
        "--cluster-signing-key-file=c --cluster-signing-kubelet-serving-cert-file=c",
        "\"cluster-signing-kubelet-serving\": cannot specify cert without key\n\
         cannot specify --cluster-signing-{cert,key}-file and other --cluster-signing-*-file flags at the same time",
    ),
    ("--controllers=*,-csrsinging", "\"csrsinging\" is not in the list of known controllers"),
    (
        "--controllers=*,-csrsigning,-csrapproving,-csrcleaner",
        "--controllers leaves nothing to do: it switches off all of csrsigning, csrapproving and csrcleaner, the controllers that run here",
    ),
    (
        "--controllers=",
        "--controllers leaves nothing to do: it switches off all of csrsigning, csrapproving and csrcleaner, the controllers that run here",
    ),
    (
        "--controllers=csrsigning",
        "nothing to do: of the controllers only csrsigning is on, and no pair of --cluster-signing-*-file flags is complete",
    ),
    ("--max-in-flight=0", "--max-in-flight must be greater than zero"),
    ("--max-in-flight=-1", "--max-in-flight must be greater than zero"),
    ("--max-in-flight=many", "invalid argument \"many\" for --max-in-flight: expected a whole number"),
    ("--controller-shutdown-timeout=-1s", "--controller-shutdown-timeout must not be negative"),
    ("--kube-api-qps=fast", "invalid argument \"fast\" for --kube-api-qps: expected a number"),
    ("--kube-api-qps=NaN", "invalid argument \"NaN\" for --kube-api-qps: expected a number"),
    ("--kube-api-burst=1.5", "invalid argument \"1.5\" for --kube-api-burst: expected a whole number"),
    (
        "--kube-api-burst=0",
        "burst is required to be greater than 0 when QPS is set to greater than 0: --kube-api-burst",
    ),
    (
        "--kube-api-qps=5 --kube-api-burst=-1",
        "burst is required to be greater than 0 when QPS is set to greater than 0: --kube-api-burst",
    ),
    (
        "--leader-elect-lease-duration=0s",
        "leaseDuration must be greater than zero\nleaseDuration must be greater than renewDeadline",
    ),
    (
        "--leader-elect-renew-deadline=-1s",
        "renewDeadline must be greater than zero\nrenewDeadline must be greater than retryPeriod*JitterFactor",
    ),
    ("--leader-elect-retry-period=0s", "retryPeriod must be greater than zero"),
    ("--leader-elect-lease-duration=10s", "leaseDuration must be greater than renewDeadline"),
    ("--leader-elect-retry-period=9s", "renewDeadline must be greater than retryPeriod*JitterFactor"),
    (
        "--leader-elect-lease-duration=10500ms --leader-elect-renew-deadline=10200ms",
        "the leader election flags do not fit: lease duration (10.5s, in whole seconds) must be greater than the renew deadline (10.2s)",
    ),
    (
        "--leader-elect-retry-period=2",
        "invalid argument \"2\" for --leader-elect-retry-period: time: missing unit in duration \"2\"",
    ),
    ("--leader-elect-resource-lock=endpointsleases", "resourceLock value must be \"leases\""),
    (
        "--leader-elect-resource-name=kube-controller-manager",
        "the leader election flags do not fit: the lease \"kube-controller-manager\" is that of kube-controller-manager: \
         holding it would stop its other controllers",
    ),
    (
        "--leader-elect-resource-name=",
        "--leader-elect-resource-name: \"\" is not a name that a Lease or a namespace can have",
    ),
    (
        "--leader-elect-resource-namespace=Kube_System",
        "--leader-elect-resource-namespace: \"Kube_System\" is not a name that a Lease or a namespace can have",
    ),
    ("--bind-address=localhost", "invalid argument \"localhost\" for --bind-address: failed to parse IP"),
    (
        "--secure-port=65536",
        "--secure-port 65536 must be between 0 and 65535, inclusive. 0 for turning off secure port",
    ),
    ("--tls-cert-file=c", "--tls-cert-file needs --tls-private-key-file beside it"),
    ("--tls-private-key-file=k --secure-port=0", "--tls-private-key-file needs --tls-cert-file beside it"),
];

#[test]
fn every_mistake_has_its_message() {
    for (line, message) in REFUSED {
        assert_eq!(refused(line), message, "{line}");
    }
}

#[test]
fn mistakes_about_paths_and_logs_have_their_messages() {
    let rows = [
        ("--authorization-always-allow-paths=/a*/b", "only trailing * allowed in \"a*/b\""),
        ("--authorization-always-allow-paths=/a**", "only trailing * allowed in \"a**\""),
        ("--log-level=loud=very", "--log-level: log level \"loud=very\" is not understood"),
        ("--logging-format=xml", "format: Invalid value: \"xml\": Unsupported log format"),
        ("--v=x", "invalid argument \"x\" for --v: expected a whole number"),
        ("-vx", "invalid argument \"x\" for --v: expected a whole number"),
        ("-v=", "invalid argument \"=\" for --v: expected a whole number"),
    ];
    for (line, message) in rows {
        assert_eq!(refused(line), message, "{line}");
    }
}

#[test]
fn all_mistakes_of_a_line_are_reported_at_once_and_one_a_line() {
    let message = refused(
        "--no-such-flag stray --another=1 word --cluster-signing-duration=1y --controllers=nope,-csrsigning \
         --leader-elect-resource-lock=x --secure-port=-1 --kube-api-burst=x --cluster-signing-legacy-unknown-key-file=k",
    );
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(lines.len(), 9, "{message}");
}

#[test]
fn one_mistake_is_reported_once() {
    assert_eq!(refused("--leader-elect-lease-duration=x").lines().count(), 1);
    assert_eq!(refused("--unknown value").lines().count(), 1);
    assert_eq!(refused("--max-in-flight=x").lines().count(), 1);
}

#[test]
fn without_leader_election_its_flags_are_not_checked_as_upstream() {
    let line = "--leader-elect=false --leader-elect-lease-duration=0s --leader-elect-resource-name=kube-controller-manager";
    assert_eq!(accepted(line).leader_election, None);
}

#[test]
fn a_limit_on_calls_holds_only_where_asked_for_and_zero_is_client_gos_default() {
    let limit = |qps, burst| {
        let burst = std::num::NonZeroU32::new(burst).unwrap();
        Some(RateLimit { qps, burst })
    };
    let rows = [
        ("", None),
        ("--kube-api-qps= --kube-api-burst=", None),
        ("--kube-api-qps=50", limit(50.0, 30)),
        ("--kube-api-burst=100", limit(20.0, 100)),
        ("--kube-api-qps=0.5 --kube-api-burst=1", limit(0.5, 1)),
        ("--kube-api-qps=0 --kube-api-burst=0", limit(5.0, 10)),
        ("--kube-api-qps=0", limit(5.0, 30)),
        ("--kube-api-qps=-1", None),
        ("--kube-api-qps=-1 --kube-api-burst=-1", None),
    ];
    for (line, expected) in rows {
        assert_eq!(accepted(line).client.rate_limit, expected, "{line}");
    }
}

#[test]
fn paths_for_anyone_are_whole_or_beginnings() {
    let paths = |line: &str| accepted(line).serving.unwrap().always_allow_paths;
    let health =
        paths("--authorization-always-allow-paths=/healthz,metrics/* --authorization-always-allow-paths=/");
    let covered = |path: &str| health.iter().any(|allowed| allowed.covers(path));
    for (path, expected) in [
        ("/healthz", true),
        ("/healthz/x", false),
        ("/metrics/slis", true),
        ("/metrics", false),
        ("/", true),
        ("/x", false),
    ] {
        assert_eq!(covered(path), expected, "{path}");
    }
    assert_eq!(paths("--authorization-always-allow-paths="), []);
    assert!(paths("--authorization-always-allow-paths=*")[0].covers("/anything"));
}

#[test]
fn verbosity_and_level_choose_what_is_logged() {
    for (line, level) in [
        ("--v=2", "info"),
        ("-v4", "debug"),
        ("-v=5", "debug"),
        ("-v 10", "trace"),
        ("--v 0", "info"),
        ("-v=-1", "info"),
        ("-v=9 --log-level=warn", "warn"),
        ("--log-level=info,kube=debug", "info,kube=debug"),
    ] {
        assert_eq!(accepted(line).log.level, level, "{line}");
    }
    assert_eq!(accepted("--logging-format=json").log.format, log::Format::Json);
}

#[test]
fn port_zero_serves_nothing() {
    assert_eq!(accepted("--secure-port=0").serving, None);
    let serving =
        accepted("--secure-port=443 --bind-address=:: --tls-cert-file=c --tls-private-key-file=k").serving;
    let serving = serving.unwrap();
    assert_eq!(serving.address.to_string(), "[::]:443");
    let (certificate, key) = ("c".into(), "k".into());
    assert_eq!(serving.tls, Some(TlsFiles { certificate, key }));
    assert_eq!(accepted("--bind-address=").serving.unwrap().address.to_string(), "0.0.0.0:10270");
}

#[test]
fn durations_may_be_negative_where_upstream_lets_them() {
    assert_eq!(accepted("--cluster-signing-duration=-5m").duration, time::Duration::minutes(-5));
    assert_eq!(accepted("--cluster-signing-duration -5m").duration, time::Duration::minutes(-5));
    assert_eq!(accepted("--cluster-signing-duration=0").duration, time::Duration::ZERO);
}
