//! The CA files of the signers: read at the start, when every fault ends the process, and watched from then on, when none does.
//!
//! The files are read every ten seconds. That is well below the minute a mounted Secret takes to arrive, costs two small
//! reads, and sees every change on every file system. A pair that cannot be used, such as one of which a half is written, is
//! logged once and counted, and the last good one stays in use until the files are good again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use csr::SignerName;
use signer::CertificateAuthority;
use time::OffsetDateTime;
use tokio::sync::watch;

use crate::config::{Origin, SignerFiles};
use crate::pair::{Pair, PairError, PairFiles, WatchedPair};
use crate::policy::Authorities;
use crate::serve::metrics::Metrics;

mod fault;

pub use fault::{Cause, Fault, LoadError};

/// How often the files are read again.
pub const POLL_PERIOD: Duration = Duration::from_secs(10);

/// The CA files of all signers, and what they held when they were last good.
#[derive(Debug)]
pub struct AuthorityFiles {
    sources: Vec<Source>,
    current: watch::Sender<Arc<Authorities>>,
}

/// One pair of files, and those it signs for: four signers mostly share one pair, and one authority.
#[derive(Debug)]
struct Source {
    pair: WatchedPair,
    signers: Vec<SignerName>,
    flags: Flags,
    authority: Arc<CertificateAuthority>,
}

/// Where the two paths were given.
#[derive(Clone, Debug)]
struct Flags {
    cert: Origin,
    key: Origin,
}

/// What one look at the files found to be new.
#[derive(Debug)]
pub struct Change {
    /// For whom these files sign.
    pub signers: Vec<SignerName>,
    /// The authority in use from now on, or why it is the old one.
    pub result: Result<Arc<CertificateAuthority>, Fault>,
}

impl AuthorityFiles {
    /// Loads the CA of each signer. Blocks.
    ///
    /// # Errors
    /// With every pair that cannot be used, or whose certificate has expired at `now`.
    pub fn load(files: &[SignerFiles], now: OffsetDateTime) -> Result<Self, LoadError> {
        let mut faults = Vec::new();
        let mut sources = Vec::new();
        for (pair, (signers, flags)) in by_pair(files) {
            match Source::load(pair, signers, flags, now) {
                Ok(source) => sources.push(source),
                Err(fault) => faults.push(fault),
            }
        }
        if !faults.is_empty() {
            return Err(LoadError { faults });
        }
        let (current, _) = watch::channel(Arc::new(authorities(&sources)));
        Ok(Self { sources, current })
    }

    /// The authority of each signer, now and whenever one changes.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Arc<Authorities>> {
        self.current.subscribe()
    }

    /// Shows in `metrics` what is in use.
    pub fn observe(&self, metrics: &Metrics, now: OffsetDateTime) {
        for (signer, authority) in self.current.borrow().iter() {
            metrics.ca_in_use(signer.as_str(), now.unix_timestamp(), authority.not_after().unix_timestamp());
        }
    }

    /// Looks at the files every [`POLL_PERIOD`], for ever. To be spawned, and dropped to stop it.
    pub async fn watch(mut self, metrics: Arc<Metrics>) {
        loop {
            tokio::time::sleep(POLL_PERIOD).await;
            let look = tokio::task::spawn_blocking(move || {
                let changes = self.look(OffsetDateTime::now_utc());
                (self, changes)
            });
            let Ok((again, changes)) = look.await else {
                // A panic, which the runtime has reported, and with it went the files to look at: signing goes on.
                tracing::error!("CA files are no longer watched");
                return std::future::pending().await;
            };
            self = again;
            for change in &changes {
                report(change, &metrics);
            }
        }
    }

    /// Reads all files, takes what is new and good, and says what is new. Blocks.
    pub fn look(&mut self, now: OffsetDateTime) -> Vec<Change> {
        let changes: Vec<_> = self.sources.iter_mut().filter_map(|source| source.look(now)).collect();
        let authorities = authorities(&self.sources);
        self.current.send_if_modified(|current| {
            let modified = !same(current, &authorities);
            if modified {
                *current = Arc::new(authorities);
            }
            modified
        });
        changes
    }
}

