//! What the approver wants to know beside permissions: the Node that asks, and whose names and addresses are whose.
//!
//! The requester's Node is read anew for each request. Everything else comes from indexes that follow the cluster, as reading
//! every Node for every request would be a full list each time; an index that is not complete, or was not heard of lately, says
//! so in its answers, and the request is held.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use ::config::KubeletServing;
use approver::{Answer, LiveCertificate, Question, Resolution};
use http::Request;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::kube::call::{CallError, Caller, Operation};
use crate::kube::client::Trusted;
use crate::kube::path::encoded;
use crate::policy::Policy;
use crate::serve::metrics::Metrics;

pub mod announced;
mod api_servers;
mod follow;
pub mod index;
pub mod inventory;
mod keep;
mod names;
pub mod object;
mod occupancy;
pub mod peer;
pub mod record;

pub use index::Change;
use index::{Bounds, Index};
pub use keep::KeepError;
use keep::Keeper;
use names::Names;
use object::Source;
use peer::Peers;

const READ: Operation = Operation::new("get", "nodes");

/// Finds answers to questions about the cluster.
#[derive(Debug)]
pub struct Facts {
    caller: Caller,
    index: RwLock<Index>,
    /// Whoever is asked for names, and by which configuration.
    names: Mutex<Option<(Vec<SocketAddr>, Names)>>,
    policy: watch::Receiver<Arc<Policy>>,
    keeper: Keeper,
}

/// Questions whose answers may have changed, for whoever is held on one.
pub type Changed = mpsc::UnboundedSender<Change>;

impl Facts {
    /// Answers from what `caller` reads for each request, once [`Self::follow`] runs, within what the policy says.
    #[must_use]
    pub fn new(caller: Caller, policy: watch::Receiver<Arc<Policy>>) -> Arc<Self> {
        let (index, names, keeper) = (RwLock::default(), Mutex::default(), Keeper::default());
        Arc::new(Self { caller, index, names, policy, keeper })
    }

    /// Keeps the indexes current from when the policy first asks for them, for ever.
    pub async fn follow(self: Arc<Self>, feed: Feed) {
        let mut policy = self.policy.clone();
        if policy.wait_for(|policy| policy.kubelet_serving.is_some()).await.is_err() {
            return std::future::pending().await;
        }
        let mut tasks = JoinSet::new();
        follow::spawn::<object::Node>(&self, &feed, &mut tasks);
        follow::spawn::<object::Service>(&self, &feed, &mut tasks);
        follow::spawn::<object::ApiServers>(&self, &feed, &mut tasks);
        follow::spawn::<object::ServiceRanges>(&self, &feed, &mut tasks);
        tasks.spawn(inventory::follow(Arc::clone(&self), feed.clone()));
        tasks.spawn(keep::follow(Arc::clone(&self), feed.changed.clone()));
        tasks.spawn(api_servers::follow(self, feed));
        // None of them ends by itself; a panic is the end of this one too.
        if let Some(Err(error)) = tasks.join_next().await
            && let Ok(panic) = error.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
    }

    /// What DNS says of a name.
    pub async fn resolve(&self, name: &str) -> Resolution {
        let Some(settings) = self.settings() else {
            return Resolution::Failed;
        };
        self.names(&settings.resolvers).resolve(name).await
    }

    /// Those who ask these resolvers. A reload exchanges them.
    fn names(&self, resolvers: &[SocketAddr]) -> Names {
        let mut current = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_none_or(|(by, _)| by != resolvers) {
            *current = None;
        }
        let (_, names) = current.get_or_insert_with(|| {
            let names = Names::asking(resolvers);
            (resolvers.to_vec(), names)
        });
        names.clone()
    }

    /// The certificate with which a kubelet serves at an address, if this authority, in DER, issued it.
    pub async fn live_certificate(&self, address: IpAddr, authority: &[u8]) -> Option<LiveCertificate> {
        let peers = Peers::trusting([authority]).ok()?.for_servers_only();
        let port = self.settings()?.kubelet_port;
        let presented = peers.certificate((address, port).into()).await;
        if let Err(error) = &presented {
            tracing::debug!(%address, error = error as &dyn std::error::Error, "no certificate of ours is served there");
        }
        presented.ok()
    }

    /// The answer to a question that the indexes answer, at this moment; `None` for others.
    pub fn known(&self, question: &Question) -> Option<Answer> {
        match question {
            Question::Claims(san) => {
                let settings = self.settings()?;
                let bounds = bounds(&settings);
                Some(Answer::Claims(Arc::new(self.read().claims(san, bounds, Instant::now()))))
            }
            Question::Record(key) => Some(Answer::Record(self.read().key_holders(key, Instant::now()))),
            Question::Review(_)
            | Question::Node(_)
            | Question::Occupancy(_)
            | Question::Resolve(_)
            | Question::LiveCertificate(_) => None,
        }
    }

    /// The Node of this name, as the API server has it now; `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn node(&self, name: &str) -> Result<Option<approver::Node>, CallError> {
        // The approver has checked that a Node can have this name.
        let path = format!("{}/{}", <object::Node as Source>::PATH, encoded(name));
        let answer = match self.caller.call(READ, Request::get(path).body(Vec::new())).await {
            Err(error) if error.is_gone(name) => return Ok(None),
            answer => answer?,
        };
        let unreadable =
            |source: serde_json::Error| CallError::Unreadable { operation: READ, source: source.into() };
        let node: object::Node = serde_json::from_slice(&answer).map_err(unreadable)?;
        let found = &node.metadata().name;
        if found != name {
            let (asked, found) = (name.to_owned(), found.clone());
            return Err(CallError::OtherObject { operation: READ, asked, found });
        }
        Ok(Some(node.fact()))
    }

    /// What is missing of the inventory that is kept in the cluster.
    fn unread_inventory(&self) -> Option<&'static str> {
        let settings = self.settings()?;
        self.read().unread_inventory(bounds(&settings), Instant::now())
    }

    fn read(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write<T>(&self, change: impl FnOnce(&mut Index) -> T) -> T {
        change(&mut self.index.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn settings(&self) -> Option<Arc<KubeletServing>> {
        self.policy.borrow().kubelet_serving.clone()
    }

    /// Changes the index, and tells whom that concerns: everybody, where something can be read again that could not be.
    fn update(&self, changed: &Changed, change: impl FnOnce(&mut Index) -> Vec<Change>) {
        let settings = self.settings().unwrap_or_default();
        let bounds = bounds(&settings);
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        let before = index.unread(bounds, Instant::now());
        let mut changes = change(&mut index);
        let after = index.unread(bounds, Instant::now());
        drop(index);
        if before.iter().any(|what| !after.contains(what)) {
            changes = vec![Change::Everything];
        }
        for change in changes {
            // When nobody listens any more, the process is about to end.
            let _ = changed.send(change);
        }
    }
}

/// What the settings say of claims.
pub(crate) fn bounds(settings: &KubeletServing) -> Bounds<'_> {
    Bounds {
        max_addresses: settings.judgement.max_addresses,
        service_ranges: &settings.service_ranges,
        inventory: settings.inventory_config_map.as_ref(),
    }
}

/// Where news comes from, and whom to tell.
#[derive(Clone, Debug)]
pub struct Feed {
    /// Who lists and watches. A limit on its calls would make what is known old.
    pub caller: Caller,

    /// The authorities to which API servers' certificates chain.
    pub trusted: Trusted,

    /// Questions whose answers may have changed.
    pub changed: Changed,

    /// What is counted.
    pub metrics: Arc<Metrics>,
}
