//! The way in over AMQP: consumes `mezhved.inbound` and hands each delivery to the gateway.
//!
//! Promises: acknowledged only after the gateway has taken it; begun in the order of the queue, many at once; when the
//! gateway takes nothing, deliveries are held and not thrown back and forth, because each return counts against a
//! delivery's limit. Never: parses; loops hot; decides what is acceptable.

mod aside;
mod flow;

use crate::channel::amqp::AmqpConfig;
use crate::channel::amqp::link::{Link, LinkState, Loss, Session, within};
use crate::channel::amqp::topology;
use crate::clock::Clock;
use crate::gateway::ports::inbound::{Disposition, Inbound, InboundDelivery};
use crate::retry::Pace;
use async_trait::async_trait;
use flow::Flow;
use futures_util::FutureExt;
use lapin::Connection;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The consumer with its own connection.
pub struct Intake {
    link: Link,
    door: Door,
}

/// What a session needs of the intake.
struct Door {
    config: AmqpConfig,
    inbound: Arc<dyn Inbound>,
    /// A copy of a delivery that was given back to the broker because the gateway took nothing for long.
    knocker: Mutex<Option<InboundDelivery>>,
}

impl Intake {
    /// An intake that hands deliveries to `inbound`; it does nothing until [`Intake::run`].
    #[must_use]
    pub fn new(config: AmqpConfig, clock: Clock, inbound: Arc<dyn Inbound>) -> Self {
        let link = Link::new("in", config.clone(), clock);
        Self { link, door: Door { config, inbound, knocker: Mutex::new(None) } }
    }

    /// How the connection stands.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<LinkState> {
        self.link.state()
    }

    /// Consumes until the stop; then ends what is in flight, within the drain time.
    pub async fn run(&self, stop: &CancellationToken) {
        self.link.keep(&self.door, stop).await;
    }
}

#[async_trait]
impl Session for Door {
    async fn live(&self, connection: &Arc<Connection>, link: &Link, stop: &CancellationToken) -> Result<(), Loss> {
        self.knock(link, stop).await;
        let limit = self.config.connect_timeout;
        let channel = within(limit, connection.create_channel()).await?;
        within(limit, topology::declare_inbound(&channel)).await?;
        let mut flow = Flow::open(self, channel).await?;
        link.is_up();
        flow.run(stop).await
    }
}

impl Door {
    /// After a long silence of the gateway: tries a copy of a delivery, until it is taken, before anything is consumed.
    /// The broker will hand the original out again, as a duplicate that does no harm.
    async fn knock(&self, link: &Link, stop: &CancellationToken) {
        let Some(delivery) = self.knocker().take() else { return };
        link.is_down("waiting until the gateway takes deliveries again");
        let mut pace = Pace::reconnect();
        while self.take(delivery.clone()).await == Disposition::RetryLater {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pace.next_wait()) => {}
            }
        }
    }

    /// Hands a delivery over. One that makes the gateway panic is poison: the broker keeps it, the others go on.
    async fn take(&self, delivery: InboundDelivery) -> Disposition {
        let taken = AssertUnwindSafe(self.inbound.take(delivery)).catch_unwind().await;
        taken.unwrap_or_else(|_| {
            tracing::error!("a delivery made the gateway panic; it is kept in `{}`", topology::DEAD_QUEUE);
            Disposition::DeadLetter("panic")
        })
    }

    fn knocker(&self) -> std::sync::MutexGuard<'_, Option<InboundDelivery>> {
        self.knocker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
