//! A child process with a log, that never outlives the test.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{self, Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use rustix::process::{Pid, kill_process};

pub use rustix::process::Signal;

use crate::node_box::NodeBox;
use crate::spawner::Spawner;
use crate::wait;

/// A running program. Dropping it kills it; when a test is failing, the end of its log is printed first.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    // Where it runs, which is there for as long as it does.
    _node_box: Option<NodeBox>,
}

impl Process {
    /// Starts `program` with `arguments`; what it writes goes to the file `log`.
    ///
    /// Variables that configure countersign or a client are kept from it: a test says everything by argument.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(program: &Path, arguments: &[String], log: PathBuf) -> Result<Self> {
        Self::start_in(None, program, arguments, log)
    }

    /// Like [`start`](Self::start), in a box if there is one.
    pub(crate) fn start_in(
        node_box: Option<&NodeBox>,
        program: &Path,
        arguments: &[String],
        log: PathBuf,
    ) -> Result<Self> {
        let output = File::create(&log).with_context(|| format!("failed to create {}", log.display()))?;
        let mut command = command_that_dies_with_us(node_box, &path::absolute(program)?);
        command.args(arguments).stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        for (variable, _) in std::env::vars_os() {
            let configures =
                variable.to_string_lossy().starts_with("COUNTERSIGN_") || variable == "KUBECONFIG";
            if configures {
                command.env_remove(variable);
            }
        }
        let child = match node_box {
            Some(node_box) => node_box.spawn(command),
            None => spawn(command),
        };
        let child = child.with_context(|| format!("failed to start {}", program.display()))?;
        let name = log.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        Ok(Self { name, child, log, _node_box: node_box.cloned() })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// All it has written so far.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn log(&self) -> Result<String> {
        let bytes = fs::read(&self.log).with_context(|| format!("failed to read {}", self.log.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Waits until it has written `count` lines that contain `text`.
    ///
    /// # Errors
    /// When it exits first, or does not do so in time.
    pub async fn logs(&mut self, text: &str, count: usize) -> Result<()> {
        let what = format!("{} logs {text:?} {count} times", self.name);
        wait::until(&what, async || {
            if self.log()?.lines().filter(|line| line.contains(text)).count() >= count {
                return Ok(Some(()));
            }
            self.ensure_running()?;
            Ok(None)
        })
        .await
    }

    /// Fails with the end of its log if it has exited.
    ///
    /// # Errors
    /// When it has exited.
    pub fn ensure_running(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(anyhow!("{} has ended with {status}:\n{}", self.name, self.tail()?)),
        }
    }

    /// Waits until it has ended, which is for it or the test to bring about.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn exit(&mut self) -> Result<ExitStatus> {
        let what = format!("{} ends", self.name);
        wait::until(&what, async || Ok(self.child.try_wait()?)).await
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// When it no longer exists.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.with_context(|| format!("{} has no process id", self.name))?;
        kill_process(pid, signal).with_context(|| format!("failed to signal {}", self.name))
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn stop(mut self) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.exit().await
    }

    /// Kills it at once (SIGKILL), as a crashing machine would.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn kill(mut self) -> Result<()> {
        self.end()
    }

    /// Kills it and leaves its log.
    pub(crate) fn end(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Prints the end of its log where the test shows it.
    pub(crate) fn show_log(&self) {
        println!("--- the end of the log of {}:\n{}", self.name, self.tail().unwrap_or_default());
    }

    fn tail(&self) -> Result<String> {
        let log = self.log()?;
        let lines: Vec<String> = log.lines().map(|line| line.chars().take(WIDTH).collect()).collect();
        Ok(lines[lines.len().saturating_sub(TAIL)..].join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it has ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            self.show_log();
        }
    }
}

/// A killed test runs no destructors: where util-linux is installed the kernel then ends the child.
fn command_that_dies_with_us(node_box: Option<&NodeBox>, program: &Path) -> Command {
    static SETPRIV: LazyLock<bool> = LazyLock::new(|| {
        let check = Command::new("setpriv").args(["--pdeathsig", "KILL", "true"]).output();
        check.is_ok_and(|output| output.status.success())
    });
    let start = |program: &OsStr| match node_box {
        Some(node_box) => node_box.command(program),
        None => Command::new(program),
    };
    if !*SETPRIV {
        return start(program.as_os_str());
    }
    let mut command = start(OsStr::new("setpriv"));
    command.args(["--pdeathsig", "KILL"]).arg(program);
    command
}

/// Spawns from a thread that never ends.
fn spawn(command: Command) -> Result<Child> {
    static SPAWNER: LazyLock<Result<Spawner>> = LazyLock::new(|| Spawner::start(|| Ok(())));
    let spawner = SPAWNER.as_ref().map_err(|error| anyhow!("no thread to spawn from: {error}"))?;
    spawner.spawn(command)
}

/// Lines of log printed of each process when a test fails.
const TAIL: usize = 40;

/// Characters printed of each of them.
const WIDTH: usize = 500;
