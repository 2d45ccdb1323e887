//! Carries out what the engine wants, one effect at a time, and says what came of it.
//!
//! No decision is taken here. What the pure crates say is passed on, and what the API server says is read for what it means to
//! the engine: done, no longer what it was, gone, or a failure of ours. A 409, and a 404 that the API server itself gives, are
//! nobody's failure: the object's next event says how things stand.

use std::sync::Arc;

use approver::{Answer, Question, Recognizer};
use csr::{CertificateSigningRequest, Condition, SignerName};
use engine::Failure;
use http::StatusCode;
use tokio::sync::watch;
use tracing::Instrument;

use crate::answers::Answers;
use crate::facts::{Facts, KeepError};
use crate::kube::call::CallError;
use crate::kube::events::Events;
use crate::kube::review::Reviews;
use crate::kube::write::{Requests, Version};
use crate::log::{MissingPermissions, OncePer};
use crate::policy::Policy;
use crate::serve::metrics::Metrics;
use crate::signing_threads::SigningThreads;

mod issue;
mod judge;
mod report;

use issue::Issued;
use judge::Judge;

/// An effect in this program's questions and answers.
pub type Effect = engine::Effect<Question, Answer>;

/// An outcome in this program's questions and answers.
pub type Outcome = engine::Outcome<Question, Answer>;

/// Carries out effects. Any number of them at once.
#[derive(Debug)]
pub struct Executor {
    requests: Requests,
    answers: Answers,
    threads: SigningThreads,
    policy: watch::Receiver<Arc<Policy>>,
    events: Events,
    metrics: Arc<Metrics>,
    missing: MissingPermissions,
    /// Failures that come for many requests at once are said once.
    said: OncePer,
}

/// What effects are carried out with.
#[derive(Debug)]
pub struct Tools {
    /// Reads and writes the objects.
    pub requests: Requests,

    /// Asks for verdicts.
    pub reviews: Reviews,

    /// Where requests are judged and certificates issued.
    pub threads: SigningThreads,

    /// Who signs with what.
    pub policy: watch::Receiver<Arc<Policy>>,

    /// What is known of the cluster.
    pub facts: Arc<Facts>,

    /// Whom to tell why a request is held.
    pub events: Events,
}

impl Executor {
    /// Carries out effects with `tools`, and counts in `metrics`.
    #[must_use]
    pub fn new(tools: Tools, metrics: Arc<Metrics>) -> Self {
        let Tools { requests, reviews, threads, policy, facts, events } = tools;
        let (missing, said) = (MissingPermissions::default(), OncePer::new(report::PERIOD));
        let answers = Answers::new(reviews, facts);
        Self { requests, answers, threads, policy, events, metrics, missing, said }
    }

    /// From now on this replica leads.
    pub fn begin_term(&self) {
        self.answers.begin_term();
    }

    /// Carries out one effect, in a span that says for whom.
    pub async fn execute(&self, effect: Effect) -> Outcome {
        let _pass = self.metrics.pass(effect.label());
        let span = report::span(&effect);
        self.carry_out(effect).instrument(span).await
    }

    async fn carry_out(&self, effect: Effect) -> Outcome {
        match effect {
            Effect::Read { name } => self.read(&name).await,
            Effect::Ask(question) => self.ask(question).await,
            Effect::Decide { object, answers } => self.decide(object, answers).await,
            Effect::Sign { object, answers } => self.sign(object, answers).await,
            Effect::Approve { object, condition, answers } => match self.record(&object, answers).await {
                Ok(()) => self.approve(&object, &condition).await,
                Err(stop) => stop,
            },
            Effect::Deny { object, condition } => self.deny(&object, &condition).await,
            Effect::Fail { object, condition, rejection } => self.fail(&object, &condition, rejection).await,
            Effect::Publish { object, pem } => self.publish(&object, &pem).await,
            Effect::Delete { name, uid, resource_version, rule } => {
                let version = Version { name: &name, uid: &uid, resource_version };
                self.delete(version, rule).await
            }
        }
    }

    async fn read(&self, name: &str) -> Outcome {
        match self.requests.read(name).await {
            Ok(object) => Outcome::Found(Arc::new(object)),
            Err(error) if error.is_gone(name) => Outcome::Gone,
            Err(error) => self.failed(&error),
        }
    }

    async fn ask(&self, question: Question) -> Outcome {
        let policy = Arc::clone(&self.policy.borrow());
        let signer = policy.signers.get(&SignerName::from(SignerName::KUBELET_SERVING));
        let authority = signer.map(|signer| signer.authority().certificate_der());
        match self.answers.find(&question, authority).await {
            Ok(Some(answer)) => {
                if let (Question::Review(permission), Answer::Review(verdict)) = (&question, &answer) {
                    self.metrics.reviewed(permission.recognizer.label(), verdict.label());
                    tracing::debug!(verdict = verdict.label(), "a permission was reviewed");
                }
                match question {
                    Question::Review(_) | Question::Node(_) | Question::Occupancy(_) => {
                        Outcome::Answered(answer)
                    }
                    Question::Claims(_)
                    | Question::Record(_)
                    | Question::Resolve(_)
                    | Question::LiveCertificate(_) => Outcome::Told(answer),
                }
            }
            Ok(None) => Outcome::Failed(Failure::NOT_DONE),
            Err(error) => self.failed(&error),
        }
    }

    fn judge(&self, policy: Arc<Policy>) -> Judge {
        Judge { policy, answers: self.answers.clone(), events: self.events.clone() }
    }

