//! Tests with real nodes: each runs in a [box](crate::node_box), on a control plane there.
//!
//! On a machine that lets us make no box such a test is not run, and says so on standard error even where the output of
//! tests that pass is hidden.

use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;

use anyhow::Result;

use crate::bindings;
use crate::containers;
use crate::control_plane::ControlPlane;
use crate::failure::TestResult;
use crate::node_box::{self, NodeBox};
use crate::options::Options;
use crate::signer::{Program, Signer};
use crate::user::User;

/// Flags of a signer: names without dashes, and values.
pub type Flags = &'static [(&'static str, &'static str)];

#[derive(Debug)]
struct Running {
    flags: Flags,
    _signer: Signer,
    cluster: ControlPlane,
    node_box: NodeBox,
}

/// Runs `test` on a control plane of its own, with no signer yet.
///
/// # Errors
/// Never: failing is panicking, see [`Failure`](crate::Failure).
pub fn on_own_cluster<F: AsyncFnOnce(&ControlPlane) -> TestResult + Send>(test: F) -> TestResult {
    if is_impossible() {
        return Ok(());
    }
    let node_box = NodeBox::start()?;
    node_box.run(async || test(&start(&node_box).await?).await)?
}

/// Runs `test` on a control plane with the signer under test, which it shares with the tests that run at the moment and
/// give the same `flags`: the first starts it, the last to finish stops it.
///
/// # Errors
/// Never: failing is panicking, see [`Failure`](crate::Failure).
pub fn on_shared_cluster<F: AsyncFnOnce(&ControlPlane) -> TestResult + Send>(
    flags: Flags,
    test: F,
) -> TestResult {
    if is_impossible() {
        return Ok(());
    }
    let running = shared(flags)?;
    running.node_box.run(async || test(&running.cluster).await)?
}

/// Like [`on_own_cluster`], where nodes can run containers.
///
/// # Errors
/// Never: failing is panicking, see [`Failure`](crate::Failure).
pub fn on_own_cluster_with_containers<F: AsyncFnOnce(&ControlPlane) -> TestResult + Send>(
    test: F,
) -> TestResult {
    let Some(obstacle) = containers::obstacle() else { return on_own_cluster(test) };
    say_not_run(&obstacle);
    Ok(())
}

/// Somebody of the API server's token file who may join as a node.
pub fn static_token() -> User {
    User::with_token(STATIC_USER, STATIC_TOKEN)
}

fn shared(flags: Flags) -> Result<Arc<Running>> {
    static CURRENT: Mutex<Weak<Running>> = Mutex::new(Weak::new());
    let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(running) = current.upgrade().filter(|running| running.flags == flags) {
        return Ok(running);
    }
    let node_box = NodeBox::start()?;
    let (cluster, signer) = node_box.run(async || {
        let cluster = start(&node_box).await?;
        let signer = start_signer(&cluster, flags).await?;
        Ok::<_, anyhow::Error>((cluster, signer))
    })??;
    let running = Arc::new(Running { flags, _signer: signer, cluster, node_box });
    *current = Arc::downgrade(&running);
    Ok(running)
}

/// Starts the signer under test with `flags`.
///
/// # Errors
/// When it does not become ready.
pub async fn start_signer(cluster: &ControlPlane, flags: Flags) -> Result<Signer> {
    let command = cluster.signer(Program::under_test());
    flags.iter().fold(command, |command, (name, value)| command.flag(name, value)).start().await
}

async fn start(node_box: &NodeBox) -> Result<ControlPlane> {
    let groups = ["system:bootstrappers", bindings::BOOTSTRAPPERS];
    let options = Options::default().token_user(STATIC_TOKEN, STATIC_USER, &groups);
    ControlPlane::start(options.inside(node_box)).await
}

/// Says why a test is not run, where it cannot be.
fn is_impossible() -> bool {
    let obstacle = node_box::obstacle();
    obstacle.is_some_and(|obstacle| {
        say_not_run(&format!("no namespaces for nodes on this machine: {obstacle}"));
        true
    })
}

fn say_not_run(reason: &str) {
    let test = thread::current().name().unwrap_or("a test with nodes").to_owned();
    // Unlike what eprintln! writes, this is not captured.
    let _ = writeln!(io::stderr(), "NOT RUN: {test}: {reason}");
}

const STATIC_USER: &str = "kubelet-bootstrap";
const STATIC_TOKEN: &str = "static-token";
