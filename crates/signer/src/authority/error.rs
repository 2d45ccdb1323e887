use std::fmt;

use csr::DerError;

/// Why a CA cannot be loaded. The message does not name the file's path, which only the caller knows; it never holds
/// any part of a key.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AuthorityError {
    /// Nothing in it.
    #[error("CA {0} file is empty")]
    Empty(File),

    /// No PEM in it.
    #[error("CA {0} file holds no PEM data")]
    NoPem(File),

    /// The files may be exchanged.
    #[error("CA certificate file holds a private key and no certificate")]
    KeyInsteadOfCertificate,

    /// PEM, but no certificate; upstream takes none with headers.
    #[error("CA certificate file holds no block of type CERTIFICATE without headers")]
    NoCertificate,

    /// A certificate that is none.
    #[error("CA certificate cannot be read")]
    Certificate(#[from] DerError),

    /// The files may be exchanged.
    #[error("CA key file holds a certificate and no private key")]
    CertificateInsteadOfKey,

    /// PEM, but no key.
    #[error("CA key file holds no block of type PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY")]
    NoKey,

    /// There is nobody to ask for a password.
    #[error("CA key is encrypted; it must be stored unencrypted")]
    Encrypted,

    /// A key that is none, or of a kind that nobody signs with.
    #[error("CA key cannot be read, or is of a kind that cannot sign")]
    KeyUnreadable,

    /// For instance PKCS #8 called RSA PRIVATE KEY.
    #[error(
        "CA key is not what its PEM label says (PRIVATE KEY for PKCS #8, RSA PRIVATE KEY for PKCS #1, EC PRIVATE KEY for SEC 1)"
    )]
    KeyLabel,

    /// Upstream signs with it, or tries to.
    #[error("CA key is not supported: {0}")]
    Unsupported(&'static str),

    /// The key belongs to no certificate.
    #[error("CA key does not belong to the CA certificate ({certificates} in the file)")]
    Mismatch {
        /// How many certificates there are.
        certificates: usize,
    },

    /// The key belongs to several certificates, and they may have different names.
    #[error("CA key belongs to {matching} of the certificates in the file; leave the one that is to sign")]
    Ambiguous {
        /// How many.
        matching: usize,
    },
}

impl AuthorityError {
    /// The error in a word, for conditions and Events.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Empty(_) => "Empty",
            Self::NoPem(_) => "NoPem",
            Self::KeyInsteadOfCertificate => "KeyInsteadOfCertificate",
            Self::NoCertificate => "NoCertificate",
            Self::Certificate(_) => "Certificate",
            Self::CertificateInsteadOfKey => "CertificateInsteadOfKey",
            Self::NoKey => "NoKey",
            Self::Encrypted => "Encrypted",
            Self::KeyUnreadable => "KeyUnreadable",
            Self::KeyLabel => "KeyLabel",
            Self::Unsupported(_) => "Unsupported",
            Self::Mismatch { .. } => "Mismatch",
            Self::Ambiguous { .. } => "Ambiguous",
        }
    }

    /// The error in a word, for metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Empty(_) => "empty",
            Self::NoPem(_) => "no_pem",
            Self::KeyInsteadOfCertificate => "key_instead_of_certificate",
            Self::NoCertificate => "no_certificate",
            Self::Certificate(_) => "certificate",
            Self::CertificateInsteadOfKey => "certificate_instead_of_key",
            Self::NoKey => "no_key",
            Self::Encrypted => "encrypted",
            Self::KeyUnreadable => "key_unreadable",
            Self::KeyLabel => "key_label",
            Self::Unsupported(_) => "unsupported",
            Self::Mismatch { .. } => "mismatch",
            Self::Ambiguous { .. } => "ambiguous",
        }
    }

    /// The file at fault; a mismatch is blamed on the key's.
    pub fn file(&self) -> File {
        match self {
            Self::Empty(file) | Self::NoPem(file) => *file,
            Self::KeyInsteadOfCertificate
            | Self::NoCertificate
            | Self::Certificate(_)
            | Self::Ambiguous { .. } => File::Certificate,
            Self::CertificateInsteadOfKey
            | Self::NoKey
            | Self::Encrypted
            | Self::KeyUnreadable
            | Self::KeyLabel
            | Self::Unsupported(_)
            | Self::Mismatch { .. } => File::Key,
        }
    }
}

/// Which of a CA's two files.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum File {
    /// The certificate's.
    Certificate,
    /// The key's.
    Key,
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "certificate",
            Self::Key => "key",
        })
    }
}
