//! Threads that requests are judged and certificates issued on.
//!
//! A signature with an RSA-4096 key takes some two milliseconds, a key in an HSM waits for its device, and a request of a
//! megabyte takes its time to parse: none of that may hold up the tasks that talk to the API server. The runtime's own pool
//! for blocking work grows to hundreds of threads and belongs to everyone; these are as many as there are processors, and a
//! session with an HSM can later live in each of them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// Runs work on threads of its own. They end when it is dropped.
#[derive(Debug)]
pub struct SigningThreads {
    jobs: Sender<Job>,
}

impl SigningThreads {
    /// As many threads as there are processors.
    ///
    /// # Errors
    /// When the system gives us none.
    pub fn start() -> std::io::Result<Self> {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        let number = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..number {
            let queue = Arc::clone(&queue);
            std::thread::Builder::new().name("signing".into()).spawn(move || work(&queue))?;
        }
        Ok(Self { jobs })
    }

    /// What `work` returns, or `None` when it panicked.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (answer, result) = oneshot::channel();
        let job = move || {
            // Nobody waits any more for the result of a cancelled effect.
            let _ = answer.send(work());
        };
        self.jobs.send(Box::new(job)).ok()?;
        result.await.ok()
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {
    while let Some(job) = next(queue) {
        // The one who waits for it learns of a panic by its answer being dropped, and the thread goes on.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

fn next(queue: &Mutex<Receiver<Job>>) -> Option<Job> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_costs_its_own_result_and_no_thread() {
        let threads = SigningThreads::start().unwrap();
        for _ in 0..64 {
            assert_eq!(threads.run(|| -> u8 { panic!("as a bug would") }).await, None);
        }
        assert_eq!(threads.run(|| 7).await, Some(7));
    }

    #[tokio::test]
    async fn work_goes_on_beside_work_that_nobody_waits_for() {
        let threads = SigningThreads::start().unwrap();
        drop(threads.run(|| 1));
        assert_eq!(threads.run(|| std::thread::current().name() == Some("signing")).await, Some(true));
    }
}
