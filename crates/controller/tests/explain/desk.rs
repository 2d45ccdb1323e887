//! Files to be explained.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use controller::cli::explain::{ExplainArgs, offline};
use controller::cli::{Verb, parse};
use controller::explain::Explanation;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-22 08:00 UTC);

/// An object as `kubectl get csr -o json` shows it; each field is there to be another in one row.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) signer: &'static str,
    pub(crate) username: &'static str,
    pub(crate) groups: &'static [&'static str],
    pub(crate) common_name: &'static str,
    pub(crate) organization: &'static str,
    pub(crate) sans: &'static [&'static str],
    pub(crate) usages: &'static [&'static str],
    /// Seconds that are asked for.
    pub(crate) lasting: Option<i32>,
    /// Whether it is signed with another key than the one that it is for.
    pub(crate) is_forged: bool,
    pub(crate) status: Value,
}

impl Sample {
    /// What the kubelet of worker-1 sends for its serving certificate.
    pub(crate) fn serving(sans: &'static [&'static str]) -> Self {
        Self {
            name: "csr-serving",
            signer: "kubernetes.io/kubelet-serving",
            username: "system:node:worker-1",
            groups: &["system:nodes", "system:authenticated"],
            common_name: "system:node:worker-1",
            organization: "system:nodes",
            sans,
            usages: &["digital signature", "server auth"],
            lasting: None,
            is_forged: false,
            status: json!({}),
        }
    }

    /// What a kubelet sends when it joins.
    pub(crate) fn joining() -> Self {
        Self {
            name: "csr-joining",
            signer: "kubernetes.io/kube-apiserver-client-kubelet",
            username: "system:bootstrap:abcdef",
            groups: &["system:bootstrappers", "system:bootstrappers:kubeadm:default-node-token"],
            usages: &["digital signature", "client auth"],
            ..Self::serving(&[])
        }
    }

    /// What a human sends for another signer.
    pub(crate) fn foreign() -> Self {
        Self {
            name: "jane",
            signer: "example.com/vpn",
            username: "jane",
            groups: &["developers"],
            common_name: "jane",
            organization: "developers",
            usages: &["client auth"],
            ..Self::serving(&[])
        }
    }

    /// With this condition.
    pub(crate) fn with(self, kind: &str, reason: &str, message: &str) -> Self {
        let condition = json!({"type": kind, "status": "True", "reason": reason, "message": message});
        Self { status: json!({"conditions": [condition]}), ..self }
    }

    fn object(&self) -> Value {
        json!({
            "apiVersion": "certificates.k8s.io/v1",
            "kind": "CertificateSigningRequest",
            "metadata": {"name": self.name, "uid": "u-1", "creationTimestamp": "2026-11-22T07:56:48Z"},
            "spec": {
                "request": BASE64_STANDARD.encode(self.request()), "signerName": self.signer, "usages": self.usages,
                "username": self.username, "groups": self.groups, "expirationSeconds": self.lasting,
            },
            "status": self.status,
        })
    }

    fn request(&self) -> String {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, self.organization);
        params.distinguished_name.push(DnType::CommonName, self.common_name);
        let san = |text: &&str| match text.parse() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName((*text).try_into().unwrap()),
        };
        params.subject_alt_names = self.sans.iter().map(san).collect();
        let request = params.serialize_request(&requesters_key()).unwrap();
        let mut der = request.der().to_vec();
        if self.is_forged {
            // The last octet of the signature.
            *der.last_mut().unwrap() ^= 1;
        }
        csr::pem::encode("CERTIFICATE REQUEST", &der)
    }
}

/// A key that is the same each time and signs the same each time, so that a request is the same each time.
fn requesters_key() -> KeyPair {
    let ed25519 = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    let octets = [&ed25519[..], &[7; 32]].concat();
    KeyPair::try_from(octets).unwrap()
}

/// A directory with files in it.
pub(crate) struct Desk(tempfile::TempDir);

impl Desk {
    /// One with the facts and the certificate of the API servers.
    pub(crate) fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        let server = CertificateParams::new(["198.51.100.1", "198.51.100.250"].map(str::to_owned)).unwrap();
        let server = server.self_signed(&KeyPair::generate().unwrap()).unwrap();
        fs::write(desk.path("apiserver.crt"), server.pem()).unwrap();
        desk
    }

    /// The certificate of a CA that expires then, as a flag.
    pub(crate) fn ca_until(&self, not_after: OffsetDateTime) -> String {
        let mut ca = CertificateParams::default();
        ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        ca.not_after = not_after;
        let path = self.path("ca.crt");
        fs::write(&path, ca.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()).unwrap();
        format!("--cluster-signing-cert-file={}", path.display())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `countersign explain -f` with these flags behind it; `FACTS` stands for those that tell of the cluster.
    pub(crate) fn words(&self, sample: &Sample, flags: &[&str]) -> Vec<String> {
        let file = self.path("csr.json");
        fs::write(&file, sample.object().to_string()).unwrap();
        let facts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explain/facts.yaml");
        let mut words = vec!["explain".to_owned(), format!("--filename={}", file.display())];
        for flag in flags {
            if *flag == FACTS {
                words.push(format!("--facts={}", facts.display()));
                words.push(format!("--api-server-certificate={}", self.path("apiserver.crt").display()));
            } else {
                words.push((*flag).to_owned());
            }
        }
        words
    }

    pub(crate) fn explain(&self, sample: &Sample, flags: &[&str]) -> Explanation {
        let words = std::iter::once("countersign".to_owned()).chain(self.words(sample, flags));
        let args: ExplainArgs = match parse(words.map(Into::into)).unwrap() {
            Verb::Explain(args) => *args,
            verb => panic!("{verb:?}"),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(offline(&args, NOW)).unwrap()
    }
}

pub(crate) const FACTS: &str = "FACTS";
