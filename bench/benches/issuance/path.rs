//! The pure path, through the same functions as the controller's.

use approver::{Answer, Facts, Outcome, Policy, Question, Verdict};
use csr::{CertificateSigningRequest, Request, SignerName};
use signer::{Approval, Certificate, Profile, SerialNumber, Signer, ToBeSigned};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::authorities::Authority;

const NOW: OffsetDateTime = datetime!(2026-11-22 12:00 UTC);

/// The way from an event to a certificate of one signer.
pub(crate) struct Path(Signer);

impl Path {
    pub(crate) fn new(authority: &Authority) -> Self {
        let name = SignerName::from(SignerName::KUBE_APISERVER_CLIENT_KUBELET);
        let profile = Profile::built_in(&name, Duration::days(365)).expect("a built-in signer");
        Self(Signer::new(name, profile, authority.load()))
    }

    /// Parse, decide, validate, prepare, sign, finish.
    pub(crate) fn certificate(&self, object: &CertificateSigningRequest) -> Certificate {
        let request = Request::parse(object).expect("a request that parses");
        approve(&request);
        self.issue(&request)
    }

    /// From a watch event to the bodies of both PUTs.
    pub(crate) fn bodies(&self, event: &str) -> [Vec<u8>; 2] {
        let object: CertificateSigningRequest = event.parse().expect("an object");
        let request = Request::parse(&object).expect("a request that parses");
        let approved = object.with_condition(&approve(&request)).expect("a body");
        let certificate = self.issue(&request);
        [approved, object.with_certificate(certificate.pem())]
    }

    fn issue(&self, request: &Request) -> Certificate {
        let to_be_signed = self.prepare(request);
        let signature = self.0.authority().key().sign(to_be_signed.bytes()).expect("a signature");
        to_be_signed.finish(&signature).expect("a signature that verifies")
    }

    pub(crate) fn prepare(&self, request: &Request) -> ToBeSigned {
        let validated = self.0.validate(request, Approval::by_operator()).expect("a request for this signer");
        let validated = validated.expect("a permitted request");
        validated.prepare(NOW, SerialNumber::from_random([0x5a; 16])).expect("a sound request")
    }
}

/// Asks, and decides again with the answer.
fn approve(request: &Request) -> csr::Condition {
    let policy = Policy::default();
    let Outcome::Ask(questions) = approver::decide(request, &policy, &Facts::default()).outcome else {
        unreachable!("a kubelet's request needs a permission")
    };
    let allowed = |question: Question| (question, Answer::Review(Verdict::Allowed));
    let facts: Facts = questions.into_iter().map(allowed).collect();
    let Outcome::Approve(grant) = approver::decide(request, &policy, &facts).outcome else {
        unreachable!("the permission is granted")
    };
    grant.condition()
}
