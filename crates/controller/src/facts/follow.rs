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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use tokio::time::advance;

    use super::*;
    use crate::facts::object::{Node, Source};

    fn is_read(index: &Index) -> bool {
        let settings = ::config::KubeletServing::default();
        !index.unread(crate::facts::bounds(&settings), Instant::now()).contains(&<Node as Source>::RESOURCE)
    }

    /// After a long silence, a watch tells first of what happened long ago.
    #[tokio::test(start_paused = true)]
    async fn a_change_does_not_say_that_nothing_was_missed() {
        let mut index = Index::default();
        let node = json!({"metadata": {"name": "n1", "resourceVersion": "1"}});
        let node: Arc<Node> = Arc::new(serde_json::from_value(node).unwrap());
        put::<Node>(&mut index, Seen::Init);
        advance(Duration::from_secs(60)).await;
        put::<Node>(&mut index, Seen::InitDone);
        assert!(is_read(&index));
        put(&mut index, Seen::Apply(node));
        advance(Duration::from_secs(70)).await;
        assert!(!is_read(&index), "the list was begun two minutes ago");
        put::<Node>(&mut index, Seen::Current);
        assert!(is_read(&index));
    }
}
