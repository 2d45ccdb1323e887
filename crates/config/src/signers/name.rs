//! Names of signers, as the API server takes them.

use csr::SignerName;

pub(super) const EXPECTED: &str =
    "a signerName such as example.com/serving, or one of the four of kubernetes.io that are signed here";

/// The signerName that a text is, by the API server's own rules (`ValidateCertificateSigningRequestSignerName` and its like in
/// `pkg/apis/certificates/validation`). Those of `kubernetes.io` mean what Kubernetes says, so only those with rules here count.
pub(super) fn read(text: &str) -> Option<SignerName> {
    let name = SignerName::from(text);
    let (domain, path) = text.split_once('/')?;
    let is_domain =
        domain.len() <= LONGEST_SUBDOMAIN && domain.contains('.') && domain.split('.').all(is_label);
    let is_path = path.len() <= LONGEST_PATH && path.split('.').all(is_label);
    let is_ours = domain != "kubernetes.io" || is_built_in(&name);
    (is_domain && is_path && is_ours).then_some(name)
}

pub(super) fn is_built_in(name: &SignerName) -> bool {
    SignerName::BUILT_IN.contains(&name.as_str())
}

/// An RFC 1123 label.
fn is_label(label: &str) -> bool {
    let is_inner = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
    (1..=LONGEST_LABEL).contains(&label.len())
        && label.bytes().all(is_inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

const LONGEST_LABEL: usize = 63;
const LONGEST_SUBDOMAIN: usize = 253;
const LONGEST_PATH: usize = LONGEST_SUBDOMAIN + LONGEST_LABEL + 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_the_api_server_takes() {
        for (text, is_one) in [
            ("example.com/serving", true),
            ("a.b.example.com/team.serving-1", true),
            ("kubernetes.io/kubelet-serving", true),
            ("kubernetes.io/kube-apiserver-client-pod", false),
            ("example/serving", false),
            ("example.com", false),
            ("example.com/", false),
            ("example.com/a/b", false),
            ("example.com/A", false),
            ("example.com/-a", false),
            ("example..com/a", false),
            ("example.com/*", false),
            ("", false),
        ] {
            assert_eq!(read(text).is_some(), is_one, "{text}");
        }
        assert!(read(&format!("example.com/{}", "a".repeat(64))).is_none());
    }
}
