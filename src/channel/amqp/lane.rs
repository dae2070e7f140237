//! What letters travel on: channels of one connection, each with one letter at a time.
//!
//! Promises: the confirmation, the return or the fault that comes on a lane belongs to the letter that is on it, and a
//! lane that fails takes no other letter with it. Never: shares a channel between letters: the client numbers a
//! publication and writes it in two steps, and hands a returned message to whichever confirmation comes next, so that
//! with several letters on one channel an undeliverable one may count as delivered.

use crate::channel::amqp::topology::{self, OUT_EXCHANGE, TopologyFault, short};
use crate::channel::content_type;
use crate::domain::ids::ParticipantCode;
use crate::gateway::ports::outlet::{DeliveryFault, Letter};
use chrono::{DateTime, Utc};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation, Connection};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::time::Instant;

/// The lanes of one connection.
pub(super) struct Lanes {
    connection: Arc<Connection>,
    idle: Mutex<Vec<Channel>>,
    /// Queues that are known to stand.
    declared: Mutex<HashSet<ParticipantCode>>,
    declaring: tokio::sync::Mutex<()>,
    user: ShortString,
    confirmed_at: Mutex<Instant>,
    /// An exchange is gone, or the broker hangs: everything must be built anew.
    pub torn: Notify,
}

impl Lanes {
    pub fn new(connection: Arc<Connection>, user: &str) -> Self {
        Self {
            connection,
            idle: Mutex::default(),
            declared: Mutex::default(),
            declaring: tokio::sync::Mutex::default(),
            user: short(user),
            confirmed_at: Mutex::new(Instant::now()),
            torn: Notify::new(),
        }
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

    /// Lets the connection be rebuilt; a broker under an alarm says itself when it is over.
    pub fn hangs(&self) {
        if !self.connection.status().blocked() {
            self.torn.notify_one();
        }
    }

    /// Sends a letter to its recipient's queue and waits for the confirmation.
    pub async fn send(&self, letter: &Letter, at: DateTime<Utc>) -> Result<(), DeliveryFault> {
        self.declare(letter.recipient_code()).await.map_err(|fault| self.fault(fault))?;
        let lane = self.lane().await.map_err(|error| self.fault(failed(error)))?;
        let confirmation = self.publish(&lane, letter, at).await;
        match confirmation.map_err(|error| self.fault(failed(error)))? {
            Confirmation::Ack(None) => {
                self.idle().push(lane);
                *self.confirmed_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
                Ok(())
            }
            Confirmation::Ack(Some(returned)) | Confirmation::Nack(Some(returned)) => {
                self.declared().remove(letter.recipient_code());
                let reason = format!("the broker has no queue for it: {}", returned.reply_text);
                Err(DeliveryFault::Later { reason, retry_after: None })
            }
            Confirmation::Nack(None) => Err(later("the broker did not take it (its queue is full or has no majority)")),
            Confirmation::NotRequested => Err(later("the broker confirms nothing")),
        }
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

    async fn lane(&self) -> Result<Channel, lapin::Error> {
        let idle = self.idle().pop();
        if let Some(lane) = idle {
            return Ok(lane);
        }
        let lane = self.connection.create_channel().await?;
        lane.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(lane)
    }

    async fn publish(&self, lane: &Channel, letter: &Letter, at: DateTime<Utc>) -> Result<Confirmation, lapin::Error> {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let key = short(letter.recipient_code().as_str());
        let properties = self.properties(letter, at);
        lane.basic_publish(short(OUT_EXCHANGE), key, options, &letter.content, properties).await?.await
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

    /// With the connection gone it is nobody's attempt; a fault of one lane is an attempt of its letter.
    fn fault(&self, fault: TopologyFault) -> DeliveryFault {
        if !self.connection.status().connected() {
            return DeliveryFault::ChannelDown { reason: fault.to_string() };
        }
        if fault.is_missing() {
            self.torn.notify_one();
            return DeliveryFault::ChannelDown { reason: fault.to_string() };
        }
        DeliveryFault::Later { reason: fault.to_string(), retry_after: None }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Channel>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn declared(&self) -> MutexGuard<'_, HashSet<ParticipantCode>> {
        self.declared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed(error: lapin::Error) -> TopologyFault {
    TopologyFault::Failed { name: OUT_EXCHANGE.to_owned(), error }
}

fn later(reason: &str) -> DeliveryFault {
    DeliveryFault::Later { reason: reason.to_owned(), retry_after: None }
}
