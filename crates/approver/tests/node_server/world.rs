//! A cluster in values: whatever the approver asks is answered from it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use approver::{
    Answer, Claims, Facts, LiveCertificate, Node, NodeServer, Outcome, Owner, Policy, Question, Reservation,
    Resolution, San, Verdict, decide, gate,
};
use csr::{Request, Requester, SignerName, Spec};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};

/// A request as a kubelet sends it; each field is there to be wrong in one row.
#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) username: String,
    pub(crate) groups: Vec<&'static str>,
    pub(crate) common_name: &'static str,
    pub(crate) organization: &'static str,
    pub(crate) signer_name: &'static str,
    pub(crate) usages: &'static [&'static str],
    pub(crate) sans: Vec<String>,
    pub(crate) expiration_seconds: Option<i32>,
    pub(crate) pem: fn(String) -> String,
}

impl Default for Sample {
    fn default() -> Self {
        Self {
            username: "system:node:n1".to_owned(),
            groups: vec!["system:nodes", "system:authenticated"],
            common_name: "system:node:n1",
            organization: "system:nodes",
            signer_name: SignerName::KUBELET_SERVING,
            usages: &["digital signature", "server auth"],
            sans: vec!["n1".to_owned(), "10.0.0.1".to_owned()],
            expiration_seconds: None,
            pem: |pem| pem,
        }
    }
}

impl Sample {
    pub(crate) fn asking(sans: &[&str]) -> Self {
        Self { sans: sans.iter().map(|san| (*san).to_owned()).collect(), ..Self::default() }
    }

    pub(crate) fn request(&self) -> Request {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, self.organization);
        params.distinguished_name.push(DnType::CommonName, self.common_name);
        let san = |text: &String| match text.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) if text == "other" => SanType::OtherName((vec![1, 3, 6, 1], "n1".into())),
            Err(_) => SanType::DnsName(text.clone().try_into().unwrap()),
        };
        params.subject_alt_names = self.sans.iter().map(san).collect();
        let pem = params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap();
        self.request_of((self.pem)(pem))
    }

    pub(crate) fn request_of(&self, pem: String) -> Request {
        let groups = self.groups.iter().map(|group| (*group).to_owned()).collect();
        let requester = Requester { username: self.username.clone(), groups, ..Requester::default() };
        let spec = Spec {
            request: pem.into_bytes(),
            signer_name: self.signer_name.into(),
            usages: self.usages.iter().copied().collect(),
            expiration_seconds: self.expiration_seconds,
            requester: Arc::new(requester),
        };
        Request::from_spec(&spec).unwrap()
    }
}

/// What there is to know.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) policy: NodeServer,
    pub(crate) allowed: bool,
    pub(crate) nodes: BTreeMap<&'static str, Node>,
    pub(crate) reservations: Vec<(&'static str, Reservation)>,
    /// The inventory in the cluster: names, each with its node.
    pub(crate) inventory: Vec<(&'static str, &'static str)>,
    pub(crate) unread: Vec<&'static str>,
    pub(crate) dns: BTreeMap<&'static str, Resolution>,
    pub(crate) live: BTreeMap<&'static str, LiveCertificate>,
    /// Node, uid and a name or address; as the record has them, whatever became of the Node.
    pub(crate) owners: Vec<(&'static str, String, &'static str)>,
    /// The Nodes with the key of every request; none: the record cannot be read.
    pub(crate) key_holders: Option<BTreeSet<Arc<str>>>,
}

impl Default for World {
    /// One Node, n1, at 10.0.0.1; everything is readable, and nothing reserved.
    fn default() -> Self {
        let world = Self {
            policy: NodeServer::default(),
            allowed: true,
            nodes: BTreeMap::new(),
            reservations: Vec::new(),
            inventory: Vec::new(),
            unread: Vec::new(),
            dns: BTreeMap::new(),
            live: BTreeMap::new(),
            owners: Vec::new(),
            key_holders: Some(BTreeSet::new()),
        };
        world.node("n1", &["n1", "10.0.0.1"])
    }
}

impl World {
    pub(crate) fn node(mut self, name: &'static str, addresses: &[&str]) -> Self {
        let listed = addresses.len();
        let addresses = addresses.iter().filter_map(|text| San::from_text(text)).collect();
        self.nodes.insert(
            name,
            Node { uid: format!("{name}-1").into(), addresses, listed, is_control_plane: false },
        );
        self
    }

    pub(crate) fn control_plane(mut self, name: &'static str) -> Self {
        self.nodes.get_mut(name).unwrap().is_control_plane = true;
        self
    }

    pub(crate) fn reserved(mut self, san: &'static str, reservation: Reservation) -> Self {
        self.reservations.push((san, reservation));
        self
    }

    pub(crate) fn inventoried(mut self, san: &'static str, node: &'static str) -> Self {
        self.inventory.push((san, node));
        self
    }

    pub(crate) fn resolves(mut self, name: &'static str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
        self.dns.insert(name, Resolution::Addresses(addresses));
        self
    }

