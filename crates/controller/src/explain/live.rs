//! Answers from a cluster as it is now. Nothing is written for them but reviews, which the API server does not keep.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use approver::{Answer, Question};
use csr::{CertificateSigningRequest, Condition};
use tokio::sync::{Mutex, OnceCell, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::answers::Answers;
use crate::chain::Chain;
use crate::facts::{Facts, Feed};
use crate::kube::access::{Access, AccessError};
use crate::kube::call::{CallError, Caller};
use crate::kube::client::Clients;
use crate::kube::review::Reviews;
use crate::kube::watch::{WatchError, all};
use crate::kube::write::Requests;
use crate::kubelets;
use crate::policy::Policy;
use crate::serve::metrics::Metrics;

/// How long one call may take.
const CALL: Duration = Duration::from_secs(15);

/// How long to wait until everything is read; what is not by then counts as unread.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often to look whether it is.
const TICK: Duration = Duration::from_millis(20);

/// A cluster, read for explanations.
#[derive(Debug)]
pub struct Cluster {
    requests: Requests,
    caller: Caller,
    answers: Answers,
    facts: Arc<Facts>,
    feed: Feed,
    kubelet_authority: Option<Vec<u8>>,
    /// What follows the cluster, from when somebody first asks whose a name is.
    following: OnceCell<JoinSet<()>>,
    /// One question has one answer in all explanations of a run.
    found: Mutex<HashMap<Question, Answer>>,
    /// Keeps the policy readable.
    _policy: watch::Sender<Arc<Policy>>,
}

/// Why there is no cluster to ask.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The API server's address, or who we are to it.
    #[error("failed to set up the connection to the API server")]
    Access(#[from] AccessError),

    /// Counters, which nobody reads here.
    #[error("failed to set up metrics")]
    Metrics(#[from] prometheus::Error),
}

impl Cluster {
    /// A cluster, for a controller that works by `policy`. Kubelets' live certificates are `kubelet_authority`'s, in DER.
    ///
    /// # Errors
    /// When the credentials cannot be used. Nothing is sent.
    pub async fn connect(
        access: Access,
        policy: Policy,
        kubelet_authority: Option<Vec<u8>>,
    ) -> Result<Self, ConnectError> {
        let metrics = Arc::new(Metrics::new(std::iter::empty::<String>())?);
        let clients = Clients::load(access, Arc::clone(&metrics)).await?;
        let caller = Caller::new(clients.transport()?, CALL);
        let (policy, receiver) = watch::channel(Arc::new(policy));
        let facts = Facts::new(caller.clone(), receiver);
        // Nobody is held on anything here.
        let (changed, _) = mpsc::unbounded_channel();
        Ok(Self {
            requests: Requests::new(caller.clone()),
            answers: Answers::new(Reviews::new(caller.clone()), Arc::clone(&facts)),
            feed: Feed { caller: caller.clone(), trusted: clients.trusted(), changed, metrics },
            caller,
            facts,
            kubelet_authority,
            following: OnceCell::new(),
            found: Mutex::default(),
            _policy: policy,
        })
    }

    /// The object of this name.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn request(&self, name: &str) -> Result<CertificateSigningRequest, CallError> {
        self.requests.read(name).await
    }

    /// Approves an object as it was read.
    ///
    /// # Errors
    /// 409 when it is no longer what it was, 404 when it is gone.
    pub async fn approve(
        &self,
        object: &CertificateSigningRequest,
        condition: &Condition,
    ) -> Result<CertificateSigningRequest, CallError> {
        self.requests.approve(object, condition).await
    }

    /// Every Node, with where its kubelet serves.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn nodes(&self) -> Result<Vec<kubelets::Node>, WatchError> {
        all(&self.caller).await
    }

    /// The authorities in the kubeconfig, in DER.
    #[must_use]
    pub fn trusted(&self) -> Vec<Vec<u8>> {
        self.feed.trusted.borrow().clone()
    }

    /// Every object that can be read.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn requests(&self) -> Result<Vec<CertificateSigningRequest>, WatchError> {
        all(&self.caller).await
    }

    /// The answer, or why there is none.
    pub(super) async fn answer(&self, question: &Question) -> Result<Answer, String> {
        if question.is_indexed() {
            self.read_everything(question).await;
        }
        if matches!(question, Question::LiveCertificate(_)) && self.kubelet_authority.is_none() {
            return Err("who serves at an address is asked only with --cluster-signing-cert-file".to_owned());
        }
        let mut found = self.found.lock().await;
        if let Some(answer) = found.get(question) {
            return Ok(answer.clone());
        }
        let answer = self.answers.find(question, self.kubelet_authority.as_deref()).await;
        let none = || format!("nobody answers the question {}", question.label());
        let answer = answer.map_err(|error| Chain(&error).to_string())?.ok_or_else(none)?;
        found.insert(question.clone(), answer.clone());
        Ok(answer)
    }

    /// Follows the cluster from the first time on, and waits until nothing is unread, within reason.
    async fn read_everything(&self, question: &Question) {
        let is_first = !self.following.initialized();
        let follow = async || {
            let mut tasks = JoinSet::new();
            tasks.spawn(Arc::clone(&self.facts).follow(self.feed.clone()));
            tasks
        };
        self.following.get_or_init(follow).await;
        let end = Instant::now() + PATIENCE;
        let is_read = || match self.facts.known(question) {
            Some(Answer::Claims(claims)) => claims.unread.is_empty() && self.facts.record_was_tried(),
            _ => true,
        };
        while is_first && !is_read() && Instant::now() < end {
            sleep(TICK).await;
        }
    }
}
