//! What the settings mean to kubelet-csr-approver, read as it reads them: where it would not start, there is nothing to carry over.

use approver::San;
use ipnet::IpNet;

use super::super::remark::Remark;
use super::names::{self, Names};
use super::settings::{Given, Settings};
use super::{ApproverError, Options};
use crate::range;

/// A setting with the words by which it was given, or those of its flag where its default holds.
#[derive(Clone, Debug)]
pub(super) struct Setting<T> {
    pub(super) name: String,
    pub(super) value: T,
}

/// What it approves, and what it denies.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) expression: Setting<String>,
    pub(super) names: Names,
    pub(super) prefixes: Setting<Vec<IpNet>>,
    /// In seconds.
    pub(super) max_expiration: Setting<i32>,
    pub(super) dns_names: Setting<u16>,
    pub(super) bypasses_dns: Setting<bool>,
    pub(super) bypasses_hostname: Setting<bool>,
    pub(super) ignores_others: Setting<bool>,
    pub(super) skips_denial: Setting<bool>,
    /// Settings of its process, with what each has for a counterpart.
    pub(super) process: Vec<Setting<&'static str>>,
    /// Domains in which nodes have names: those given, or those that the names show.
    pub(super) domains: Vec<String>,
    /// What is to be said of what is no setting.
    pub(super) remarks: Vec<Remark>,
}

impl Policy {
    pub(super) fn read(settings: Settings, options: &Options) -> Result<Self, ApproverError> {
        let expression = text(&settings, "provider-regex", ".*");
        let expected = "a regular expression that some host's name matches";
        let names = match names::translate(&expression.value) {
            Ok(names) if names != Names::Nothing && !expression.value.is_empty() => names,
            Ok(_) | Err(_) => return Err(unexpected(&expression, expected)),
        };
        let shown = if let Names::Patterns(found) = &names { found.domains() } else { Vec::new() };
        let given = options.dns_domains.iter().map(|domain| domain_of(domain));
        let given = given.collect::<Result<Vec<_>, _>>()?;
        let most = 367 * 24 * 3600;
        let expiration =
            number(&settings, ("max-expiration-sec", most), (0..=most, "seconds from 0 to 31708800"))?;
        let dns_names = number(&settings, ("allowed-dns-names", 1), (1..=1000, "a number from 1 to 1000"))?;
        let process = PROCESS.into_iter().filter_map(|(flag, counterpart)| {
            let given = settings.find(flag)?;
            Some(Setting { name: given.setting.clone(), value: counterpart })
        });
        Ok(Self {
            expression,
            names,
            prefixes: prefixes(text(&settings, "provider-ip-prefixes", "0.0.0.0/0,::/0"))?,
            max_expiration: expiration,
            dns_names: Setting {
                name: dns_names.name,
                value: u16::try_from(dns_names.value).unwrap_or(1000),
            },
            bypasses_dns: switch(&settings, "bypass-dns-resolution")?,
            bypasses_hostname: switch(&settings, "bypass-hostname-check")?,
            ignores_others: switch(&settings, "ignore-non-system-node")?,
            skips_denial: switch(&settings, "skip-deny-step")?,
            process: process.collect(),
            domains: if given.is_empty() { shown } else { given },
            remarks: settings.remarks,
        })
    }
}

fn text(settings: &Settings, flag: &str, default: &str) -> Setting<String> {
    match settings.find(flag) {
        Some(Given { setting, value, .. }) => Setting { name: setting.clone(), value: value.clone() },
        None => Setting { name: format!("--{flag}"), value: default.to_owned() },
    }
}

/// As Go's `strconv.ParseBool`.
fn switch(settings: &Settings, flag: &str) -> Result<Setting<bool>, ApproverError> {
    let given = text(settings, flag, "false");
    let value = match &*given.value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => true,
        "0" | "f" | "F" | "false" | "FALSE" | "False" => false,
        _ => return Err(unexpected(&given, "true or false")),
    };
    Ok(Setting { name: given.name, value })
}

fn number(
    settings: &Settings,
    (flag, default): (&str, i32),
    (allowed, expected): (std::ops::RangeInclusive<i32>, &'static str),
) -> Result<Setting<i32>, ApproverError> {
    let given = text(settings, flag, &default.to_string());
    let value = given.value.parse().ok().filter(|value| allowed.contains(value));
    let value = value.ok_or_else(|| unexpected(&given, expected))?;
    Ok(Setting { name: given.name, value })
}

/// Bits behind a prefix mean nothing to it; here they would be a mistake.
fn prefixes(given: Setting<String>) -> Result<Setting<Vec<IpNet>>, ApproverError> {
    let ranges = given.value.split(',').map(|text| text.parse().map(|range| range::canonical(range).trunc()));
    let ranges: Result<Vec<_>, _> = ranges.collect();
    let value =
        ranges.map_err(|_| unexpected(&given, "ranges such as 10.0.0.0/8, separated by commas alone"))?;
    Ok(Setting { name: given.name, value })
}

fn domain_of(text: &str) -> Result<String, ApproverError> {
    let domain = San::dns(text).map(|domain| domain.to_string());
    domain.ok_or_else(|| ApproverError::Domain(text.to_owned()))
}

fn unexpected(given: &Setting<String>, expected: &'static str) -> ApproverError {
    ApproverError::Unexpected { setting: given.name.clone(), expected, found: given.value.clone() }
}

/// Settings of its process, and what there is for them here.
const PROCESS: [(&str, &str); 5] = [
    (
        "leader-election",
        "the flag --leader-elect, which is true unless you say otherwise; the Lease is kube-system/countersign",
    ),
    ("level", "the flags --v and --log-level"),
    (
        "metrics-bind-address",
        "the flags --bind-address and --secure-port: metrics are served over TLS, to those who may get /metrics",
    ),
    (
        "health-probe-bind-address",
        "/livez and /readyz on the port of --secure-port, over TLS: a probe needs scheme HTTPS",
    ),
    ("kubeconfig", "the flag --kubeconfig"),
];
