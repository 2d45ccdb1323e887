use csr::CertificateSigningRequest;
use engine::Retentions;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::text::span;

/// When an object is deleted as it stands, and why.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cleaning {
    /// The rule that will match first, or does.
    pub rule: &'static str,

    /// From when on, in RFC 3339, rounded up to a second.
    pub at: String,

    /// Seconds until then; none or fewer where it is due.
    pub seconds_left: i64,
}

impl Cleaning {
    /// What these retentions mean for an object; `None` where no rule will ever match.
    pub(super) fn of(
        object: &CertificateSigningRequest,
        retentions: &Retentions,
        now: OffsetDateTime,
    ) -> Option<Self> {
        let retention = retentions.of(&object.spec().signer_name);
        let (at, rule) = engine::cleaning_deadline(&object.progress(), &retention)?;
        let at = at.truncate_to_second().checked_add(time::Duration::SECOND)?;
        Some(Self { rule: rule.id, at: at.format(&Rfc3339).ok()?, seconds_left: (at - now).whole_seconds() })
    }

    /// For people: when, and by which rule.
    pub(super) fn label(&self) -> String {
        match self.seconds_left {
            ..=0 => format!("now by {}", self.rule),
            seconds => format!("in {} by {}", span(seconds), self.rule),
        }
    }
}
