//! Feeds the index from watches.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::index::{Change, Index, Indexed};
use super::{Changed, Facts, Feed, object};
use crate::kube::watch::{Seen, Watcher};

/// Events that wait for the index, which takes them in without waiting for anything.
pub(super) const EVENTS: usize = 4;

/// Watches all objects of a kind, and tells which questions may have another answer.
pub(super) fn spawn<T: Indexed>(facts: &Arc<Facts>, feed: &Feed, tasks: &mut JoinSet<()>) {
    let (seen, events) = mpsc::channel(EVENTS);
    tasks.spawn(Watcher::<T>::new(feed.caller.clone(), seen, Arc::clone(&feed.metrics)).run());
    tasks.spawn(take_in(Arc::clone(facts), events, feed.changed.clone()));
}

async fn take_in<T: Indexed>(facts: Arc<Facts>, mut events: mpsc::Receiver<Seen<T>>, changed: Changed) {
    while let Some(seen) = events.recv().await {
        facts.update(&changed, |index| put(index, seen));
    }
}

/// Takes in what was seen. A change alone does not say that nothing was missed: more may follow that happened long ago.
pub(super) fn put<T: Indexed>(index: &mut Index, seen: Seen<T>) -> Vec<Change> {
    let now = Instant::now();
    match seen {
        Seen::Init => index.begin::<T>(now),
        Seen::NotServed => index.not_served::<T>(now),
        Seen::Current => index.heard::<T>(now),
        Seen::InitDone => return index.end::<T>(),
        Seen::Unreadable { namespace, name } => return index.unreadable::<T>(&namespace, &name),
        Seen::Deleted { namespace, name, .. } => {
            return index.remove::<T>(&object::key(&namespace, &name));
        }
        Seen::InitApply(object) | Seen::Apply(object) => return index.put(&*object),
    }
    Vec::new()
}
