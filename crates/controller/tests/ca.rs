//! CA files as operators leave them: wrong at the start, and changed under a running process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use controller::ca::{AuthorityFiles, Cause, LoadError};
use controller::config::{Origin, SignerFiles};
use controller::serve::metrics::Metrics;
use csr::SignerName;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, KeyUsagePurpose};
use time::OffsetDateTime;

const CERT_FLAG: &str = "cluster-signing-cert-file";
const KEY_FLAG: &str = "cluster-signing-key-file";

/// A CA in PEM.
struct Ca {
    cert: String,
    key: String,
}

impl Ca {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.not_after = now() + time::Duration::days(365);
        let key = KeyPair::generate().unwrap();
        Self { cert: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
    }
}

/// A directory with a CA's files.
struct Files {
    dir: tempfile::TempDir,
    cert: PathBuf,
    key: PathBuf,
}

impl Files {
    fn with(ca: &Ca) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let files = Self { cert: dir.path().join("ca.crt"), key: dir.path().join("ca.key"), dir };
        files.write(&ca.cert, &ca.key);
        files
    }

    fn write(&self, cert: &str, key: &str) {
        fs::write(&self.cert, cert).unwrap();
        fs::write(&self.key, key).unwrap();
    }

    fn of(&self, signer: &str) -> SignerFiles {
        SignerFiles {
            signer_name: SignerName::from(signer),
            cert: self.cert.clone(),
            key: self.key.clone(),
            cert_origin: Origin::Flag(CERT_FLAG),
            key_origin: Origin::Flag(KEY_FLAG),
        }
    }

    fn load(&self) -> Result<AuthorityFiles, LoadError> {
        AuthorityFiles::load(&[self.of(SignerName::KUBELET_SERVING)], now())
    }
}

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// The fingerprint of the CA in use for kubelets' serving certificates.
fn in_use(files: &AuthorityFiles) -> String {
    let name = SignerName::from(SignerName::KUBELET_SERVING);
    let current = files.subscribe().borrow().clone();
    current[&name].fingerprint()
}

#[test]
fn files_that_cannot_be_used_at_the_start_are_named_with_flag_and_path() {
    let (good, other) = (Ca::new("good"), Ca::new("other"));
    let encrypted = good.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let (Ca { cert, key }, empty, noise) = (&good, String::new(), "noise\n".to_owned());
    let cut = cert[..cert.len() / 2].to_owned();
    let rows: [(&str, &String, &String, &str); 9] = [
        ("empty certificate", &empty, key, CERT_FLAG),
        ("empty key", cert, &empty, KEY_FLAG),
        ("garbage certificate", &noise, key, CERT_FLAG),
        ("garbage key", cert, &noise, KEY_FLAG),
        ("half a certificate", &cut, key, CERT_FLAG),
        ("encrypted key", cert, &encrypted, KEY_FLAG),
        ("mismatching key", cert, &other.key, KEY_FLAG),
        ("key in the certificate's place", key, key, CERT_FLAG),
        ("certificate in the key's place", cert, cert, KEY_FLAG),
    ];
    let files = Files::with(&good);
    for (what, cert, key, flag) in rows {
        files.write(cert, key);
        let error = files.load().unwrap_err();
        let path = if flag == CERT_FLAG { &files.cert } else { &files.key };
        let beginning = format!("--{flag} {}: ", path.display());
        let message = error.to_string();
        assert!(message.starts_with(&beginning), "{what}: {message}");
        assert_eq!(message.lines().count(), 1, "{what}: {message}");
        assert!(message.len() > beginning.len() + 5, "{what}: {message}");
    }
}

#[test]
fn a_file_that_is_missing_or_cannot_be_read_is_named_with_what_the_system_says() {
    let files = Files::with(&Ca::new("good"));
    fs::remove_file(&files.key).unwrap();
    let missing = files.load().unwrap_err().to_string();
    assert!(missing.contains("ca.key: cannot be read: No such file"), "{missing}");
    fs::create_dir(&files.key).unwrap();
    let directory = files.load().unwrap_err().to_string();
    assert!(directory.contains("ca.key: cannot be read: Is a directory"), "{directory}");
}

#[test]
fn an_expired_ca_is_refused_at_the_start() {
    let files = Files::with(&Ca::new("good"));
    let later = now() + time::Duration::days(366);
    let error = AuthorityFiles::load(&[files.of(SignerName::KUBELET_SERVING)], later).unwrap_err();
    assert!(matches!(error.faults[0].cause, Cause::Expired { .. }));
    assert!(error.to_string().contains("ca.crt: CA certificate has expired at "), "{error}");
}

#[test]
fn every_pair_at_fault_is_named_at_once() {
    let (one, two, good) =
        (Files::with(&Ca::new("1")), Files::with(&Ca::new("2")), Files::with(&Ca::new("3")));
    one.write("", "");
    two.write("", "");
    let signers = [
        one.of(SignerName::KUBELET_SERVING),
        two.of(SignerName::KUBE_APISERVER_CLIENT),
        good.of(SignerName::LEGACY_UNKNOWN),
        one.of(SignerName::KUBE_APISERVER_CLIENT_KUBELET),
    ];
    let error = AuthorityFiles::load(&signers, now()).unwrap_err();
    assert_eq!(error.faults.len(), 2, "{error}");
}

