//! What the lanes of one connection share: the queues that are known to stand, the marks of a broker that hangs.
//!
//! Promises: a recipient's letters all go by one lane, one behind the other unless a channel fails. Never: publishes into
//! a queue that it has not declared on this connection.

use crate::channel::amqp::lane::{self, Waiting};
use crate::channel::amqp::topology::{self, OUT_EXCHANGE, TopologyFault, short};
use crate::channel::content_type;
use crate::domain::ids::ParticipantCode;
use crate::gateway::ports::outlet::{DeliveryFault, Letter};
use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use lapin::options::ConfirmSelectOptions;
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Connection};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;

/// Channels that carry letters. The broker keeps a record for every pair of channel and queue, so few are quicker.
const LANES: usize = 4;
/// Letters handed over to one lane and not yet looked at.
const HANDED_MAX: usize = 64;

/// The lanes of one connection.
pub(super) struct Lanes {
    connection: Arc<Connection>,
    /// The ways into the lanes.
    ways: Vec<mpsc::Sender<Waiting>>,
    /// Queues that are known to stand.
    declared: Mutex<HashSet<ParticipantCode>>,
    declaring: tokio::sync::Mutex<()>,
    user: ShortString,
    confirmed_at: Mutex<Instant>,
    /// An exchange is gone, or the broker hangs: everything must be built anew.
    pub torn: Notify,
}

impl Lanes {
    /// The lanes of a connection, with their far ends, which [`Lanes::carry`] serves.
    pub fn new(connection: Arc<Connection>, user: &str) -> (Self, Vec<mpsc::Receiver<Waiting>>) {
        let (ways, ends) = (0..LANES).map(|_| mpsc::channel(HANDED_MAX)).unzip();
        let lanes = Self {
            connection,
            ways,
            declared: Mutex::default(),
            declaring: tokio::sync::Mutex::default(),
            user: short(user),
            confirmed_at: Mutex::new(Instant::now()),
            torn: Notify::new(),
        };
        (lanes, ends)
    }

    /// Carries letters as long as it is polled.
    pub async fn carry(&self, ends: Vec<mpsc::Receiver<Waiting>>) {
        join_all(ends.into_iter().map(|end| lane::carry(self, end))).await;
    }

    /// Whether there is a connection.
    pub fn connected(&self) -> bool {
        self.connection.status().connected()
    }

    /// Whether the broker has confirmed anything since that instant; if not, it hangs or is blocked, and a letter that
    /// waited in vain is no letter that failed.
    pub fn confirmed_since(&self, begun: Instant) -> bool {
        *self.confirmed_at.lock().unwrap_or_else(PoisonError::into_inner) >= begun
    }

    /// The broker has confirmed something.
    pub fn confirmed(&self) {
        *self.confirmed_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Lets the connection be rebuilt; a broker under an alarm says itself when it is over.
    pub fn hangs(&self) {
        if !self.connection.status().blocked() {
            self.torn.notify_one();
        }
    }

    /// Sends a letter to its recipient's queue and waits for the confirmation.
    pub async fn send(&self, letter: &Letter, at: DateTime<Utc>) -> Result<(), DeliveryFault> {
        self.declare(letter.recipient_code()).await.map_err(|fault| self.fault(fault))?;
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { properties: self.properties(letter, at), letter: letter.clone(), answer };
        let gone = || DeliveryFault::ChannelDown { reason: "the connection to the broker was lost".to_owned() };
        self.way(letter.recipient_code()).ok_or_else(gone)?.send(waiting).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// The lane of a recipient.
    fn way(&self, recipient: &ParticipantCode) -> Option<&mpsc::Sender<Waiting>> {
        let mut hasher = DefaultHasher::new();
        recipient.hash(&mut hasher);
        self.ways.get(usize::try_from(hasher.finish() % LANES as u64).unwrap_or_default())
    }

    /// Declares the queue of a participant, unless it is known to stand.
    pub async fn declare(&self, participant: &ParticipantCode) -> Result<(), TopologyFault> {
        if self.declared().contains(participant) {
            return Ok(());
        }
        let _one_at_a_time = self.declaring.lock().await;
        if self.declared().contains(participant) {
            return Ok(());
        }
        let channel = self.connection.create_channel().await.map_err(failed)?;
        topology::declare_participant(&channel, participant).await?;
        self.declared().insert(participant.clone());
        channel.close(200, short("done")).await.map_err(failed)
    }

    /// The broker has no queue of that participant any more.
    pub fn is_missing(&self, participant: &ParticipantCode) {
        self.declared().remove(participant);
    }

    /// A channel that confirms.
    pub async fn channel(&self) -> Result<Channel, lapin::Error> {
        let channel = self.connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(channel)
    }

    fn properties(&self, letter: &Letter, at: DateTime<Utc>) -> BasicProperties {
        const PERSISTENT: u8 = 2;
        let properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_content_type(short(content_type(letter.format)))
            .with_message_id(short(&letter.message.to_string()))
            .with_type(short(&letter.type_code))
            .with_timestamp(u64::try_from(at.timestamp()).unwrap_or(0))
            .with_user_id(self.user.clone())
            .with_app_id(short("mezhved"));
        match letter.exchange {
            Some(exchange) => properties.with_correlation_id(short(&exchange.to_string())),
            None => properties,
        }
    }

    /// With the connection gone it is nobody's attempt; a fault of one letter is an attempt of that letter.
    pub fn fault(&self, fault: TopologyFault) -> DeliveryFault {
        if !self.connected() {
            return DeliveryFault::ChannelDown { reason: fault.to_string() };
        }
        if fault.is_missing() {
            self.torn.notify_one();
            return DeliveryFault::ChannelDown { reason: fault.to_string() };
        }
        DeliveryFault::Later { reason: fault.to_string(), retry_after: None }
    }

    fn declared(&self) -> MutexGuard<'_, HashSet<ParticipantCode>> {
        self.declared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fault of the exchange that letters are published to.
pub(super) fn failed(error: lapin::Error) -> TopologyFault {
    TopologyFault::Failed { name: OUT_EXCHANGE.to_owned(), error }
}
