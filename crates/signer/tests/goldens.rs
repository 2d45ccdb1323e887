//! Certificates as they were, octet for octet. `BLESS=1 cargo test` writes them anew; look at what changed.

#![expect(
    clippy::disallowed_methods,
    reason = "goldens are files, and the environment says whether to write them"
)]

mod issue;

use issue::{CLIENT, SERVING, SERVING_USAGES, authority, request};

#[test]
fn certificates_are_as_they_were() {
    for (golden, ca, pem, signer_name, usages) in [
        ("kubelet-serving-by-rsa", "ca-rsa2048", SERVING, "kubernetes.io/kubelet-serving", SERVING_USAGES),
        (
            "kubelet-serving-by-ed25519",
            "ca-ed25519",
            SERVING,
            "kubernetes.io/kubelet-serving",
            SERVING_USAGES,
        ),
        ("client-by-rsa", "ca-rsa2048", CLIENT, "kubernetes.io/kube-apiserver-client", &["client auth"]),
        (
            "client-without-ski-by-ed25519",
            "ca-no-ski",
            CLIENT,
            "kubernetes.io/kube-apiserver-client",
            &["client auth"],
        ),
        (
            "every-usage-by-ed25519",
            "ca-ed25519",
            CLIENT,
            "kubernetes.io/legacy-unknown",
            &["any", "netscape sgc", "s/mime", "cert sign", "decipher only", "signing"],
        ),
    ] {
        let issued = issue::issue(&request(pem, signer_name, usages), &authority(ca));
        let path = format!("{}/tests/goldens/{golden}.pem", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, issued.pem()).expect("a golden");
        }
        assert_eq!(std::fs::read_to_string(&path).expect("a golden"), issued.pem(), "{golden}");
    }
}
