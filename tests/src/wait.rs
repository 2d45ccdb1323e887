//! Waiting for a condition, never for a time.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};

/// How long anything is waited for that takes well under a second on an idle machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

const INTERVAL: Duration = Duration::from_millis(20);

/// Asks `probe` until it answers `Some`, for [`PATIENCE`] at the longest.
///
/// # Errors
/// The first error of `probe`, or that `what` did not come about in time.
pub async fn until<T>(what: &str, probe: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    within(PATIENCE, what, probe).await
}

/// Like [`until`], with a limit of its own.
///
/// # Errors
/// The first error of `probe`, or that `what` did not come about in time.
pub async fn within<T>(
    limit: Duration,
    what: &str,
    mut probe: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(answer) = probe().await? {
            return Ok(answer);
        }
        if Instant::now() >= deadline {
            bail!("waited {limit:?} in vain: {what}");
        }
        sleep(INTERVAL).await;
    }
}

/// Asks `probe` for the whole of `period` and expects it never to answer `Some`: for what must *not* happen.
///
/// # Errors
/// The first error of `probe`, or that it did happen.
pub async fn never<T>(
    period: Duration,
    what: &str,
    mut probe: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<()> {
    let deadline = Instant::now() + period;
    while Instant::now() < deadline {
        if probe().await?.is_some() {
            bail!("should not have happened: {what}");
        }
        sleep(INTERVAL).await;
    }
    Ok(())
}
