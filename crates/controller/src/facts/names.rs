//! DNS: absolute names, no search list, no hosts file. In a pod `worker-2` would else lead through Services that a tenant makes.

use std::collections::BTreeSet;
use std::time::Duration;

use approver::Resolution;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::ResolveHosts;
use hickory_resolver::net::NetError;
use tokio::time::timeout;

/// How long an answer may take, attempts and servers together.
const PATIENCE: Duration = Duration::from_secs(4);

/// Asks the resolvers of this machine.
#[derive(Clone, Debug)]
pub(super) struct Names(Option<TokioResolver>);

impl Names {
    /// The resolvers in `/etc/resolv.conf`. Where it cannot be read, no name is known.
    #[must_use]
    pub(super) fn of_this_machine() -> Self {
        let built = TokioResolver::builder_tokio().and_then(|mut builder| {
            let options = builder.options_mut();
            options.use_hosts_file = ResolveHosts::Never;
            options.cache_size = 0;
            options.timeout = Duration::from_secs(1);
            options.attempts = 2;
            builder.build()
        });
        if let Err(error) = &built {
            tracing::warn!(
                error = error as &dyn std::error::Error,
                "the resolvers of this machine are not known"
            );
        }
        Self(built.ok())
    }

    /// The addresses of a name.
    pub(super) async fn resolve(&self, name: &str) -> Resolution {
        let Some(resolver) = &self.0 else {
            return Resolution::Failed;
        };
        match timeout(PATIENCE, resolver.lookup_ip(format!("{name}."))).await {
            Ok(Ok(found)) => Resolution::Addresses(
                found.iter().map(|address| address.to_canonical()).collect::<BTreeSet<_>>(),
            ),
            Ok(Err(error)) if is_none(&error) => Resolution::NotFound,
            Ok(Err(_)) | Err(_) => Resolution::Failed,
        }
    }
}

/// Whether a server has said that there is nothing. Silence and refusals are none of it.
fn is_none(error: &NetError) -> bool {
    error.is_nx_domain() || error.is_no_records_found()
}
