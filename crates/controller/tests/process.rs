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
fn a_changed_configuration_file_is_taken_over_and_a_bad_one_is_not() {
    let silence = listener();
    let file = tempfile::NamedTempFile::new().unwrap();
    let head = "apiVersion: countersign.dev/v1alpha1\nkind: CountersignConfiguration\n";
    std::fs::write(file.path(), head).unwrap();
    let mut running = Countersign::start(&silence, &[&format!("--config={}", file.path().display())]);
    std::fs::write(file.path(), "kind: Pod\n").unwrap();
    running.says("the changed configuration file cannot be used, the last good one stays in use");
    std::fs::write(file.path(), format!("{head}approval: {{kubeletServing: {{enabled: true}}}}\n")).unwrap();
    running.says("the configuration file was read again and is in use");
    running.signal("-TERM");
    let (status, log) = running.ended();
    assert!(status.success(), "{status}: {log}");
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

/// What it says when it ends by itself, with this exit code.
fn says(code: i32, words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["run", "--controllers=csrcleaner"])
        .args(words)
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{words:?}: {log}");
    log
}

fn error(words: &[&str]) -> String {
    let log = says(1, words);
    let error = log.lines().find_map(|line| line.strip_prefix("error: "));
    error.expect(&log).to_owned()
}

/// A kubeconfig that nothing is wrong with, of an API server that is not there.
fn kubeconfig() -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(KUBECONFIG.as_bytes()).unwrap();
    file
}

const KUBECONFIG: &str = r#"{
  "apiVersion": "v1", "kind": "Config", "current-context": "a",
  "clusters": [{ "name": "a", "cluster": { "server": "http://127.0.0.1:1" } }],
  "users": [{ "name": "a", "user": {} }],
  "contexts": [{ "name": "a", "context": { "cluster": "a", "user": "a" } }]
}"#;

#[test]
fn a_check_ends_before_anything_is_asked_of_anybody() {
    let kubeconfig = kubeconfig();
    let path = format!("--kubeconfig={}", kubeconfig.path().display());
    // Without a kubeconfig it would have a pod's credentials, which are not there where it is checked.
    for words in [&["--check", &path][..], &["--check"]] {
        let log = says(0, words);
        assert!(log.contains("the configuration and the files it names are good"), "{log}");
    }
}

#[test]
fn a_check_and_a_start_name_the_flag_and_the_path_of_a_file_that_cannot_be_used() {
    let kubeconfig = kubeconfig();
    let good = format!("--kubeconfig={}", kubeconfig.path().display());
    let beginnings = [
        ("--kubeconfig=/no/such/file", "--kubeconfig /no/such/file cannot be used: "),
        ("--authentication-kubeconfig=/no/file", "--authentication-kubeconfig /no/file cannot be used: "),
        ("--authorization-kubeconfig=/no/file", "--authorization-kubeconfig /no/file cannot be used: "),
        (
            "--tls-cert-file=/no/file --tls-private-key-file=/no/key",
            "failed to serve: --tls-cert-file and --tls-private-key-file are of no use: \
             failed to read the certificate file /no/file: ",
        ),
    ];
    for (flags, beginning) in beginnings {
        let words: Vec<_> = [&*good].into_iter().chain(flags.split(' ')).collect();
        for words in [words.clone(), [&words[..], &["--check"]].concat()] {
            let error = error(&words);
            assert!(error.starts_with(beginning), "{words:?}: {error}");
            assert!(error.contains("No such file"), "{words:?}: {error}");
        }
    }
}

#[test]
fn an_address_that_is_in_use_is_named_with_its_flags() {
    let (kubeconfig, taken) = (kubeconfig(), listener());
    let address = taken.local_addr().unwrap();
    let error = error(&[
        &format!("--kubeconfig={}", kubeconfig.path().display()),
        "--bind-address=127.0.0.1",
        &format!("--secure-port={}", address.port()),
    ]);
    let expected = format!("failed to listen on {address} (--bind-address, --secure-port): ");
    assert!(error.starts_with(&expected), "{error}");
}
