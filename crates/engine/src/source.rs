use crate::flights::Place;

/// Who answers a question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// The API server: the question is a call, and asked again at the rate of retries.
    ApiServer,

    /// This process, at once and from what it knows. It costs nobody else anything, and so none of the rate of retries.
    Memory,

    /// Somebody else, who may take seconds: the question takes no place from a call, and is asked again at the rate of retries.
    Others,
}

impl Source {
    /// What a question takes up while it is under way.
    pub(crate) fn place(self) -> Place {
        match self {
            Self::ApiServer => Place::Call,
            Self::Memory => Place::Memory,
            Self::Others => Place::Inquiry,
        }
    }
}
