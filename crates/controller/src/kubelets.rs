//! Whether the API server would trust the kubelets, if it looked: each Node's certificate, on the address that the API server dials.
//!
//! Until `--kubelet-certificate-authority` is set the API server takes whatever a kubelet presents; once it is set, a node whose
//! certificate does not verify is cut off. Here the same is found out before. Nothing is sent to a kubelet but a TLS handshake.

mod certificate;
mod node;
mod text;

use futures::StreamExt as _;
use futures::stream;
use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use certificate::{Authorities, Presented};
pub use node::{AddressType, Node};
pub use text::report;

/// How many kubelets are looked at at once.
const AT_ONCE: usize = 64;

/// What the API server would find at one Node. Its JSON form has names that stay.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Kubelet {
    /// `metadata.name`.
    pub name: String,

    /// What the API server dials: a name or an address; `None` where the Node lists none of a type that it may dial.
    pub address: Option<String>,

    /// The port that goes with it.
    pub port: u16,

    /// Whether the certificate verifies, or why not.
    pub verdict: Verdict,

    /// When the certificate expires; `None` where none was seen.
    #[serde(serialize_with = "timestamp")]
    pub not_after: Option<OffsetDateTime>,

    /// Whole days until then; negative when it has.
    pub days_left: Option<i64>,

    /// What was found, for people; empty where the verdict says it all.
    pub note: String,

    /// What to do; empty where there is nothing.
    pub next_step: &'static str,
}

/// What becomes of a connection to a kubelet when its certificate is verified.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The API server would trust it.
    Verifies,
    /// It has none: its request is not approved, or not signed, yet.
    NoCertificate,
    /// It signed for itself.
    SelfSigned,
    /// It is not of an authority that is trusted.
    OtherAuthority,
    /// It is not for what is dialled.
    WrongAddress,
    /// It is not valid any more.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// It is not said to be for servers.
    NotForServers,
    /// It cannot be read, or not be relied on for another reason.
    Invalid,
    /// The Node lists nothing that may be dialled.
    NoAddress,
    /// Nobody answers.
    Unreachable,
}

impl Verdict {
    /// The verdict in words.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Verifies => "verifies",
            Self::NoCertificate => "no certificate yet",
            Self::SelfSigned => "self-signed",
            Self::OtherAuthority => "another authority's",
            Self::WrongAddress => "wrong address",
            Self::Expired => "expired",
            Self::NotYetValid => "not valid yet",
            Self::NotForServers => "not for servers",
            Self::Invalid => "invalid",
            Self::NoAddress => "no address",
            Self::Unreachable => "unreachable",
        }
    }

    /// What to do about it; empty where there is nothing.
    fn next_step(self) -> &'static str {
        match self {
            Self::Verifies => "",
            Self::NoCertificate | Self::Expired => "see what its request waits for: countersign status",
            Self::SelfSigned => "set serverTLSBootstrap: true on the node, and restart its kubelet",
            Self::OtherAuthority => {
                "see who issued it; the API server needs that CA in --kubelet-certificate-authority"
            }
            Self::WrongAddress => {
                "see whether its newest request waits (countersign status), and which address types the API server prefers"
            }
            Self::NotYetValid => "compare the clocks of this host, the node and the signer",
            Self::NotForServers | Self::Invalid => {
                "let the kubelet ask for another one: see tlsCertFile in its configuration"
            }
            Self::NoAddress => "see status.addresses of the Node, and which types the API server prefers",
            Self::Unreachable => "see whether the kubelet runs, and whether this host may reach it",
        }
    }
}

/// Looks at every Node, several at a time; each has seconds to answer. In the order of names.
pub async fn survey(
    mut nodes: Vec<Node>,
    preferred: &[AddressType],
    authorities: &Authorities,
) -> Vec<Kubelet> {
    nodes.sort_by(|one, other| one.name().cmp(other.name()));
    let each = nodes.iter().map(|node| Kubelet::found(node, preferred, authorities));
    stream::iter(each).buffered(AT_ONCE).collect().await
}

impl Kubelet {
    async fn found(node: &Node, preferred: &[AddressType], authorities: &Authorities) -> Self {
        let (address, port) = (node.preferred(preferred), node.port());
        let presented = match address {
            Some(address) => authorities.presented(address, port).await,
            None => Presented::nothing(Verdict::NoAddress),
        };
        Self {
            name: node.name().to_owned(),
            address: address.map(str::to_owned),
            port,
            verdict: presented.verdict,
            not_after: presented.not_after,
            days_left: presented.not_after.map(|end| (end - authorities.now()).whole_days()),
            note: presented.note,
            next_step: presented.verdict.next_step(),
        }
    }
}

fn timestamp<S: Serializer>(time: &Option<OffsetDateTime>, serializer: S) -> Result<S::Ok, S::Error> {
    time.and_then(|time| time.format(&Rfc3339).ok()).serialize(serializer)
}
