use std::fmt;

/// Whether a node of some name is there and alive, at the moment of asking.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Occupancy {
    /// There is no such Node.
    Vacant,

    /// There is a Node, which is not ready and has not renewed its Lease lately.
    Silent,

    /// Its condition Ready is true.
    Ready,

    /// Its Lease was renewed lately.
    Renewed,

    /// Somebody who may has labelled it as free to be taken over.
    Released,
}

impl Occupancy {
    /// The label on a Node, with the value `true`, by which an administrator lets its name be taken over. NodeRestriction forbids
    /// kubelets all labels of this domain.
    pub const RELEASE_LABEL: &'static str = "countersign.node-restriction.kubernetes.io/allow-rejoin";
}

impl fmt::Display for Occupancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vacant => "there is no such Node",
            Self::Silent => "the Node is not ready and has not renewed its Lease lately",
            Self::Ready => "the Node is ready",
            Self::Renewed => "the Node has renewed its Lease lately",
            Self::Released => "the Node is labelled as free to be taken over",
        })
    }
}
