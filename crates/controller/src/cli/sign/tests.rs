use std::fs;
use std::path::Path;

use rcgen::{CertificateParams, DnType, KeyPair};
use serde_json::json;
use time::macros::datetime;

use super::*;
use crate::cli::{Verb, parse};

const NOW: OffsetDateTime = datetime!(2026-11-22 08:00 UTC);

/// A directory with a CA and requests in it.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        let key = KeyPair::generate().unwrap();
        let mut ca = CertificateParams::default();
        ca.distinguished_name.push(DnType::CommonName, "kubernetes");
        (ca.not_before, ca.not_after) = (datetime!(2020-01-01 0:00 UTC), datetime!(2036-01-01 0:00 UTC));
        desk.put("ca.crt", ca.self_signed(&key).unwrap().pem());
        desk.put("ca.key", key.serialize_pem());
        desk.put("node.csr", node_request("system:nodes"));
        desk
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `countersign sign` with the desk's CA, and `name=value` flags behind it.
    fn args(&self, request: &str, flags: &[(&str, &str)]) -> SignArgs {
        let file = |flag: &str, name: &str| format!("--{flag}={}", self.path(name).display());
        let files = [file("request", request), file("ca-cert-file", "ca.crt"), file("ca-key-file", "ca.key")];
        let flags = flags.iter().map(|(flag, value)| format!("--{flag}={value}"));
        let words = ["countersign".to_owned(), "sign".to_owned()].into_iter().chain(files).chain(flags);
        match parse(words.map(Into::into)).unwrap() {
            Verb::Sign(args) => *args,
            verb => panic!("{verb:?}"),
        }
    }

    fn sign(
        &self,
        request: &str,
        flags: &[(&str, &str)],
    ) -> Result<(Certificate, Option<String>), SignError> {
        sign(&self.args(request, flags), NOW, SerialNumber::from_random([7; 16]))
    }

    /// The message and the exit code of a refusal.
    fn refusal(&self, request: &str, flags: &[(&str, &str)]) -> (String, u8) {
        let error = self.sign(request, flags).map(drop).expect_err(request);
        let code = error.exit_code();
        (format!("{:#}", anyhow::Error::from(error)), code)
    }
}

fn node_request(organization: &str) -> String {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, organization);
    params.distinguished_name.push(DnType::CommonName, "system:node:a");
    params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap()
}

/// As `kubectl get csr node-csr -o json` shows it.
fn object(desk: &Desk) -> serde_json::Value {
    use base64::Engine;
    let request = base64::prelude::BASE64_STANDARD.encode(fs::read(desk.path("node.csr")).unwrap());
    json!({
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": "node-csr", "uid": "u", "resourceVersion": "1", "creationTimestamp": "2026-11-22T07:59:00Z"},
        "spec": {
            "request": request,
            "signerName": CLIENT_KUBELET,
            "usages": ["digital signature", "client auth"],
            "expirationSeconds": 86_400,
            "username": "system:bootstrap:\u{1b}[2Jabcdef",
            "groups": ["system:bootstrappers"],
        },
        "status": {},
    })
}

const CLIENT_KUBELET: &str = SignerName::KUBE_APISERVER_CLIENT_KUBELET;
const NODE_FLAGS: [(&str, &str); 2] =
    [("signer-name", CLIENT_KUBELET), ("usage", "digital signature,client auth")];

#[test]
fn a_bare_request_is_signed_with_what_the_flags_say() {
    let desk = Desk::new();
    let (certificate, notice) = desk.sign("node.csr", &NODE_FLAGS).unwrap();
    assert!(certificate.pem().starts_with("-----BEGIN CERTIFICATE-----\n"));
    assert_eq!(certificate.not_after(), NOW + Duration::days(365) - Duration::minutes(5));
    assert_eq!(notice, None);

    let repeated = [
        ("signer-name", CLIENT_KUBELET),
        ("usage", "client auth"),
        ("usage", "digital signature"),
        ("duration", "2h"),
    ];
    let (certificate, _) = desk.sign("node.csr", &repeated).unwrap();
    assert_eq!(certificate.not_after(), NOW + Duration::hours(2));
}

