use std::fs;

use ::config::KubeletServing;
use http_body_util::Empty;
use hyper::body::Bytes;

use super::*;
use crate::config::{Contradiction, Origin};
use crate::kube::call::Caller;
use crate::kube::events;
use crate::kube::transport::Transport;

const HEAD: &str = "apiVersion: countersign.dev/v1alpha1\nkind: CountersignConfiguration\n";

fn section(fields: &str) -> String {
    format!("{HEAD}approval: {{kubeletServing: {{enabled: true{fields}}}}}\n")
}

/// A file in a directory of its own.
struct Written {
    directory: tempfile::TempDir,
}

impl Written {
    fn new(text: &str) -> Self {
        let this = Self { directory: tempfile::tempdir().unwrap() };
        this.write(text);
        this
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("countersign.yaml")
    }

    fn write(&self, text: &str) {
        fs::write(self.path(), text).unwrap();
    }

    fn load(&self) -> ConfigurationFile {
        ConfigurationFile::load(self.path(), ApprovalFlags::default()).unwrap()
    }
}

fn port(effective: &Effective) -> Option<u16> {
    effective.configuration().kubelet_serving.as_ref().map(|serving| serving.kubelet_port)
}

#[test]
fn a_changed_file_is_taken_over_and_an_unchanged_one_is_no_news() {
    let file = Written::new(HEAD);
    let mut watched = file.load();
    assert_eq!(port(watched.effective()), None);
    assert_eq!(watched.look(), None);
    file.write(&section(", kubeletPort: 10251"));
    let effective = watched.look().unwrap().unwrap();
    assert_eq!(port(&effective), Some(10251));
    assert_eq!(watched.look(), None);
}

#[test]
fn a_bad_file_is_said_once_and_the_last_good_one_stays() {
    let file = Written::new(&section(", kubeletPort: 10251"));
    let mut watched = file.load();
    file.write(&section(", kubeletPort: 10252, maxAddresses: none, deny: [x]"));
    let fault = watched.look().unwrap().unwrap_err().to_string();
    assert!(fault.contains("line 3, column 78: approval.kubeletServing.maxAddresses: expected"), "{fault}");
    assert!(fault.contains("; line 3, column 91: approval.kubeletServing.deny[0]: expected"), "{fault}");
    assert_eq!(watched.look(), None);
    assert_eq!(port(watched.effective()), Some(10251), "nothing of the bad file is in use");
    fs::remove_file(file.path()).unwrap();
    assert!(matches!(watched.look(), Some(Err(FileFault::Unreadable(_)))));
    assert_eq!(watched.look(), None);
    file.write(&section(", kubeletPort: 10251"));
    assert_eq!(port(&watched.look().unwrap().unwrap()), Some(10251));
}

#[test]
fn a_file_that_forbids_what_the_flag_demands_is_refused_at_the_start_and_later() {
    let flag = Origin::Flag("approve-kubelet-serving");
    let flags = ApprovalFlags { approve_kubelet_serving: Some(flag.clone()), ..ApprovalFlags::default() };
    let off = section("").replace("true", "false");
    let file = Written::new(&off);
    let contradiction = FileFault::Contradiction(Contradiction { flag });
    assert_eq!(ConfigurationFile::load(file.path(), flags.clone()), Err(contradiction.clone()));
    file.write(HEAD);
    let mut watched = ConfigurationFile::load(file.path(), flags).unwrap();
    let expected = KubeletServing::default();
    assert_eq!(watched.effective().configuration().kubelet_serving.as_ref(), Some(&expected));
    file.write(&off);
    assert_eq!(watched.look(), Some(Err(contradiction)));
}

#[test]
fn what_is_no_text_is_refused() {
    assert_eq!(read_from(&b"\xff\xfe"[..]), Err(FileFault::NotUnicode));
    assert_eq!(read_from(std::io::repeat(b'#')), Err(FileFault::TooLong));
    assert_eq!(read_from(std::io::repeat(b'#').take(LONGEST)).map(|text| text.len() as u64), Ok(LONGEST));
}

