//! What this process works by, from the CA files as they change.

use std::sync::Arc;

use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::ca::AuthorityFiles;
use crate::config::Config;
use crate::policy::{Authorities, Policy};
use crate::serve::metrics::Metrics;

/// What to work by, now and whenever a CA changes.
pub(super) fn policies(
    config: &Config,
    authorities: AuthorityFiles,
    metrics: &Arc<Metrics>,
    background: &mut JoinSet<()>,
) -> watch::Receiver<Arc<Policy>> {
    authorities.observe(metrics, OffsetDateTime::now_utc());
    let (config, mut current) = (config.clone(), authorities.subscribe());
    let policy = move |authorities: &Authorities| Arc::new(Policy::new(&config, authorities));
    let policies = watch::Sender::new(policy(&current.borrow_and_update()));
    let subscriber = policies.subscribe();
    background.spawn(authorities.watch(Arc::clone(metrics)));
    background.spawn(forward(current, policies, policy));
    subscriber
}

/// Makes a policy of each change, for ever: when nobody looks at the files any more, work goes on by the last one.
async fn forward(
    mut current: watch::Receiver<Arc<Authorities>>,
    policies: watch::Sender<Arc<Policy>>,
    policy: impl Fn(&Authorities) -> Arc<Policy>,
) {
    while current.changed().await.is_ok() {
        policies.send_replace(policy(&current.borrow_and_update()));
    }
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::poll;

    use super::*;

    #[tokio::test]
    async fn work_goes_on_by_the_last_policy_when_nobody_looks_at_the_files_any_more() {
        let authorities = watch::Sender::new(Arc::new(Authorities::new()));
        let policies = watch::Sender::new(Arc::default());
        let mut subscriber = policies.subscribe();
        let mut forward = pin!(forward(authorities.subscribe(), policies, |_| Arc::default()));
        authorities.send_replace(Arc::default());
        drop(authorities);
        assert!(poll!(forward.as_mut()).is_pending());
        assert!(subscriber.has_changed().is_ok_and(|changed| changed), "the last change was passed on");
        subscriber.mark_unchanged();
        assert!(poll!(forward).is_pending());
        assert!(subscriber.has_changed().is_ok(), "the policy is still there");
    }
}
