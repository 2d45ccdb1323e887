//! `countersign run`: everything put together, its start and its end.
//!
//! Start: CA, credentials, endpoints, then the watch and the election side by side, so that a follower knows every object
//! before it leads. Stop: not ready, nothing new taken on, what is under way finished, the Lease released, the endpoints
//! closed. A lost Lease, or a task that ends by itself, ends the process at once, with what is under way dropped.

use std::sync::Arc;
use std::time::Duration;

use engine::Settings;
use time::OffsetDateTime;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::ca::AuthorityFiles;
use crate::cluster_ca::ClusterCaReader;
use crate::config::{ClientConfig, Config, LeaderElection};
use crate::configuration::Audience;
use crate::driver::{Driver, DriverError, Events, Watched};
use crate::executor::{Executor, Tools};
use crate::facts::{Facts, Feed};
use crate::kube::access::AccessError;
use crate::kube::call::Caller;
use crate::kube::client::Clients;
use crate::kube::events;
use crate::kube::lease::{Elector, LeaseConfig, LeaseLost};
use crate::kube::rate::RateLimit;
use crate::kube::review::Reviews;
use crate::kube::token::TokenSource;
use crate::kube::transport::Transport;
use crate::kube::watch::Watcher;
use crate::kube::write::Requests;
use crate::policy::Policy;
use crate::serve::health::Health;
use crate::serve::metrics::Metrics;
use crate::signing_threads::SigningThreads;

mod clients;
mod configuration;
mod endpoints;
mod error;
mod policies;
mod signals;

pub use error::RunError;

use configuration::configuration;
use endpoints::{Endpoints, Shown};
use policies::policies;
use signals::Signals;

/// How long one call to the API server may take.
const CALL: Duration = Duration::from_secs(30);

/// How often files with credentials are looked at again.
const POLL: Duration = Duration::from_secs(10);

/// After how long a loop that does not turn counts as dead; as kube-controller-manager's watchdog.
const TOLERANCE: Duration = Duration::from_secs(20);

/// Events of the watch that wait for the engine. It takes them in without waiting for anything itself, and each of them may
/// hold an object of 2 MB.
const EVENTS: usize = 4;

/// Runs until told to stop.
///
/// # Errors
/// With what keeps it from starting, or what ended it.
pub async fn run(config: Config) -> Result<(), RunError> {
    warn(&config);
    let signals = Signals::new()?;
    let metrics = Arc::new(Metrics::new(config.signing.iter().map(|files| files.signer_name.to_string()))?);
    // Files that nobody signs with may be as they like.
    let files = if config.duties.sign { config.signing.as_slice() } else { &[] };
    let authorities = AuthorityFiles::load(files, OffsetDateTime::now_utc())?;
    if config.check_only {
        check(&config, &metrics).await?;
        tracing::info!("the configuration and the files it names are good");
        return Ok(());
    }
    let (version, duties) = (env!("CARGO_PKG_VERSION"), config.duties);
    let (approve, sign, clean) = (duties.approve, duties.sign, duties.clean);
    tracing::info!(version, approve, sign, clean, elects = config.leader_election.is_some(), "starting");
    let running = Running::start(config, authorities, metrics).await?;
    running.until_stopped(signals).await
}

/// An election that goes on; its end is the end of the process.
type Election = JoinHandle<Result<(), LeaseLost>>;

/// Everything that is running.
struct Running {
    health: Arc<Health>,
    endpoints: Endpoints,
    driver: JoinHandle<Result<(), DriverError>>,
    election: Election,
    /// What ends only with the process.
    background: JoinSet<()>,
    /// Take nothing on any more.
    stop: CancellationToken,
    /// Give the Lease back.
    release: CancellationToken,
}

impl Running {
    async fn start(
        config: Config,
        authorities: AuthorityFiles,
        metrics: Arc<Metrics>,
    ) -> Result<Self, RunError> {
        let health = Health::new(TOLERANCE);
        let clients = clients::load(&config.client, &metrics).await?;
        let watched = Watched { health: Arc::clone(&health), metrics: Arc::clone(&metrics) };
        let (stop, release, mut background) =
            (CancellationToken::new(), CancellationToken::new(), JoinSet::new());
        let work = transport(&config.client, &clients, &mut background)?;
        let caller = Caller::new(work, CALL);
        let (told, writer) = events::channel(caller.clone(), &metrics);
        background.spawn(writer.run());
        if let Some(group) = &config.effective.configuration().trusted_group {
            metrics.insecure_group.set(1);
            told.trusts_group(group);
        }
        let audience = Audience { metrics: Arc::clone(&metrics), events: told.clone() };
        let configuration = configuration(&config, audience, &mut background);
        let shown = Shown { watched: &watched, configuration: configuration.clone() };
        let endpoints = Endpoints::start(config.serving.as_ref(), shown, &clients, &mut background).await?;
        let (leading, election) = elect(config.leader_election.as_ref(), &clients, release.clone())?;
        let (seen, events) = mpsc::channel(EVENTS);
        background.spawn(Watcher::new(caller.clone(), seen, Arc::clone(&metrics)).run());
        let (changed, changes) = mpsc::unbounded_channel();
        let feed = Feed {
            caller: caller.clone(),
            trusted: clients.trusted(),
            changed,
            metrics: Arc::clone(&metrics),
        };
        background.spawn(clients.follow(POLL));
        let cluster = ClusterCaReader::new(caller.clone(), feed.trusted.clone());
        let cluster = cluster.start(configuration.clone(), &mut background);
        let policy = policies(&config, authorities, (configuration, cluster), (&metrics, &mut background));
        // What goes out for single requests is held to the limit, and what everything else rests on is not.
        let caller = caller.with_rate(rate(&config.client));
        let facts = Facts::new(caller.clone(), policy.clone());
        background.spawn(Arc::clone(&facts).follow(feed));
        let events =
            Events { seen: events, changed: changes, leading, policy: policy.clone(), stop: stop.clone() };
        let known = Known { policy, facts, events: told };
        let executor = executor(caller, known, metrics)?;
        let driver = Driver::new(settings(&config), executor, events, watched);
        let driver = tokio::spawn(driver.run(config.shutdown_timeout));
        Ok(Self { health, endpoints, driver, election, background, stop, release })
    }

