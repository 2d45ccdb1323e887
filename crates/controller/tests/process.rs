//! The program as a process: how it starts, and how it ends.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

/// A countersign that only cleans, at an API server that takes connections and never says a word.
struct Countersign {
    child: Child,
    log: BufReader<ChildStderr>,
    _silence: TcpListener,
}

impl Countersign {
    fn start() -> Self {
        let silence = TcpListener::bind("127.0.0.1:0").unwrap();
        let master = format!("--master=http://{}", silence.local_addr().unwrap());
        let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["run", "--controllers=csrcleaner", "--secure-port=0", &master])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut this = Self { child, log, _silence: silence };
        this.says("starting");
        this
    }

    /// Reads the log up to a line with these words.
    fn says(&mut self, words: &str) {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert_ne!(self.log.read_line(&mut line).unwrap(), 0, "the log ended without {words:?}");
        }
    }

    fn signal(&self, signal: &str) {
        let killed = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
    }

    /// How it ends, and the rest of its log.
    fn ended(mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap(), rest)
    }
}

#[test]
fn it_stops_in_peace_when_told_to() {
    for signal in ["-TERM", "-INT"] {
        let running = Countersign::start();
        running.signal(signal);
        let (status, log) = running.ended();
        assert!(status.success(), "{status}: {log}");
        assert!(log.contains("stopped"), "{log}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut running = Countersign::start();
    running.signal("-TERM");
    running.says("stopping");
    running.signal("-TERM");
    let (status, log) = running.ended();
    // It may have been done before the second signal came.
    assert!(status.success() || log.contains("stopped at once by a second signal"), "{status}: {log}");
}

#[test]
fn a_check_ends_before_anything_is_asked_of_anybody() {
    let output = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["run", "--check", "--controllers=csrcleaner", "--kubeconfig=/no/such/file"])
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    assert!(log.contains("the configuration and the CA files are good"), "{log}");
}

#[test]
fn what_keeps_it_from_starting_is_one_line_with_its_cause() {
    let output = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["run", "--controllers=csrcleaner", "--kubeconfig=/no/such/file"])
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    let error = log.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
    assert!(error.contains("failed to load kubeconfig /no/such/file"), "{log}");
}
