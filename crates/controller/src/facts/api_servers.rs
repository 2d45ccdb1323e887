//! What clients dial when they want the API server: no node may have any of that.
//!
//! The EndpointSlices show the addresses of the API servers alone. Clients mostly dial something else, a name or a virtual address
//! that is in the certificates, and a node that adds it to its own status could else serve in the API server's place.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use approver::{Resolution, San};
use tokio::time::{Instant, sleep};

use super::peer::Peers;
use super::{Changed, Facts, Feed, announced};
use crate::log::OncePer;

/// How often the certificates are looked at.
pub(super) const PERIOD: Duration = Duration::from_secs(60);

/// How soon again after a failure.
pub(super) const AGAIN: Duration = Duration::from_secs(2);

/// How often it is looked whether there are other API servers.
const TICK: Duration = Duration::from_millis(500);

/// Looks at what API servers present, for ever, by the authorities of the moment.
pub(super) async fn follow(facts: Arc<Facts>, feed: Feed) {
    let mut trusted = feed.trusted;
    loop {
        let authorities = trusted.borrow_and_update().clone();
        let followed = async {
            match Peers::trusting(authorities.iter().map(Vec::as_slice)) {
                Ok(peers) => {
                    tokio::join!(
                        follow_by(&facts, &peers, &feed.changed),
                        announced::follow(&facts, &peers, &feed.changed)
                    );
                }
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "API servers' certificates cannot be verified without the CA in the kubeconfig; no serving certificate will be approved"
                ),
            }
            std::future::pending().await
        };
        tokio::select! {
            Ok(()) = trusted.changed() => (),
            () = followed => (),
        }
    }
}

async fn follow_by(facts: &Facts, peers: &Peers, changed: &Changed) {
    let said = OncePer::new(Duration::from_secs(600));
    let mut due: BTreeMap<(IpAddr, u16), Instant> = BTreeMap::new();
    loop {
        let servers = facts.index.read().unwrap_or_else(PoisonError::into_inner).api_servers();
        due.retain(|at, _| servers.contains(at));
        for at in servers {
            let now = Instant::now();
            if due.get(&at).is_some_and(|due| *due > now) {
                continue;
            }
            let pause = match presented(facts, peers, at).await {
                Ok(sans) => {
                    facts.update(changed, |index| index.presents(at, sans, Instant::now()));
                    PERIOD
                }
                Err(error) => {
                    if said.permits(&format!("{at:?}")) {
                        let address = SocketAddr::from(at).to_string();
                        tracing::warn!(address, error = &*error, "what an API server presents is not known");
                    }
                    AGAIN
                }
            };
            due.insert(at, Instant::now() + pause);
        }
        sleep(TICK).await;
    }
}

/// Every name and address in the certificate of an API server, and the addresses of these names.
async fn presented(
    facts: &Facts,
    peers: &Peers,
    at: (IpAddr, u16),
) -> Result<BTreeSet<San>, Box<dyn std::error::Error + Send + Sync>> {
    let certificate = peers.certificate(at.into()).await?;
    // A kubelet's chains to the same authority on most clusters: who takes the API server's place with it hides its names.
    if certificate.common_name.starts_with("system:node:") {
        return Err("the certificate is a kubelet's".into());
    }
    let mut sans = certificate.sans;
    let dns = sans.iter().filter_map(|san| match san {
        San::Dns(name) => Some(Arc::clone(name)),
        San::Ip(_) => None,
    });
    // A name without a dot leads somewhere only with a search list, and those of Services are known for what they are.
    let leads_elsewhere = |name: &Arc<str>| {
        name.contains('.') && facts.settings().unwrap_or_default().judgement.cluster_name(name).is_none()
    };
    for name in dns.filter(leads_elsewhere).collect::<Vec<_>>() {
        match facts.resolve(&name).await {
            Resolution::Addresses(found) => sans.extend(found.into_iter().map(San::ip)),
            Resolution::NotFound => {}
            Resolution::Failed => return Err(format!("the addresses of {name} are not known").into()),
        }
    }
    Ok(sans)
}

#[cfg(test)]
mod tests;