impl Source {
    fn load(
        files: PairFiles,
        signers: Vec<SignerName>,
        flags: Flags,
        now: OffsetDateTime,
    ) -> Result<Self, Fault> {
        let mut pair = WatchedPair::new(files);
        // The first look always finds something.
        let found = pair.look().unwrap_or_else(|| pair.files().read());
        let authority = usable(found, pair.files(), &flags, now)?;
        describe(&signers, &authority);
        Ok(Self { pair, signers, flags, authority: Arc::new(authority) })
    }

    fn look(&mut self, now: OffsetDateTime) -> Option<Change> {
        let found = self.pair.look()?;
        let result = usable(found, self.pair.files(), &self.flags, now).map(|authority| {
            // The same certificate has the same key: files that are good again change nothing for anyone.
            if authority.certificate_der() != self.authority.certificate_der() {
                self.authority = Arc::new(authority);
            }
            Arc::clone(&self.authority)
        });
        Some(Change { signers: self.signers.clone(), result })
    }
}

/// The signers by the files they share, with the flags of the first of them.
fn by_pair(files: &[SignerFiles]) -> BTreeMap<PairFiles, (Vec<SignerName>, Flags)> {
    let mut pairs = BTreeMap::new();
    for signer in files {
        let pair = PairFiles { cert: signer.cert.clone(), key: signer.key.clone() };
        let flags = || Flags { cert: signer.cert_origin.clone(), key: signer.key_origin.clone() };
        let (signers, _) = pairs.entry(pair).or_insert_with(|| (Vec::new(), flags()));
        signers.push(signer.signer_name.clone());
    }
    pairs
}

fn authorities(sources: &[Source]) -> Authorities {
    let each = |source: &Source| {
        let authority = Arc::clone(&source.authority);
        source.signers.clone().into_iter().map(move |signer| (signer, Arc::clone(&authority)))
    };
    sources.iter().flat_map(each).collect()
}

fn same(one: &Authorities, other: &Authorities) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| a.0 == b.0 && Arc::ptr_eq(a.1, b.1))
}

/// The authority in what was found, if it can sign at `now`.
fn usable(
    found: Result<Pair, PairError>,
    files: &PairFiles,
    flags: &Flags,
    now: OffsetDateTime,
) -> Result<CertificateAuthority, Fault> {
    let fault = |cause| Fault::new(cause, files, flags);
    let pair = found.map_err(|error| fault(Cause::File(error)))?;
    let authority = CertificateAuthority::from_pem(&pair.cert, &pair.key);
    let authority = authority.map_err(|error| fault(Cause::Authority(error)))?;
    if authority.not_after() < now {
        return Err(fault(Cause::Expired { not_after: authority.not_after() }));
    }
    if let Some(mode) = pair.too_open {
        let mode = format!("{mode:04o}");
        tracing::warn!(path = %files.key.display(), mode, "the CA key can be read or written by others than its owner");
    }
    Ok(authority)
}

fn report(change: &Change, metrics: &Metrics) {
    metrics.ca_reloaded(change.result.is_ok());
    match &change.result {
        Ok(authority) => {
            describe(&change.signers, authority);
            let (now, end) =
                (OffsetDateTime::now_utc().unix_timestamp(), authority.not_after().unix_timestamp());
            for signer in &change.signers {
                metrics.ca_in_use(signer.as_str(), now, end);
            }
        }
        Err(fault) => {
            let signers = names(&change.signers);
            tracing::warn!(%signers, %fault, "the changed CA files cannot be used, the last good ones stay in use");
        }
    }
}

fn describe(signers: &[SignerName], authority: &CertificateAuthority) {
    let (signers, not_after) = (names(signers), authority.not_after());
    let (fingerprint, certificates) = (authority.fingerprint(), authority.certificates_in_file());
    tracing::info!(%signers, fingerprint, %not_after, certificates, "CA files are in use");
}

fn names(signers: &[SignerName]) -> String {
    signers.iter().map(SignerName::as_str).collect::<Vec<_>>().join(", ")
}
