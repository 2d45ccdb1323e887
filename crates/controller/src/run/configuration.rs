//! What flags and configuration file amount to, as the file changes.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::Config;
use crate::configuration::Effective;
use crate::serve::metrics::Metrics;

/// The configuration in use, now and whenever the file changes.
pub(super) fn configuration(
    config: &Config,
    metrics: &Arc<Metrics>,
    background: &mut JoinSet<()>,
) -> watch::Receiver<Arc<Effective>> {
    metrics.config_in_use(config.effective.digest());
    let (current, subscriber) = watch::channel(Arc::clone(&config.effective));
    if let Some(file) = config.file.clone() {
        background.spawn(file.watch(current, Arc::clone(metrics)));
    }
    subscriber
}
