//! The way in, as a channel sees it: hand over a delivery, be told what to do with it.
//!
//! Promises: `Ack` only after the commit. Never: a word of a broker's; a fifth answer.

use async_trait::async_trait;
use bytes::Bytes;

/// A delivery that was handed out so often before is suspicious.
pub const SUSPICIOUS: u32 = 2;

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
    /// How often it was handed out before; any of those times may or may not have been committed.
    pub handed_out_before: u32,
    pub content: Bytes,
}

impl InboundDelivery {
    /// It came so often without an answer that it may be what breaks the gateway: it is taken alone, and each time that
    /// it is begun is written down first.
    #[must_use]
    pub fn is_suspicious(&self) -> bool {
        self.handed_out_before >= SUSPICIOUS
    }
}

/// What to do with a delivery: a total function of what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// It is on disk: accepted, or kept in the quarantine.
    Ack,
    /// The world is down: the same delivery again, after a pause.
    RetryLater,
    /// The store does not take this one now, and takes what others bring: the same again after a pause, and nobody waits
    /// for it.
    RetryAlone,
    /// It cannot be kept here: the broker keeps it, whole. The reason is a stable code.
    DeadLetter(&'static str),
}
