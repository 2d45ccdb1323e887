use std::fmt;
use std::sync::Arc;

/// `spec.signerName`: which authority is asked to sign, and by which rules.
///
/// Cheap to clone: records and requests of one signer share the text.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SignerName(Arc<str>);

impl SignerName {
    /// Client certificates for anyone, checked against kube-apiserver's client CA.
    pub const KUBE_APISERVER_CLIENT: &'static str = "kubernetes.io/kube-apiserver-client";
    /// Client certificates of kubelets.
    pub const KUBE_APISERVER_CLIENT_KUBELET: &'static str = "kubernetes.io/kube-apiserver-client-kubelet";
    /// Serving certificates of kubelets.
    pub const KUBELET_SERVING: &'static str = "kubernetes.io/kubelet-serving";
    /// What v1beta1 requests without a signerName became; v1 refuses to create it, but stored objects remain.
    pub const LEGACY_UNKNOWN: &'static str = "kubernetes.io/legacy-unknown";

    /// The four signerNames that kube-controller-manager signs (`pkg/controller/certificates/signer/signer.go`).
    pub const BUILT_IN: [&'static str; 4] = [
        Self::KUBELET_SERVING,
        Self::KUBE_APISERVER_CLIENT_KUBELET,
        Self::KUBE_APISERVER_CLIENT,
        Self::LEGACY_UNKNOWN,
    ];

    /// The name as written in `spec.signerName`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SignerName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for SignerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq<str> for SignerName {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_kept_as_written() {
        let name = SignerName::from("example.com/serving");
        assert_eq!(name.as_str(), "example.com/serving");
        assert_eq!(name.to_string(), "example.com/serving");
        assert!(name == *"example.com/serving");
    }
}
