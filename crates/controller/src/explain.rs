//! Why a request stands where it stands, who has to act, and how.
//!
//! An explanation is the approver's own decision with its trace: [`approver::decide`] for what waits for approval,
//! [`approver::gate`] for what waits for its signature. Nothing is decided here, and nothing is written.

mod advice;
mod cleaning;
mod command;
mod escape;
pub mod live;
mod oracle;
mod preview;
pub mod recorded;
mod state;
mod text;

use approver::{Decision, Policy};
use csr::{CertificateSigningRequest, ParseError, Request, Rule, StandingCondition};
use engine::Retentions;
use serde::Serialize;
use time::OffsetDateTime;

pub use advice::{Advice, Outcome};
pub use cleaning::Cleaning;
pub use escape::{escaped, json};
pub use oracle::Oracle;
pub use preview::{Preview, Signing};
pub use state::State;
pub use text::table;
pub(crate) use text::{cell, columns};

/// Why a request stands where it stands. Its JSON form has names that stay.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// `metadata.name`.
    pub name: String,

    /// `metadata.uid`; empty for an object that never was in a cluster.
    pub uid: String,

    /// SHA-256 of `spec.request`, in hexadecimal: which request this is about.
    pub request_digest: String,

    /// `spec.signerName`.
    pub signer_name: String,

    /// `spec.username`.
    pub requester: String,

    /// `spec.groups`.
    pub groups: Vec<String>,

    /// Whether an API server vouches for the requester: not for that of a file.
    pub attested: bool,

    /// What is asked for; `None` where that cannot be read.
    pub asked: Option<Asked>,

    /// Where the object stands.
    pub state: State,

    /// Seconds since it was created.
    pub age_seconds: Option<i64>,

    /// What stands in its conditions.
    pub conditions: Vec<StandingCondition>,

    /// When it is deleted as it stands; `None` where never, or where nothing says when it began to stand so.
    pub cleaning: Option<Cleaning>,

    /// What follows.
    #[serde(flatten)]
    pub advice: Advice,

    /// Every rule, in order.
    pub findings: Vec<Finding>,

    /// What its signer will make of it; `None` where it is not ours to sign, not to be approved as things stand, or at its end.
    pub preview: Option<Preview>,
}

/// What a request asks for.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// The subject's common name.
    pub common_name: String,

    /// The subject's organizations.
    pub organizations: Vec<String>,

    /// Every subjectAltName that is a name, an address or a URI.
    pub subject_alt_names: Vec<String>,
}

/// A rule, and what was found of it.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Its id.
    pub rule: &'static str,

    /// What must hold.
    pub title: &'static str,

    /// Whether it does; `None` where that is not known.
    pub holds: Option<bool>,

    /// The same in a word.
    pub result: Found,

    /// What was found, for people.
    pub note: String,
}

/// What was found of a rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Found {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// Answers are missing.
    NotKnown,
    /// Another one came before it.
    NotReached,
}

/// A decision, as far as it could be come to.
#[derive(Debug)]
pub struct Judgement {
    decision: Decision,
    /// Every rule that would have been asked.
    chain: Vec<&'static Rule>,
    /// Why answers are missing.
    unanswered: Vec<String>,
}

/// What an explanation is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The object.
    pub object: &'a CertificateSigningRequest,

    /// What the controller works by.
    pub policy: &'a Policy,

    /// What it signs by.
    pub signing: &'a Signing,

    /// How long it keeps objects.
    pub retentions: &'a Retentions,

    /// The present.
    pub now: OffsetDateTime,
}

impl Explanation {
    /// Explains one object, with answers from `oracle`.
    pub async fn of(subject: Subject<'_>, oracle: &Oracle) -> Self {
        let object = subject.object;
        let state = State::of(object.progress());
        let request = Request::parse(object);
        let judgement = match &request {
            Ok(request) => judged(subject.policy, (state, request), oracle).await,
            Err(_) => None,
        };
        Self::new(subject, (state, request), (oracle.is_attested(), judgement))
    }

