//! The form of the section `signers`.

use std::collections::BTreeMap;

use csr::profile::{Pattern, UriPrefix};
use csr::{AttributeType, Usage};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use time::Duration;

use super::{IpRange, ranges};
use crate::duration;
use crate::signers::content::{ECDSA_BITS, MOST_NAMES, OTHERWISE, RSA_BITS, TREATMENTS};
use crate::signers::terms::CHAINS;

/// What one signer issues, and with which CA.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Signer {
    /// The signerName: any `<domain>/<path>` of your own, or one of the four built-in ones, which can be narrowed.
    pub name: String,

    /// The CA. Required but for built-in names, which without it take the one of the flags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_authority: Option<CertificateAuthority>,

    /// Whether the CA may be one that the cluster itself trusts. Even then no certificate for a client names a user or group
    /// of the cluster's own (system:, kubeadm:). Only for names that are not built in.
    #[serde(default, rename = "allowClusterCA", skip_serializing_if = "std::ops::Not::not")]
    pub allow_cluster_ca: bool,

    /// Usages that may be asked for. Required but for built-in names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "usages_schema")]
    pub usages: Option<Vec<String>>,

    /// What a subject may say.
    #[serde(default)]
    pub subject: Subject,

    /// Which subject alternative names there may be. Without this section: none, and with built-in names any.
    #[serde(default)]
    pub names: Names,

    /// How long certificates last.
    #[serde(default)]
    pub lifetime: Lifetime,

    /// How long before its issuance a certificate begins to be valid: a duration such as 5m.
    #[serde(default = "default_backdate")]
    pub backdate: String,

    /// By how much certificates last less, at most; never more than a tenth of their lifetime.
    #[serde(default = "default_jitter")]
    pub jitter: String,

    /// Which keys are certified. Algorithms that are not named are not.
    #[serde(default)]
    pub keys: Option<Keys>,

    /// What stands in status.certificate: the certificate alone, or with the intermediate CAs in the CA's file behind it.
    #[serde(default = "default_chain")]
    #[schemars(extend("enum" = ["leaf", "intermediates"]))]
    pub chain: String,

    /// URLs at which certificates say that more is to be found.
    #[serde(default)]
    pub authority_information_access: AuthorityInformationAccess,

    /// URLs of certificate revocation lists.
    #[serde(default)]
    pub crl_distribution_points: Vec<String>,
}

/// The files of a CA, which are read again when they change.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CertificateAuthority {
    /// Path of the CA certificate, PEM; intermediate CAs may stand beside it.
    pub certificate: String,

    /// Path of its private key, PEM.
    pub key: String,
}

/// What a subject may say.
#[derive(Clone, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Subject {
    /// What becomes of each attribute: pass, drop, require or refuse. Those that are not named are refused, and with built-in
    /// names pass. Without this field a common name passes.
    #[serde(default)]
    #[schemars(schema_with = "attributes_schema")]
    pub attributes: BTreeMap<&'static str, &'static str>,

    /// Patterns of which the common name is one: * stands for any text without a dot, ** for any text. None: any.
    #[serde(default)]
    pub common_names: Vec<String>,

    /// Patterns of which each organization is one. None: any.
    #[serde(default)]
    pub organizations: Vec<String>,
}

/// Which subject alternative names there may be.
#[derive(Clone, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Names {
    /// Patterns of DNS names: * stands for any text without a dot, ** for any text.
    #[serde(default)]
    pub dns: Vec<String>,

    /// Ranges of addresses.
    #[serde(default)]
    pub ip: Vec<IpRange>,

    /// Patterns of email addresses.
    #[serde(default)]
    pub email: Vec<String>,

    /// Beginnings of URIs, each with the authority and a slash at the end.
    #[serde(default)]
    pub uri: Vec<String>,

    /// What becomes of a name that none of these permits: refuse, drop or pass.
    #[serde(default)]
    #[schemars(extend("enum" = ["refuse", "drop", "pass"]))]
    pub otherwise: Option<String>,

    /// Names in a certificate, at least.
    #[serde(default)]
    #[schemars(range(max = MOST_NAMES))]
    pub min: usize,

    /// Names in a certificate, at most, repeated ones included.
    #[serde(default)]
    #[schemars(range(max = MOST_NAMES))]
    pub max: Option<usize>,
}

/// How long certificates last: durations such as 24h or 1h30m.
#[derive(Clone, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Lifetime {
    /// The shortest: whoever asks for less gets this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<String>,

    /// That of a certificate for which no lifetime is asked for. None: max.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,

    /// The longest: whoever asks for more gets this. None: default, and without that --cluster-signing-duration, which with
    /// built-in names is never exceeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
}