#[test]
fn an_exported_object_brings_signer_usages_and_lifetime_and_no_attested_requester() {
    let desk = Desk::new();
    let object = object(&desk);
    desk.put("object.json", object.to_string());
    let yaml = format!(
        "# exported\napiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\nmetadata:\n  name: node-csr\n  \
         creationTimestamp: \"2026-11-22T07:59:00Z\"\nspec:\n  request: {}\n  signerName: {CLIENT_KUBELET}\n  usages:\n  \
         - digital signature\n  - client auth\n  expirationSeconds: 86400\n  username: \"system:bootstrap:\\e[2Jabcdef\"\n  \
         groups:\n  - system:bootstrappers\n",
        object["spec"]["request"].as_str().unwrap()
    );
    desk.put("object.yaml", yaml);
    for file in ["object.json", "object.yaml"] {
        let (certificate, notice) = desk.sign(file, &[]).unwrap();
        assert_eq!(certificate.not_after(), NOW + Duration::days(1) - Duration::minutes(5), "{file}");
        let expected = "the requester is not attested offline: username \"system:bootstrap:\\u{1b}[2Jabcdef\", \
                        groups [\"system:bootstrappers\"] are what the file says";
        assert_eq!(notice.as_deref(), Some(expected), "{file}");
        let (certificate, _) = desk.sign(file, &[("duration", "30m")]).unwrap();
        assert_eq!(certificate.not_after(), NOW + Duration::minutes(30), "{file}");
    }
}

#[test]
fn a_request_that_breaks_a_rule_is_rejected_with_its_reason() {
    let desk = Desk::new();
    desk.put("wrong.csr", node_request("system:masters"));
    let (message, code) = desk.refusal("wrong.csr", &NODE_FLAGS);
    assert!(message.starts_with("rejected (SignerValidationFailure, rule "), "{message}");
    assert!(message.ends_with("): subject organization is not system:nodes"), "{message}");
    assert_eq!(code, 1);
}

#[test]
fn a_command_line_that_does_not_say_enough_ends_with_two() {
    let desk = Desk::new();
    let rows: [(&[(&str, &str)], &str); 4] = [
        (
            &[("usage", "client auth")],
            "--signer-name is needed: the request does not say for which signer it is",
        ),
        (
            &[("signer-name", CLIENT_KUBELET)],
            "--usage is needed: the request does not say what the certificate is for",
        ),
        (
            &[("signer-name", CLIENT_KUBELET), ("usage", "client auth,world peace")],
            "--usage: \"world peace\" is not a usage that Kubernetes knows",
        ),
        (
            &[("signer-name", "example.com/mine"), ("usage", "client auth")],
            "--signer-name: \"example.com/mine\" is none of kubernetes.io/kubelet-serving, \
             kubernetes.io/kube-apiserver-client-kubelet, kubernetes.io/kube-apiserver-client, kubernetes.io/legacy-unknown, \
             and --config says nothing of it",
        ),
    ];
    for (flags, message) in rows {
        assert_eq!(desk.refusal("node.csr", flags), (message.to_owned(), 2));
    }
}

#[test]
fn files_that_hold_something_else_are_named_and_end_with_one() {
    let desk = Desk::new();
    let mut denied = object(&desk);
    denied["status"] = json!({"conditions": [{"type": "Denied", "status": "True"}]});
    desk.put("denied.json", denied.to_string());
    desk.put("list.yaml", "apiVersion: v1\nkind: List\nitems: []\n");
    desk.put("broken.json", "{");
    desk.put("broken.yaml", "kind: [\n");
    desk.put("garbage", "nothing\n");
    desk.put("long", vec![b' '; (4 << 20) + 1]);
    let rows = [
        ("denied.json", "the CertificateSigningRequest was denied in its cluster"),
        ("list.yaml", "--request holds an object of kind \"List\", not one CertificateSigningRequest"),
        ("broken.json", "--request is not a CertificateSigningRequest that can be read: EOF"),
        ("broken.yaml", "--request is not readable as YAML: "),
        (
            "garbage",
            "failed to read the certificate signing request: PEM block type must be CERTIFICATE REQUEST",
        ),
        ("long", "--request "),
        ("missing", "failed to read --request "),
    ];
    for (file, beginning) in rows {
        let (message, code) = desk.refusal(file, &NODE_FLAGS);
        assert!(message.starts_with(beginning), "{file}: {message}");
        assert_eq!(code, 1, "{file}");
    }
}

