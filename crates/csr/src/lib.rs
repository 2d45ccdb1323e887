//! The shared vocabulary: what a CertificateSigningRequest says and where it stands.
//!
//! Everything here is a value. [`CertificateSigningRequest`] is the API object as received, opaque but for what we read;
//! [`Progress`] is where it stands; [`Request`] is what its PKCS #10 request says, read the way the API server and
//! kube-controller-manager read it. Nothing in this crate can do IO, tell the time or draw a random number.

pub mod asn1;
mod condition;
pub mod kubelet;
mod memory;
mod names;
mod object;
pub mod pem;
pub mod profile;
mod profile_fault;
mod progress;
mod rejection;
mod request;
mod requester;
mod rule;
mod signer_name;
mod usages;

pub use asn1::DerError;
pub use condition::{Condition, ConditionType, StandingCondition};
pub use names::{AttributeType, SanError, Subject, SubjectAltNames, SubjectError, UriError};
pub use object::{CertificateSigningRequest, DecodeError, Spec};
pub use profile_fault::ProfileFault;
pub use progress::{IssuedCertificate, Progress, Since};
pub use rejection::{Fault, Rejection};
pub use request::{
    Ambiguity, Curve, Digest, ParseError, PublicKey, PublicKeyError, Request, SignatureAlgorithm,
};
pub use requester::Requester;
pub use rule::{NextActor, Rule};
pub use signer_name::SignerName;
pub use usages::{Usage, Usages};
