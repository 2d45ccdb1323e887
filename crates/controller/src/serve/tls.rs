//! The serving side of TLS: a certificate from files that may change, or one made in memory.

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::client_certificate::AskForCertificate;
use super::self_signed::{SelfSignedError, self_signed};
use crate::pair::{Pair, PairError, PairFiles, WatchedPair};

/// How often the files are read again.
pub const POLL_PERIOD: Duration = Duration::from_secs(10);

/// Why there is no serving certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("--tls-cert-file and --tls-private-key-file are of no use")]
    Files(#[from] PairError),
    /// A file is not PEM, or holds something else.
    #[error("{flag} holds no PEM that could be used")]
    Pem {
        /// Which flag names the file.
        flag: &'static str,
        /// What is wrong.
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    /// Key and certificate do not go together, or no server can use them.
    #[error("--tls-cert-file and --tls-private-key-file cannot be used together")]
    Pair(#[source] rustls::Error),
    /// None could be made.
    #[error("failed to make a serving certificate in memory")]
    SelfSigned(#[from] SelfSignedError),
}

/// What the server presents. It changes with the files.
#[derive(Debug)]
pub struct Tls {
    current: watch::Receiver<Arc<ServerConfig>>,
    reload: Option<(WatchedPair, watch::Sender<Arc<ServerConfig>>)>,
}

impl Tls {
    /// Serves with the pair in `files`, or with a certificate made here when there are none.
    ///
    /// # Errors
    /// When the files cannot be used.
    pub fn new(files: Option<PairFiles>) -> Result<Self, TlsError> {
        let Some(files) = files else {
            let (cert, key) = self_signed(OffsetDateTime::now_utc())?;
            let (_, current) = watch::channel(server_config(vec![cert], key)?);
            return Ok(Self { current, reload: None });
        };
        let mut watched = WatchedPair::new(files);
        // The first look always finds something; a second one would be for files that changed under us.
        let pair = match watched.look() {
            Some(found) => found?,
            None => watched.files().read()?,
        };
        let (sender, current) = watch::channel(from_pair(&pair)?);
        Ok(Self { current, reload: Some((watched, sender)) })
    }

    pub(super) fn current(&self) -> Arc<ServerConfig> {
        self.current.borrow().clone()
    }

    /// Looks at the files again and again until cancelled. It may be called once; the task ends at once without files.
    pub(super) fn watch(&mut self, cancel: CancellationToken) {
        let Some((mut watched, sender)) = self.reload.take() else {
            return;
        };
        tokio::spawn(cancel.run_until_cancelled_owned(async move {
            loop {
                tokio::time::sleep(POLL_PERIOD).await;
                let look = tokio::task::spawn_blocking(move || {
                    let found = watched.look();
                    (watched, found)
                });
                let Ok((again, found)) = look.await else {
                    return;
                };
                watched = again;
                if let Some(found) = found {
                    swap(&sender, found);
                }
            }
        }));
    }
}

fn swap(sender: &watch::Sender<Arc<ServerConfig>>, found: Result<Pair, PairError>) {
    match found.map_err(TlsError::from).and_then(|pair| from_pair(&pair)) {
        Ok(config) => {
            sender.send_replace(config);
            tracing::info!("serving with the certificate that was changed");
        }
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the changed serving certificate is of no use, the last good one stays");
        }
    }
}

fn from_pair(pair: &Pair) -> Result<Arc<ServerConfig>, TlsError> {
    let pem = |flag| move |source| TlsError::Pem { flag, source };
    let chain = CertificateDer::pem_slice_iter(&pair.cert).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(pem("--tls-cert-file"))?;
    let key = PrivateKeyDer::from_pem_slice(&pair.key).map_err(pem("--tls-private-key-file"))?;
    server_config(chain, key)
}

fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let callers = AskForCertificate::new(Arc::clone(&provider));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_client_cert_verifier(callers).with_single_cert(chain, key))
        .map_err(TlsError::Pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn write(files: &PairFiles, pair: &rcgen::CertifiedKey<rcgen::KeyPair>) {
        fs::write(&files.cert, pair.cert.pem()).unwrap();
        fs::write(&files.key, pair.signing_key.serialize_pem()).unwrap();
    }

    fn pair() -> rcgen::CertifiedKey<rcgen::KeyPair> {
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn changed_files_are_served_within_a_poll_and_bad_ones_never() {
        let dir = tempfile::tempdir().unwrap();
        let files = PairFiles { cert: dir.path().join("tls.crt"), key: dir.path().join("tls.key") };
        let (old, new, cancel) = (pair(), pair(), CancellationToken::new());
        write(&files, &old);
        let mut tls = Tls::new(Some(files.clone())).unwrap();
        tls.watch(cancel.clone());
        let first = tls.current();
        fs::write(&files.cert, new.cert.pem()).unwrap();
        tokio::time::sleep(POLL_PERIOD * 3).await;
        assert!(Arc::ptr_eq(&first, &tls.current()), "half of a new pair is not served");
        write(&files, &new);
        tokio::time::timeout(POLL_PERIOD * 2, tls.current.changed()).await.unwrap().unwrap();
        assert!(!Arc::ptr_eq(&first, &tls.current()));
        cancel.cancel();
    }

    #[test]
    fn a_certificate_made_in_memory_needs_no_watching() {
        let tls = Tls::new(None).unwrap();
        assert!(tls.reload.is_none());
    }
}
