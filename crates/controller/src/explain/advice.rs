//! What follows from a decision: who has to act, and how.

use approver::{Grant, Outcome as Opinion};
use csr::{ConditionType, NextActor, ParseError, Request, Rule, SignerName};
use serde::Serialize;

use super::preview::{Obstacle, Preview};
use super::{Judgement, State, Subject, command};
use crate::chain::Chain;

/// What follows, who has to act, and how.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Advice {
    /// What is done with the request as things stand.
    pub outcome: Outcome,

    /// The rule that decides it, where one does.
    pub rule: Option<&'static str>,

    /// Who has to act next.
    pub next_actor: &'static str,

    /// What is to be done.
    pub remedy: String,

    /// The command that does it, where there is one. Never one that overrules what speaks against a name or an identity.
    pub command: Option<String>,

    /// Whether `countersign approve` approves it.
    pub approvable: bool,
}

/// What is done with a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Countersign approves it.
    Approve,
    /// Countersign leaves it pending, or unsigned, while things stand as they do.
    Hold,
    /// Countersign denies it.
    Deny,
    /// It is not for Countersign to approve.
    NoOpinion,
    /// Answers are missing.
    NotKnown,
    /// It is approved, and nothing keeps Countersign from signing it.
    Sign,
    /// It is approved, or will be, and its signer refuses it.
    Fail,
    /// It is approved, and another signer's to sign.
    OtherSigner,
    /// There is a certificate.
    Issued,
    /// It was denied.
    Denied,
    /// The signer has refused it.
    Failed,
}

impl Outcome {
    /// The outcome in words.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Hold => "hold",
            Self::Deny => "deny",
            Self::NoOpinion => "no opinion",
            Self::NotKnown => "not known",
            Self::Sign => "sign",
            Self::Fail => "fail",
            Self::OtherSigner => "another signer's",
            Self::Issued => "issued",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }

    /// 0 where there is a certificate or nothing is in its way, 2 where something is, 3 where there will never be one, and 1 where
    /// nobody can tell. Of files nobody can say that they are true: what they let through is 2.
    #[must_use]
    pub fn exit_code(self, attested: bool) -> u8 {
        match self {
            Self::Approve | Self::Sign | Self::Issued if attested => 0,
            Self::NotKnown if attested => 1,
            Self::Approve | Self::Sign | Self::Issued | Self::NotKnown => 2,
            Self::Hold | Self::NoOpinion | Self::OtherSigner => 2,
            Self::Deny | Self::Denied | Self::Fail | Self::Failed => 3,
        }
    }
}

impl Advice {
    pub(super) fn new(
        subject: Subject<'_>,
        (state, request): (State, &Result<Request, ParseError>),
        judgement: Option<&Judgement>,
    ) -> Self {
        match (state, request, judgement) {
            (State::Issued, ..) => {
                Self::nobody(Outcome::Issued, "nothing: the certificate is in status.certificate")
            }
            (State::Denied, ..) => Self::requester(Outcome::Denied, &denied(subject)),
            (State::Failed, ..) => Self::requester(Outcome::Failed, FAILED),
            (State::Approved, ..) if !is_ours(subject) => Self::other_signer(subject),
            (_, Ok(request), Some(judgement)) => Self::of(subject, request, judgement),
            (_, Err(error), _) => Self::requester(Outcome::NoOpinion, &unreadable(error)),
            (State::Pending | State::Approved, Ok(_), None) => Self::nobody(Outcome::NotKnown, "nothing"),
        }
    }

    fn of(subject: Subject<'_>, request: &Request, judgement: &Judgement) -> Self {
        let approved = State::of(subject.object.progress()) == State::Approved;
        let rule = judgement.decision.rule();
        match &judgement.decision.outcome {
            Opinion::Approve(_) if approved => Self::nobody(Outcome::Sign, SIGNED),
            Opinion::Approve(Grant(by)) => {
                let remedy = format!("nothing: Countersign approves it as {} once it sees it", by.label());
                Self { rule: Some(by.permission_rule().id), ..Self::nobody(Outcome::Approve, &remedy) }
            }
            Opinion::Hold { rule, .. } => {
                Self::by(Outcome::Hold, rule).with(command::of(subject, request, rule))
            }
            Opinion::Deny { rule, .. } if approved => Self::by(Outcome::Hold, rule),
            Opinion::Deny { rule, .. } => Self::by(Outcome::Deny, rule),
            Opinion::Ask(_) => match unanswered(judgement) {
                Some(rule) => Self { remedy: UNANSWERED.to_owned(), ..Self::by(Outcome::NotKnown, rule) },
                None => Self::nobody(Outcome::NotKnown, UNANSWERED),
            },
            Opinion::NoOpinion => match rule {
                Some(rule) => Self::no_opinion(subject, request, rule),
                None => Self::nobody(Outcome::NoOpinion, "nothing is known that keeps it"),
            },
        }
    }

    fn no_opinion(subject: Subject<'_>, request: &Request, rule: &'static Rule) -> Self {
        let advice = Self::by(Outcome::NoOpinion, rule);
        if *request.signer_name() == *SignerName::KUBELET_SERVING && rule.id == OTHER_SIGNER {
            let operator = NextActor::Operator.label();
            return Self { next_actor: operator, remedy: SERVING_IS_OFF.to_owned(), ..advice };
        }
        if rule.id != OTHER_SIGNER {
            return advice.with(command::of(subject, request, rule));
        }
        if !command::is_for_others(request) {
            return Self { remedy: IN_QUESTION.to_owned(), ..advice };
        }
        Self { approvable: true, ..advice.with(command::of(subject, request, rule)) }
    }