#[test]
fn a_ca_that_cannot_be_used_is_named_by_flag_and_path() {
    let desk = Desk::new();
    desk.put("ca.key", "");
    let (message, code) = desk.refusal("node.csr", &NODE_FLAGS);
    let path = desk.path("ca.key");
    assert_eq!(message, format!("--ca-key-file {}: is empty", Path::display(&path)));
    assert_eq!(code, 1);
}

#[test]
fn flags_of_kube_controller_manager_name_the_ca_too_and_a_lifetime_must_be_one() {
    let read = |words: &[&str]| parse(words.iter().map(Into::into));
    let files = ["--request=-", "--cluster-signing-cert-file=c", "--cluster-signing-key-file=k"];
    let words = [&["countersign", "sign"][..], &files].concat();
    let Ok(Verb::Sign(args)) = read(&words) else { panic!("not understood") };
    assert_eq!((args.ca_cert_file, args.ca_key_file), (Some("c".into()), Some("k".into())));
    for duration in ["--duration=0", "--duration=-1h", "--duration=1d"] {
        let error = read(&[&words[..], &[duration]].concat()).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{duration}");
    }
    assert_eq!(read(&["countersign", "sign"]).unwrap_err().exit_code(), 2);
}

#[test]
fn the_certificate_goes_where_it_is_told() {
    let desk = Desk::new();
    let output = desk.path("node.crt");
    let flags = [NODE_FLAGS[0], NODE_FLAGS[1], ("output", output.to_str().unwrap())];
    let args = desk.args("node.csr", &flags);
    let (certificate, _) = sign(&args, NOW, draw_serial().unwrap()).unwrap();
    deliver(&args, &certificate).unwrap();
    assert_eq!(fs::read_to_string(&output).unwrap(), certificate.pem());
    let nowhere = SignArgs { output: Some(desk.path("no/such/place")), ..args };
    let error = deliver(&nowhere, &certificate).unwrap_err();
    assert_eq!(error.exit_code(), 1);
}

/// A signer of the desk's own with the desk's CA.
fn configured(desk: &Desk) {
    let (certificate, key) = (desk.path("ca.crt"), desk.path("ca.key"));
    let ca =
        format!("certificateAuthority: {{certificate: {}, key: {}}}", certificate.display(), key.display());
    let text = format!(
        "apiVersion: countersign.dev/v1alpha1\nkind: CountersignConfiguration\nsigners:\n- name: example.com/own\n  {ca}\n  \
         usages: [client auth]\n  subject: {{attributes: {{commonName: require, organization: drop}}}}\n  lifetime: {{max: 24h}}\n"
    );
    desk.put("countersign.yaml", text);
}

#[test]
fn a_configured_signer_has_its_profile_and_its_ca_here_too() {
    let desk = Desk::new();
    configured(&desk);
    let words = [
        "countersign".to_owned(),
        "sign".to_owned(),
        format!("--request={}", desk.path("node.csr").display()),
        format!("--config={}", desk.path("countersign.yaml").display()),
        "--signer-name=example.com/own".to_owned(),
        "--usage=client auth".to_owned(),
    ];
    let Verb::Sign(args) = parse(words.into_iter().map(Into::into)).unwrap() else { panic!("sign") };
    let (certificate, _) = sign(&args, NOW, SerialNumber::from_random([7; 16])).unwrap();
    assert_eq!(certificate.not_after() - certificate.not_before(), Duration::hours(24));
    let text = String::from_utf8_lossy(certificate.der()).into_owned();
    assert!(text.contains("system:node:a") && !text.contains("system:nodes"), "the organization is dropped");
    let other = SignArgs { usage: vec!["server auth".to_owned()], ..(*args).clone() };
    let error = sign(&other, NOW, SerialNumber::from_random([7; 16])).unwrap_err();
    assert!(error.to_string().contains("rule profile/usages"), "{error}");
    let other = SignArgs { signer_name: Some(SignerName::KUBELET_SERVING.to_owned()), ..(*args).clone() };
    let error = sign(&other, NOW, SerialNumber::from_random([7; 16])).unwrap_err();
    assert_eq!((error.exit_code(), matches!(error, SignError::NoCa(_))), (2, true), "{error}");
    desk.put("countersign.yaml", "signers: 1");
    let error = sign(&args, NOW, SerialNumber::from_random([7; 16])).unwrap_err();
    assert!(matches!(error, SignError::Config { .. }), "{error}");
}
