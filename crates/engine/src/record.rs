use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use csr::{CertificateSigningRequest, Progress, SignerName};
use time::OffsetDateTime;

use crate::lanes::Identity;
use crate::moment::Moment;
use crate::packed::PackedProgress;
use crate::step::{self, Step};
use crate::{Now, Rank, RequesterKind, Standings};

/// What the engine keeps of one object: some 150 bytes, where the object has ten thousand.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) name: Arc<str>,
    pub(crate) uid: Uid,
    pub(crate) resource_version: u64,
    pub(crate) signer_name: SignerName,
    pub(crate) identity: Identity,
    progress: PackedProgress,
    /// Its entry in the agenda of cleaning.
    pub(crate) deadline: Moment,
    pub(crate) state: State,
    /// The list it was last seen in.
    pub(crate) epoch: u32,
    /// Failures since the last success.
    pub(crate) attempts: u8,
    pub(crate) requester: RequesterKind,
    /// Its requester has asked for the same again since, and waits for that.
    pub(crate) superseded: bool,
    /// What is kept may be out of date, and no event has said so yet: read before anything is done.
    pub(crate) stale: bool,
}

/// What a record is doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    /// Nothing, until its deadline or the next event.
    Resting,
    /// It waits for its turn.
    Queued(Rank),
    /// A pass is under way.
    InHand,
    /// It waits for answers.
    Waiting,
    /// Answers hold it.
    Held,
    /// It was tried in vain, and has an entry in the agenda of retries.
    BackingOff(Duration),
}

/// `metadata.uid`, in 16 bytes where it is a UUID in the form that the API server gives it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Uid {
    Uuid([u8; 16]),
    Other(Arc<str>),
}

impl Record {
    /// A record of an object that was not known, seen in the list `epoch`.
    pub(crate) fn new(object: &CertificateSigningRequest, signer_name: SignerName, epoch: u32) -> Self {
        let username = &object.spec().requester.username;
        Self {
            name: object.name().clone(),
            uid: Uid::from(object.uid()),
            resource_version: object.resource_version(),
            signer_name,
            identity: identity(username),
            progress: object.progress().into(),
            deadline: Moment::NEVER,
            state: State::Resting,
            epoch,
            attempts: 0,
            requester: RequesterKind::of(username),
            superseded: false,
            stale: false,
        }
    }

    /// Takes over what an object of the same uid says. Its creation stays, for it is a part of its place in the queue.
    pub(crate) fn update(&mut self, object: &CertificateSigningRequest) {
        let created = Progress::from(self.progress).created;
        self.resource_version = object.resource_version();
        self.progress = Progress { created, ..object.progress() }.into();
        self.stale = false;
    }

    /// Where it stands.
    pub(crate) fn progress(&self) -> Progress {
        self.progress.into()
    }

    /// What the table says.
    pub(crate) fn step(&self, standings: &Standings, now: OffsetDateTime) -> Step {
        step::next(&self.progress.into(), &standings.of(&self.signer_name), now)
    }

    /// When a cleaning rule will match.
    pub(crate) fn cleaning(&self, standings: &Standings) -> Moment {
        let deadline = step::deadline(&self.progress.into(), &standings.of(&self.signer_name));
        deadline.map_or(Moment::NEVER, Moment::from)
    }

    /// Where it queues: what has failed goes after what has not, what can still be in time before what cannot, and what nobody
    /// waits for goes last.
    pub(crate) fn rank(&self, now: Now) -> Rank {
        if self.attempts > 0 {
            return Rank::Retries;
        }
        if self.superseded {
            return Rank::Superseded;
        }
        let age = now.wall - self.created();
        match self.requester.patience() {
            Some(limit) if age > limit => Rank::Late,
            Some(_) | None => Rank::Fresh,
        }
    }

    /// Its place within a lane: oldest first. An object without a time of creation goes first.
    pub(crate) fn age(&self) -> Moment {
        self.created().into()
    }

    /// Whether somebody approved it: its pass takes one call less.
    pub(crate) fn is_approved(&self) -> bool {
        Progress::from(self.progress).approved.is_some()
    }

    fn created(&self) -> OffsetDateTime {
        Progress::from(self.progress).created.unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl State {
    /// How many there are, whatever goes with them.
    pub(crate) const COUNT: usize = 6;

    /// Which one it is, below [`State::COUNT`].
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Resting => 0,
            Self::Queued(_) => 1,
            Self::InHand => 2,
            Self::Waiting => 3,
            Self::Held => 4,
            Self::BackingOff(_) => 5,
        }
    }
}

impl Uid {
    /// Whether it is this one.
    pub(crate) fn is(&self, uid: &Arc<str>) -> bool {
        *self == Self::from(uid)
    }
}

impl From<&Arc<str>> for Uid {
    fn from(uid: &Arc<str>) -> Self {
        uuid(uid).map_or_else(|| Self::Other(uid.clone()), Self::Uuid)
    }
}

impl From<&Uid> for Arc<str> {
    fn from(uid: &Uid) -> Self {
        match uid {
            Uid::Uuid(bytes) => hyphenated(bytes).into(),
            Uid::Other(text) => text.clone(),
        }
    }
}

/// The username alone: a ServiceAccount gets another `extra` with each token, and would be another one with each token.
fn identity(username: &str) -> Identity {
    let mut hasher = DefaultHasher::new();
    username.hash(&mut hasher);
    Identity(hasher.finish())
}

fn uuid(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    let digits: String = text.split('-').collect();
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    (hyphenated(&bytes) == text).then_some(bytes)
}

fn hyphenated(bytes: &[u8; 16]) -> String {
    let hex = format!("{:032x}", u128::from_be_bytes(*bytes));
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_some_150_bytes() {
        assert!(size_of::<Record>() <= 160, "{} bytes", size_of::<Record>());
        assert_eq!(size_of::<Option<Record>>(), size_of::<Record>());
    }

    #[test]
    fn every_uid_comes_back_as_it_was() {
        for (uid, is_uuid) in [
            ("5b4f1d6e-0a4c-4c3e-9d1c-0123456789ab", true),
            ("5B4F1D6E-0A4C-4C3E-9D1C-0123456789AB", false),
            ("5b4f1d6e0a4c4c3e9d1c0123456789ab", false),
            ("5b4f1d6e-0a4c-4c3e-9d1c-0123456789abc", false),
            ("+b4f1d6e-0a4c-4c3e-9d1c-0123456789ab", false),
            ("é", false),
            ("", false),
        ] {
            let uid = Arc::from(uid);
            assert_eq!(matches!(Uid::from(&uid), Uid::Uuid(_)), is_uuid, "{uid}");
            assert_eq!(Arc::from(&Uid::from(&uid)), uid);
        }
    }
}