    fn other_signer(subject: Subject<'_>) -> Self {
        let name = &subject.object.spec().signer_name;
        let remedy = format!("it is approved; whoever runs the signer {:?} has to sign it", name.as_str());
        Self {
            outcome: Outcome::OtherSigner,
            rule: None,
            next_actor: "signer",
            remedy,
            command: None,
            approvable: false,
        }
    }

    fn by(outcome: Outcome, rule: &Rule) -> Self {
        let (next_actor, remedy) = (rule.next_actor.label(), rule.remedy.to_owned());
        Self { outcome, rule: Some(rule.id), next_actor, remedy, command: None, approvable: false }
    }

    fn nobody(outcome: Outcome, remedy: &str) -> Self {
        let next_actor = NextActor::Nobody.label();
        Self { outcome, rule: None, next_actor, remedy: remedy.to_owned(), command: None, approvable: false }
    }

    fn requester(outcome: Outcome, remedy: &str) -> Self {
        Self { next_actor: NextActor::Requester.label(), ..Self::nobody(outcome, remedy) }
    }

    fn with(self, command: Option<String>) -> Self {
        Self { command, ..self }
    }

    /// Whether the signer is next, as soon as Countersign or somebody else has approved it.
    pub(super) fn leads_to_the_signer(&self) -> bool {
        let is_left_to_others = self.outcome == Outcome::NoOpinion && self.rule == Some(OTHER_SIGNER);
        matches!(self.outcome, Outcome::Approve | Outcome::Sign) || is_left_to_others
    }

    /// The same, where it is known that the signer will not sign: then nobody is to approve it either.
    pub(super) fn foreseen(self, preview: Option<&Preview>) -> Self {
        let left_to_others = self.outcome == Outcome::NoOpinion;
        let kept = |other| if left_to_others { Outcome::NoOpinion } else { other };
        match preview.and_then(Preview::obstacle) {
            None => self,
            Some(Obstacle::Refused(rejection)) => {
                let when = if left_to_others { "once it is approved, " } else { "" };
                let remedy =
                    format!("{when}its signer refuses it for ever ({rejection}): {}", rejection.rule.remedy);
                Self { remedy, ..Self::by(kept(Outcome::Fail), rejection.rule) }
            }
            Some(Obstacle::Fails(error)) => {
                let (actor, advice) = match error {
                    signer::Error::SignerExpired { .. } | signer::Error::ExpiredInThePast { .. } => {
                        (NextActor::Operator, "renew the CA")
                    }
                    _ => (NextActor::Requester, "send another request"),
                };
                let remedy =
                    format!("the signer fails, and tries again in vain ({}): {advice}", Chain(error));
                Self { next_actor: actor.label(), ..Self::nobody(kept(Outcome::Hold), &remedy) }
            }
        }
    }

    /// Offline nobody can say who the requester is, nor what the cluster holds but the files.
    pub(super) fn offline(self, attested: bool) -> Self {
        if attested {
            return self;
        }
        let remedy = match (self.outcome, self.rule) {
            (Outcome::Approve | Outcome::Sign, _) => UNATTESTED.to_owned(),
            (_, Some("kubelet-serving/facts")) => FACTS_OFFLINE.to_owned(),
            _ => self.remedy,
        };
        Self { remedy, ..self }
    }
}

/// The rule for which answers are missing.
fn unanswered(judgement: &Judgement) -> Option<&'static Rule> {
    judgement.decision.trace.iter().find(|finding| finding.holds.is_none()).map(|finding| finding.rule)
}

/// Whether Countersign signs for this signerName.
fn is_ours(subject: Subject<'_>) -> bool {
    let signer_name = &subject.object.spec().signer_name;
    let is_configured = subject.signing.configuration.signer(signer_name).is_some();
    is_configured || SignerName::BUILT_IN.contains(&signer_name.as_str())
}

/// By whom it was denied, as far as the reason tells, and what is left to do.
fn denied(subject: Subject<'_>) -> String {
    let conditions = subject.object.conditions();
    let denial = conditions.iter().find(|condition| condition.kind == ConditionType::Denied.as_str());
    let by = match denial.map(|denial| denial.reason.as_str()) {
        Some("RuleBroken") => "a rule of Countersign's has denied it",
        Some("KubectlDeny") => "somebody has denied it (kubectl certificate deny; the audit log says who)",
        _ => "somebody has denied it (the audit log says who)",
    };
    format!("{by}, {DENIED}")
}

fn unreadable(error: &ParseError) -> String {
    format!("spec.request cannot be read ({error}): send another request")
}

/// The rule that says that a signer is not one to approve for.
pub(super) const OTHER_SIGNER: &str = "node-client/signer-name";

const DENIED: &str = "which is for ever: send another request, once what is said against this one is mended";
const FAILED: &str = "the signer has refused it for what it says: send another request";
const SIGNED: &str = "nothing: Countersign signs it; where it does not, see whether one runs that has a CA for this signerName";
const UNANSWERED: &str = "see why there is no answer, and ask again";
const SERVING_IS_OFF: &str = "kubelets' serving certificates are not approved here: give --approve-kubelet-serving to 'countersign run'; \
    with it, explain says whether each name is the node's";
const IN_QUESTION: &str = "find out who asks for this and why: it names somebody of the cluster's own (system:, kubeadm:), or servers of which \
    legacy-unknown checks nothing";
const UNATTESTED: &str =
    "ask the cluster (countersign explain NAME): nobody vouches offline for the requester, nor for the facts";
const FACTS_OFFLINE: &str = "give --facts with Nodes, Services, EndpointSlices and ServiceCIDRs, and --api-server-certificate, or ask the cluster";
