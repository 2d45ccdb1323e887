//! What this process works by, from the CA files and the configuration file as they change.

use std::sync::Arc;

use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::ca::AuthorityFiles;
use crate::cluster_ca::ClusterCas;
use crate::config::Config;
use crate::configuration::Effective;
use crate::policy::{Authorities, Policy};
use crate::serve::metrics::Metrics;

/// The parts of a policy, each as it is at present.
struct Parts {
    authorities: watch::Receiver<Arc<Authorities>>,
    configuration: watch::Receiver<Arc<Effective>>,
    cluster: watch::Receiver<Option<ClusterCas>>,
}

/// How a policy is made of them.
trait Make: Fn(&Authorities, &Effective, Option<&ClusterCas>) -> Arc<Policy> {}

impl<F: Fn(&Authorities, &Effective, Option<&ClusterCas>) -> Arc<Policy>> Make for F {}

/// What to work by, now and whenever a CA or the configuration changes.
pub(super) fn policies(
    config: &Config,
    authorities: AuthorityFiles,
    (configuration, cluster): (watch::Receiver<Arc<Effective>>, watch::Receiver<Option<ClusterCas>>),
    (metrics, background): (&Arc<Metrics>, &mut JoinSet<()>),
) -> watch::Receiver<Arc<Policy>> {
    authorities.observe(metrics, OffsetDateTime::now_utc());
    let config = config.clone();
    let mut parts = Parts { authorities: authorities.subscribe(), configuration, cluster };
    let policy = move |authorities: &Authorities, effective: &Effective, cluster: Option<&ClusterCas>| {
        Arc::new(Policy::new(&config, effective.configuration(), authorities, cluster))
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
            Ok(()) = self.cluster.changed() => true,
            else => false,
        }
    }

    fn put_together(&mut self, policy: &impl Make) -> Arc<Policy> {
        let Self { authorities, configuration, cluster } = self;
        let (authorities, configuration) =
            (authorities.borrow_and_update(), configuration.borrow_and_update());
        policy(&authorities, &configuration, cluster.borrow_and_update().as_ref())
    }
}

/// Makes a policy of each change, for ever: when nobody looks at the files any more, work goes on by the last one.
async fn forward(mut parts: Parts, policies: watch::Sender<Arc<Policy>>, policy: impl Make) {
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
        let cluster = watch::Sender::new(None).subscribe();
        let parts = Parts { authorities: authorities.subscribe(), configuration, cluster };
        let mut forward =
            pin!(forward(parts, policies, |_: &Authorities, _: &Effective, _: Option<&ClusterCas>| {
                Arc::default()
            }));
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
        let cluster = watch::Sender::new(None).subscribe();
        let parts = Parts { authorities: authorities.subscribe(), configuration, cluster };
        drop(authorities);
        let approves = |_: &Authorities, effective: &Effective, _: Option<&ClusterCas>| {
            let approval = effective.configuration().approval();
            Arc::new(Policy { approval, ..Policy::default() })
        };
        let mut forward = pin!(forward(parts, policies, approves));
        assert!(poll!(forward.as_mut()).is_pending());
        let section =
            Configuration { kubelet_serving: Some(KubeletServing::default()), ..Configuration::default() };
        file.send_replace(Arc::new(Effective::new(section)));
        assert!(poll!(forward).is_pending());
        assert!(subscriber.borrow_and_update().approval.node_server.is_some());
    }
}
