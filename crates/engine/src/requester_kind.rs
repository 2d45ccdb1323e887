use time::Duration;

/// Who asks, as far as how long it waits for an answer goes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum RequesterKind {
    /// A kubelet that rotates its certificate.
    Node,
    /// A kubelet that joins with a bootstrap token.
    Bootstrap,
    /// Anybody else.
    Other,
}

impl RequesterKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Node, Self::Bootstrap, Self::Other];

    /// The kind in one word, for metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Bootstrap => "bootstrap",
            Self::Other => "other",
        }
    }

    pub(crate) fn of(username: &str) -> Self {
        if username.starts_with("system:node:") {
            Self::Node
        } else if username.starts_with("system:bootstrap:") {
            Self::Bootstrap
        } else {
            Self::Other
        }
    }

    /// How long it waits before it gives up and sends another request: 15 minutes (`client-go/util/certificate`), 60
    /// minutes (`pkg/kubelet/certificate/bootstrap`), or for ever, for all that is known.
    pub(crate) fn patience(self) -> Option<Duration> {
        match self {
            Self::Node => Some(Duration::minutes(15)),
            Self::Bootstrap => Some(Duration::minutes(60)),
            Self::Other => None,
        }
    }
}
