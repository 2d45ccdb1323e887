//! Reads the record, and writes into it before something is approved.
//!
//! What waits to be recorded at the same moment goes with one PUT of each ConfigMap that it takes. Whoever has its turn writes for
//! all: there is no task that could go on when this replica leads no more.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use approver::San;
use futures::future::join_all;
use http::{Method, Request, StatusCode};
use serde_json::Value;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout};

use super::record::{Approval, Draft, NAMESPACE, SHARDS, Shard, shard_name};
use super::{Change, Changed, Facts, bounds};
use crate::kube::call::{CallError, Operation, json};
use crate::kube::path::AS_IT_IS;
use crate::log::{MissingPermissions, OncePer};

const GET: Operation = Operation::new("get", "configmaps");
const UPDATE: Operation = Operation::new("update", "configmaps");

/// An operator may take something out.
const PERIOD: Duration = Duration::from_secs(30);

/// While some of it cannot be read nothing is approved.
const RETRY: Duration = Duration::from_secs(5);

/// What waits to be recorded.
#[derive(Debug, Default)]
pub(super) struct Keeper {
    waiting: Mutex<Vec<Waiting>>,
    writing: tokio::sync::Mutex<()>,
    doubt: Notify,
    was_tried: AtomicBool,
}

#[derive(Debug)]
struct Waiting {
    approval: Approval,
    told: oneshot::Sender<Kept>,
}

/// What is written for whom waits: these ConfigMaps.
#[derive(Debug)]
struct Planned {
    waiting: Waiting,
    takes: BTreeSet<usize>,
}

type Kept = Result<(), KeepError>;

/// Why an approval is not on record.
#[derive(Clone, Debug, thiserror::Error)]
pub enum KeepError {
    /// The record is no more what it was when the approval was decided, or another one is.
    #[error("the record has changed")]
    Changed,

    /// A ConfigMap could not be written.
    #[error(transparent)]
    Call(#[from] Arc<CallError>),
}

impl Facts {
    /// Doubts what was read of the record before: from now on this replica leads, and another one did.
    pub fn begin_term(&self) {
        self.write(|index| index.record_mut().begin_term());
        self.keeper.doubt.notify_one();
    }

