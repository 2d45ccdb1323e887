//! One control plane and signer for all tests of a file.

use std::ops::Deref;
use std::sync::{Arc, Weak};
use std::thread;

use anyhow::Result;
use tokio::sync::Mutex;

use crate::control_plane::ControlPlane;
use crate::options::Options;
use crate::signer::Signer;

/// A control plane with the signer under test, shared by the tests that run at the moment: the first to ask starts it,
/// the last to finish stops it. For tests that touch nothing but objects of their own.
#[derive(Debug)]
pub struct Shared(Arc<Running>);

#[derive(Debug)]
struct Running {
    signer: Signer,
    cluster: ControlPlane,
}

impl Shared {
    /// The running one, or else a new one with default options.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn cluster() -> Result<Self> {
        static CURRENT: Mutex<Weak<Running>> = Mutex::const_new(Weak::new());
        let mut current = CURRENT.lock().await;
        if let Some(running) = current.upgrade() {
            return Ok(Self(running));
        }
        let cluster = ControlPlane::start(Options::default()).await?;
        let signer = cluster.start_signer().await?;
        let running = Arc::new(Running { signer, cluster });
        *current = Arc::downgrade(&running);
        Ok(Self(running))
    }
}

impl Deref for Shared {
    type Target = ControlPlane;

    fn deref(&self) -> &ControlPlane {
        &self.0.cluster
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The last one's processes show their logs themselves.
        if thread::panicking() && Arc::strong_count(&self.0) > 1 {
            self.0.signer.show_log();
            self.0.cluster.show_logs();
        }
    }
}