/// Which keys are certified.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Keys {
    /// Least bits of RSA keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = RSA_BITS.0, max = RSA_BITS.1))]
    pub rsa: Option<u16>,

    /// Least bits of keys on elliptic curves: 256, 384 or 521.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = ECDSA_BITS.0, max = ECDSA_BITS.1))]
    pub ecdsa: Option<u16>,

    /// Whether Ed25519 keys are.
    #[serde(default)]
    pub ed25519: bool,
}

/// URLs at which certificates say that more is to be found.
#[derive(Clone, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AuthorityInformationAccess {
    /// OCSP responders.
    #[serde(default)]
    pub ocsp: Vec<String>,

    /// The CA's own certificate.
    #[serde(default)]
    pub ca_issuers: Vec<String>,
}

impl From<&crate::Signer> for Signer {
    fn from(signer: &crate::Signer) -> Self {
        let authority = signer.authority.as_ref().map(|files| CertificateAuthority {
            certificate: files.certificate.display().to_string(),
            key: files.key.display().to_string(),
        });
        let usages = signer.limits.usages.as_ref();
        let (lifetime, pointers) = (signer.lifetime, &signer.pointers);
        Self {
            name: signer.name.to_string(),
            certificate_authority: authority,
            allow_cluster_ca: signer.allow_cluster_ca,
            usages: usages.map(|usages| usages.iter().map(Usage::to_string).collect()),
            subject: (&signer.limits.subject).into(),
            names: (&signer.limits.names).into(),
            lifetime: Lifetime {
                min: lifetime.min.map(text),
                default: lifetime.default.map(text),
                max: lifetime.max.map(text),
            },
            backdate: text(signer.backdate),
            jitter: text(signer.jitter),
            keys: keys(signer.limits.keys),
            chain: word(&CHAINS, signer.chain).to_owned(),
            authority_information_access: AuthorityInformationAccess {
                ocsp: pointers.ocsp.clone(),
                ca_issuers: pointers.ca_issuers.clone(),
            },
            crl_distribution_points: pointers.crl.clone(),
        }
    }
}

impl From<&csr::profile::SubjectLimits> for Subject {
    fn from(limits: &csr::profile::SubjectLimits) -> Self {
        let each = AttributeType::ALL.into_iter().filter(|kind| limits.attributes.contains_key(kind));
        let treatment = |kind| word(&TREATMENTS, limits.treatment(kind));
        Self {
            attributes: each.map(|kind| (kind.name(), treatment(kind))).collect(),
            common_names: patterns(&limits.common_names),
            organizations: patterns(&limits.organizations),
        }
    }
}

impl From<&csr::profile::NameLimits> for Names {
    fn from(limits: &csr::profile::NameLimits) -> Self {
        let is_bounded = limits.most <= usize::from(MOST_NAMES);
        Self {
            dns: patterns(&limits.dns),
            ip: ranges(&limits.ip),
            email: patterns(&limits.email),
            uri: limits.uri.iter().map(UriPrefix::as_str).map(str::to_owned).collect(),
            otherwise: Some(word(&OTHERWISE, limits.otherwise).to_owned()),
            min: limits.least,
            max: is_bounded.then_some(limits.most),
        }
    }
}

/// Nothing where every key is certified that can be verified.
fn keys(limits: csr::profile::KeyLimits) -> Option<Keys> {
    let csr::profile::KeyLimits { rsa, ecdsa, ed25519 } = limits;
    (limits != csr::profile::Limits::none().keys).then_some(Keys { rsa, ecdsa, ed25519 })
}

fn word<T: Copy + PartialEq>(words: &[(&'static str, T)], wanted: T) -> &'static str {
    words.iter().find(|(_, value)| *value == wanted).map_or("", |(word, _)| word)
}

fn text(duration: Duration) -> String {
    duration::of_seconds(duration.whole_seconds())
}

fn patterns(patterns: &[Pattern]) -> Vec<String> {
    patterns.iter().map(Pattern::to_string).collect()
}

fn usages_schema(_: &mut SchemaGenerator) -> Schema {
    let words = Usage::NAMES.map(|(_, word)| word);
    json_schema!({ "type": ["array", "null"], "minItems": 1, "items": { "type": "string", "enum": words } })
}

fn attributes_schema(_: &mut SchemaGenerator) -> Schema {
    let (names, words) = (AttributeType::ALL.map(AttributeType::name), TREATMENTS.map(|(word, _)| word));
    json_schema!({
        "type": "object",
        "propertyNames": { "enum": names },
        "additionalProperties": { "type": "string", "enum": words },
    })
}

fn default_backdate() -> String {
    text(csr::profile::Terms::upstream(Duration::ZERO).backdate)
}

fn default_jitter() -> String {
    text(Duration::ZERO)
}

fn default_chain() -> String {
    CHAINS[0].0.to_owned()
}
