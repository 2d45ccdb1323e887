//! A kubelet's serving certificate (upstream's `selfnodeserver`, which upstream itself approves no more since
//! kubernetes#62471): who asks is attested, what it asks for is not. So every name and address has to be confirmed by a source
//! that the policy accepts, and none may be somebody else's.

mod constraints;
mod justified;
mod recorded;
mod reserved;

use std::collections::BTreeSet;
use std::sync::Arc;

use csr::{Request, Rule, SignerName};

use crate::decide::{Outcome, Trace};
use crate::policy::NodeServer;
use crate::san::is_subdomain;
use crate::{Facts, Grant, Node, Permission, Question, Recognizer, San, Verdict, rules};

/// One request, and what it is judged by.
pub(crate) struct Case<'a> {
    pub(crate) request: &'a Request,
    pub(crate) policy: &'a NodeServer,
    pub(crate) facts: &'a Facts,
    /// The name of the node that asks; empty where none does.
    pub(crate) node: &'a str,
    /// Every name, once, in the order asked for; none where one of them cannot be compared.
    pub(crate) sans: Vec<San>,
}

/// What ends a judgement before its end.
pub(crate) type Stop = Outcome;

/// Whether this node may have what it asks for.
pub(crate) fn judge(request: &Request, policy: &NodeServer, facts: &Facts, trace: &mut Trace) -> Outcome {
    if !is_recognized(request, trace) {
        return Outcome::NoOpinion;
    }
    let node = node_name(&request.requester().username).unwrap_or_default();
    let case = Case::new((request, node), policy, facts);
    judged(&case, trace).unwrap_or_else(|stop| stop)
}

/// Whether what somebody else approved may be signed: the reserved names alone are asked about again. What is reserved for a node
/// is so for itself, whoever asks in its name.
pub(crate) fn gate(request: &Request, policy: &NodeServer, facts: &Facts, trace: &mut Trace) -> Outcome {
    let username = &request.requester().username;
    let is_self = username == request.subject().common_name();
    let node = node_name(username).filter(|name| is_self && is_subdomain(name));
    let case = Case::new((request, node.unwrap_or_default()), policy, facts);
    gated(&case, trace).unwrap_or_else(|stop| stop)
}

/// Every rule of [`judge`], in order.
pub(crate) fn chain() -> Vec<&'static Rule> {
    let mut chain = vec![&rules::NODE_SERVER_SIGNER_NAME];
    chain.extend(csr::kubelet::SERVING.iter().map(|(rule, _)| rule));
    chain.extend([&rules::NODE_SERVER_REQUESTER, &rules::NODE_SERVER_GROUP]);
    chain.extend(constraints::rules());
    chain.extend([
        &rules::SELF_NODE_SERVER_PERMISSION,
        &rules::NODE_SERVER_NODE,
        &rules::NODE_SERVER_FACTS,
        &rules::NODE_SERVER_SAN_RESERVED,
        &rules::NODE_SERVER_SAN_JUSTIFIED,
        &rules::NODE_SERVER_RECORD,
        &rules::NODE_SERVER_KEY_REUSED,
        &rules::NODE_SERVER_ADDRESS_CONFLICT,
    ]);
    chain
}

fn judged(case: &Case<'_>, trace: &mut Trace) -> Result<Outcome, Stop> {
    constraints::check(case, trace)?;
    reserved::check_always(case, trace)?;
    has_permission(case, trace)?;
    let node = node_and_claims(case, trace)?;
    reserved::check_claims(case, Some(&node), trace)?;
    justified::check(case, &node, trace)?;
    recorded::check_key(case, trace)?;
    recorded::check_conflicts(case, &node, trace)?;
    Ok(Outcome::Approve(Grant(Recognizer::SelfNodeServer)))
}

fn gated(case: &Case<'_>, trace: &mut Trace) -> Result<Outcome, Stop> {
    let count = case.request.sans().dns.len() + case.request.sans().ip.len();
    if count > case.policy.constraints.max_names {
        let note = format!("{count} names");
        return Err(trace.refuse(case, &rules::NODE_SERVER_SAN_COUNT, (Vec::new(), note)));
    }
    if let Err(name) = San::of(case.request.sans()) {
        // What cannot be compared cannot be shown to be free.
        let note = format!("{name:?} is no plain host name");
        return Err(trace.refuse(case, &rules::NODE_SERVER_SAN_RESERVED, (Vec::new(), note)));
    }
    reserved::check_always(case, trace)?;
    let node = if case.node.is_empty() { None } else { Some(node_and_claims(case, trace)?) };
    if node.is_none() {
        claims_are_known(case, trace)?;
    }
    reserved::check_claims(case, node.as_deref(), trace)?;
    Ok(Outcome::Approve(Grant(Recognizer::SelfNodeServer)))
}

