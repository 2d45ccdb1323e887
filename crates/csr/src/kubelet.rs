//! What a kubelet's requests must look like: the rules that upstream's approver and signer share
//! (`ValidateKubeletClientCSR` and `ValidateKubeletServingCSR` in `pkg/apis/certificates/helpers.go`).
//!
//! A set of rules is an ordered slice. The first rule that is broken gives upstream's message; the findings of the whole
//! run are the trace. The two sets differ in where they look at the usages, so a request with several faults gets the
//! message that upstream gives.

use crate::{Fault, NextActor, Rejection, Request, Rule, Usage};

/// A rule with its check.
pub type Check = (Rule, fn(&Request) -> Result<(), Fault>);

/// The rules for the certificates with which kubelets are clients, in upstream's order.
pub static CLIENT: [Check; 7] = [
    (requester("kubelet-client/organization", ORGANIZATION_TITLE, ORGANIZATION_REMEDY), organization),
    (requester("kubelet-client/no-dns-san", "there is no DNS subjectAltName", CLIENT_SAN_REMEDY), no_dns_san),
    (
        requester("kubelet-client/no-email-san", "there is no email subjectAltName", CLIENT_SAN_REMEDY),
        no_email_san,
    ),
    (requester("kubelet-client/no-ip-san", "there is no IP subjectAltName", CLIENT_SAN_REMEDY), no_ip_san),
    (requester("kubelet-client/no-uri-san", "there is no URI subjectAltName", CLIENT_SAN_REMEDY), no_uri_san),
    (requester("kubelet-client/common-name", COMMON_NAME_TITLE, COMMON_NAME_REMEDY), common_name),
    (
        requester(
            "kubelet-client/usages",
            "the usages are client auth, digital signature and, or not, key encipherment",
            "ask for client auth and digital signature, with an RSA key for key encipherment too",
        ),
        client_usages,
    ),
];

/// The rules for the certificates that kubelets serve with, in upstream's order.
pub static SERVING: [Check; 6] = [
    (requester("kubelet-serving/organization", ORGANIZATION_TITLE, ORGANIZATION_REMEDY), organization),
    (
        requester(
            "kubelet-serving/dns-or-ip-san",
            "there is a DNS or an IP subjectAltName",
            "name the addresses at which the kubelet serves",
        ),
        dns_or_ip_san,
    ),
    (
        requester("kubelet-serving/no-email-san", "there is no email subjectAltName", SERVING_SAN_REMEDY),
        no_email_san,
    ),
    (
        requester("kubelet-serving/no-uri-san", "there is no URI subjectAltName", SERVING_SAN_REMEDY),
        no_uri_san,
    ),
    (
        requester(
            "kubelet-serving/usages",
            "the usages are server auth, digital signature and, or not, key encipherment",
            "ask for server auth and digital signature, with an RSA key for key encipherment too",
        ),
        serving_usages,
    ),
    (requester("kubelet-serving/common-name", COMMON_NAME_TITLE, COMMON_NAME_REMEDY), common_name),
];

/// Every rule of this crate.
pub static RULES: [&Rule; CLIENT.len() + SERVING.len()] = {
    let mut rules = [&CLIENT[0].0; CLIENT.len() + SERVING.len()];
    let mut index = 1;
    while index < rules.len() {
        rules[index] = if index < CLIENT.len() { &CLIENT[index].0 } else { &SERVING[index - CLIENT.len()].0 };
        index += 1;
    }
    rules
};

/// Whether a request may be one of a kubelet for a client certificate.
///
/// # Errors
///
/// The first rule that is broken.
pub fn client(request: &Request) -> Result<(), Rejection> {
    first_fault(&CLIENT, request)
}

/// Whether a request may be one of a kubelet for a serving certificate.
///
/// # Errors
///
/// The first rule that is broken.
pub fn serving(request: &Request) -> Result<(), Rejection> {
    first_fault(&SERVING, request)
}

/// Every rule of a set with what it finds.
pub fn trace<'a>(
    checks: &'static [Check],
    request: &'a Request,
) -> impl Iterator<Item = (&'static Rule, Result<(), Fault>)> + 'a {
    checks.iter().map(move |(rule, check)| (rule, check(request)))
}

/// The first rule of a set that a request breaks.
///
/// # Errors
///
/// That rule, and how it is broken.
pub fn first_fault(checks: &'static [Check], request: &Request) -> Result<(), Rejection> {
    trace(checks, request).try_for_each(|(rule, finding)| finding.map_err(|fault| Rejection { rule, fault }))
}

fn organization(request: &Request) -> Result<(), Fault> {
    demand(request.subject().organizations().eq([NODES]), Fault::Organization)
}

fn common_name(request: &Request) -> Result<(), Fault> {
    demand(request.subject().common_name().starts_with(NODE_PREFIX), Fault::CommonName)
}

fn dns_or_ip_san(request: &Request) -> Result<(), Fault> {
    let sans = request.sans();
    demand(!sans.dns.is_empty() || !sans.ip.is_empty(), Fault::DnsOrIpSanRequired)
}

fn no_dns_san(request: &Request) -> Result<(), Fault> {
    demand(request.sans().dns.is_empty(), Fault::DnsSan)
}

fn no_email_san(request: &Request) -> Result<(), Fault> {
    demand(request.sans().email.is_empty(), Fault::EmailSan)
}

fn no_ip_san(request: &Request) -> Result<(), Fault> {
    demand(request.sans().ip.is_empty(), Fault::IpSan)
}

fn no_uri_san(request: &Request) -> Result<(), Fault> {
    demand(request.sans().uri.is_empty(), Fault::UriSan)
}

fn client_usages(request: &Request) -> Result<(), Fault> {
    let expected = "client auth digital signature key encipherment";
    demand(are_kubelet_usages(request, Usage::ClientAuth), Fault::Usages { expected })
}

fn serving_usages(request: &Request) -> Result<(), Fault> {
    let expected = "digital signature key encipherment server auth";
    demand(are_kubelet_usages(request, Usage::ServerAuth), Fault::Usages { expected })
}

/// Key encipherment is for RSA keys; kubelets with other keys leave it out, and either may be asked for with any key.
fn are_kubelet_usages(request: &Request, purpose: Usage) -> bool {
    let without = [Usage::DigitalSignature, purpose.clone()];
    let with = [Usage::DigitalSignature, Usage::KeyEncipherment, purpose];
    request.usages().are_exactly(&without) || request.usages().are_exactly(&with)
}

fn demand(holds: bool, fault: Fault) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(fault) }
}

const fn requester(id: &'static str, title: &'static str, remedy: &'static str) -> Rule {
    Rule { id, title, remedy, next_actor: NextActor::Requester }
}

const ORGANIZATION_TITLE: &str = "the subject has one organization, system:nodes";
const ORGANIZATION_REMEDY: &str = "send a request whose subject has O = system:nodes and no other O";
const COMMON_NAME_TITLE: &str = "the subject's common name begins with system:node:";
const COMMON_NAME_REMEDY: &str = "send a request whose subject has CN = system:node:<node name>";
const CLIENT_SAN_REMEDY: &str = "send a request without subjectAltNames";
const SERVING_SAN_REMEDY: &str = "send a request with DNS and IP subjectAltNames only";
const NODES: &str = "system:nodes";
const NODE_PREFIX: &str = "system:node:";
