//! What a control plane is started with.

use crate::node_box::NodeBox;
use crate::pki::KeyKind;

/// How to start a [`ControlPlane`](crate::ControlPlane). The default is a cluster as kubeadm makes it, with an ECDSA
/// authority because an RSA key takes longer to make.
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) authority_key: KeyKind,
    pub(crate) authority_lifetime: time::Duration,
    pub(crate) kubeadm_bindings: bool,
    pub(crate) node_box: Option<NodeBox>,
    pub(crate) readable_store: bool,
    pub(crate) token_users: Vec<TokenUser>,
}

/// A line of the API server's token file.
#[derive(Clone, Debug)]
pub(crate) struct TokenUser {
    pub(crate) token: String,
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        let options = Self {
            authority_key: KeyKind::default(),
            authority_lifetime: time::Duration::days(3650),
            kubeadm_bindings: true,
            node_box: None,
            readable_store: false,
            token_users: Vec::new(),
        };
        options.token_user("admin-token", "admin", &["system:masters"])
    }
}

impl Options {
    /// Chooses the kind of key of the cluster's authority.
    #[must_use]
    pub fn authority_key(mut self, kind: KeyKind) -> Self {
        self.authority_key = kind;
        self
    }

    /// Chooses when the cluster's authority expires, from now.
    #[must_use]
    pub fn authority_lifetime(mut self, lifetime: time::Duration) -> Self {
        self.authority_lifetime = lifetime;
        self
    }

    /// Leaves out the bindings by which kubeadm lets kubelets' requests be approved.
    #[must_use]
    pub fn without_kubeadm_bindings(mut self) -> Self {
        self.kubeadm_bindings = false;
        self
    }

    /// Runs all of it in a box, where [kubelets](crate::ControlPlane::start_kubelet) can be. The API server talks only to those
    /// whose serving certificate is the cluster's authority's, which kubeadm leaves to the administrator to demand.
    #[must_use]
    pub fn inside(mut self, node_box: &NodeBox) -> Self {
        self.node_box = Some(node_box.clone());
        self
    }

    /// Has the API server store its objects in JSON, for [`ControlPlane::set_creation`](crate::ControlPlane::set_creation).
    #[must_use]
    pub fn readable_store(mut self) -> Self {
        self.readable_store = true;
        self
    }

    /// Adds a user to the token file.
    #[must_use]
    pub fn token_user(mut self, token: &str, name: &str, groups: &[&str]) -> Self {
        let groups = groups.iter().map(ToString::to_string).collect();
        self.token_users.push(TokenUser { token: token.to_owned(), name: name.to_owned(), groups });
        self
    }

    /// The token file's contents (token, user, uid, "groups").
    pub(crate) fn token_file(&self) -> String {
        let line = |user: &TokenUser| {
            format!("{},{},{}-uid,\"{}\"\n", user.token, user.name, user.name, user.groups.join(","))
        };
        self.token_users.iter().map(line).collect()
    }
}