    async fn decide(
        &self,
        object: Arc<CertificateSigningRequest>,
        answers: Vec<(Question, Answer)>,
    ) -> Outcome {
        let judge = self.judge(Arc::clone(&self.policy.borrow()));
        let decided = match object.spec().request.len() {
            0..=LONGEST_AT_ONCE => Some(judge.decided(&object, answers)),
            _ => self.apart(move || judge.decided(&object, answers)).await,
        };
        match decided {
            Some(Ok(outcome)) => outcome,
            // Its spec never changes, so asking again would say the same. A human may still approve it.
            Some(Err(error)) => {
                self.metrics.failed("request_unreadable");
                tracing::debug!(error = &error as &dyn std::error::Error, "a request cannot be read");
                Outcome::NoOpinion
            }
            None => self.panicked(),
        }
    }

    async fn sign(
        &self,
        object: Arc<CertificateSigningRequest>,
        answers: Vec<(Question, Answer)>,
    ) -> Outcome {
        let policy = Arc::clone(&self.policy.borrow());
        let judge = self.judge(Arc::clone(&policy));
        if let Some(stop) = judge.stopped(&object, answers) {
            return stop;
        }
        match self.apart(move || issue::issue(&object, &policy)).await {
            Some(Ok(Issued::Certificate(pem))) => Outcome::Signed(pem),
            Some(Ok(Issued::Rejection { condition, label })) => {
                Outcome::Rejected { condition, rejection: label }
            }
            Some(Err(error)) => {
                self.metrics.failed(error.label());
                self.report_unsigned(&error);
                Outcome::Failed(Failure::NOT_DONE)
            }
            None => self.panicked(),
        }
    }

    /// What `work` returns on a thread where it may take its time, or `None` when it panicked.
    async fn apart<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let span = tracing::Span::current();
        self.threads.run(move || span.in_scope(work)).await
    }

    /// Puts on record what is about to be approved: a crash after that forgets no owner.
    async fn record(
        &self,
        object: &CertificateSigningRequest,
        answers: Vec<(Question, Answer)>,
    ) -> Result<(), Outcome> {
        let judge = self.judge(Arc::clone(&self.policy.borrow()));
        let approval = judge.approval(object, answers).map_err(|_| Outcome::Conflict)?;
        let Some(approval) = approval else { return Ok(()) };
        self.answers.keep(approval).await.map_err(|error| match error {
            KeepError::Changed => Outcome::Conflict,
            KeepError::Call(error) => self.failed(&error),
        })
    }

    async fn approve(&self, object: &CertificateSigningRequest, condition: &Condition) -> Outcome {
        let written = self.requests.approve(object, condition).await;
        if written.is_ok() {
            let by = Recognizer::ALL.iter().find(|recognizer| recognizer.message() == condition.message);
            self.metrics.approved(by.map_or("other", |recognizer| recognizer.label()));
            tracing::info!(recognizer = by.map(|recognizer| recognizer.label()), "approved");
        }
        self.written(object.name(), written)
    }

    async fn deny(&self, object: &CertificateSigningRequest, condition: &Condition) -> Outcome {
        let written = self.requests.approve(object, condition).await;
        if written.is_ok() {
            tracing::info!(reason = condition.reason, condition.message = condition.message, "denied");
        }
        self.written(object.name(), written)
    }

    async fn fail(
        &self,
        object: &CertificateSigningRequest,
        condition: &Condition,
        rejection: &'static str,
    ) -> Outcome {
        let written = self.requests.fail(object, condition).await;
        if written.is_ok() {
            self.metrics.rejected(object.spec().signer_name.as_str(), rejection);
            tracing::info!(
                reason = condition.reason,
                condition.message = condition.message,
                "marked as failed"
            );
        }
        self.written(object.name(), written)
    }

    async fn publish(&self, object: &CertificateSigningRequest, pem: &str) -> Outcome {
        let written = self.requests.publish(object, pem).await;
        if written.is_ok() {
            self.metrics.issued(object.spec().signer_name.as_str());
            report::issued(pem);
        }
        self.written(object.name(), written)
    }

    async fn delete(&self, version: Version<'_>, rule: &'static str) -> Outcome {
        match self.requests.delete(version).await {
            Ok(()) => {
                self.metrics.cleaned(rule);
                tracing::info!(rule, "cleaned");
                Outcome::Deleted
            }
            Err(error) => self.not_done(&error, version.name),
        }
    }

    fn written(&self, name: &str, written: Result<CertificateSigningRequest, CallError>) -> Outcome {
        match written {
            Ok(object) => Outcome::Written(Arc::new(object)),
            Err(error) => self.not_done(&error, name),
        }
    }

    /// What a failed write means: it may be no failure at all.
    fn not_done(&self, error: &CallError, name: &str) -> Outcome {
        match error.code() {
            Some(StatusCode::CONFLICT) => Outcome::Conflict,
            _ if error.is_gone(name) => Outcome::Gone,
            _ => self.failed(error),
        }
    }

    fn failed(&self, error: &CallError) -> Outcome {
        self.metrics.failed(error.label());
        self.report(error);
        Outcome::Failed(error.failure())
    }

    /// A panic where nobody else would see it.
    fn panicked(&self) -> Outcome {
        self.metrics.panics.inc();
        self.metrics.failed("panic");
        tracing::error!("judging or signing a request panicked, retrying");
        Outcome::Failed(Failure::NOT_DONE)
    }
}

/// Bytes of a request that is judged where it stands. The time to read one grows with its length: a kubelet's one or two thousand
/// take less than waking a thread, and at this bound it is a fraction of a millisecond. What is longer keeps nobody waiting who
/// talks to the API server.
const LONGEST_AT_ONCE: usize = 16 << 10;
