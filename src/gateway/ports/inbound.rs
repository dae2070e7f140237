//! The way in, as a channel sees it: hand over a delivery, be told what to do with it.
//!
//! Promises: `Ack` only after the commit. Never: a word of a broker's; a fourth answer.

use async_trait::async_trait;
use bytes::Bytes;

/// Takes deliveries; many may be under way at once. They are begun in the order in which they came.
#[async_trait]
pub trait Inbound: Send + Sync {
    /// Takes one delivery, and answers after the commit.
    async fn take(&self, delivery: InboundDelivery) -> Disposition;
}

/// A delivery as the channel got it: nothing of it has been parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundDelivery {
    /// The sender, as the broker has checked it; `None` names nobody.
    pub user_id: Option<String>,
    pub message_id: Option<String>,
    pub content_type: Option<String>,
    pub content_encoding: Option<String>,
    /// The exchange that it says it belongs to.
    pub correlation_id: Option<String>,
    /// It was handed out before; that time may or may not have been committed.
    pub redelivered: bool,
    pub content: Bytes,
}

/// What to do with a delivery: a total function of what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// It is on disk: accepted, or kept in the quarantine.
    Ack,
    /// The world is down: the same delivery again, after a pause.
    RetryLater,
    /// It cannot be kept here: the broker keeps it, whole. The reason is a stable code.
    DeadLetter(&'static str),
}
