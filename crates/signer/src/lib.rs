//! What a certificate says, and its signature: authorities, profiles, issuance.
//!
//! A [`Signer`] is an immutable snapshot: a signerName, a [`Profile`] that says what its requests must look like and how
//! long its certificates last, and the [`CertificateAuthority`] that signs. Issuance is a line of three values, each
//! made only from the one before: [`Signer::validate`] needs an [`Approval`] and gives [`Validated`],
//! [`Validated::prepare`] gives [`ToBeSigned`], and [`ToBeSigned::finish`] takes the signature, verifies it and gives the
//! [`Certificate`]. The key operation itself, [`Key::sign`], stands apart, for the caller to run where it likes; the two
//! verifications take some 15 to 200 µs each, and all else a few. Time and randomness are arguments.
//!
//! Unless a profile is configured otherwise, the certificates are, but for the serial number, octet for octet those of
//! kube-controller-manager.

mod approval;
mod authority;
mod encoding;
mod error;
mod extensions;
mod issuance;
mod profile;
mod serial_number;
mod signature;
mod signer;
mod subject;
mod validity;

pub use approval::Approval;
pub use authority::{AuthorityError, CertificateAuthority, File, Key, KeyAlgorithm, KeyError, ca_not_after};
pub use csr::Rule;
pub use error::Error;
pub use issuance::{Certificate, ToBeSigned, Validated};
pub use profile::{Profile, RULES, RuleFinding};
pub use serial_number::SerialNumber;
pub use signature::SignatureError;
pub use signer::Signer;
pub use validity::Validity;
