use crate::{ProfileFault, Rule, Usage};

/// The request is wrong: a finding that no retry changes, for the requester to read.
///
/// Upstream's signer writes its text into a condition of type Failed; upstream's approver keeps it to itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rejection {
    /// The rule that the request breaks.
    pub rule: &'static Rule,

    /// How it breaks it.
    pub fault: Fault,
}

/// What is wrong with a request; the texts are upstream's, for users match on them
/// (`pkg/apis/certificates/helpers.go`, `pkg/controller/certificates/signer/signer.go`).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The subject's O is not exactly `system:nodes`.
    #[error("subject organization is not system:nodes")]
    Organization,

    /// The subject's CN is no node's.
    #[error("subject common name does not begin with system:node:")]
    CommonName,

    /// A serving certificate without a name to serve.
    #[error("DNS or IP subjectAltName is required")]
    DnsOrIpSanRequired,

    /// A dNSName where none may be.
    #[error("DNS subjectAltNames are not allowed")]
    DnsSan,

    /// An rfc822Name where none may be.
    #[error("Email subjectAltNames are not allowed")]
    EmailSan,

    /// An iPAddress where none may be.
    #[error("IP subjectAltNames are not allowed")]
    IpSan,

    /// A uniformResourceIdentifier where none may be.
    #[error("URI subjectAltNames are not allowed")]
    UriSan,

    /// The usages, as a set, are not those of the signer.
    #[error("usages did not match [{expected}]")]
    Usages {
        /// What they should be, sorted and separated by blanks.
        expected: &'static str,
    },

    /// A usage that no client certificate may have.
    #[error("invalid usage for client certificate: {0}")]
    ClientUsage(Usage),

    /// A client certificate that is none.
    #[error("missing required usage for client certificate: client auth")]
    ClientAuthMissing,

    /// A key or signature that upstream verifies and we cannot.
    #[error("this signer cannot verify {0}")]
    AlgorithmUnsupported(&'static str),

    /// What the signer's profile does not permit; upstream has no such thing.
    #[error(transparent)]
    Profile(#[from] ProfileFault),
    /// A user or a group that the configuration lets nobody become.
    #[error(
        "rule kube-apiserver-client/reserved-subject: no certificate is issued for the reserved {kind} {name:?}"
    )]
    ReservedSubject {
        /// `user` or `group`.
        kind: &'static str,
        /// Its name, of the requester's choosing.
        name: String,
    },
}

impl Rejection {
    /// The condition's reason: upstream has one for all.
    pub fn reason(&self) -> &'static str {
        "SignerValidationFailure"
    }

    /// The fault in a word, for metrics.
    pub fn label(&self) -> &'static str {
        match &self.fault {
            Fault::Organization => "organization",
            Fault::CommonName => "common_name",
            Fault::DnsOrIpSanRequired => "dns_or_ip_san_required",
            Fault::DnsSan => "dns_san",
            Fault::EmailSan => "email_san",
            Fault::IpSan => "ip_san",
            Fault::UriSan => "uri_san",
            Fault::Usages { .. } => "usages",
            Fault::ClientUsage(_) => "client_usage",
            Fault::ClientAuthMissing => "client_auth_missing",
            Fault::AlgorithmUnsupported(_) => "algorithm_unsupported",
            Fault::Profile(fault) => fault.label(),
            Fault::ReservedSubject { .. } => "reserved_subject",
        }
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.fault.fmt(f)
    }
}

impl std::error::Error for Rejection {}
