//! What a signer demands of its requests, and how long its certificates last.

use csr::kubelet::{self, Check};
use csr::{Fault, NextActor, Rejection, Request, Rule, SignerName, Usage};
use time::{Duration, OffsetDateTime};

use crate::extensions::KeyUsages;
use crate::validity::lifetime;
use crate::{Error, Validity, signature};

/// The permitted content of a signer's certificates, as a value.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    checks: &'static [Check],
    lifetime: Duration,
}

impl Profile {
    /// The profile of one of the four signerNames of `kubernetes.io`; `None` for any other.
    ///
    /// `lifetime` is how long certificates last when nothing shorter is asked for (`--cluster-signing-duration`).
    pub fn built_in(name: &SignerName, lifetime: Duration) -> Option<Self> {
        let checks: &'static [Check] = match name.as_str() {
            SignerName::KUBELET_SERVING => &kubelet::SERVING,
            SignerName::KUBE_APISERVER_CLIENT_KUBELET => &kubelet::CLIENT,
            SignerName::KUBE_APISERVER_CLIENT => &KUBE_APISERVER_CLIENT,
            SignerName::LEGACY_UNKNOWN => &[],
            _ => return None,
        };
        Some(Self { checks, lifetime })
    }

    /// The checks in the order in which the first fault counts.
    pub fn checks(&self) -> impl Iterator<Item = &'static Check> {
        self.checks.iter().chain(&ALWAYS)
    }

    /// How long certificates last when nothing shorter is asked for.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Whether a request may be signed as it is, once it is approved.
    ///
    /// # Errors
    ///
    /// The first rule that it breaks, which is terminal.
    pub fn validate(&self, request: &Request) -> Result<(), Rejection> {
        kubelet::first_fault(self.checks, request)?;
        kubelet::first_fault(&ALWAYS, request)
    }

    /// How long a certificate would be valid that were made now, by a CA that expires at `ca_not_after`. Whatever can fail for want
    /// of anything but a key fails here.
    ///
    /// # Errors
    ///
    /// When the request's own signature does not stand, a usage is unknown, or the CA has expired.
    pub fn validity(
        &self,
        request: &Request,
        now: OffsetDateTime,
        ca_not_after: OffsetDateTime,
    ) -> Result<Validity, Error> {
        self.terms(request, now, ca_not_after).map(|(_, validity)| validity)
    }

    /// What a certificate may be used for, and when.
    pub(crate) fn terms(
        &self,
        request: &Request,
        now: OffsetDateTime,
        ca_not_after: OffsetDateTime,
    ) -> Result<(KeyUsages, Validity), Error> {
        signature::verify(request).map_err(Error::RequestSignature)?;
        let usages = KeyUsages::of(request.usages())?;
        let lifetime = lifetime(request.expiration_seconds(), self.lifetime);
        Ok((usages, Validity::new(lifetime, now, ca_not_after)?))
    }
}

/// Every rule of this crate. Those for kubelets are in [`csr::kubelet`].
pub static RULES: [&Rule; 3] = [&KUBE_APISERVER_CLIENT[0].0, &KUBE_APISERVER_CLIENT[1].0, &ALWAYS[0].0];

/// The usages of client certificates (`validAPIServerClientUsages` in upstream's `signer.go`). Subject and names are
/// free: that nobody asks for `system:masters` is the API server's concern.
static KUBE_APISERVER_CLIENT: [Check; 2] = [
    (
        Rule {
            id: "kube-apiserver-client/permitted-usages",
            title: "the usages are among client auth, digital signature and key encipherment",
            remedy: "ask for no other usages",
            next_actor: NextActor::Requester,
        },
        permitted_usages,
    ),
    (
        Rule {
            id: "kube-apiserver-client/client-auth",
            title: "the usages include client auth",
            remedy: "ask for the usage client auth",
            next_actor: NextActor::Requester,
        },
        client_auth,
    ),
];

/// What is demanded of every request, after what its signer demands.
static ALWAYS: [Check; 1] = [(
    Rule {
        id: "request/algorithm-unsupported",
        title: "the request is signed in a way that Countersign can verify",
        remedy: "use an RSA key of 2048 to 8192 bits, a P-256, P-384 or P-521 key with SHA-256 or longer, or Ed25519",
        next_actor: NextActor::Requester,
    },
    supported_algorithm,
)];

fn permitted_usages(request: &Request) -> Result<(), Fault> {
    let permitted = [Usage::DigitalSignature, Usage::KeyEncipherment, Usage::ClientAuth];
    match request.usages().iter().find(|usage| !permitted.contains(usage)) {
        Some(other) => Err(Fault::ClientUsage(other.clone())),
        None => Ok(()),
    }
}

fn client_auth(request: &Request) -> Result<(), Fault> {
    if request.usages().contains(&Usage::ClientAuth) { Ok(()) } else { Err(Fault::ClientAuthMissing) }
}

fn supported_algorithm(request: &Request) -> Result<(), Fault> {
    match signature::unsupported(request) {
        Some(what) => Err(Fault::AlgorithmUnsupported(what)),
        None => Ok(()),
    }
}
