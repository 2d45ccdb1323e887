use std::fmt;

/// One value of `spec.usages`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[allow(missing_docs, reason = "each variant is the API's own word, spelled in `Usage::NAMES`")]
pub enum Usage {
    Signing,
    DigitalSignature,
    ContentCommitment,
    KeyEncipherment,
    KeyAgreement,
    DataEncipherment,
    CertSign,
    CrlSign,
    EncipherOnly,
    DecipherOnly,
    Any,
    ServerAuth,
    ClientAuth,
    CodeSigning,
    EmailProtection,
    SMime,
    IpsecEndSystem,
    IpsecTunnel,
    IpsecUser,
    Timestamping,
    OcspSigning,
    MicrosoftSgc,
    NetscapeSgc,
    /// A string that the API does not know; only stored objects older than the API's own check can have it.
    Unknown(Box<str>),
}

impl Usage {
    /// Every known usage with its spelling in the API (`k8s.io/api/certificates/v1`, `KeyUsage`).
    pub const NAMES: [(Self, &'static str); 23] = [
        (Self::Signing, "signing"),
        (Self::DigitalSignature, "digital signature"),
        (Self::ContentCommitment, "content commitment"),
        (Self::KeyEncipherment, "key encipherment"),
        (Self::KeyAgreement, "key agreement"),
        (Self::DataEncipherment, "data encipherment"),
        (Self::CertSign, "cert sign"),
        (Self::CrlSign, "crl sign"),
        (Self::EncipherOnly, "encipher only"),
        (Self::DecipherOnly, "decipher only"),
        (Self::Any, "any"),
        (Self::ServerAuth, "server auth"),
        (Self::ClientAuth, "client auth"),
        (Self::CodeSigning, "code signing"),
        (Self::EmailProtection, "email protection"),
        (Self::SMime, "s/mime"),
        (Self::IpsecEndSystem, "ipsec end system"),
        (Self::IpsecTunnel, "ipsec tunnel"),
        (Self::IpsecUser, "ipsec user"),
        (Self::Timestamping, "timestamping"),
        (Self::OcspSigning, "ocsp signing"),
        (Self::MicrosoftSgc, "microsoft sgc"),
        (Self::NetscapeSgc, "netscape sgc"),
    ];

    /// The usage as spelled in the API.
    pub fn as_str(&self) -> &str {
        if let Self::Unknown(name) = self {
            return name;
        }
        Self::NAMES.iter().find(|(usage, _)| usage == self).map_or("", |(_, name)| name)
    }
}

impl From<&str> for Usage {
    fn from(name: &str) -> Self {
        Self::NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map_or_else(|| Self::Unknown(name.into()), |(usage, _)| usage.clone())
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `spec.usages`, in the order received.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Usages(Vec<Usage>);

impl Usages {
    /// The usages in the order received, repetitions included.
    pub fn iter(&self) -> impl Iterator<Item = &Usage> {
        self.0.iter()
    }

    /// Whether this usage is asked for.
    pub fn contains(&self, usage: &Usage) -> bool {
        self.0.contains(usage)
    }

    /// Whether these and no others are asked for, whatever their order and repetition.
    pub fn are_exactly(&self, expected: &[Usage]) -> bool {
        self.0.iter().all(|usage| expected.contains(usage))
            && expected.iter().all(|usage| self.contains(usage))
    }
}

impl<'a> FromIterator<&'a str> for Usages {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        Self(names.into_iter().map(Usage::from).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_read_back_as_itself() {
        for (usage, name) in Usage::NAMES {
            assert_eq!(Usage::from(name), usage);
            assert_eq!(usage.as_str(), name);
        }
        assert_eq!(Usage::from("juggling").as_str(), "juggling");
    }

    #[test]
    fn usages_are_compared_as_a_set() {
        let expected = [Usage::DigitalSignature, Usage::ClientAuth];
        for (names, exactly) in [
            (&["digital signature", "client auth"][..], true),
            (&["client auth", "digital signature", "client auth"], true),
            (&["client auth"], false),
            (&["client auth", "digital signature", "server auth"], false),
            (&["client auth", "signing"], false),
            (&[], false),
        ] {
            let usages: Usages = names.iter().copied().collect();
            assert_eq!(usages.are_exactly(&expected), exactly, "{names:?}");
        }
    }
}
