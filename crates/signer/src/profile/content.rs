//! What of a request gets into a certificate, and whether it may.

use std::borrow::Cow;

use csr::profile::{Limits, NameLimits, Otherwise, SubjectLimits, Treatment};
use csr::{
    AttributeType, Curve, Fault, NextActor, ProfileFault, PublicKey, Request, Rule, Subject, SubjectAltNames,
};

use crate::extensions::KeyUsages;
use crate::signature::bit_length;

/// What is judged, and then signed: a request without what its signer drops.
#[derive(Debug)]
pub(crate) struct Content<'a> {
    pub(crate) request: &'a Request,
    pub(crate) subject: Cow<'a, Subject>,
    pub(crate) sans: Cow<'a, SubjectAltNames>,
}

/// A rule of the profiles that are configured, with its check.
type LimitCheck = (Rule, fn(&Limits, &Content<'_>) -> Result<(), Fault>);

/// The rules of configured profiles, in the order in which the first fault counts.
pub(super) static CHECKS: [LimitCheck; 6] = [
    (rule("profile/usages", "each usage is one that the signer permits", "ask for other usages"), usages),
    (
        rule(
            "profile/subject",
            "the subject has the attributes that the signer requires, and no others than it permits",
            "send a request with another subject",
        ),
        subject,
    ),
    (
        rule(
            "profile/subject-value",
            "common name and organizations have a form that the signer permits",
            "send a request with another subject",
        ),
        subject_values,
    ),
    (
        rule(
            "profile/names",
            "each subjectAltName is one that the signer permits",
            "send a request with other subjectAltNames",
        ),
        names,
    ),
    (
        rule(
            "profile/name-count",
            "there are as many subjectAltNames as the signer permits",
            "send a request with more names, or with fewer",
        ),
        name_count,
    ),
    (
        rule(
            "profile/key",
            "the key is of an algorithm and a size that the signer permits",
            "send a request with another key",
        ),
        key,
    ),
];

/// The rule of a signer that may share a CA with the cluster. Whoever has a certificate of that CA for a client is who its
/// subject says, so this signer would be a way around every rule of the built-in ones.
pub(super) static CLUSTER_SUBJECT: Rule = Rule {
    id: "profile/cluster-subject",
    title: "a signer that shares a CA with the cluster issues no client certificate for system: or kubeadm: names, and none at all for a node",
    remedy: "ask kubernetes.io/kube-apiserver-client, or send a request with another subject",
    next_actor: NextActor::Requester,
};

impl<'a> Content<'a> {
    /// Everything that a request says.
    pub(super) fn whole(request: &'a Request) -> Self {
        Self { request, subject: Cow::Borrowed(request.subject()), sans: Cow::Borrowed(request.sans()) }
    }

    /// What is left of a request within these limits.
    pub(super) fn within(request: &'a Request, limits: &Limits) -> Self {
        let mut content = Self::whole(request);
        let is_dropped = |kind| limits.subject.treatment(kind) == Treatment::Drop;
        if AttributeType::ALL.into_iter().any(is_dropped) {
            content.subject = Cow::Owned(request.subject().without(is_dropped));
        }
        if limits.names.otherwise == Otherwise::Drop {
            content.sans = Cow::Owned(limits.names.fitting(request.sans()));
        }
        content
    }
}

/// Whether nobody would be taken for the cluster's own users and groups by this content; nor for a node by what it serves with, which
/// stands for a kubelet's own certificate where that is a proof.
pub(super) fn cluster_subject(content: &Content<'_>) -> Result<(), Fault> {
    let is_client = KeyUsages::of(content.request.usages()).map_or(true, |usages| usages.permit_clients());
    let subject = &content.subject;
    let mut names = std::iter::once(subject.common_name()).chain(subject.organizations());
    let reserved = names.find(|name| name.starts_with("system:") || name.starts_with("kubeadm:"));
    match reserved.filter(|name| is_client || name.starts_with("system:node:")) {
        Some(name) => Err(ProfileFault::ClusterSubject(name.to_owned()).into()),
        None => Ok(()),
    }
}

fn usages(limits: &Limits, content: &Content<'_>) -> Result<(), Fault> {
    let Some(permitted) = &limits.usages else {
        return Ok(());
    };
    match content.request.usages().iter().find(|usage| !permitted.contains(usage)) {
        Some(other) => Err(ProfileFault::Usage(other.clone()).into()),
        None => Ok(()),
    }
}

fn subject(limits: &Limits, content: &Content<'_>) -> Result<(), Fault> {
    AttributeType::ALL.into_iter().try_for_each(|kind| attribute(&limits.subject, content, kind))
}

fn attribute(limits: &SubjectLimits, content: &Content<'_>, kind: AttributeType) -> Result<(), Fault> {
    let fault = match limits.treatment(kind) {
        Treatment::Refuse if content.subject.values(kind).next().is_some() => {
            ProfileFault::Attribute(kind.name())
        }
        Treatment::Require if !is_present(&content.subject, kind) => {
            ProfileFault::AttributeMissing(kind.name())
        }
        Treatment::Pass | Treatment::Drop | Treatment::Require | Treatment::Refuse => return Ok(()),
    };
    Err(fault.into())
}

/// Whether something gets into the certificate: of these two types, the last value alone does.
fn is_present(subject: &Subject, kind: AttributeType) -> bool {
    match kind {
        AttributeType::CommonName => !subject.common_name().is_empty(),
        AttributeType::SerialNumber => !subject.serial_number().is_empty(),
        _ => subject.values(kind).any(|value| !value.is_empty()),
    }
}

fn subject_values(limits: &Limits, content: &Content<'_>) -> Result<(), Fault> {
    let SubjectLimits { common_names, organizations, .. } = &limits.subject;
    let common_name = Some(content.subject.common_name()).filter(|name| !name.is_empty());
    let common_names = (AttributeType::CommonName, common_names, common_name.into_iter().collect::<Vec<_>>());
    let organizations =
        (AttributeType::Organization, organizations, content.subject.organizations().collect());
    for (kind, patterns, values) in [common_names, organizations] {
        let fits =
            |value: &&str| patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(value));
        if let Some(value) = values.into_iter().find(|value| !fits(value)) {
            let value = value.to_owned();
            return Err(ProfileFault::AttributeValue { attribute: kind.name(), value }.into());
        }
    }
    Ok(())
}

fn names(limits: &Limits, content: &Content<'_>) -> Result<(), Fault> {
    let (limits, sans) = (&limits.names, &content.sans);
    if limits.otherwise != Otherwise::Refuse {
        return Ok(());
    }
    let dns = sans.dns.iter().find(|name| !limits.fits_dns(name)).map(|name| ("DNS", name.clone()));
    let ip = || sans.ip.iter().find(|ip| !limits.fits_ip(**ip)).map(|ip| ("IP", ip.to_string()));
    let email =
        || sans.email.iter().find(|name| !limits.fits_email(name)).map(|name| ("email", name.clone()));
    let uri = || sans.uri.iter().find(|name| !limits.fits_uri(name)).map(|name| ("URI", name.clone()));
    match dns.or_else(ip).or_else(email).or_else(uri) {
        Some((kind, name)) => Err(ProfileFault::Name { kind, name }.into()),
        None if sans.others > 0 => Err(ProfileFault::OtherName.into()),
        None => Ok(()),
    }
}

fn name_count(limits: &Limits, content: &Content<'_>) -> Result<(), Fault> {
    let (NameLimits { least, most, .. }, sans) = (&limits.names, &content.sans);
    let found = sans.dns.len() + sans.ip.len() + sans.email.len() + sans.uri.len();
    if (*least..=*most).contains(&found) {
        return Ok(());
    }
    Err(ProfileFault::NameCount { found, least: *least, most: *most }.into())
}

fn key(limits: &Limits, content: &Content<'_>) -> Result<(), Fault> {
    let limits = limits.keys;
    let is_enough = |least: Option<u16>, bits| least.is_some_and(|least| bits >= usize::from(least));
    let (is_permitted, what) = match content.request.public_key() {
        PublicKey::Rsa { modulus, .. } => {
            let bits = bit_length(modulus);
            (is_enough(limits.rsa, bits), format!("{bits}-bit RSA"))
        }
        PublicKey::Ecdsa { curve, .. } => {
            let bits = bits(*curve);
            (is_enough(limits.ecdsa, bits), format!("P-{bits}"))
        }
        PublicKey::Ed25519(_) => (limits.ed25519, "Ed25519".to_owned()),
        // No signature verifies with such a key.
        PublicKey::Unsupported => (true, String::new()),
    };
    if is_permitted { Ok(()) } else { Err(ProfileFault::Key(what).into()) }
}

fn bits(curve: Curve) -> usize {
    match curve {
        Curve::P224 => 224,
        Curve::P256 => 256,
        Curve::P384 => 384,
        Curve::P521 => 521,
    }
}

const fn rule(id: &'static str, title: &'static str, remedy: &'static str) -> Rule {
    Rule { id, title, remedy, next_actor: NextActor::Requester }
}
