//! The composition root: makes the parts, joins them, and takes them apart again in the right order.
//!
//! Promises: a stop drains within 10 s: doors first, then workers, the store last. Never: decides anything.

mod files;
mod post;
mod storing;

pub use storing::name as store_name;

use crate::catalogue::{Catalogue, calendars};
use crate::channel::amqp::{AmqpAddress, AmqpConfig, AmqpOutlet, Intake, LinkState};
use crate::channel::push::{Network, Policy, PushConfig, PushOutlet, Secrets};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::decision::Ladders;
use crate::domain::participant::{Participant, Route};
use crate::gateway::ports::Store;
use crate::gateway::{Gateway, Parts};
use crate::telemetry;
use crate::web::{self, WebConfig, WebParts, WebState};
use crate::worker::outbound::{self, Way};
use crate::worker::sweeper;
use anyhow::Context as _;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use storing::Purpose;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// After this the process ends, whatever is still going on.
const DRAIN: Duration = Duration::from_secs(10);
/// How often the outlets look for new participants.
const DIRECTORY_EVERY: Duration = Duration::from_secs(1);

/// A running gateway.
pub struct Running {
    pub gateway: Gateway,
    pub store: Arc<dyn Store>,
    /// Where the HTTP door listens.
    pub http: SocketAddr,
    stop: CancellationToken,
    tasks: JoinSet<&'static str>,
}

/// The ladders that are compiled in.
///
/// # Errors
/// Never in a build whose tests pass.
pub fn builtin_ladders() -> anyhow::Result<Ladders> {
    Ok(toml::from_str(include_str!("../config/ladders.toml"))?)
}

/// A text file, with its name in the error.
///
/// # Errors
/// When it cannot be read.
pub fn read_text(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

/// Runs a command's future to its end.
///
/// # Errors
/// The future's own.
pub fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(work)
}

/// The store of a configuration, for a command that may run beside a serving gateway.
///
/// # Errors
/// When it cannot be opened.
pub async fn open_store(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    storing::open(config, Purpose::Command).await
}

/// Checks a configuration as far as that is possible without starting: what it names is read, the broker's address is
/// one. Returns what an operator should know.
///
/// # Errors
/// What is wrong, with the key.
pub fn check(config: &Config) -> anyhow::Result<Vec<String>> {
    read_ladders(config)?;
    read_catalogue(config)?;
    push_policy(config)?;
    files::objects(config)?;
    files::rules(config)?;
    let mut notes = Vec::new();
    notes.push(match post::mail(config)? {
        Some(mail) => format!("mail: by {}:{}", mail.host, mail.port),
        None => "mail: none; people are told on the board only".to_owned(),
    });
    match amqp(config)? {
        Some(_) => notes.push("amqp: a broker is set; its queues are declared at start".to_owned()),
        None => notes.push("amqp: no broker; messages come and go over HTTP only".to_owned()),
    }
    let calendars = calendars::embedded()?;
    let (published, covered) = (calendars.published_until(), calendars.covered_until());
    notes.push(format!("calendar: published until {published}, counted until {covered}; see `mezhved calendar check`"));
    Ok(notes)
}

fn read_ladders(config: &Config) -> anyhow::Result<Ladders> {
    let file = &config.escalation.ladders;
    if file.as_os_str().is_empty() {
        return builtin_ladders();
    }
    let ladders: Ladders =
        toml::from_str(&read_text(file)?).with_context(|| format!("`escalation.ladders`: {}", file.display()))?;
    match ladders.outward.fault().or_else(|| ladders.inward.fault()) {
        Some(fault) => anyhow::bail!("`escalation.ladders`: {}: {fault}", file.display()),
        None => Ok(ladders),
    }
}

fn read_catalogue(config: &Config) -> anyhow::Result<Arc<Catalogue>> {
    let folder = &config.catalogue.folder;
    if folder.as_os_str().is_empty() {
        return Ok(Arc::clone(Catalogue::builtin()));
    }
    Ok(Arc::new(Catalogue::load(folder).context("`catalogue.folder`")?))
}

