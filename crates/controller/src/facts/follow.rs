//! Feeds the index from watches.

use std::collections::BTreeSet;
use std::sync::Arc;

use approver::{Question, San};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::index::{Index, Indexed};
use super::object::{self, Source};
use super::{Changed, Facts, News, announce};
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
        if let Some(node) = node(&seen) {
            let _ = changed.send(Question::Node(node));
        }
        announce(&changed, facts.update(|index| put(index, seen)));
    }
}

fn put<T: Indexed>(index: &mut Index, seen: Seen<T>) -> BTreeSet<San> {
    match seen {
        Seen::Init => {
            index.begin::<T>();
            return BTreeSet::new();
        }
        Seen::InitApply(object) => return index.put(&*object),
        Seen::InitDone | Seen::Current | Seen::Apply(_) | Seen::Deleted { .. } => {
            index.heard::<T>(Instant::now())
        }
    }
    match seen {
        Seen::InitDone => index.end::<T>(),
        Seen::Apply(object) => index.put(&*object),
        Seen::Deleted { namespace, name, .. } => index.remove::<T>(&object::key(&namespace, &name)),
        Seen::Init | Seen::InitApply(_) | Seen::Current => BTreeSet::new(),
    }
}

/// The Node that an event is about.
fn node<T: Source>(seen: &Seen<T>) -> Option<Arc<str>> {
    let name = match seen {
        Seen::InitApply(object) | Seen::Apply(object) => Arc::from(object.metadata().name.as_str()),
        Seen::Deleted { name, .. } => Arc::clone(name),
        Seen::Init | Seen::InitDone | Seen::Current => return None,
    };
    (T::PATH == <object::Node as Source>::PATH).then_some(name)
}
