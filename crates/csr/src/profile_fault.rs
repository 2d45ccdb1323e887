use crate::Usage;

/// How a request goes beyond the profile of its signer, which the operator of the signer has configured.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ProfileFault {
    /// A usage that is not permitted.
    #[error("this signer does not permit the usage {}", quoted(.0.as_str()))]
    Usage(Usage),

    /// An attribute of the subject that may not appear.
    #[error("this signer does not permit {0} in the subject")]
    Attribute(&'static str),

    /// An attribute of the subject that must appear.
    #[error("this signer requires {0} in the subject")]
    AttributeMissing(&'static str),

    /// A value that an attribute of the subject may not have.
    #[error("this signer does not permit the {attribute} {}", quoted(value))]
    AttributeValue {
        /// The attribute, as the configuration calls it.
        attribute: &'static str,
        /// The value asked for.
        value: String,
    },

    /// A name or an address that is not permitted.
    #[error("this signer does not permit the {kind} subjectAltName {}", quoted(name))]
    Name {
        /// DNS, IP, email or URI.
        kind: &'static str,
        /// The name asked for.
        name: String,
    },

    /// A name of a type that nobody here can judge.
    #[error("this signer permits no subjectAltNames of other types than DNS, IP, email and URI")]
    OtherName,

    /// Too few names, or too many.
    #[error("this signer issues certificates with {least} to {most} subjectAltNames, not with {found}")]
    NameCount {
        /// How many there are.
        found: usize,
        /// How many there must be.
        least: usize,
        /// How many there may be.
        most: usize,
    },

    /// A key of another algorithm, or a shorter one.
    #[error("this signer does not permit {0} keys")]
    Key(String),

    /// A name that the cluster itself gives to users and groups.
    #[error("this signer, which shares a CA with the cluster, issues no client certificates for {}", quoted(.0))]
    ClusterSubject(String),
}

impl ProfileFault {
    /// The fault in a word, for metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Usage(_) => "profile_usage",
            Self::Attribute(_) => "profile_attribute",
            Self::AttributeMissing(_) => "profile_attribute_missing",
            Self::AttributeValue { .. } => "profile_attribute_value",
            Self::Name { .. } | Self::OtherName => "profile_name",
            Self::NameCount { .. } => "profile_name_count",
            Self::Key(_) => "profile_key",
            Self::ClusterSubject(_) => "profile_cluster_subject",
        }
    }
}

/// A text of the request, escaped and shortened: it goes into a condition and into logs.
fn quoted(text: &str) -> String {
    if text.chars().count() <= LONGEST_QUOTED {
        return format!("{text:?}");
    }
    let start: String = text.chars().take(LONGEST_QUOTED).collect();
    format!("{start:?}…")
}

const LONGEST_QUOTED: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_the_request_is_escaped_and_shortened() {
        let fault = ProfileFault::ClusterSubject(format!("a\n{}", "b".repeat(1000)));
        let said = fault.to_string();
        assert!(said.contains("\"a\\nbbb") && said.ends_with("b\"…") && said.len() < 200, "{said}");
    }
}
