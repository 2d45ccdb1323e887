//! Which CA signs for whom: kube-controller-manager's signing flags and how they go together.

use std::path::PathBuf;

use ::config::Configuration;
use csr::SignerName;

use crate::cli::args::Args;
use crate::config::given::{Given, non_empty};
use crate::config::{Involved, Notice, Origin, Problem};

/// The CA files of one signerName.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignerFiles {
    /// Whom they sign for.
    pub signer_name: SignerName,
    /// The CA certificate, PEM.
    pub cert: PathBuf,
    /// Its private key, PEM; may be the same file.
    pub key: PathBuf,
    /// Where `cert` was given, to be named in what is said of it.
    pub cert_origin: Origin,
    /// Where `key` was given.
    pub key_origin: Origin,
}

/// A certificate flag and a key flag that belong together, with what was given for them.
struct Pair<'a> {
    cert_flag: &'static str,
    key_flag: &'static str,
    cert: Option<&'a str>,
    key: Option<&'a str>,
}

impl Pair<'_> {
    fn is_given(&self) -> bool {
        self.cert.is_some() || self.key.is_some()
    }

    /// The origins of what was given of it.
    fn origins(&self, given: &Given<'_>) -> Vec<Origin> {
        let cert = self.cert.map(|_| given.origin(self.cert_flag));
        let key = self.key.map(|_| given.origin(self.key_flag));
        cert.into_iter().chain(key).collect()
    }

    fn files(&self, signer_name: &str, given: &Given<'_>) -> Option<SignerFiles> {
        Some(SignerFiles {
            signer_name: SignerName::from(signer_name),
            cert: self.cert?.into(),
            key: self.key?.into(),
            cert_origin: given.origin(self.cert_flag),
            key_origin: given.origin(self.key_flag),
        })
    }
}

/// The files of each signerName that has both, by upstream's rules
/// (`cmd/kube-controller-manager/app/options/csrsigningcontroller.go`).
pub(super) fn read(given: &mut Given<'_>) -> (Vec<SignerFiles>, Vec<Notice>) {
    let default = default_pair(given.args);
    let specific = specific_pairs(given.args);
    for (_, label, pair) in &specific {
        check_whole(given, label, pair);
    }
    let any_specific = specific.iter().any(|(_, _, pair)| pair.is_given());
    if default.is_given() && any_specific {
        let pairs = specific.iter().map(|(_, _, pair)| pair);
        let origins = std::iter::once(&default).chain(pairs);
        let involved = Involved(origins.flat_map(|pair| pair.origins(given)).collect());
        given.wrong(Problem::DefaultAndSpecific { involved });
    }
    let files = specific.iter().filter_map(|(signer_name, _, pair)| {
        let pair = if any_specific { pair } else { &default };
        pair.files(signer_name, given)
    });
    (files.collect(), half_default(&default).into_iter().collect())
}

/// Puts the CAs of the configuration file in the place of those of the flags, or beside them.
pub(super) fn complete(files: &mut Vec<SignerFiles>, configuration: &Configuration) {
    for signer in &configuration.signers {
        let Some(authority) = &signer.authority else {
            continue;
        };
        files.retain(|files| files.signer_name != signer.name);
        let origin = Origin::CertificateAuthority(signer.name.clone());
        files.push(SignerFiles {
            signer_name: signer.name.clone(),
            cert: authority.certificate.clone(),
            key: authority.key.clone(),
            cert_origin: origin.clone(),
            key_origin: origin,
        });
    }
}

fn check_whole(given: &mut Given<'_>, label: &'static str, pair: &Pair<'_>) {
    let involved = Involved(pair.origins(given));
    match (pair.cert, pair.key) {
        (None, Some(_)) => given.wrong(Problem::KeyWithoutCert { label, involved }),
        (Some(_), None) => given.wrong(Problem::CertWithoutKey { label, involved }),
        (None, None) | (Some(_), Some(_)) => {}
    }
}

/// Half of the default pair is no error upstream; it switches signing off, silently there.
fn half_default(pair: &Pair<'_>) -> Option<Notice> {
    let (given, missing) = match (pair.cert, pair.key) {
        (Some(cert), None) => (cert, pair.key_flag),
        (None, Some(key)) => (key, pair.cert_flag),
        (None, None) | (Some(_), Some(_)) => return None,
    };
    let given = given.into();
    Some(Notice::HalfDefaultPair { given, missing })
}

fn default_pair(args: &Args) -> Pair<'_> {
    Pair {
        cert_flag: "cluster-signing-cert-file",
        key_flag: "cluster-signing-key-file",
        cert: non_empty(&args.cluster_signing_cert_file),
        key: non_empty(&args.cluster_signing_key_file),
    }
}

/// The signerNames with the labels that upstream's messages give their pairs (two of them are those of other flags), and the
/// pairs.
fn specific_pairs(args: &Args) -> [(&'static str, &'static str, Pair<'_>); 4] {
    let serving = Pair {
        cert_flag: "cluster-signing-kubelet-serving-cert-file",
        key_flag: "cluster-signing-kubelet-serving-key-file",
        cert: non_empty(&args.cluster_signing_kubelet_serving_cert_file),
        key: non_empty(&args.cluster_signing_kubelet_serving_key_file),
    };
    let kubelet_client = Pair {
        cert_flag: "cluster-signing-kubelet-client-cert-file",
        key_flag: "cluster-signing-kubelet-client-key-file",
        cert: non_empty(&args.cluster_signing_kubelet_client_cert_file),
        key: non_empty(&args.cluster_signing_kubelet_client_key_file),
    };
    let client = Pair {
        cert_flag: "cluster-signing-kube-apiserver-client-cert-file",
        key_flag: "cluster-signing-kube-apiserver-client-key-file",
        cert: non_empty(&args.cluster_signing_kube_apiserver_client_cert_file),
        key: non_empty(&args.cluster_signing_kube_apiserver_client_key_file),
    };
    let legacy = Pair {
        cert_flag: "cluster-signing-legacy-unknown-cert-file",
        key_flag: "cluster-signing-legacy-unknown-key-file",
        cert: non_empty(&args.cluster_signing_legacy_unknown_cert_file),
        key: non_empty(&args.cluster_signing_legacy_unknown_key_file),
    };
    [
        (SignerName::KUBELET_SERVING, "cluster-signing-kubelet-serving", serving),
        (SignerName::KUBE_APISERVER_CLIENT_KUBELET, "cluster-signing-kube-apiserver-client", kubelet_client),
        (SignerName::KUBE_APISERVER_CLIENT, "cluster-signing-kube-apiserver", client),
        (SignerName::LEGACY_UNKNOWN, "cluster-signing-legacy-unknown", legacy),
    ]
}
