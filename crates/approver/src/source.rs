use std::fmt;

/// Who confirms that a name or an address is a node's, the strongest first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Source {
    /// The operator's own list.
    Inventory,

    /// DNS: the node's name in a configured domain leads to the address.
    Dns,

    /// The certificate with which the node serves at that address now: renewal goes on as before.
    LiveCertificate,

    /// `status.addresses` of the Node, which the node writes itself.
    NodeStatus,
}

impl Source {
    /// Every source, the strongest first.
    pub const ALL: [Self; 4] = [Self::Inventory, Self::Dns, Self::LiveCertificate, Self::NodeStatus];

    /// Its name in configuration and explanations.
    pub fn label(self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::Dns => "dns",
            Self::LiveCertificate => "live-certificate",
            Self::NodeStatus => "node-status",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}