    pub(crate) fn serves(mut self, address: &'static str, common_name: &str, sans: &[&str]) -> Self {
        let sans = sans.iter().filter_map(|text| San::from_text(text)).collect();
        self.live.insert(address, LiveCertificate { common_name: common_name.to_owned(), sans });
        self
    }

    /// The record has this for a Node, by its present uid.
    pub(crate) fn recorded(mut self, node: &'static str, san: &'static str) -> Self {
        self.owners.push((node, format!("{node}-1"), san));
        self
    }

    pub(crate) fn policy(mut self, change: impl FnOnce(&mut NodeServer)) -> Self {
        change(&mut self.policy);
        self
    }

    /// Decides until nothing more is asked; a question that was answered is never asked again.
    pub(crate) fn decide(&self, request: &Request) -> (Outcome, Option<&'static str>) {
        self.ask(|policy, facts| decide(request, policy, facts))
    }

    /// The same for the signer's gate.
    pub(crate) fn gate(&self, request: &Request) -> (Outcome, Option<&'static str>) {
        self.ask(|policy, facts| gate(request, policy, facts))
    }

    fn ask(&self, decide: impl Fn(&Policy, &Facts) -> approver::Decision) -> (Outcome, Option<&'static str>) {
        let policy = Policy {
            node_server: Some(self.policy.clone()),
            sharing_cluster_ca: [SHARING.into()].into(),
            ..Policy::default()
        };
        let (mut facts, mut asked) = (Facts::default(), BTreeSet::new());
        loop {
            let decision = decide(&policy, &facts);
            let Outcome::Ask(questions) = decision.outcome else {
                let rule = decision.rule().map(|rule| rule.id);
                return (decision.outcome, rule);
            };
            assert!(!questions.is_empty());
            for question in questions {
                assert!(asked.insert(format!("{question:?}")), "{question:?} is asked twice");
                let answer = self.answer(&question);
                facts.add(question, answer);
            }
        }
    }

    /// How many live certificates are asked for in each round in which some are, until it is decided.
    pub(crate) fn dials(&self, request: &Request) -> Vec<usize> {
        let rounds = std::cell::RefCell::new(Vec::new());
        self.ask(|policy, facts| {
            let decision = decide(request, policy, facts);
            if let Outcome::Ask(questions) = &decision.outcome {
                let dials =
                    questions.iter().filter(|question| matches!(question, Question::LiveCertificate(_)));
                rounds.borrow_mut().push(dials.count());
            }
            decision
        });
        rounds.into_inner().into_iter().filter(|dials| *dials > 0).collect()
    }

    fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::Review(_) => {
                Answer::Review(if self.allowed { Verdict::Allowed } else { Verdict::NotAllowed })
            }
            Question::Node(name) => Answer::Node(self.nodes.get(&**name).cloned().map(Arc::new)),
            Question::Occupancy(_) => unreachable!("who has a serving certificate is alive"),
            Question::Claims(san) => Answer::Claims(Arc::new(self.claims(san))),
            Question::Record(_) => Answer::Record(self.key_holders.clone()),
            Question::Resolve(name) => {
                Answer::Resolution(self.dns.get(&**name).cloned().unwrap_or(Resolution::NotFound))
            }
            Question::LiveCertificate(address) => {
                Answer::LiveCertificate(self.live.get(&*address.to_string()).cloned().map(Arc::new))
            }
        }
    }

    fn claims(&self, san: &San) -> Claims {
        let named = self.nodes.keys().filter(|name| San::dns(name).as_ref() == Some(san));
        let names = named.map(|name| Reservation::NodeName((*name).into()));
        let listed = self.reservations.iter().filter(|(text, _)| San::from_text(text).as_ref() == Some(san));
        let claims = |node: &Node| node.listed <= self.policy.max_addresses && node.addresses.contains(san);
        let lists = |name: &str| self.nodes.get(name).is_some_and(claims);
        let owned = self.owners.iter().filter(|(_, _, text)| San::from_text(text).as_ref() == Some(san));
        // The index may still know the Node that was there before.
        let counts = |(name, ..): &&(&str, String, &str)| lists(name);
        let owner =
            |(name, uid, _): &(&str, String, &str)| Owner { node: (*name).into(), uid: uid.as_str().into() };
        Claims {
            unread: self.unread.clone(),
            owners: match self.key_holders {
                Some(_) => owned.filter(counts).map(owner).collect(),
                None => BTreeSet::new(),
            },
            reservations: names.chain(listed.map(|(_, reservation)| reservation.clone())).collect(),
            nodes: self
                .nodes
                .iter()
                .filter(|(_, node)| claims(node))
                .map(|(name, _)| (*name).into())
                .collect(),
            inventory: self
                .inventory
                .iter()
                .filter(|(text, _)| San::from_text(text).as_ref() == Some(san))
                .map(|(_, node)| (*node).into())
                .collect(),
        }
    }
}

/// A signer whose CA the cluster may trust.
pub(crate) const SHARING: &str = "example.com/sharing";
