//! What this process works by, from the CA files and the configuration file as they change.

use std::sync::Arc;

use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::ca::AuthorityFiles;
use crate::config::Config;
use crate::configuration::Effective;
use crate::policy::{Authorities, Policy};
use crate::serve::metrics::Metrics;

/// The parts of a policy, each as it is at present.
struct Parts {
    authorities: watch::Receiver<Arc<Authorities>>,
    configuration: watch::Receiver<Arc<Effective>>,
}

/// What to work by, now and whenever a CA or the configuration changes.
pub(super) fn policies(
    config: &Config,
    authorities: AuthorityFiles,
    configuration: watch::Receiver<Arc<Effective>>,
    (metrics, background): (&Arc<Metrics>, &mut JoinSet<()>),
) -> watch::Receiver<Arc<Policy>> {
    authorities.observe(metrics, OffsetDateTime::now_utc());
    let config = config.clone();
    let mut parts = Parts { authorities: authorities.subscribe(), configuration };
    let policy = move |authorities: &Authorities, effective: &Effective| {
        Arc::new(Policy::new(&config, effective.configuration(), authorities))
    };
    let policies = watch::Sender::new(parts.put_together(&policy));
    let subscriber = policies.subscribe();
    background.spawn(authorities.watch(Arc::clone(metrics)));
    background.spawn(forward(parts, policies, policy));
    subscriber
}

impl Parts {
    /// Returns when one of them has changed; `false` when none ever will.
    async fn changed(&mut self) -> bool {
        tokio::select! {
            Ok(()) = self.authorities.changed() => true,
            Ok(()) = self.configuration.changed() => true,
            else => false,
        }
    }

    fn put_together(&mut self, policy: &impl Fn(&Authorities, &Effective) -> Arc<Policy>) -> Arc<Policy> {
        policy(&self.authorities.borrow_and_update(), &self.configuration.borrow_and_update())
    }
}

/// Makes a policy of each change, for ever: when nobody looks at the files any more, work goes on by the last one.
async fn forward(
    mut parts: Parts,
    policies: watch::Sender<Arc<Policy>>,
    policy: impl Fn(&Authorities, &Effective) -> Arc<Policy>,
) {
    while parts.changed().await {
        policies.send_replace(parts.put_together(&policy));
    }
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use ::config::{Configuration, KubeletServing};
    use futures::poll;

    use super::*;

    fn effective() -> Arc<Effective> {
        Arc::new(Effective::new(Configuration::default()))
    }

    #[tokio::test]
    async fn work_goes_on_by_the_last_policy_when_nobody_looks_at_the_files_any_more() {
        let authorities = watch::Sender::new(Arc::new(Authorities::new()));
        let (file, configuration) = watch::channel(effective());
        let policies = watch::Sender::new(Arc::default());
        let mut subscriber = policies.subscribe();
        let parts = Parts { authorities: authorities.subscribe(), configuration };
        let mut forward = pin!(forward(parts, policies, |_, _| Arc::default()));
        authorities.send_replace(Arc::default());
        drop((authorities, file));
        assert!(poll!(forward.as_mut()).is_pending());
        assert!(subscriber.has_changed().is_ok_and(|changed| changed), "the last change was passed on");
        subscriber.mark_unchanged();
        assert!(poll!(forward).is_pending());
        assert!(subscriber.has_changed().is_ok(), "the policy is still there");
    }

    #[tokio::test]
    async fn a_changed_configuration_makes_a_policy_though_no_ca_is_watched() {
        let (authorities, _) = watch::channel(Arc::new(Authorities::new()));
        let (file, configuration) = watch::channel(effective());
        let policies = watch::Sender::new(Arc::default());
        let mut subscriber = policies.subscribe();
        let parts = Parts { authorities: authorities.subscribe(), configuration };
        drop(authorities);
        let approves = |_: &Authorities, effective: &Effective| {
            let approval = effective.configuration().approval();
            Arc::new(Policy { approval, ..Policy::default() })
        };
        let mut forward = pin!(forward(parts, policies, approves));
        assert!(poll!(forward.as_mut()).is_pending());
        let section =
            Configuration { kubelet_serving: Some(KubeletServing::default()), ..Default::default() };
        file.send_replace(Arc::new(Effective::new(section)));
        assert!(poll!(forward).is_pending());
        assert!(subscriber.borrow_and_update().approval.node_server.is_some());
    }
}