fn amqp(config: &Config) -> anyhow::Result<Option<AmqpConfig>> {
    if config.amqp.url.is_empty() {
        return Ok(None);
    }
    let address = AmqpAddress::parse(config.amqp.url.expose()).context("`amqp.url`")?;
    let heartbeat_s = config.amqp.heartbeat_s;
    Ok(Some(AmqpConfig { prefetch: config.amqp.prefetch, heartbeat_s, ..AmqpConfig::new(address) }))
}

fn parts(config: &Config, store: &Arc<dyn Store>, clock: Clock) -> anyhow::Result<Parts> {
    Ok(Parts {
        store: Arc::clone(store),
        objects: files::objects(config)?,
        catalogue: read_catalogue(config)?,
        calendars: Arc::new(calendars::embedded()?),
        ladders: Arc::new(read_ladders(config)?),
        clock,
        sweep_age_max_s: config.escalation.sweep_age_max_s,
    })
}

/// A gateway without doors and workers, for a command. One that only reads may run beside a serving gateway; one that
/// decides is the only one on its file.
///
/// # Errors
/// What is missing or wrong; another gateway that serves, when this one is to decide.
pub async fn start_without_doors(
    config: &Config,
    decides: bool,
    clock: Clock,
) -> anyhow::Result<(Gateway, Arc<dyn Store>)> {
    let store = storing::open(config, if decides { Purpose::Serve } else { Purpose::Command }).await?;
    let gateway = Gateway::start(parts(config, &store, clock)?).await?;
    gateway.set_posting(post::posting(config));
    Ok((gateway, store))
}

/// Starts a gateway by its configuration.
///
/// # Errors
/// What is missing or wrong, with the remedy; nothing is left running.
pub async fn start(config: &Config, clock: Clock) -> anyhow::Result<Running> {
    // A second start in one process finds the provider installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let metrics = telemetry::figures();
    let store = storing::open(config, Purpose::Serve).await?;
    let gateway = Gateway::start(parts(config, &store, clock)?).await?;
    gateway.set_posting(post::posting(config));
    gateway.set_attachment_rules(files::rules(config)?);
    if storing::is_ours_alone(config) {
        remove_unfinished(&gateway).await;
    }
    let listener = tokio::net::TcpListener::bind(config.http.listen)
        .await
        .with_context(|| format!("`http.listen`: {} cannot be listened on", config.http.listen))?;
    let http = listener.local_addr()?;
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    spawn_workers(config, (&gateway, &store), (&stop, &mut tasks))?;
    let state = WebState::new(WebParts {
        gateway: gateway.clone(),
        store: Arc::clone(&store) as Arc<dyn crate::gateway::ports::Accounts>,
        clock: Clock::system(),
        metrics,
        config: WebConfig { connections_max: config.http.connections_max, ..WebConfig::default() },
    });
    let door = web::serve(listener, state, stop.child_token());
    tasks.spawn(async move {
        if let Err(fault) = door.await {
            tracing::error!(%fault, "the HTTP door ended");
        }
        "http"
    });
    Ok(Running { gateway, store, http, stop, tasks })
}

/// The lock of the store is ours: nobody else writes files. Where others may be writing, the janitor waits a day.
async fn remove_unfinished(gateway: &Gateway) {
    match gateway.remove_unfinished_attachments(Duration::ZERO).await {
        Ok(0) => {}
        Ok(files) => tracing::info!(files, "attachments that a killed process left half written are removed"),
        Err(fault) => tracing::warn!(%fault, "the folder of attachments cannot be looked through"),
    }
}