    async fn until_stopped(mut self, mut signals: Signals) -> Result<(), RunError> {
        tokio::select! {
            signal = signals.next() => tracing::info!(signal, "stopping"),
            end = self.end() => return Err(end),
        }
        self.health.stopping();
        self.stop.cancel();
        tokio::select! {
            _ = signals.next() => Err(RunError::Impatience),
            result = self.wind_down() => result,
        }
    }

    /// Why something ended that should not.
    async fn end(&mut self) -> RunError {
        let result = tokio::select! {
            driver = &mut self.driver => flat(driver),
            election = &mut self.election => flat(election),
            server = self.endpoints.ended() => server.map_err(|error| RunError::Task(Some(error))),
            Some(task) = self.background.join_next() => task.map_err(|error| RunError::Task(Some(error))),
        };
        result.err().unwrap_or(RunError::Task(None))
    }

    /// The Lease is kept until all work has ended, and the endpoints are there to the last.
    async fn wind_down(&mut self) -> Result<(), RunError> {
        tokio::select! {
            driver = &mut self.driver => flat(driver)?,
            election = &mut self.election => {
                flat(election)?;
                return Err(RunError::Task(None));
            }
        }
        self.release.cancel();
        flat((&mut self.election).await)?;
        self.endpoints.stop().await;
        tracing::info!("stopped");
        Ok(())
    }
}

/// Reads every file that a flag names, without a word to anybody. A pod's own credentials are there in the pod alone.
async fn check(config: &Config, metrics: &Arc<Metrics>) -> Result<(), RunError> {
    if config.client.kubeconfig.is_some() || config.client.master.is_some() {
        clients::load(&config.client, metrics).await?;
    }
    match &config.serving {
        Some(serving) => endpoints::check(serving, metrics).await,
        None => Ok(()),
    }
}

/// The election, and whether we lead; without one we do from the start.
fn elect(
    config: Option<&LeaderElection>,
    clients: &Clients,
    release: CancellationToken,
) -> Result<(watch::Receiver<bool>, Election), RunError> {
    let Some(config) = config else {
        let alone = async move {
            release.cancelled().await;
            Ok(())
        };
        return Ok((watch::Sender::new(true).subscribe(), tokio::spawn(alone)));
    };
    let lease = LeaseConfig::new(&config.namespace, &config.name, config.timing)?;
    let elector = Elector::new(clients.client_with(LeaseConfig::client_config)?, lease);
    let (leading, leads) = watch::channel(false);
    Ok((leads, tokio::spawn(elector.run(leading, release))))
}

/// The way to read and write: as ourselves, or as the ServiceAccount we may request tokens for.
fn transport(
    config: &ClientConfig,
    clients: &Clients,
    background: &mut JoinSet<()>,
) -> Result<Transport, AccessError> {
    if !config.use_service_account_credentials {
        return clients.transport();
    }
    let source = TokenSource::new(Caller::new(clients.transport()?, CALL));
    let work = clients.transport_as(source.tokens())?;
    background.spawn(source.run());
    Ok(work)
}

/// Each processor finds work waiting when it is done with some, and what is not next in line keeps its turn in the queue.
fn settings(config: &Config) -> Settings {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Settings { max_in_flight: config.max_in_flight.get(), max_local: 4 * processors, ..Settings::default() }
}

/// What effects are judged by, and whom to tell.
struct Known {
    policy: watch::Receiver<Arc<Policy>>,
    facts: Arc<Facts>,
    events: events::Events,
}

/// The limit on calls per second, where one is given.
fn rate(config: &ClientConfig) -> Option<Arc<RateLimit>> {
    config.rate_limit.map(|limit| Arc::new(RateLimit::new(limit.qps, limit.burst.get())))
}

fn executor(caller: Caller, known: Known, metrics: Arc<Metrics>) -> std::io::Result<Executor> {
    let Known { policy, facts, events } = known;
    let tools = Tools {
        requests: Requests::new(caller.clone()),
        reviews: Reviews::new(caller),
        threads: SigningThreads::start()?,
        policy,
        facts,
        events,
    };
    Ok(Executor::new(tools, metrics))
}

/// What is allowed and likely not meant, each said once.
fn warn(config: &Config) {
    if !config.ignored_flags.is_empty() {
        let flags = config.ignored_flags.join(" ");
        tracing::warn!(flags, "flags of kube-controller-manager that have no effect here were given");
    }
    for notice in &config.notices {
        tracing::warn!("{notice}");
    }
}

fn flat<E: Into<RunError>>(result: Result<Result<(), E>, JoinError>) -> Result<(), RunError> {
    result.map_err(|error| RunError::Task(Some(error)))?.map_err(Into::into)
}
