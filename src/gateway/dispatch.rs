//! The way out: leases of the outbox, the recipient's own format, and what became of each delivery.
//!
//! Promises: what goes out is the message that was stored, in the format of its recipient, the same bytes on every
//! attempt. Never: sends (the channels do).

use crate::domain::decision::Event;
use crate::domain::ids::{ExchangeId, MessageId, ParticipantCode};
use crate::domain::message::{Format, Message};
use crate::failpoint;
use crate::flaw::{self, Flaw};
use crate::format;
use crate::gateway::Gateway;
use crate::gateway::arrival::{Arrival, ChannelKind};
use crate::gateway::committer::Job;
use crate::gateway::content::sha256_hex;
use crate::gateway::passing::Hands;
use crate::gateway::ports::decisions::{Attempt, Claim, Claimed, QuarantineRow, RouteKind};
use crate::gateway::ports::outlet::Letter;
use crate::gateway::receipts;
use crate::gateway::rejection::{Rejection, RejectionKind};
use crate::limits::QUARANTINE_BYTES_MAX;
use bytes::Bytes;
use chrono::TimeDelta;
use std::sync::Arc;

impl Gateway {
    /// Leases what is ready to go out.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn claim(&self, mut claim: Claim) -> Result<Vec<Claimed>, Rejection> {
        if flaw::is(Flaw::LeaseNeverEnds) {
            // Longer than any test lasts, and not so long that it is taken for the work of a clock that ran ahead.
            claim.lease_until += TimeDelta::hours(24);
        }
        let claimed = self.0.store.claim(claim).await?;
        if !claimed.is_empty() {
            failpoint::reach("after-claim");
        }
        Ok(claimed)
    }

    /// The hands that take letters of this route as they are decided.
    #[must_use]
    pub fn hands(&self, route: RouteKind) -> Hands {
        self.0.passing.hands(route)
    }

    /// What goes out: the stored message in the recipient's format.
    ///
    /// # Errors
    /// When what was stored cannot be read any more (its type was taken out of the catalogue).
    pub fn render(&self, letter: &Claimed, into: Format) -> Result<Bytes, Rejection> {
        self.0.convert((&letter.content, letter.format), into)
    }

    /// A leased row as the letter that goes out: in its recipient's format, and named by its type.
    ///
    /// # Errors
    /// `not_found` when its recipient is no participant any more; else as [`Gateway::render`].
    pub fn letter(&self, claimed: &Claimed) -> Result<Letter, Rejection> {
        let recipient = self.0.participant(&claimed.recipient);
        let recipient = recipient.ok_or_else(|| Rejection::not_found("participant"))?;
        let message = match &claimed.read {
            Some(read) => Arc::clone(read),
            None => Arc::new(format::read(&claimed.content, claimed.format, &self.0.catalogue)?),
        };
        Ok(Letter {
            message: claimed.message,
            exchange: claimed.exchange,
            type_code: message.envelope.type_code.to_string(),
            format: recipient.format,
            content: self.0.write(&message, recipient.format)?,
            recipient,
        })
    }

    /// Writes down what became of leased rows, and tells the live streams.
    ///
    /// # Errors
    /// `Unavailable`; the leases run out and the rows go out again under the same ids.
    pub async fn settle(&self, attempts: Vec<Attempt>, events: Vec<Event>) -> Result<(), Rejection> {
        failpoint::reach("before-settle");
        self.0.store.settle(attempts, events).await?;
        failpoint::reach("after-settle");
        self.0.changes.send_modify(|count| *count += 1);
        Ok(())
    }

    /// Keeps what a queue brought and could not be taken, and sends the refusal to its sender, if there is one.
    ///
    /// # Errors
    /// `Unavailable`: the delivery must come again.
    pub async fn keep_refused(&self, refused: RefusedDelivery, rejection: &Rejection) -> Result<(), Rejection> {
        let sha256 = sha256_hex(&refused.content);
        let receipt = match &refused.sender {
            Some(sender) if self.0.participant(sender).is_some() => {
                Some(Box::new(receipts::refusal(&self.0, sender, (refused.message, rejection), &sha256)?))
            }
            _ => None,
        };
        let quarantine = Box::new(QuarantineRow {
            at: self.now(),
            source: "amqp",
            participant: refused.sender,
            message: refused.message,
            code: rejection.code.to_owned(),
            reason: rejection.message.clone(),
            content_type: refused.content_type,
            content: refused.content.slice(..refused.content.len().min(QUARANTINE_BYTES_MAX)),
        });
        let unless_taken = refused.unless_taken;
        self.0.ask(|answer| Job::Refuse { quarantine, receipt, unless_taken, answer }).await
    }

    /// Takes a message from a queue. See [`Gateway::submit`].
    ///
    /// # Errors
    /// As [`Gateway::submit`].
    pub async fn submit_from_queue(
        &self,
        sender: ParticipantCode,
        (format, content): (Format, Bytes),
        transport_id: String,
    ) -> Result<super::arrival::Submitted, Rejection> {
        let arrival = Arrival { sender, format, content, channel: ChannelKind::Amqp, transport_id: Some(transport_id) };
        self.submit(arrival).await
    }
}

impl super::Inner {
    /// The same message in another format. The same format is written anew too: what goes out is canonical.
    pub(super) fn convert(&self, (content, from): (&Bytes, Format), into: Format) -> Result<Bytes, Rejection> {
        self.write(&format::read(content, from, &self.catalogue)?, into)
    }

    fn write(&self, message: &Message, into: Format) -> Result<Bytes, Rejection> {
        let written = format::write(message, into, &self.catalogue).map_err(|fault| {
            tracing::error!(%fault, "alarm: a stored message cannot be written");
            Rejection::new(RejectionKind::Unavailable, "internal", "a stored message cannot be written")
        })?;
        Ok(Bytes::from(written))
    }
}

/// What a queue brought and could not be taken.
#[derive(Debug, Clone)]
pub struct RefusedDelivery {
    /// The sender that the broker has authenticated.
    pub sender: Option<ParticipantCode>,
    pub message: Option<MessageId>,
    pub exchange: Option<ExchangeId>,
    pub content_type: String,
    pub content: Bytes,
    /// Nothing is kept if a message of that id and sender is on record by then.
    pub unless_taken: bool,
}