    fn new(
        subject: Subject<'_>,
        (state, request): (State, Result<Request, ParseError>),
        (attested, judgement): (bool, Option<Judgement>),
    ) -> Self {
        let object = subject.object;
        let spec = object.spec();
        let advice = Advice::new(subject, (state, &request), judgement.as_ref());
        let preview = request.as_ref().ok().filter(|_| advice.leads_to_the_signer());
        let preview = preview.and_then(|request| Preview::new(request, subject));
        let advice = advice.foreseen(preview.as_ref()).offline(attested);
        Self {
            name: object.name().to_string(),
            uid: object.uid().to_string(),
            request_digest: digest(&spec.request),
            signer_name: spec.signer_name.to_string(),
            requester: spec.requester.username.clone(),
            groups: spec.requester.groups.clone(),
            attested,
            asked: request.ok().as_ref().map(Asked::of),
            state,
            age_seconds: object.progress().created.map(|created| (subject.now - created).whole_seconds()),
            conditions: object.conditions(),
            cleaning: Cleaning::of(object, subject.retentions, subject.now),
            advice,
            findings: judgement.map(Judgement::findings).unwrap_or_default(),
            preview,
        }
    }
}

/// SHA-256 in hexadecimal.
fn digest(octets: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, octets);
    digest.as_ref().iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The decision on what waits for one; `None` for what has ended.
async fn judged(policy: &Policy, (state, request): (State, &Request), oracle: &Oracle) -> Option<Judgement> {
    let signer = request.signer_name();
    match state {
        State::Pending => {
            let chain = approver::chain(signer, policy);
            Some(oracle.judged(chain, |facts| approver::decide(request, policy, facts)).await)
        }
        State::Approved => {
            let chain = approver::gate_chain(signer, policy);
            Some(oracle.judged(chain, |facts| approver::gate(request, policy, facts)).await)
        }
        State::Issued | State::Denied | State::Failed => None,
    }
}

impl Judgement {
    fn findings(self) -> Vec<Finding> {
        let Self { mut decision, chain, unanswered } = self;
        // Of what is another signer's the other rules say nothing.
        if decision.trace.first().is_some_and(|first| first.holds == Some(false)) {
            decision.trace.truncate(1);
        }
        let unreached: Vec<_> =
            chain.into_iter().filter(|rule| decision.trace.iter().all(|found| found.rule != *rule)).collect();
        let mut findings: Vec<_> =
            decision.trace.into_iter().map(|found| Finding::new(found, &unanswered)).collect();
        findings.extend(unreached.into_iter().map(Finding::not_reached));
        findings
    }
}

impl Finding {
    fn new(found: approver::Finding, unanswered: &[String]) -> Self {
        let approver::Finding { rule, holds, note } = found;
        let (result, note) = match holds {
            Some(true) => (Found::Pass, note),
            Some(false) if note.is_empty() && rule.id.starts_with("self-node-client/") => {
                (Found::Fail, "the other way is node-client/permission".to_owned())
            }
            Some(false) => (Found::Fail, note),
            None => (Found::NotKnown, unanswered.join("; ")),
        };
        Self { rule: rule.id, title: rule.title, holds, result, note }
    }

    fn not_reached(rule: &'static Rule) -> Self {
        let Rule { id, title, .. } = *rule;
        Self { rule: id, title, holds: None, result: Found::NotReached, note: String::new() }
    }
}

impl Asked {
    fn of(request: &Request) -> Self {
        let (subject, sans) = (request.subject(), request.sans());
        let addresses = sans.ip.iter().map(ToString::to_string);
        let names = sans.dns.iter().cloned().chain(addresses);
        Self {
            common_name: subject.common_name().to_owned(),
            organizations: subject.organizations().map(str::to_owned).collect(),
            subject_alt_names: names
                .chain(sans.email.iter().cloned())
                .chain(sans.uri.iter().cloned())
                .collect(),
        }
    }
}
