//! The program as a process: how it starts, and how it ends.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// A countersign that only cleans.
struct Countersign {
    child: Child,
    log: BufReader<ChildStderr>,
}

impl Countersign {
    /// At an API server that listens here, with more flags.
    fn start(server: &TcpListener, flags: &[&str]) -> Self {
        let master = format!("--master=http://{}", server.local_addr().unwrap());
        let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["run", "--controllers=csrcleaner", "--secure-port=0", &master])
            .args(flags)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut this = Self { child, log };
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

/// An API server that has one object, which has to be deleted, and answers nothing but the list of it. Says so when it is
/// asked for the deletion.
fn reluctant() -> (TcpListener, mpsc::Receiver<()>) {
    let server = listener();
    let accepting = server.try_clone().unwrap();
    let (asked, deletion) = mpsc::channel();
    thread::spawn(move || {
        for connection in accepting.incoming() {
            let (connection, asked) = (connection.unwrap(), asked.clone());
            // A connection ends with countersign.
            thread::spawn(move || answer_lists(connection, &asked));
        }
    });
    (server, deletion)
}

fn answer_lists(mut connection: TcpStream, asked: &mpsc::Sender<()>) -> io::Result<()> {
    let lines = BufReader::new(connection.try_clone()?).lines();
    for line in lines {
        let line = line?;
        if line.starts_with("DELETE ") {
            let _ = asked.send(());
        }
        if line.starts_with("GET ") && line.contains("?limit=") {
            let length = DENIED.len();
            let head = format!("Content-Type: application/json\r\nContent-Length: {length}");
            write!(connection, "HTTP/1.1 200 OK\r\n{head}\r\n\r\n{DENIED}")?;
        }
    }
    Ok(())
}

/// A list of one object that was denied long ago.
const DENIED: &str = r#"{
  "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequestList", "metadata": { "resourceVersion": "2" },
  "items": [{
    "metadata": { "name": "a", "uid": "1", "resourceVersion": "1", "creationTimestamp": "2020-01-01T00:00:00Z" },
    "spec": { "request": "", "signerName": "example.com/a", "usages": ["client auth"], "username": "a" },
    "status": { "conditions": [{ "type": "Denied", "status": "True", "lastUpdateTime": "2020-01-01T00:00:00Z" }] }
  }]
}"#;

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

#[test]
fn it_stops_in_peace_when_told_to() {
    // It takes connections and never says a word.
    let silence = listener();
    for signal in ["-TERM", "-INT"] {
        let running = Countersign::start(&silence, &[]);
        running.signal(signal);
        let (status, log) = running.ended();
        assert!(status.success(), "{status}: {log}");
        assert!(log.contains("stopped"), "{log}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let (server, deletion) = reluctant();
    let mut running =
        Countersign::start(&server, &["--leader-elect=false", "--controller-shutdown-timeout=1h"]);
    deletion.recv_timeout(Duration::from_secs(60)).unwrap();
    running.signal("-TERM");
    running.says("stopping");
    running.signal("-TERM");
    let (status, log) = running.ended();
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("stopped at once by a second signal"), "{log}");
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
