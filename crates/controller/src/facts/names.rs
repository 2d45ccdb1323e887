//! DNS: absolute names, no search list, no hosts file. In a pod `worker-2` would else lead through Services that a tenant makes.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use approver::Resolution;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::RecordType;
use tokio::time::timeout;

/// How long an answer may take, attempts and servers together.
const PATIENCE: Duration = Duration::from_secs(4);

/// Asks resolvers.
#[derive(Clone, Debug)]
pub(super) struct Names(Option<TokioResolver>);

impl Names {
    /// Asks these resolvers, or with none those in `/etc/resolv.conf`. Where that cannot be read, no name is known.
    #[must_use]
    pub(super) fn asking(resolvers: &[SocketAddr]) -> Self {
        Self::new(builder(resolvers))
    }

    fn new(builder: Result<Builder, NetError>) -> Self {
        let built = builder.and_then(|mut builder| {
            let options = builder.options_mut();
            options.use_hosts_file = ResolveHosts::Never;
            options.cache_size = 0;
            options.timeout = Duration::from_secs(1);
            options.attempts = 2;
            builder.build()
        });
        if let Err(error) = &built {
            tracing::warn!(error = error as &dyn std::error::Error, "the resolvers are not known");
        }
        Self(built.ok())
    }

    /// The addresses of a name: all of them, or it has failed. Half an answer would leave out what may be somebody else's.
    pub(super) async fn resolve(&self, name: &str) -> Resolution {
        let Some(resolver) = &self.0 else {
            return Resolution::Failed;
        };
        let of_kind = |kind| resolver.lookup(format!("{name}."), kind);
        let both = async { tokio::join!(of_kind(RecordType::A), of_kind(RecordType::AAAA)) };
        let Ok((v4, v6)) = timeout(PATIENCE, both).await else {
            return Resolution::Failed;
        };
        match (found(v4), found(v6)) {
            (Some(v4), Some(v6)) if v4.is_empty() && v6.is_empty() => Resolution::NotFound,
            (Some(v4), Some(v6)) => Resolution::Addresses(&v4 | &v6),
            (None, _) | (_, None) => Resolution::Failed,
        }
    }
}

type Builder = hickory_resolver::ResolverBuilder<TokioRuntimeProvider>;

fn builder(resolvers: &[SocketAddr]) -> Result<Builder, NetError> {
    if resolvers.is_empty() {
        return TokioResolver::builder_tokio();
    }
    Ok(TokioResolver::builder_with_config(config(resolvers), TokioRuntimeProvider::default()))
}

/// These servers and nothing else.
fn config(resolvers: &[SocketAddr]) -> ResolverConfig {
    let server = |at: &SocketAddr| {
        let at_its_port = |mut connection: ConnectionConfig| {
            connection.port = at.port();
            connection
        };
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(at_its_port);
        NameServerConfig::new(at.ip(), true, connections.into())
    };
    ResolverConfig::from_name_servers(resolvers.iter().map(server).collect())
}

/// The addresses in an answer, none where a server has said that there is none; `None` where nobody has said anything.
fn found(answer: Result<Lookup, NetError>) -> Option<BTreeSet<IpAddr>> {
    match answer {
        Ok(found) => {
            let addresses = found.answers().iter().filter_map(|record| record.data.ip_addr());
            Some(addresses.map(|address| address.to_canonical()).collect())
        }
        Err(error) => is_none(&error).then(BTreeSet::new),
    }
}

/// Whether a server has said that there is nothing. Silence and refusals are none of it, nor that somebody else knows (RFC 2308 §2.2).
fn is_none(error: &NetError) -> bool {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => none.ns.is_none() || none.soa.is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
