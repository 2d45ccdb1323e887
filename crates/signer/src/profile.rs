//! What a signer demands of its requests, and how long its certificates last.

mod content;
mod terms;

use csr::kubelet::{self, Check};
use csr::profile::{Limits, Terms};
use csr::{Fault, NextActor, Rejection, Request, Rule, SignerName, Usage};
use time::{Duration, OffsetDateTime};

pub(crate) use content::Content;

use crate::extensions::KeyUsages;
use crate::{Error, SerialNumber, Validity, signature};

/// The permitted content of a signer's certificates, and how they are made, as a value.
#[derive(Clone, Debug)]
pub struct Profile {
    checks: &'static [Check],
    limits: Option<Limits>,
    terms: Terms,
    shares_cluster_ca: bool,
}

/// A rule and what was found of it.
pub type RuleFinding = (&'static Rule, Result<(), Fault>);

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
        Some(Self { checks, limits: None, terms: Terms::upstream(lifetime), shares_cluster_ca: false })
    }

    /// The profile of a signerName that upstream knows nothing of.
    #[must_use]
    pub fn custom(limits: Limits, terms: Terms) -> Self {
        Self { checks: &[], limits: Some(limits), terms, shares_cluster_ca: false }
    }

    /// The same for what is within these limits, and made so. Its own rules still hold.
    #[must_use]
    pub fn narrowed(self, limits: Limits, terms: Terms) -> Self {
        let limits = Some(limits).filter(|limits| *limits != Limits::none());
        Self { limits, terms, ..self }
    }

    /// The same for a signer whose CA may be one that the cluster trusts: nobody gets to be one of the cluster's own users.
    #[must_use]
    pub fn sharing_cluster_ca(self) -> Self {
        Self { shares_cluster_ca: true, ..self }
    }

    /// How certificates are made.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Every rule that a request is held to, with what is found, in the order in which the first fault counts.
    pub fn trace(&self, request: &Request) -> Vec<RuleFinding> {
        self.trace_of(&self.content(request)).collect()
    }

    /// Whether a request may be signed, once it is approved.
    ///
    /// # Errors
    ///
    /// The first rule that it breaks, which is terminal.
    pub fn validate(&self, request: &Request) -> Result<(), Rejection> {
        self.admit(request).map(drop)
    }

    /// What of a request is to be signed, once it is approved.
    pub(crate) fn admit<'a>(&self, request: &'a Request) -> Result<Content<'a>, Rejection> {
        let content = self.content(request);
        self.trace_of(&content)
            .try_for_each(|(rule, finding)| finding.map_err(|fault| Rejection { rule, fault }))?;
        Ok(content)
    }

    /// How long a certificate would be valid that were made now, by a CA that expires at `ca_not_after`, but for jitter. Whatever
    /// can fail for want of anything but a key fails here.
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
        self.prepare(request, (now, ca_not_after), None).map(|(_, validity)| validity)
    }

    /// What a certificate may be used for, and when.
    pub(crate) fn prepare(
        &self,
        request: &Request,
        times: (OffsetDateTime, OffsetDateTime),
        serial: Option<SerialNumber>,
    ) -> Result<(KeyUsages, Validity), Error> {
        signature::verify(request).map_err(Error::RequestSignature)?;
        let usages = KeyUsages::of(request.usages())?;
        Ok((usages, terms::validity(&self.terms, request.expiration_seconds(), times, serial)?))
    }

    fn content<'a>(&self, request: &'a Request) -> Content<'a> {
        match &self.limits {
            Some(limits) => Content::within(request, limits),
            None => Content::whole(request),
        }
    }

    fn trace_of<'a>(&'a self, content: &'a Content<'_>) -> impl Iterator<Item = RuleFinding> + 'a {
        let limits = self.limits.iter().flat_map(move |limits| {
            content::CHECKS.iter().map(move |(rule, check)| (rule, check(limits, content)))
        });
        let cluster = self.shares_cluster_ca.then_some(&content::CLUSTER_SUBJECT).into_iter();
        kubelet::trace(self.checks, content.request)
            .chain(limits)
            .chain(cluster.map(move |rule| (rule, content::cluster_subject(content))))
            .chain(kubelet::trace(&ALWAYS, content.request))
    }
}

/// Every rule of this crate. Those for kubelets are in [`csr::kubelet`].
pub static RULES: [&Rule; 10] = [
    &KUBE_APISERVER_CLIENT[0].0,
    &KUBE_APISERVER_CLIENT[1].0,
    &content::CHECKS[0].0,
    &content::CHECKS[1].0,
    &content::CHECKS[2].0,
    &content::CHECKS[3].0,
    &content::CHECKS[4].0,
    &content::CHECKS[5].0,
    &content::CLUSTER_SUBJECT,
    &ALWAYS[0].0,
];

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