/// Whether a kubelet asks for its own serving certificate. Every rule is looked at, for the trace; what does not look so is
/// left to others.
fn is_recognized(request: &Request, trace: &mut Trace) -> bool {
    let ours = request.signer_name() == SignerName::KUBELET_SERVING;
    let mut holds = trace.check(&rules::NODE_SERVER_SIGNER_NAME, ours);
    for (rule, finding) in csr::kubelet::trace(&csr::kubelet::SERVING, request) {
        holds &= trace.check(rule, finding.is_ok());
    }
    let requester = request.requester();
    let is_node = node_name(&requester.username).is_some();
    let is_self = is_node && requester.username == request.subject().common_name();
    holds &= trace.check(&rules::NODE_SERVER_REQUESTER, is_self);
    let is_member = requester.groups.iter().any(|group| group == "system:nodes");
    holds & trace.check(&rules::NODE_SERVER_GROUP, is_member)
}

/// The node that a user of this name is.
pub(crate) fn node_name(username: &str) -> Option<&str> {
    username.strip_prefix("system:node:")
}

fn has_permission(case: &Case<'_>, trace: &mut Trace) -> Result<(), Stop> {
    let requester = Arc::clone(case.request.requester());
    let permission = Permission { requester, recognizer: Recognizer::SelfNodeServer };
    let rule = Recognizer::SelfNodeServer.permission_rule();
    match case.facts.verdict(permission.clone()) {
        None => Err(trace.ask(rule, vec![Question::Review(permission)])),
        Some(Verdict::Allowed) => {
            trace.check(rule, true);
            Ok(())
        }
        Some(Verdict::NotAllowed) => {
            let on = vec![Question::Review(permission)];
            Err(trace.refuse(case, rule, (on, String::new())))
        }
    }
}

/// The Node that asks, once it and everything about its names is known.
fn node_and_claims(case: &Case<'_>, trace: &mut Trace) -> Result<Arc<Node>, Stop> {
    let question = Question::Node(case.node.into());
    let Some(node) = case.facts.node(case.node) else {
        let mut questions = case.unknown_claims();
        questions.push(question);
        return Err(trace.ask(&rules::NODE_SERVER_NODE, questions));
    };
    let Some(node) = node else {
        let note = format!("there is no Node {:?}", case.node);
        return Err(trace.refuse(case, &rules::NODE_SERVER_NODE, (vec![question], note)));
    };
    trace.check(&rules::NODE_SERVER_NODE, true);
    claims_are_known(case, trace)?;
    Ok(Arc::clone(node))
}

/// Demands that everything is known of every name: what cannot be read might forbid it.
fn claims_are_known(case: &Case<'_>, trace: &mut Trace) -> Result<(), Stop> {
    let unknown = case.unknown_claims();
    if !unknown.is_empty() {
        return Err(trace.ask(&rules::NODE_SERVER_FACTS, unknown));
    }
    let claims = case.sans.iter().filter_map(|san| case.facts.claims(san));
    let unread: BTreeSet<_> = claims.flat_map(|claims| &claims.unread).copied().collect();
    if unread.is_empty() {
        trace.check(&rules::NODE_SERVER_FACTS, true);
        return Ok(());
    }
    let unread: Vec<_> = unread.into_iter().collect();
    let note = format!("not read, or not lately: {}", unread.join(", "));
    Err(trace.refuse(case, &rules::NODE_SERVER_FACTS, (case.facts.about_the_cluster(), note)))
}

impl<'a> Case<'a> {
    fn new((request, node): (&'a Request, &'a str), policy: &'a NodeServer, facts: &'a Facts) -> Self {
        let (mut sans, mut seen) = (San::of(request.sans()).unwrap_or_default(), BTreeSet::new());
        sans.retain(|san| seen.insert(san.clone()));
        Self { request, policy, facts, node, sans }
    }

    /// Whether the inventory gives the node this name.
    fn inventory_lists(&self, san: &San) -> bool {
        self.inventory_nodes(san).any(|node| **node == *self.node)
    }

    /// The nodes to which the inventory gives a name: that of the configuration, or that in the cluster.
    fn inventory_nodes<'c>(&'c self, san: &San) -> impl Iterator<Item = &'c Arc<str>> + use<'c> {
        let followed = self.facts.claims(san).into_iter().flat_map(|claims| &claims.inventory);
        let configured: Vec<_> = self.policy.inventory.nodes(san).collect();
        configured.into_iter().chain(followed)
    }

    fn unknown_claims(&self) -> Vec<Question> {
        let unknown = self.sans.iter().filter(|san| self.facts.claims(san).is_none());
        unknown.cloned().map(Question::Claims).collect()
    }
}

impl Trace {
    /// Ends a judgement: the rule is broken, and these answers may change that.
    pub(crate) fn refuse(
        &mut self,
        case: &Case<'_>,
        rule: &'static Rule,
        why: (Vec<Question>, String),
    ) -> Stop {
        let (on, note) = why;
        self.broken(rule, note.clone());
        if case.policy.deny.contains(rule.id) {
            return Outcome::Deny { rule, note };
        }
        Outcome::Hold { rule, on }
    }
}
