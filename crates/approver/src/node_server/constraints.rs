//! What a serving certificate may say, whoever confirms it. Nothing is asked for.

use csr::{AttributeType, Curve, PublicKey, Rule};

use super::{Case, Stop};
use crate::decide::Trace;
use crate::san::is_subdomain;
use crate::{San, rules};

type Check = fn(&Case<'_>) -> Result<(), String>;

/// Each rule with its check, in the order in which they are asked: first what the request must be for the others to make sense.
const CHECKS: [(&Rule, Check); 10] = [
    (&rules::NODE_SERVER_NODE_NAME, node_name),
    (&rules::NODE_SERVER_SAN_COUNT, san_count),
    (&rules::NODE_SERVER_UNAMBIGUOUS, unambiguous),
    (&rules::NODE_SERVER_SUBJECT, subject),
    (&rules::NODE_SERVER_OTHER_SAN, other_san),
    (&rules::NODE_SERVER_SAN_FORM, san_form),
    (&rules::NODE_SERVER_KEY, key),
    (&rules::NODE_SERVER_LIFETIME, lifetime),
    (&rules::NODE_SERVER_NAME_PATTERN, name_pattern),
    (&rules::NODE_SERVER_ADDRESS_RANGE, address_range),
];

/// The rules, in order.
pub(super) fn rules() -> impl Iterator<Item = &'static Rule> {
    CHECKS.into_iter().map(|(rule, _)| rule)
}

/// Demands that every rule holds. Only another request, or another configuration, can change what is found.
pub(super) fn check(case: &Case<'_>, trace: &mut Trace) -> Result<(), Stop> {
    for (rule, check) in CHECKS {
        if let Err(note) = check(case) {
            return Err(trace.refuse(case, rule, (Vec::new(), note)));
        }
        trace.check(rule, true);
    }
    Ok(())
}

fn node_name(case: &Case<'_>) -> Result<(), String> {
    demand(is_subdomain(case.node), || format!("{:?} is no name of a Node", case.node))
}

fn unambiguous(case: &Case<'_>) -> Result<(), String> {
    case.request.ambiguity().map_or(Ok(()), |ambiguity| Err(ambiguity.to_string()))
}

fn subject(case: &Case<'_>) -> Result<(), String> {
    let expected = [AttributeType::CommonName, AttributeType::Organization];
    let others = AttributeType::ALL.into_iter().filter(|kind| !expected.contains(kind));
    let found = others.map(|kind| case.request.subject().values(kind).count()).sum::<usize>();
    demand(found == 0, || format!("{found} attributes beside O and CN"))
}

fn other_san(case: &Case<'_>) -> Result<(), String> {
    let others = case.request.sans().others;
    demand(others == 0, || format!("{others} of another type"))
}

fn san_form(case: &Case<'_>) -> Result<(), String> {
    San::of(case.request.sans()).map(drop).map_err(|name| format!("{name:?} is no plain host name"))
}

fn key(case: &Case<'_>) -> Result<(), String> {
    match case.request.public_key() {
        PublicKey::Rsa { modulus, exponent } => {
            let bits = modulus.len() * 8 - modulus.first().map_or(0, |first| first.leading_zeros() as usize);
            demand(bits >= 2048, || format!("RSA of {bits} bits"))?;
            demand(*exponent >= 3 && exponent % 2 == 1, || format!("RSA with the exponent {exponent}"))
        }
        PublicKey::Ecdsa { curve: Curve::P224, .. } => Err("ECDSA on P-224".to_owned()),
        PublicKey::Ecdsa { .. } | PublicKey::Ed25519(_) => Ok(()),
        PublicKey::Unsupported => Err("a key of another algorithm".to_owned()),
    }
}

fn san_count(case: &Case<'_>) -> Result<(), String> {
    let (sans, max) = (case.request.sans(), case.policy.constraints.max_names);
    let count = sans.dns.len() + sans.ip.len();
    demand(count <= max, || format!("{count} names, {max} are allowed"))
}

fn lifetime(case: &Case<'_>) -> Result<(), String> {
    let max = case.policy.constraints.max_lifetime;
    let asked = case.request.expiration_seconds();
    match (asked, max) {
        (Some(asked), Some(max)) if asked > max => {
            Err(format!("{asked} s are asked for, {max} s are allowed"))
        }
        _ => Ok(()),
    }
}

fn name_pattern(case: &Case<'_>) -> Result<(), String> {
    let patterns = &case.policy.constraints.names;
    each(case, |san| match san {
        San::Dns(name) => {
            patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(name, case.node))
        }
        San::Ip(_) => true,
    })
}

fn address_range(case: &Case<'_>) -> Result<(), String> {
    let constraints = &case.policy.constraints;
    each(case, |san| match san {
        San::Dns(_) => true,
        San::Ip(address) => {
            let lies_in = |ranges: &[ipnet::IpNet]| ranges.iter().any(|range| range.contains(address));
            let is_allowed = constraints.allowed_ranges.is_empty() || lies_in(&constraints.allowed_ranges);
            is_allowed && !lies_in(&constraints.denied_ranges)
        }
    })
}

/// Demands something of every name.
fn each(case: &Case<'_>, holds: impl Fn(&San) -> bool) -> Result<(), String> {
    case.sans.iter().find(|san| !holds(san)).map_or(Ok(()), |san| Err(san.to_string()))
}

fn demand(holds: bool, note: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(note()) }
}