fn spawn_workers(
    config: &Config,
    (gateway, store): (&Gateway, &Arc<dyn Store>),
    (stop, tasks): (&CancellationToken, &mut JoinSet<&'static str>),
) -> anyhow::Result<()> {
    let every = Duration::from_secs(config.escalation.sweep_every_s.max(1));
    let (swept, cancel) = (gateway.clone(), stop.child_token());
    tasks.spawn(async move {
        sweeper::run(swept, every, cancel).await;
        "sweeper"
    });
    files::spawn(config, gateway, (stop, tasks));
    spawn_push(config, (gateway, store), (stop, tasks))?;
    if let Some(amqp) = amqp(config)? {
        spawn_amqp(amqp, gateway, (stop, tasks));
    }
    Ok(())
}

fn spawn_amqp(amqp: AmqpConfig, gateway: &Gateway, (stop, tasks): (&CancellationToken, &mut JoinSet<&'static str>)) {
    let clock = gateway.clock().clone();
    let intake = Arc::new(Intake::new(amqp.clone(), clock.clone(), Arc::new(gateway.clone())));
    let outlet = Arc::new(AmqpOutlet::new(amqp, clock));
    gateway.add_condition(link_condition("amqp in", intake.state()));
    gateway.add_condition(link_condition("amqp out", outlet.state()));
    let cancel = stop.child_token();
    tasks.spawn(async move {
        intake.run(&cancel).await;
        "amqp in"
    });
    let (connection, cancel) = (Arc::clone(&outlet), stop.child_token());
    tasks.spawn(async move {
        connection.run(&cancel).await;
        "amqp out"
    });
    tasks.spawn(keep_queues(Arc::clone(&outlet), gateway.clone(), stop.child_token()));
    spawn_outbound(gateway, Way::amqp(outlet), (stop, tasks));
}

fn spawn_push(
    config: &Config,
    (gateway, store): (&Gateway, &Arc<dyn Store>),
    (stop, tasks): (&CancellationToken, &mut JoinSet<&'static str>),
) -> anyhow::Result<()> {
    let secrets = Arc::clone(store);
    let secrets: Secrets = Arc::new(move |code| {
        let store = Arc::clone(&secrets);
        Box::pin(async move { store.webhook_secrets(&code).await })
    });
    let push = PushConfig { policy: push_policy(config)?, authorities_pem: None };
    let outlet = Arc::new(PushOutlet::new(push, secrets, gateway.clock().clone())?);
    post::spawn(config, (gateway, Arc::clone(&outlet)), (stop, tasks))?;
    spawn_outbound(gateway, Way::push(outlet), (stop, tasks));
    Ok(())
}

/// Where pushes may go besides the public internet.
///
/// # Errors
/// A network that is none, with the key.
pub fn push_policy(config: &Config) -> anyhow::Result<Policy> {
    let read = |text: &String| text.parse::<Network>().with_context(|| format!("`push.allow_networks`: {text}"));
    Ok(Policy { allow_networks: config.push.allow_networks.iter().map(read).collect::<anyhow::Result<_>>()? })
}

fn spawn_outbound(gateway: &Gateway, way: Way, (stop, tasks): (&CancellationToken, &mut JoinSet<&'static str>)) {
    let (dispatch, cancel) = (Arc::new(gateway.clone()), stop.child_token());
    tasks.spawn(async move {
        outbound::run(dispatch, way, &cancel).await;
        "outbound"
    });
}

/// Every participant of the queue's route has its queue, also one that was imported just now.
async fn keep_queues(outlet: Arc<AmqpOutlet>, gateway: Gateway, stop: CancellationToken) -> &'static str {
    let by_queue = |one: &&Arc<Participant>| one.route == Route::Amqp;
    loop {
        outlet.serve(gateway.directory().iter().filter(by_queue).map(|one| one.code.clone()).collect());
        tokio::select! {
            () = stop.cancelled() => return "queues",
            () = tokio::time::sleep(DIRECTORY_EVERY) => {}
        }
    }
}

fn link_condition(
    name: &'static str,
    state: watch::Receiver<LinkState>,
) -> impl Fn() -> Option<String> + Send + Sync + 'static {
    move || match &*state.borrow() {
        LinkState::Up { .. } => None,
        LinkState::Down { since, reason } => Some(format!("{name}: down since {since}: {reason}")),
    }
}

impl Running {
    /// Stops: no new work, what is in hand ends, at most 10 s.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let drained = tokio::time::timeout(DRAIN, async {
            while let Some(ended) = self.tasks.join_next().await {
                tracing::info!(task = ended.unwrap_or("a task that failed"), "ended");
            }
        });
        if drained.await.is_err() {
            tracing::warn!(left = self.tasks.len(), "not everything ended in time; what is unfinished is on disk");
            self.tasks.abort_all();
        }
    }

    /// Waits until a task ends by itself: none should.
    pub async fn ended(&mut self) -> &'static str {
        self.tasks.join_next().await.and_then(Result::ok).unwrap_or("a task")
    }
}
