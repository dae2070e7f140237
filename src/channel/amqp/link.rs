//! One connection to the broker, rebuilt whole after every loss.
//!
//! Promises: connection, channels and topology are built anew together, after waits that grow; the state says since when
//! and why it is down. Never: uses the client's automatic recovery, which hangs publishes and tells consumers nothing.

use crate::channel::amqp::AmqpConfig;
use crate::channel::amqp::topology::TopologyFault;
use crate::clock::Clock;
use crate::retry::Pace;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lapin::{Connection, ConnectionProperties, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// A connection that has held for so long begins with short waits again when it is lost.
const STEADY: Duration = Duration::from_secs(5);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// How a connection stands, for health and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkState {
    Up {
        since: DateTime<Utc>,
    },
    /// The reason holds no secret.
    Down {
        since: DateTime<Utc>,
        reason: String,
    },
}

impl LinkState {
    /// Whether it works.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self, Self::Up { .. })
    }
}

/// Why a session over a connection ended.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Loss {
    #[error(transparent)]
    Client(#[from] lapin::Error),
    #[error(transparent)]
    Topology(#[from] TopologyFault),
    #[error("{0}")]
    Other(&'static str),
}

impl Loss {
    /// The other side has sent what no client can read: it will so again until its limit is reached, and everything waits
    /// behind it meanwhile.
    fn is_unreadable(&self) -> bool {
        matches!(self, Self::Client(error) if matches!(error.kind(), ErrorKind::ParsingError(_)))
    }
}

/// A word with the broker that ends: the client loses some promises when the other side says what it cannot read.
pub(super) async fn within<T, E: Into<Loss>>(
    limit: Duration,
    word: impl Future<Output = Result<T, E>>,
) -> Result<T, Loss> {
    timeout(limit, word).await.map_err(|_| Loss::Other("the broker did not answer in time"))?.map_err(Into::into)
}

/// What is done over a connection.
#[async_trait]
pub(super) trait Session: Send + Sync {
    /// Builds channels and topology, says [`Link::is_up`], and works until the connection is lost or the stop.
    async fn live(&self, connection: &Arc<Connection>, link: &Link, stop: &CancellationToken) -> Result<(), Loss>;
}

/// One connection.
pub(super) struct Link {
    name: &'static str,
    config: AmqpConfig,
    clock: Clock,
    state: watch::Sender<LinkState>,
    steady: AtomicBool,
}

impl Link {
    pub fn new(name: &'static str, config: AmqpConfig, clock: Clock) -> Self {
        let state = LinkState::Down { since: clock.now(), reason: "not connected yet".into() };
        metrics::gauge!("mezhved_amqp_up", "link" => name).set(0.0);
        Self { name, config, clock, state: watch::Sender::new(state), steady: AtomicBool::new(false) }
    }

    pub fn state(&self) -> watch::Receiver<LinkState> {
        self.state.subscribe()
    }

    /// The session works.
    pub fn is_up(&self) {
        metrics::gauge!("mezhved_amqp_up", "link" => self.name).set(1.0);
        tracing::info!(link = self.name, "the broker is reached");
        self.state.send_replace(LinkState::Up { since: self.clock.now() });
    }

    /// The session does not work, for that reason; the first instant of being down is kept.
    pub fn is_down(&self, why: &str) {
        metrics::gauge!("mezhved_amqp_up", "link" => self.name).set(0.0);
        let now = self.clock.now();
        self.state.send_modify(|state| {
            let since = match state {
                LinkState::Up { .. } => now,
                LinkState::Down { since, .. } => *since,
            };
            *state = LinkState::Down { since, reason: why.to_owned() };
        });
    }

    /// Keeps the session alive until the stop.
    pub async fn keep(&self, session: &dyn Session, stop: &CancellationToken) {
        let mut pace = Pace::reconnect();
        while !stop.is_cancelled() {
            self.steady.store(false, Ordering::Relaxed);
            let ended = self.once(session, stop).await;
            if stop.is_cancelled() {
                break;
            }
            let is_unreadable = ended.as_ref().is_err_and(Loss::is_unreadable);
            if self.steady.load(Ordering::Relaxed) || is_unreadable {
                pace.succeeded();
            }
            let reason = ended.err().map_or_else(|| "the session ended by itself".to_owned(), |loss| loss.to_string());
            let wait = pace.next_wait();
            metrics::counter!("mezhved_amqp_losses_total", "link" => self.name).increment(1);
            tracing::warn!(link = self.name, reason, wait_ms = wait.as_millis(), "the broker is not reached");
            self.is_down(&reason);
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.is_down("stopped");
    }

    async fn once(&self, session: &dyn Session, stop: &CancellationToken) -> Result<(), Loss> {
        let connection = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            connected = within(self.config.connect_timeout, self.connect()) => Arc::new(connected?),
        };
        let begun = Instant::now();
        let ended = session.live(&connection, self, stop).await;
        self.steady.store(begun.elapsed() >= STEADY, Ordering::Relaxed);
        // A lost connection cannot be closed, and a broker that hangs must not hold us up.
        let _ = timeout(CLOSE_TIMEOUT, connection.close(200, "bye".into())).await;
        ended
    }

    async fn connect(&self) -> Result<Connection, lapin::Error> {
        let uri = self.config.address.uri(self.config.heartbeat_s, self.config.connect_timeout);
        let name = format!("mezhved {}", self.name);
        let properties = ConnectionProperties::default().with_connection_name(name.into_bytes().into());
        Connection::connect_uri(uri, properties).await
    }
}