#[test]
fn the_digest_is_of_what_a_file_means_and_not_of_how_it_is_written() {
    let digest = |text: &str| Effective::new(::config::parse(text).unwrap()).digest().to_owned();
    let spelt_out = section(", kubeletPort: 10250, maxAddresses: 16, clusterDomains: [Cluster.Local.]");
    assert_eq!(digest(&section("")), digest(&spelt_out));
    assert_ne!(digest(&section("")), digest(HEAD));
    assert_eq!(digest(HEAD).len(), 64);
    let json = canonical(&Configuration::default());
    assert!(
        json.starts_with(
            r#"{"apiVersion":"countersign.dev/v1alpha1","approval":{"kubeletServing":{"accept""#
        )
    );
    assert!(json.contains(r#"},"kind":"CountersignConfiguration","retention":{"approved""#), "{json}");
}

fn shows(metrics: &Metrics, line: &str) -> bool {
    let text = String::from_utf8(metrics.text().unwrap()).unwrap();
    text.lines().any(|found| found == line)
}

/// The clock is the test's: it goes on when nothing else can.
#[tokio::test(start_paused = true)]
async fn a_running_process_takes_a_good_file_over_and_counts_a_bad_one() {
    let file = Written::new(HEAD);
    let loaded = file.load();
    let metrics = Arc::new(Metrics::new(["any"]).unwrap());
    let (current, mut subscriber) = watch::channel(Arc::clone(loaded.effective()));
    let silent = tower::service_fn(|_| {
        std::future::pending::<Result<http::Response<Empty<Bytes>>, tower::BoxError>>()
    });
    let caller = Caller::new(Transport::new(silent), Duration::from_secs(1));
    let (events, _writer) = events::channel(caller, &metrics);
    let task = tokio::spawn(loaded.watch(current, Audience { metrics: Arc::clone(&metrics), events }));
    assert!(shows(&metrics, "countersign_config_last_reload_successful 1"));

    file.write("kind: none\n");
    until(|| shows(&metrics, r#"countersign_config_reloads_total{result="failure"} 1"#)).await;
    assert!(shows(&metrics, "countersign_config_last_reload_successful 0"));
    assert!(!subscriber.has_changed().unwrap(), "the old configuration is in use");

    file.write(&section(", kubeletPort: 10251"));
    subscriber.changed().await.unwrap();
    let effective = Arc::clone(&subscriber.borrow_and_update());
    assert_eq!(port(&effective), Some(10251));
    let digest = effective.digest();
    assert!(shows(&metrics, &format!(r#"countersign_config_digest_info{{digest="{digest}"}} 1"#)));
    assert!(shows(&metrics, r#"countersign_config_reloads_total{result="success"} 1"#));
    assert!(shows(&metrics, "countersign_config_last_reload_successful 1"));

    file.write(&(section(", kubeletPort: 10251") + "# a comment\n"));
    until(|| shows(&metrics, r#"countersign_config_reloads_total{result="success"} 2"#)).await;
    assert!(!subscriber.has_changed().unwrap(), "what means the same changes nothing");
    task.abort();
}

/// Waits for a condition; every look at it lets the clock go on.
async fn until(condition: impl Fn() -> bool) {
    let looks = async {
        while !condition() {
            tokio::time::sleep(POLL_PERIOD).await;
        }
    };
    tokio::time::timeout(10 * POLL_PERIOD, looks).await.unwrap();
}

#[test]
fn profiles_change_while_cas_stay_where_they_are() {
    let text = |name: &str, ca: &str, usage: &str| {
        format!(
            "{HEAD}signers:\n- {{name: {name}, certificateAuthority: {{certificate: {ca}, key: k}}, usages: [{usage}]}}\n- {{name: \
             kubernetes.io/kubelet-serving, lifetime: {{max: 1h}}}}\n"
        )
    };
    let file = Written::new(&text("example.com/a", "c", "client auth"));
    let mut watched = file.load();
    file.write(&text("example.com/a", "c", "server auth"));
    let effective = watched.look().unwrap().unwrap();
    assert_eq!(effective.configuration().signers[0].limits.usages, Some(vec![csr::Usage::ServerAuth]));
    for other in [
        text("example.com/b", "c", "client auth"),
        text("example.com/a", "d", "client auth"),
        HEAD.to_owned(),
    ] {
        file.write(&other);
        assert_eq!(watched.look(), Some(Err(FileFault::OtherAuthorities)), "{other}");
        assert_eq!(watched.effective(), &effective, "nothing of it is in use");
    }
    file.write(&text("example.com/a", "c", "client auth"));
    assert!(watched.look().unwrap().is_ok());
}
