//! Boxes that kubelets can run in without changing the machine.
//!
//! A box has a network, mounts, processes and a cgroup of its own; `node_box.sh` makes it and takes it away again. A whole
//! control plane runs in it ([`Options::inside`](crate::Options::inside)), and the test talks to it from threads that are
//! in the box's network ([`NodeBox::run`]), so that all addresses mean the same to everybody and no port is taken outside.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::net::Ipv4Addr;
use std::os::fd::AsFd as _;
use std::panic;
use std::path::PathBuf;
use std::process::{self, Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::runtime::{Builder, Runtime};

use crate::binaries;
use crate::spawner::Spawner;

/// A box. It goes when its last clone and the last process in it have been dropped, or the program ends.
#[derive(Clone, Debug)]
pub struct NodeBox {
    standing: Arc<Standing>,
    mounts: PathBuf,
}

#[derive(Debug)]
struct Standing {
    spawner: Spawner,
    network: Arc<File>,
    cgroup: String,
    nodes: AtomicU8,
    script: Child,
}

/// Why there can be no box on this machine, if there cannot.
pub fn obstacle() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("not root".to_owned());
    }
    let trial = ["--net", "--mount", "--pid", "--fork", "ip", "link", "set", "lo", "up"];
    match Command::new("unshare").args(trial).output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Some(format!("unshare: {error}")),
    }
}

impl NodeBox {
    /// Makes a box.
    ///
    /// # Errors
    /// When the machine does not let us, see [`obstacle`].
    pub fn start() -> Result<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let cgroup = format!("countersign-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut script = Command::new("sh")
            .arg(binaries::workspace().join("tests/src/node_box.sh"))
            .arg(&cgroup)
            .args((1..=NODES).map(|node| address(node).to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let first = first_process(&mut script)?;
        let namespace = |kind| PathBuf::from(format!("/proc/{first}/ns/{kind}"));
        let network = Arc::new(File::open(namespace("net"))?);
        let processes = File::open(namespace("pid"))?;
        let outlook = network.clone();
        let spawner = Spawner::start(move || {
            enter_network(&outlook)?;
            Ok(move_into_link_name_space(processes.as_fd(), Some(LinkNameSpaceType::ProcessID))?)
        })?;
        let mounts = namespace("mnt");
        let standing = Standing { spawner, network, cgroup, nodes: AtomicU8::new(2), script };
        Ok(Self { standing: Arc::new(standing), mounts })
    }

    /// The box as the process with this id sees it, which has mounts of its own.
    pub(crate) fn seen_by(&self, process: u32) -> Self {
        Self { standing: Arc::clone(&self.standing), mounts: format!("/proc/{process}/ns/mnt").into() }
    }

    /// Runs `work` in the network of the box, on a runtime of its own.
    ///
    /// # Errors
    /// When there can be no runtime.
    ///
    /// # Panics
    /// When `work` does.
    pub fn run<T: Send, F: AsyncFnOnce() -> T + Send>(&self, work: F) -> Result<T> {
        let test = thread::current();
        let inside = || {
            enter_network(&self.standing.network)?;
            Ok(self.runtime()?.block_on(work()))
        };
        thread::scope(|scope| {
            // Panics are reported under the name of the thread.
            let named = thread::Builder::new().name(test.name().unwrap_or("in a box").to_owned());
            named.spawn_scoped(scope, inside)?.join().unwrap_or_else(|payload| panic::resume_unwind(payload))
        })
    }

    /// An address for one more node. The first is left for a node on which the API server runs.
    ///
    /// # Errors
    /// When all are taken.
    pub(crate) fn node_address(&self) -> Result<Ipv4Addr> {
        let node = self.standing.nodes.fetch_add(1, Ordering::Relaxed);
        ensure!(node <= NODES, "a box has addresses for {NODES} nodes");
        Ok(address(node))
    }

    /// The path of its cgroup, as a kubelet wants it.
    pub(crate) fn cgroup(&self) -> String {
        format!("/{}", self.standing.cgroup)
    }

    /// The command that runs `program` where the box's mounts are, to be [spawned](Self::spawn).
    pub(crate) fn command(&self, program: &OsStr) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--mount={}", self.mounts.display())).arg("--").arg(program);
        command
    }

    /// Spawns a [`command`](Self::command) in the box's network and among its processes.
    pub(crate) fn spawn(&self, command: Command) -> Result<Child> {
        self.standing.spawner.spawn(command)
    }

    fn runtime(&self) -> io::Result<Runtime> {
        let network = self.standing.network.clone();
        Builder::new_multi_thread()
            .enable_all()
            .on_thread_start(move || {
                enter_network(&network).expect("the thread that starts it is in there too")
            })
            .build()
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        // It fails only when it has ended by itself, which is as good.
        let _ = self.script.wait();
    }
}

fn enter_network(network: &File) -> io::Result<()> {
    Ok(move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?)
}

/// The process id that the script prints when the box stands.
fn first_process(script: &mut Child) -> Result<u32> {
    let mut line = String::new();
    let stdout = script.stdout.take().context("the script has no output")?;
    BufReader::new(stdout).read_line(&mut line)?;
    if let Ok(id) = line.trim().parse() {
        return Ok(id);
    }
    let mut said = String::new();
    script.stderr.take().context("the script has no standard error")?.read_to_string(&mut said)?;
    bail!("there can be no box, {}: {}", script.wait()?, said.trim())
}

/// The address of a node: RFC 5737 keeps these for examples, and in a box they are nobody else's.
fn address(node: u8) -> Ipv4Addr {
    Ipv4Addr::new(198, 51, 100, node)
}

/// How many nodes a box has addresses for. A user's inotify instances are the limit that comes before.
const NODES: u8 = 32;
