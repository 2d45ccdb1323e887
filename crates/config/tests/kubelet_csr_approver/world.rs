//! Requests as kubelet-csr-approver's own tests make them, and a cluster in values for what we ask about them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use approver::{
    Answer, Claims, Decision, Facts, Node, Outcome, Policy, Question, Resolution, San, Verdict, decide,
};
use csr::{Request, Requester, SignerName, Spec};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};

/// What DNS knows: names with their addresses.
pub(crate) type Zones = BTreeMap<&'static str, &'static [&'static str]>;

/// What a requester asks for.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) node: &'static str,
    /// The common name, where it is not the requester.
    pub(crate) common_name: Option<&'static str>,
    pub(crate) groups: &'static [&'static str],
    pub(crate) signer_name: &'static str,
    pub(crate) sans: &'static [&'static str],
    pub(crate) expiration_seconds: Option<i32>,
}

/// What a node asks for when nothing is wrong; node n4x2 is at 192.168.14.34 and fc00:1291:feed::cafe.
pub(crate) const VALID: Asked = Asked {
    node: "n4x2",
    common_name: None,
    groups: &["system:nodes"],
    signer_name: SignerName::KUBELET_SERVING,
    sans: &["n4x2.test.ch", "192.168.14.34", "fc00:1291:feed::cafe"],
    expiration_seconds: None,
};

impl Asked {
    fn request(&self) -> Request {
        let username = format!("system:node:{}", self.node);
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "system:nodes");
        params.distinguished_name.push(DnType::CommonName, self.common_name.unwrap_or(&username));
        let san = |text: &&str| match text.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName((*text).try_into().unwrap()),
        };
        params.subject_alt_names = self.sans.iter().map(san).collect();
        let pem = params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap();
        let groups = self.groups.iter().map(|group| (*group).to_owned()).collect();
        let spec = Spec {
            request: pem.into_bytes(),
            signer_name: self.signer_name.into(),
            usages: ["digital signature", "key encipherment", "server auth"].into_iter().collect(),
            expiration_seconds: self.expiration_seconds,
            requester: Arc::new(Requester { username, groups, ..Requester::default() }),
        };
        Request::from_spec(&spec).unwrap()
    }

    /// What we say to it. Its Node exists and lists whatever is asked for, as a kubelet that lies would have it; all is allowed,
    /// nothing reserved.
    pub(crate) fn judged(&self, policy: &Policy, zones: &Zones) -> Decision {
        let (request, mut facts) = (self.request(), Facts::default());
        loop {
            let decision = decide(&request, policy, &facts);
            let Outcome::Ask(questions) = decision.outcome else { return decision };
            for question in questions {
                let answer = self.answer(&question, zones);
                facts.add(question, answer);
            }
        }
    }

    fn answer(&self, question: &Question, zones: &Zones) -> Answer {
        match question {
            Question::Review(_) => Answer::Review(Verdict::Allowed),
            Question::Node(_) => {
                let addresses = self.sans.iter().filter_map(|san| San::from_text(san)).collect();
                let (listed, is_control_plane) = (self.sans.len(), false);
                let uid = "uid".into();
                Answer::Node(Some(Arc::new(Node { addresses, listed, is_control_plane, uid })))
            }
            Question::Claims(_) => Answer::Claims(Arc::new(Claims::default())),
            Question::Resolve(name) => {
                let found =
                    zones.get(&**name).map(|found| found.iter().map(|text| text.parse().unwrap()).collect());
                Answer::Resolution(found.map_or(Resolution::NotFound, Resolution::Addresses))
            }
            Question::LiveCertificate(_) => Answer::LiveCertificate(None),
            Question::Record(_) => Answer::Record(Some(BTreeSet::new())),
            Question::Occupancy(_) => Answer::Occupancy(approver::Occupancy::Vacant),
        }
    }
}
