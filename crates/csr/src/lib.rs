//! The shared vocabulary: what a CertificateSigningRequest says and where it stands.
//!
//! Everything here is a value. [`CertificateSigningRequest`] is the API object as received, opaque but for what we read;
//! [`Progress`] is where it stands; [`Request`] is what its PKCS #10 request says, read the way the API server and
//! kube-controller-manager read it. Nothing in this crate can do IO, tell the time or draw a random number.

mod condition;
mod object;
mod progress;
mod requester;
mod rule;
mod signer_name;
mod usages;

pub use condition::{Condition, ConditionType};
pub use object::{CertificateSigningRequest, DecodeError, Spec};
pub use progress::{IssuedCertificate, Progress, Since};
pub use requester::Requester;
pub use rule::{NextActor, Rule};
pub use signer_name::SignerName;
pub use usages::{Usage, Usages};
