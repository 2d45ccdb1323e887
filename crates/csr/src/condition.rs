use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A condition that we add to `status.conditions`. Its status is always `True`, as the API demands of these three types.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Condition {
    /// What is said about the request.
    pub kind: ConditionType,

    /// Why, in one PascalCase word.
    pub reason: &'static str,

    /// Why, for a human reader.
    pub message: String,

    /// When; `None` leaves it to the API server, as kube-controller-manager does for approvals.
    pub last_update_time: Option<OffsetDateTime>,
}

/// A condition as it stands in `status.conditions`: whoever wrote it, these are their words.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct StandingCondition {
    /// `type`.
    #[serde(rename = "type")]
    pub kind: String,

    /// `reason`; empty where there is none.
    pub reason: String,

    /// `message`; empty where there is none.
    pub message: String,
}

/// The condition types that the API gives a meaning (`certificates.k8s.io/v1`).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ConditionType {
    /// The request may be signed.
    Approved,

    /// The request must not be signed.
    Denied,

    /// The signer refused the request for what it says.
    Failed,
}

impl ConditionType {
    /// The type as written in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "Approved",
            Self::Denied => "Denied",
            Self::Failed => "Failed",
        }
    }

    /// The type of this name; `None` for one that the API gives no meaning.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "Approved" => Some(Self::Approved),
            "Denied" => Some(Self::Denied),
            "Failed" => Some(Self::Failed),
            _ => None,
        }
    }
}

/// The JSON form of a [`Condition`].
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    r#type: &'static str,
    status: &'static str,
    reason: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_update_time: Option<String>,
}

impl Serialize for Condition {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let whole_seconds = |at: OffsetDateTime| at.replace_nanosecond(0).unwrap_or(at).format(&Rfc3339).ok();
        Wire {
            r#type: self.kind.as_str(),
            status: "True",
            reason: self.reason,
            message: &self.message,
            last_update_time: self.last_update_time.and_then(whole_seconds),
        }
        .serialize(serializer)
    }
}
