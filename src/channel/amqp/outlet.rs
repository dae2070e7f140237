//! The way out over AMQP: each letter to the queue of its participant, confirmed.
//!
//! Promises: `Ok` only after the broker has confirmed the letter to a queue; with the broker away every letter is told so
//! at once. Never: loses a return; waits for ever.

use crate::channel::amqp::AmqpConfig;
use crate::channel::amqp::lanes::Lanes;
use crate::channel::amqp::link::{Link, LinkState, Loss, Session, within};
use crate::channel::amqp::topology;
use crate::clock::Clock;
use crate::domain::ids::ParticipantCode;
use crate::gateway::ports::outlet::{DeliveryFault, Letter, Outlet};
use async_trait::async_trait;
use futures_util::{Stream, StreamExt};
use lapin::{Connection, Event};
use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// How often the connection is looked at, besides its own events.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The publisher with its own connection.
pub struct AmqpOutlet {
    link: Link,
    desk: Desk,
}

/// What a session and the deliveries share.
struct Desk {
    config: AmqpConfig,
    clock: Clock,
    lanes: watch::Sender<Option<Arc<Lanes>>>,
    slots: Semaphore,
    participants: watch::Sender<BTreeSet<ParticipantCode>>,
}

impl AmqpOutlet {
    /// An outlet; it delivers nothing until [`AmqpOutlet::run`].
    #[must_use]
    pub fn new(config: AmqpConfig, clock: Clock) -> Self {
        let link = Link::new("out", config.clone(), clock.clone());
        let slots = Semaphore::new(config.letters_max);
        let (lanes, participants) = (watch::Sender::new(None), watch::Sender::default());
        Self { link, desk: Desk { config, clock, lanes, slots, participants } }
    }

    /// How the connection stands; a broker that is blocked by a resource alarm counts as down.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<LinkState> {
        self.link.state()
    }

    /// Says whose queues must stand, at the start and whenever the directory changes. A queue is never taken away here.
    pub fn serve(&self, participants: BTreeSet<ParticipantCode>) {
        self.desk.participants.send_if_modified(|served| {
            let differs = *served != participants;
            *served = participants;
            differs
        });
    }

    /// Keeps the connection until the stop; then ends what is on its way, within the drain time.
    pub async fn run(&self, stop: &CancellationToken) {
        self.link.keep(&self.desk, stop).await;
    }
}

#[async_trait]
impl Outlet for AmqpOutlet {
    async fn deliver(&self, letter: &Letter) -> Result<(), DeliveryFault> {
        let outcome = self.desk.deliver(letter).await;
        let result = match &outcome {
            Ok(()) => "confirmed",
            Err(DeliveryFault::Later { .. }) => "failed",
            Err(DeliveryFault::ChannelDown { .. }) => "down",
        };
        metrics::counter!("mezhved_amqp_published_total", "result" => result).increment(1);
        outcome
    }

    async fn ready(&self) {
        let mut lanes = self.desk.lanes.subscribe();
        // The sender lives as long as we do.
        let _ = lanes.wait_for(Option::is_some).await;
    }
}

impl Desk {
    async fn deliver(&self, letter: &Letter) -> Result<(), DeliveryFault> {
        let down = |reason: &str| DeliveryFault::ChannelDown { reason: reason.to_owned() };
        if self.lanes.borrow().is_none() {
            return Err(down("no connection to the broker"));
        }
        let _slot = self.slots.acquire().await.map_err(|_| down("stopped"))?;
        let lanes = self.lanes.borrow().clone().ok_or_else(|| down("no connection to the broker"))?;
        let begun = Instant::now();
        match timeout(self.config.confirm_timeout, lanes.send(letter, self.clock.now())).await {
            Ok(outcome) => outcome,
            Err(_) if !lanes.confirmed_since(begun) => {
                lanes.hangs();
                Err(down("the broker confirms nothing (a resource alarm?)"))
            }
            Err(_) => Err(DeliveryFault::Later { reason: "no confirmation in time".into(), retry_after: None }),
        }
    }

    /// Declares the queues that do not stand yet. One that cannot be declared does not hinder the others.
    async fn declare(&self, lanes: &Lanes) {
        let participants = self.participants.borrow().clone();
        for participant in participants {
            if let Err(fault) = within(self.config.connect_timeout, lanes.declare(&participant)).await {
                tracing::error!(%participant, %fault, "the queue of a participant does not stand");
            }
        }
    }

    /// Looks after the connection until it is lost, torn, or stopped.
    async fn attend(
        &self,
        lanes: &Arc<Lanes>,
        link: &Link,
        mut events: impl Stream<Item = Event> + Unpin,
        mut participants: watch::Receiver<BTreeSet<ParticipantCode>>,
    ) -> Result<(), Loss> {
        loop {
            tokio::select! {
                _ = participants.changed() => self.declare(lanes).await,
                () = lanes.torn.notified() => return Err(Loss::Other("an exchange is gone from the broker, or it hangs")),
                event = events.next() => match event {
                    Some(Event::ConnectionBlocked(_)) => {
                        self.lanes.send_replace(None);
                        link.is_down("the broker is blocked by a resource alarm");
                    }
                    Some(Event::ConnectionUnblocked) => {
                        self.lanes.send_replace(Some(Arc::clone(lanes)));
                        link.is_up();
                    }
                    _ => {}
                },
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            if !lanes.connected() {
                return Err(Loss::Other("the connection to the broker was lost"));
            }
        }
    }
}

#[async_trait]
impl Session for Desk {
    async fn live(&self, connection: &Arc<Connection>, link: &Link, stop: &CancellationToken) -> Result<(), Loss> {
        let events = Box::pin(connection.events_listener());
        let limit = self.config.connect_timeout;
        let channel = within(limit, connection.create_channel()).await?;
        within(limit, topology::declare_outbound(&channel)).await?;
        let (lanes, ends) = Lanes::new(Arc::clone(connection), self.config.address.user());
        let lanes = Arc::new(lanes);
        // Listened to before the first look: a directory that changes in between would not be heard.
        let participants = self.participants.subscribe();
        self.declare(&lanes).await;
        self.lanes.send_replace(Some(Arc::clone(&lanes)));
        link.is_up();
        let mut carried = pin!(lanes.carry(ends));
        let ended = tokio::select! {
            ended = self.attend(&lanes, link, events, participants) => ended,
            () = stop.cancelled() => Ok(()),
            () = &mut carried => Err(Loss::Other("the lanes have ended")),
        };
        self.lanes.send_replace(None);
        if ended.is_ok() {
            tokio::select! {
                () = self.drain() => {}
                () = &mut carried => {}
            }
        }
        ended
    }
}

impl Desk {
    async fn drain(&self) {
        let all = u32::try_from(self.config.letters_max).unwrap_or(u32::MAX);
        // What is not confirmed by then is sent again after the next start, under the same id.
        let _ = timeout(self.config.drain_timeout, self.slots.acquire_many(all)).await;
    }
}
