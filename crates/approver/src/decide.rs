use std::sync::Arc;

use csr::{Condition, ConditionType, Request, Rule, SignerName};

use crate::{Facts, Permission, Question, Recognizer, Verdict, rules};

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

        /// The questions whose answers hold it.
        on: Vec<Question>,
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
}

/// Whether this requester may have what it asks for.
///
/// A kubelet's client certificate is approved by the first recognizer whose permission the requester has,
/// selfnodeclient before nodeclient. One question is asked at a time, as upstream does: most requests need only one.
pub fn decide(request: &Request, facts: &Facts) -> Decision {
    let mut trace = Vec::with_capacity(12);
    let outcome = if is_node_client(request, &mut trace) {
        by_permission(request, facts, &mut trace)
    } else {
        Outcome::NoOpinion
    };
    Decision { outcome, trace }
}

/// Whether this is a request for a kubelet's client certificate. Every rule is looked at, for the trace.
fn is_node_client(request: &Request, trace: &mut Vec<Finding>) -> bool {
    let ours = request.signer_name() == SignerName::KUBE_APISERVER_CLIENT_KUBELET;
    trace.push(Finding { rule: &rules::NODE_CLIENT_SIGNER_NAME, holds: Some(ours) });
    let content = csr::kubelet::CLIENT
        .iter()
        .map(|(rule, check)| Finding { rule, holds: Some(check(request).is_ok()) });
    trace.extend(content);
    trace.iter().all(|finding| finding.holds == Some(true))
}

fn by_permission(request: &Request, facts: &Facts, trace: &mut Vec<Finding>) -> Outcome {
    let mut held = Vec::new();
    for recognizer in Recognizer::ALL {
        if recognizer == Recognizer::SelfNodeClient && !is_self(request, trace) {
            continue;
        }
        let permission = Permission { requester: Arc::clone(request.requester()), recognizer };
        let verdict = facts.verdict(&permission);
        let holds = verdict.map(|verdict| verdict == Verdict::Allowed);
        trace.push(Finding { rule: recognizer.permission_rule(), holds });
        match verdict {
            None => return Outcome::Ask(vec![Question::Review(permission)]),
            Some(Verdict::Allowed) => return Outcome::Approve(Grant(recognizer)),
            Some(Verdict::NotAllowed) => held.push(Question::Review(permission)),
        }
    }
    Outcome::Hold { rule: &rules::NODE_CLIENT_PERMISSION, on: held }
}

/// Whether the requester is the one that the common name names.
fn is_self(request: &Request, trace: &mut Vec<Finding>) -> bool {
    let holds = request.requester().username == request.subject().common_name();
    trace.push(Finding { rule: &rules::SELF_NODE_CLIENT_REQUESTER, holds: Some(holds) });
    holds
}
