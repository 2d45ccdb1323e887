/// Who is served before whom.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Rank {
    /// Never tried, and its requester still waits.
    Fresh,
    /// Never tried, but its requester has given up by now.
    Late,
    /// Tried in vain.
    Retries,
    /// Never tried, and its requester has asked for the same again since.
    Superseded,
}

impl Rank {
    /// Every rank, the first to be served in front.
    pub const ALL: [Self; 4] = [Self::Fresh, Self::Late, Self::Retries, Self::Superseded];

    /// The rank in one word, for metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Late => "late",
            Self::Retries => "retries",
            Self::Superseded => "superseded",
        }
    }
}