#[test]
fn signers_of_one_pair_share_one_authority() {
    let files = Files::with(&Ca::new("good"));
    let signers = SignerName::BUILT_IN.map(|name| files.of(name));
    let loaded = AuthorityFiles::load(&signers, now()).unwrap();
    let current = loaded.subscribe().borrow().clone();
    assert_eq!(current.len(), 4);
    let first = current.values().next().unwrap();
    assert!(current.values().all(|authority| Arc::ptr_eq(first, authority)));
}

#[test]
fn a_pair_swapped_one_file_after_the_other_is_taken_when_it_is_whole() {
    let (old, new) = (Ca::new("old"), Ca::new("new"));
    let files = Files::with(&old);
    let mut loaded = files.load().unwrap();
    let before = in_use(&loaded);
    files.write(&new.cert, &old.key);
    let changes = loaded.look(now());
    assert!(changes[0].result.is_err());
    assert_eq!(in_use(&loaded), before);
    files.write(&new.cert, &new.key);
    assert!(loaded.look(now())[0].result.is_ok());
    assert_ne!(in_use(&loaded), before);
}

#[test]
fn a_bad_change_keeps_the_last_good_pair_is_told_once_and_heals() {
    let (good, other) = (Ca::new("good"), Ca::new("other"));
    let files = Files::with(&good);
    let mut loaded = files.load().unwrap();
    let (before, mut changed) = (in_use(&loaded), loaded.subscribe());
    let (none, noise) = (String::new(), "noise".to_owned());
    let bad = [(&none, &none), (&noise, &good.key), (&good.cert, &noise), (&good.cert, &other.key)];
    for (cert, key) in bad {
        files.write(cert, key);
        assert!(loaded.look(now())[0].result.is_err());
        assert!(loaded.look(now()).is_empty(), "the same fault is told once");
        assert_eq!(in_use(&loaded), before);
    }
    fs::remove_file(&files.key).unwrap();
    assert!(loaded.look(now())[0].result.is_err());
    files.write(&good.cert, &good.key);
    assert!(loaded.look(now())[0].result.is_ok(), "healed");
    assert!(!changed.has_changed().unwrap(), "the same CA is nobody's news");
    changed.mark_unchanged();
    files.write(&other.cert, &other.key);
    assert!(loaded.look(now())[0].result.is_ok());
    assert!(changed.has_changed().unwrap());
}

#[test]
fn an_expired_ca_does_not_replace_one_that_is_valid() {
    let files = Files::with(&Ca::new("old"));
    let mut loaded = files.load().unwrap();
    let (before, new) = (in_use(&loaded), Ca::new("new"));
    files.write(&new.cert, &new.key);
    let changes = loaded.look(now() + time::Duration::days(366));
    assert!(matches!(changes[0].result.as_ref().unwrap_err().cause, Cause::Expired { .. }));
    assert_eq!(in_use(&loaded), before);
}

#[test]
fn of_a_bundle_the_certificate_that_the_key_belongs_to_signs() {
    let (old, new) = (Ca::new("old"), Ca::new("new"));
    let files = Files::with(&new);
    let alone = in_use(&files.load().unwrap());
    files.write(&format!("{}{}", old.cert, new.cert), &new.key);
    assert_eq!(in_use(&files.load().unwrap()), alone);
}

#[test]
fn no_fault_shows_any_part_of_a_key() {
    let (good, other) = (Ca::new("good"), Ca::new("other"));
    let files = Files::with(&good);
    let cut = &other.key[..other.key.len() - 40];
    for (cert, key) in [(&*good.cert, &*other.key), (&*good.key, &*good.key), (&*good.cert, cut)] {
        files.write(cert, key);
        let error = files.load().unwrap_err();
        let shown = format!("{error} {error:?}");
        let secret = |line: &&str| line.len() > 20 && !line.starts_with('-');
        let lines = good.key.lines().chain(other.key.lines()).filter(secret);
        assert!(!lines.into_iter().any(|line| shown.contains(line)), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn changed_files_are_found_within_a_poll_and_counted() {
    let (old, new) = (Ca::new("old"), Ca::new("new"));
    let files = Files::with(&old);
    let loaded = files.load().unwrap();
    let metrics = Arc::new(Metrics::new([SignerName::KUBELET_SERVING]).unwrap());
    loaded.observe(&metrics, now());
    let mut current = loaded.subscribe();
    let task = tokio::spawn(loaded.watch(metrics.clone()));
    files.write(&new.cert, "half writ");
    tokio::time::sleep(Duration::from_secs(35)).await;
    assert!(!current.has_changed().unwrap());
    files.write(&new.cert, &new.key);
    tokio::time::timeout(Duration::from_secs(11), current.changed()).await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_secs(35)).await;
    let text = String::from_utf8(metrics.text().unwrap()).unwrap();
    for line in ["{result=\"failure\"} 1", "{result=\"success\"} 1"] {
        assert!(text.contains(&format!("countersign_ca_reloads_total{line}")), "{line}\n{text}");
    }
    let expiry =
        format!("countersign_ca_expiry_timestamp_seconds{{signer=\"{}\"}} ", SignerName::KUBELET_SERVING);
    assert!(text.contains(&expiry), "{text}");
    task.abort();
    drop(files.dir);
}
