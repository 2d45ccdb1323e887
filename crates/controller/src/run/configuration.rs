//! What flags and configuration file amount to, as the file changes.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::Config;
use crate::configuration::{Audience, Effective};

/// The configuration in use, now and whenever the file changes.
pub(super) fn configuration(
    config: &Config,
    audience: Audience,
    background: &mut JoinSet<()>,
) -> watch::Receiver<Arc<Effective>> {
    audience.metrics.config_in_use(config.effective.digest());
    let (current, subscriber) = watch::channel(Arc::clone(&config.effective));
    if let Some(file) = config.file.clone() {
        background.spawn(file.watch(current, audience));
    }
    subscriber
}