    /// Records an approval, with all others that wait for that. When this returns, whoever reads the record finds it.
    ///
    /// # Errors
    /// When the approval has to be decided again, or the API server did not write it.
    pub async fn keep(&self, approval: Approval) -> Result<(), KeepError> {
        let (told, mut answer) = oneshot::channel();
        let waiting = Waiting { approval, told };
        self.keeper.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(waiting);
        let _turn = self.keeper.writing.lock().await;
        if let Ok(kept) = answer.try_recv() {
            return kept;
        }
        let batch = std::mem::take(&mut *self.keeper.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        self.write_all(batch).await;
        // Whoever had taken it on may have been dropped in the middle of it.
        answer.try_recv().unwrap_or(Err(KeepError::Changed))
    }

    /// Whether the record was read, or could not be.
    pub fn record_was_tried(&self) -> bool {
        self.keeper.was_tried.load(Ordering::Acquire)
    }

    async fn write_all(&self, batch: Vec<Waiting>) {
        let (planned, drafts) = self.plan(batch);
        let written = drafts.into_iter().map(async |(number, draft)| (number, self.put(number, draft).await));
        let written: BTreeMap<_, _> = join_all(written).await.into_iter().collect();
        for Planned { waiting, takes } in planned {
            let failed = takes.iter().find_map(|number| written.get(number)?.clone().err());
            // Nobody waits for it any more when its pass was dropped.
            let _ = waiting.told.send(failed.map_or(Ok(()), Err));
        }
    }

    /// What to write for whom; those that have to be decided again are told so at once.
    fn plan(&self, batch: Vec<Waiting>) -> (Vec<Planned>, BTreeMap<usize, Draft>) {
        let (mut planned, mut drafts, mut taken) = (Vec::new(), BTreeMap::new(), Taken::default());
        let settings = self.settings().unwrap_or_default();
        let (index, bounds, now) = (self.read(), bounds(&settings), Instant::now());
        for waiting in batch {
            if index.agrees(&waiting.approval, bounds, now) && taken.is_free(&waiting.approval) {
                let takes = index.record().draft(&waiting.approval, &mut drafts);
                planned.push(Planned { waiting, takes });
            } else {
                let _ = waiting.told.send(Err(KeepError::Changed));
            }
        }
        drafts.values_mut().for_each(|draft| index.prune(draft, now));
        (planned, drafts)
    }

    async fn put(&self, number: usize, draft: Draft) -> Result<(), KeepError> {
        let seen = self.seen();
        let request = json(
            Method::PUT,
            &format!("{}?{AS_IT_IS}", path(number)),
            draft.object().to_string().into_bytes(),
        );
        let written = self.caller.call(UPDATE, request).await.and_then(|answer| shard(UPDATE, &answer, seen));
        match written {
            Ok(shard) => {
                // Nobody is held by what this takes from others: those are told when their Nodes change.
                self.write(|index| index.take_in(number, shard, seen.1));
                Ok(())
            }
            Err(error) if error.code() == Some(StatusCode::CONFLICT) => {
                // Whether it can be read, the next who reads it says.
                let _ = self
                    .get(number)
                    .await
                    .map(|shard| self.write(|index| index.take_in(number, shard, seen.1)));
                Err(KeepError::Changed)
            }
            Err(error) => Err(Arc::new(error).into()),
        }
    }

    async fn get(&self, number: usize) -> Result<Shard, CallError> {
        let seen = self.seen();
        let answer = self.caller.call(GET, Request::get(path(number)).body(Vec::new())).await?;
        shard(GET, &answer, seen)
    }

    /// In which term, and when, what is asked for now is seen.
    fn seen(&self) -> (u64, Instant) {
        (self.read().record().term(), Instant::now())
    }
}

/// Keeps what is known of the record current, for ever.
pub(super) async fn follow(facts: Arc<Facts>, changed: Changed) {
    let (missing, said) = (MissingPermissions::default(), OncePer::new(10 * PERIOD));
    loop {
        let read = (0..SHARDS).map(async |number| (number, facts.get(number).await));
        for (number, read) in join_all(read).await {
            match read {
                Ok(shard) => {
                    tell(&changed, facts.write(|index| index.take_in(number, shard, Instant::now())))
                }
                Err(error) => facts.lost(number, &error, (&missing, &said)),
            }
        }
        facts.keeper.was_tried.store(true, Ordering::Release);
        let period = if facts.read().record().is_read(Instant::now()) { PERIOD } else { RETRY };
        // Whichever comes first, all is read again.
        let _ = timeout(period, facts.keeper.doubt.notified()).await;
    }
}

impl Facts {
    /// What cannot be read because it is not there, or not allowed, is not believed any longer; what fails otherwise is for a while.
    fn lost(&self, number: usize, error: &CallError, (missing, said): (&MissingPermissions, &OncePer)) {
        let cause = error as &dyn std::error::Error;
        match error.code() {
            Some(StatusCode::FORBIDDEN) => missing.report(GET.verb, GET.resource, &error.to_string()),
            _ if said.permits(error.label()) => {
                tracing::warn!(error = cause, "the record of what nodes were approved for cannot be read");
            }
            _ => tracing::debug!(error = cause, "the record of what nodes were approved for cannot be read"),
        }
        if matches!(error.code(), Some(StatusCode::FORBIDDEN | StatusCode::NOT_FOUND)) {
            self.write(|index| index.record_mut().lose(number));
        }
    }
}

/// What the approvals of one batch take: of two that take the same, the later is decided again.
#[derive(Debug, Default)]
struct Taken {
    names: HashMap<San, Arc<str>>,
    keys: HashMap<Arc<str>, Arc<str>>,
}

impl Taken {
    /// Takes what an approval does, unless another node has taken some of it.
    fn is_free(&mut self, approval: &Approval) -> bool {
        let Approval { node, entry, .. } = approval;
        let is_own = |by: Option<&Arc<str>>| by.is_none_or(|by| by == node);
        let is_free =
            is_own(self.keys.get(&entry.key)) && entry.names.iter().all(|san| is_own(self.names.get(san)));
        if is_free {
            self.keys.insert(Arc::clone(&entry.key), Arc::clone(node));
            self.names.extend(entry.names.iter().map(|san| (san.clone(), Arc::clone(node))));
        }
        is_free
    }
}

fn tell(changed: &Changed, changes: Vec<Change>) {
    for change in changes {
        // When nobody listens any more, the process is about to end.
        let _ = changed.send(change);
    }
}

fn shard(operation: Operation, answer: &[u8], seen: (u64, Instant)) -> Result<Shard, CallError> {
    let unreadable =
        |source: Box<dyn std::error::Error + Send + Sync>| CallError::Unreadable { operation, source };
    let object: Value = serde_json::from_slice(answer).map_err(|error| unreadable(error.into()))?;
    Shard::of(object, seen).ok_or_else(|| unreadable("no ConfigMap".into()))
}

fn path(number: usize) -> String {
    format!("/api/v1/namespaces/{NAMESPACE}/configmaps/{}", shard_name(number))
}
