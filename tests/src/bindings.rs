//! What kubeadm adds to a new cluster so that nodes can join.

use anyhow::Result;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::json;

use crate::wait;

/// The group that `kubeadm token create` puts a bootstrap token in.
pub const BOOTSTRAPPERS: &str = "system:bootstrappers:kubeadm:default-node-token";

/// The role that lets a bootstrap token's request be approved (nodeclient).
pub const NODE_CLIENT: &str = "system:certificates.k8s.io:certificatesigningrequests:nodeclient";

/// The role that lets a node's renewal be approved (selfnodeclient).
pub const SELF_NODE_CLIENT: &str = "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient";

/// Makes kubeadm's three bindings.
pub(crate) async fn create(client: &Client) -> Result<()> {
    bind(client, "kubeadm:kubelet-bootstrap", ("system:node-bootstrapper", BOOTSTRAPPERS)).await?;
    bind(client, "kubeadm:node-autoapprove-bootstrap", (NODE_CLIENT, BOOTSTRAPPERS)).await?;
    bind(client, "kubeadm:node-autoapprove-certificate-rotation", (SELF_NODE_CLIENT, "system:nodes")).await
}

/// Binds a ClusterRole to a group: `(role, group)`.
///
/// # Errors
/// When the API server refuses.
pub async fn bind(client: &Client, name: &str, (role, group): (&str, &str)) -> Result<()> {
    let binding: ClusterRoleBinding = serde_json::from_value(json!({
        "metadata": { "name": name },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role },
        "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group }],
    }))?;
    Api::all(client.clone()).create(&PostParams::default(), &binding).await?;
    Ok(())
}

/// Makes a bootstrap token's Secret and returns the token.
pub(crate) async fn create_bootstrap_token(client: &Client) -> Result<String> {
    let (id, secret) = ("abcdef", "0123456789abcdef");
    let object: Secret = serde_json::from_value(json!({
        "metadata": { "name": format!("bootstrap-token-{id}") },
        "type": "bootstrap.kubernetes.io/token",
        "stringData": {
            "token-id": id,
            "token-secret": secret,
            "usage-bootstrap-authentication": "true",
            "usage-bootstrap-signing": "true",
            "auth-extra-groups": BOOTSTRAPPERS,
        },
    }))?;
    let secrets: Api<Secret> = Api::namespaced(client.clone(), "kube-system");
    // The API server makes the namespace a moment after it is ready; a second token is the first one.
    wait::until("namespace kube-system exists", async || {
        match secrets.create(&PostParams::default(), &object).await {
            Ok(_) => Ok(Some(())),
            Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(Some(())),
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    })
    .await?;
    Ok(format!("{id}.{secret}"))
}
