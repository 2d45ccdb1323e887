/// A named check, as data: what metrics, Events, logs, documentation and explanations all call by the same id.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Rule {
    /// Stable identifier, `<what it is about>/<what it checks>`, in lower case.
    pub id: &'static str,

    /// One sentence: what must hold.
    pub title: &'static str,

    /// What to do when it does not.
    pub remedy: &'static str,

    /// Who has to do it.
    pub next_actor: NextActor,
}

/// Who has to act next for a request to get on.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum NextActor {
    /// Whoever administers the cluster: grants a permission, approves or denies by hand.
    Administrator,

    /// Nobody: it is taken care of without help.
    Nobody,

    /// Whoever runs Countersign: its configuration or its CA is at fault.
    Operator,

    /// Whoever sent the request: only another request can succeed.
    Requester,
}

impl NextActor {
    /// The word that documents and explanations use.
    pub fn label(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Nobody => "nobody",
            Self::Operator => "operator",
            Self::Requester => "requester",
        }
    }
}
