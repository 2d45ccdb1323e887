//! Threads that start processes, and outlive them.

use std::io;
use std::process::{Child, Command};
use std::sync::mpsc;
use std::thread;

use anyhow::{Result, anyhow};

/// A thread that spawns for others. The kernel takes the end of the spawning *thread* for the parent's, so what is to die
/// with its parent is spawned by a thread that does not end before it; and a thread can have namespaces of its own.
#[derive(Clone, Debug)]
pub(crate) struct Spawner(mpsc::Sender<Job>);

type Job = (Command, mpsc::Sender<io::Result<Child>>);

impl Spawner {
    /// A thread that does `enter` first and ends with the last clone of its handle.
    ///
    /// # Errors
    /// What `enter` says.
    pub(crate) fn start(enter: impl FnOnce() -> io::Result<()> + Send + 'static) -> Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let (entered, entry) = mpsc::channel();
        thread::spawn(move || {
            let answer = enter();
            let ready = answer.is_ok();
            let _ = entered.send(answer);
            if ready {
                for (mut command, reply) in queue {
                    let _ = reply.send(command.spawn());
                }
            }
        });
        entry.recv()??;
        Ok(Self(jobs))
    }

    /// Spawns `command` in that thread.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn spawn(&self, command: Command) -> Result<Child> {
        let (reply, answer) = mpsc::channel();
        self.0.send((command, reply)).map_err(|_| anyhow!("the spawning thread has ended"))?;
        Ok(answer.recv()??)
    }
}
