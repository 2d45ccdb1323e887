//! Who talks to the API server, and how it knows them.

use crate::pki::Pair;

/// A user and the credential it presents.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    pub(crate) name: String,
    pub(crate) credential: Credential,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Credential {
    /// Issued by the cluster's authority when it is needed; the group, if any, becomes the subject's organization.
    Certificate { group: Option<String> },
    /// From the token file, or a bootstrap token.
    Token(String),
    /// Brought along.
    Pair(Pair),
}

impl User {
    /// The user `name`, in no group but `system:authenticated`, who presents a client certificate.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), credential: Credential::Certificate { group: None } }
    }

    /// The user `name` in `group`, who presents a client certificate.
    pub fn in_group(name: &str, group: &str) -> Self {
        Self { name: name.to_owned(), credential: Credential::Certificate { group: Some(group.to_owned()) } }
    }

    /// The kubelet of a node that has joined.
    pub fn node(node: &str) -> Self {
        Self::in_group(&format!("system:node:{node}"), "system:nodes")
    }

    /// kube-controller-manager's own identity, as in kubeadm's controller-manager.conf.
    pub fn controller_manager() -> Self {
        Self::named("system:kube-controller-manager")
    }

    /// Member of `system:masters`, by token file.
    pub fn admin() -> Self {
        Self::with_token("admin", "admin-token")
    }

    /// Whoever a certificate says, with its key.
    pub fn with_certificate(pair: Pair) -> Self {
        Self { name: "certificate".to_owned(), credential: Credential::Pair(pair) }
    }

    /// A user who presents a bearer token; `name` is for kubeconfig files only.
    pub fn with_token(name: &str, token: &str) -> Self {
        Self { name: name.to_owned(), credential: Credential::Token(token.to_owned()) }
    }
}
