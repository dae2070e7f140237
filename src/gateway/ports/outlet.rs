//! A channel as the outbound worker sees it: one letter, one confirmed delivery.
//!
//! Promises: `Ok` means that the other side has confirmed durable receipt (a broker's confirmation, an HTTP 2xx).
//! Never: retries by itself across restarts; durable retry times are the outbox row's.

use crate::domain::ids::{ExchangeId, MessageId, ParticipantCode};
use crate::domain::message::Format;
use crate::domain::participant::Participant;
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// A way out.
#[async_trait]
pub trait Outlet: Send + Sync {
    /// Delivers one letter; many may be under way at once.
    async fn deliver(&self, letter: &Letter) -> Result<(), DeliveryFault>;

    /// Waits while the channel itself is down, so that nothing is leased in vain; at once where there is no such state.
    async fn ready(&self) {}
}

/// A letter in the recipient's own format.
#[derive(Debug, Clone)]
pub struct Letter {
    pub message: MessageId,
    pub exchange: Option<ExchangeId>,
    pub type_code: String,
    pub recipient: Arc<Participant>,
    pub format: Format,
    pub content: Bytes,
}

impl Letter {
    /// To whom it goes.
    #[must_use]
    pub fn recipient_code(&self) -> &ParticipantCode {
        &self.recipient.code
    }
}

/// Why a delivery did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryFault {
    /// Tried again later, at the earliest after the time the other side asked for.
    #[error("{reason}")]
    Later { reason: String, retry_after: Option<Duration> },
    /// The channel itself is down: not an attempt of this letter, all wait.
    #[error("the channel is down: {reason}")]
    ChannelDown { reason: String },
}
