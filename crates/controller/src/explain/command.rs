//! The exact command that gets a request on, where there is one.
//!
//! Nobody is to be talked past a rule: where an identity or a name is in question, no command is given that approves it.

use csr::{AttributeType, CertificateSigningRequest, Request, Rule, SignerName};

use super::advice::OTHER_SIGNER;
use super::{Subject, digest};

/// What to type, by whoever the rule names.
pub(super) fn of(subject: Subject<'_>, request: &Request, rule: &Rule) -> Option<String> {
    match rule.id {
        OTHER_SIGNER => approval(subject.object, request),
        "kubelet-serving/permission" => Some("kubectl apply -f deploy/kubelet-serving.yaml".to_owned()),
        "node-client/permission" => binding(request),
        _ => None,
    }
}

/// The approval of what is for another approver, of this very object with this very request. The subject may be anybody, so one of
/// the cluster's own gets none.
fn approval(object: &CertificateSigningRequest, request: &Request) -> Option<String> {
    let (name, uid, digest) = (object.name(), object.uid(), digest(&object.spec().request));
    let command = format!("countersign approve {name} --uid={uid} --digest={digest}");
    (is_for_others(request) && is_plain(name) && is_plain(uid)).then_some(command)
}

/// Whether somebody may approve it by hand: it names nobody of the cluster's own, and no server that the cluster's CA would vouch for
/// without anybody having looked (legacy-unknown permits every name and usage).
pub(super) fn is_for_others(request: &Request) -> bool {
    let subject = request.subject();
    let mut attributes = AttributeType::ALL.into_iter().flat_map(|kind| subject.values(kind));
    let is_special = attributes.any(|value| value.starts_with("system:") || value.starts_with("kubeadm:"));
    let is_unseen = *request.signer_name() == *SignerName::LEGACY_UNKNOWN && !request.sans().is_empty();
    !is_special && !is_unseen
}

/// The binding that kubeadm makes, for those who are meant to have it. Anybody else asks for a node's identity.
fn binding(request: &Request) -> Option<String> {
    let requester = request.requester();
    let is_self = requester.username == request.subject().common_name();
    let is_in = |group: &str| requester.groups.iter().any(|found| found == group);
    let (name, permission, group) = if is_self && is_in("system:nodes") {
        ("kubeadm:node-autoapprove-certificate-rotation", "selfnodeclient", "system:nodes")
    } else {
        let group = BOOTSTRAPPERS.into_iter().find(|group| is_in(group))?;
        ("kubeadm:node-autoapprove-bootstrap", "nodeclient", group)
    };
    let role = format!("system:certificates.k8s.io:certificatesigningrequests:{permission}");
    Some(format!("kubectl create clusterrolebinding {name} --clusterrole={role} --group={group}"))
}

/// Whether a shell takes a name as it stands: whoever creates an object chooses it.
fn is_plain(name: &str) -> bool {
    let is_harmless = |octet: u8| octet.is_ascii_alphanumeric() || b"-._".contains(&octet);
    !name.is_empty() && !name.starts_with('-') && name.bytes().all(is_harmless)
}

/// The groups of bootstrap tokens, kubeadm's first.
const BOOTSTRAPPERS: [&str; 2] = ["system:bootstrappers:kubeadm:default-node-token", "system:bootstrappers"];
