//! Feeds the index from watches.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::index::{Change, Index, Indexed};
use super::{Changed, Facts, News, object};
use crate::kube::watch::{Seen, Watcher};

/// Events that wait for the index, which takes them in without waiting for anything.
const EVENTS: usize = 4;

/// Watches all objects of a kind, and tells which questions may have another answer.
pub(super) fn spawn<T: Indexed>(facts: &Arc<Facts>, news: &News, tasks: &mut JoinSet<()>) {
    let (seen, events) = mpsc::channel(EVENTS);
    tasks.spawn(Watcher::<T>::new(facts.caller.clone(), seen, Arc::clone(&news.metrics)).run());
    tasks.spawn(take_in(Arc::clone(facts), events, news.changed.clone()));
}

async fn take_in<T: Indexed>(facts: Arc<Facts>, mut events: mpsc::Receiver<Seen<T>>, changed: Changed) {
    while let Some(seen) = events.recv().await {
        facts.update(&changed, |index| put(index, seen));
    }
}

fn put<T: Indexed>(index: &mut Index, seen: Seen<T>) -> Vec<Change> {
    let is_complete = !matches!(seen, Seen::Init | Seen::InitApply(_));
    let changes = match seen {
        Seen::Init => {
            index.begin::<T>();
            Vec::new()
        }
        Seen::InitApply(object) | Seen::Apply(object) => index.put(&*object),
        Seen::InitDone => index.end::<T>(),
        Seen::Deleted { namespace, name, .. } => index.remove::<T>(&object::key(&namespace, &name)),
        Seen::Current => Vec::new(),
    };
    if is_complete {
        index.heard::<T>(Instant::now());
    }
    changes
}
