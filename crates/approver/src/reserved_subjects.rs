use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use csr::{AttributeType, Fault, Rejection, Request, Rule, SignerName};

use crate::pattern::is_match;
use crate::rules;

/// Users and groups that nobody becomes by a client certificate, whoever approves it: for the API server the common name is the
/// user and each organization a group (`staging/src/k8s.io/apiserver/pkg/authentication/request/x509`).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ReservedSubjects {
    /// Those of users.
    pub users: ReservedNames,

    /// Those of groups.
    pub groups: ReservedNames,
}

/// Names that are reserved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReservedNames {
    /// Their forms.
    pub patterns: Vec<SubjectPattern>,

    /// Those that are not, whatever their form.
    pub except: BTreeSet<String>,
}

/// The form of a user's or a group's name: `*` stands for anything. A pattern is the whole name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SubjectPattern(String);

/// An empty text is no pattern.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a pattern of names is not empty")]
pub struct EmptyPattern;

impl ReservedSubjects {
    /// The rule that this is.
    pub const RULE: &'static Rule = &rules::RESERVED_SUBJECT;

    /// Whether certificates of a signer are looked at. Those of legacy-unknown are too: they have the same CA as often as not.
    pub fn concern(signer_name: &SignerName) -> bool {
        [SignerName::KUBE_APISERVER_CLIENT, SignerName::LEGACY_UNKNOWN].contains(&signer_name.as_str())
    }

    /// Whether a request may be signed for its subject.
    ///
    /// # Errors
    ///
    /// The first reserved name. A common name that is not the last is looked at as well: who reads the first is deceived else.
    pub fn check(&self, request: &Request) -> Result<(), Rejection> {
        if !Self::concern(request.signer_name()) {
            return Ok(());
        }
        let kinds = [
            (AttributeType::CommonName, "user", &self.users),
            (AttributeType::Organization, "group", &self.groups),
        ];
        for (attribute, kind, reserved) in kinds {
            if let Some(name) = request.subject().values(attribute).find(|name| reserved.contains(name)) {
                let fault = Fault::ReservedSubject { kind, name: name.to_owned() };
                return Err(Rejection { rule: Self::RULE, fault });
            }
        }
        Ok(())
    }
}

impl ReservedNames {
    /// Whether a name is reserved.
    pub fn contains(&self, name: &str) -> bool {
        self.patterns.iter().any(|SubjectPattern(pattern)| is_match(name, pattern))
            && !self.except.contains(name)
    }
}

impl Default for ReservedNames {
    /// What Kubernetes and kubeadm keep for themselves.
    fn default() -> Self {
        let patterns = ["system:*", "kubeadm:*"].map(|pattern| SubjectPattern(pattern.to_owned()));
        Self { patterns: patterns.into(), except: BTreeSet::new() }
    }
}

impl FromStr for SubjectPattern {
    type Err = EmptyPattern;

    fn from_str(text: &str) -> Result<Self, EmptyPattern> {
        if text.is_empty() { Err(EmptyPattern) } else { Ok(Self(text.to_owned())) }
    }
}

impl fmt::Display for SubjectPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
