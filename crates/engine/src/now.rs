use std::time::Duration;

use time::OffsetDateTime;

/// The time, as an argument: the engine has no clock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Now {
    /// What the calendar says; cleaning deadlines are measured against it. It may step in either direction.
    pub wall: OffsetDateTime,

    /// Time since the process started; back-off and rates are measured against it. It never goes back.
    pub monotonic: Duration,
}
