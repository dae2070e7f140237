//! A message at the door: who brings it is known before a byte of it is read.

use crate::domain::ids::{MessageId, ParticipantCode};
use crate::domain::message::Format;
use crate::gateway::Gateway;
use crate::gateway::ports::decisions::Accepted;
use crate::gateway::rejection::{Rejection, RejectionKind};
use bytes::Bytes;

/// What a door hands in.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The authenticated sender.
    pub sender: ParticipantCode,
    pub format: Format,
    pub content: Bytes,
    pub channel: ChannelKind,
    /// The id that the transport names; must be the envelope's, where given.
    pub transport_id: Option<String>,
}

/// The door it came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelKind {
    Http,
    Amqp,
}

/// What the sender is told: the message is on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct Submitted {
    pub message: MessageId,
    pub accepted: Accepted,
    /// It was here before; this is the original outcome again.
    pub duplicate: bool,
}

impl Gateway {
    /// Takes a message: parses, checks, decides, and answers after the commit.
    ///
    /// # Errors
    /// [`Rejection`] of any kind; only `Unavailable` is worth a retry.
    pub async fn submit(&self, arrival: Arrival) -> Result<Submitted, Rejection> {
        let _ = arrival;
        Err(Rejection::new(RejectionKind::Unavailable, "unavailable", "outline"))
    }
}
