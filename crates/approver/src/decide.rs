use std::sync::Arc;

use csr::{Condition, ConditionType, Request, Rule, SignerName};

use crate::{Facts, Permission, Policy, Question, Recognizer, Verdict, node_client, node_server, rules};

/// What the approver says about a request, and how it came to it.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What is to be done.
    pub outcome: Outcome,

    /// Every rule that was looked at, in order.
    pub trace: Vec<Finding>,
}

/// What is to be done with a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Nothing: it is not for this approver to say.
    NoOpinion,

    /// These questions must be answered first.
    Ask(Vec<Question>),

    /// Approve it.
    Approve(Grant),

    /// Nothing, while these answers stand; another answer to one of them may change that.
    Hold {
        /// The rule that holds it.
        rule: &'static Rule,

        /// The questions whose answers hold it. With none, only another request or another policy changes that.
        on: Vec<Question>,
    },

    /// Refuse it, for good: the policy says so for this rule.
    Deny {
        /// The rule that denies it.
        rule: &'static Rule,

        /// How it is broken.
        note: String,
    },
}

/// By which recognizer a request is approved.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Grant(pub Recognizer);

impl Grant {
    /// The condition to add: upstream's reason and message; the API server fills in the time.
    pub fn condition(self) -> Condition {
        Condition {
            kind: ConditionType::Approved,
            reason: "AutoApproved",
            message: self.0.message().into(),
            last_update_time: None,
        }
    }
}

/// A named check and its result.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// What was checked.
    pub rule: &'static Rule,

    /// Whether it holds; `None` when that is not known yet.
    pub holds: Option<bool>,

    /// What was found, for people; empty where the rule says it all. It may quote the request.
    pub note: String,
}

/// The findings so far.
#[derive(Debug, Default)]
pub(crate) struct Trace(Vec<Finding>);

impl Trace {
    /// Notes whether a rule holds, and says so.
    pub(crate) fn check(&mut self, rule: &'static Rule, holds: bool) -> bool {
        self.0.push(Finding { rule, holds: Some(holds), note: String::new() });
        holds
    }

    /// Notes that a rule holds, and why.
    pub(crate) fn holds(&mut self, rule: &'static Rule, note: String) {
        self.0.push(Finding { rule, holds: Some(true), note });
    }

    /// Notes that a rule is broken, and how.
    pub(crate) fn broken(&mut self, rule: &'static Rule, note: String) {
        self.0.push(Finding { rule, holds: Some(false), note });
    }

    /// Notes that answers are missing for a rule.
    pub(crate) fn ask(&mut self, rule: &'static Rule, questions: Vec<Question>) -> Outcome {
        self.0.push(Finding { rule, holds: None, note: String::new() });
        Outcome::Ask(questions)
    }
}

impl Decision {
    /// The first rule that does not hold, or is not known to.
    pub fn rule(&self) -> Option<&'static Rule> {
        self.trace.iter().find(|finding| finding.holds != Some(true)).map(|finding| finding.rule)
    }
}

/// Whether this requester may have what it asks for.
///
/// A kubelet's client certificate is approved by the first recognizer whose permission the requester has,
/// selfnodeclient before nodeclient. One question is asked at a time, as upstream does: most requests need only one. A kubelet's
/// serving certificate is approved where the policy says how.
pub fn decide(request: &Request, policy: &Policy, facts: &Facts) -> Decision {
    let mut trace = Trace(Vec::with_capacity(12));
    let outcome = match &policy.node_server {
        Some(policy) if request.signer_name() == SignerName::KUBELET_SERVING => {
            node_server::judge(request, policy, facts, &mut trace)
        }
        _ if is_node_client(request, &mut trace) => by_permission(request, (policy, facts), &mut trace),
        _ => Outcome::NoOpinion,
    };
    Decision { outcome, trace: trace.0 }
}

/// Whether what is approved, by whomever, may be signed: where kubelets' serving certificates are approved here, none is signed
/// for a reserved name either, so that a mistake of another approver, or a signer with the same CA, does not give away the API
/// server's address. It answers with [`Outcome::Approve`] where nothing speaks against it.
pub fn gate(request: &Request, policy: &Policy, facts: &Facts) -> Decision {
    let mut trace = Trace::default();
    let outcome = match policy.gate(request.signer_name()) {
        Some(policy) => node_server::gate(request, policy, facts, &mut trace),
        None => Outcome::Approve(Grant(Recognizer::SelfNodeServer)),
    };
    Decision { outcome, trace: trace.0 }
}

/// Whether this is a request for a kubelet's client certificate. Every rule is looked at, for the trace.
fn is_node_client(request: &Request, trace: &mut Trace) -> bool {
    let ours = request.signer_name() == SignerName::KUBE_APISERVER_CLIENT_KUBELET;
    let mut holds = trace.check(&rules::NODE_CLIENT_SIGNER_NAME, ours);
    for (rule, check) in &csr::kubelet::CLIENT {
        holds &= trace.check(rule, check(request).is_ok());
    }
    holds
}

fn by_permission(request: &Request, (policy, facts): (&Policy, &Facts), trace: &mut Trace) -> Outcome {
    let mut held = Vec::new();
    for recognizer in Recognizer::NODE_CLIENT {
        if recognizer == Recognizer::SelfNodeClient && !is_self(request, trace) {
            continue;
        }
        let permission = Permission { requester: Arc::clone(request.requester()), recognizer };
        let rule = recognizer.permission_rule();
        match facts.verdict(permission.clone()) {
            None => return trace.ask(rule, vec![Question::Review(permission)]),
            Some(Verdict::Allowed) => {
                trace.check(rule, true);
                return node_client::grant(request, recognizer, (policy, facts), trace);
            }
            Some(Verdict::NotAllowed) => {
                trace.check(rule, false);
                held.push(Question::Review(permission));
            }
        }
    }
    if let Some(group) = &policy.trusted_group
        && trace.check(&rules::NODE_CLIENT_GROUP, request.requester().groups.contains(group))
    {
        return node_client::grant(request, Recognizer::TrustedGroup, (policy, facts), trace);
    }
    Outcome::Hold { rule: &rules::NODE_CLIENT_PERMISSION, on: held }
}

/// Whether the requester is the one that the common name names.
fn is_self(request: &Request, trace: &mut Trace) -> bool {
    let holds = request.requester().username == request.subject().common_name();
    trace.check(&rules::SELF_NODE_CLIENT_REQUESTER, holds)
}
