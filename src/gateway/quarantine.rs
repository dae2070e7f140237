//! What waits for a person: what could not be taken, and what could not be delivered.
//!
//! Promises: newest first, in bounded pages, without content; a letter that was given up goes out again under its own
//! id when a person says so. Never: sends anything again by itself; deletes a row.

use crate::domain::ids::{MessageId, ParticipantCode};
use crate::gateway::Gateway;
use crate::gateway::act::Actor;
use crate::gateway::committer::Job;
use crate::gateway::ports::reads::{DeliveryRow, QuarantineView};
use crate::gateway::rejection::{Rejection, RejectionKind};
use crate::gateway::view;
use crate::gateway::views::Party;

/// Rows of a page at most.
const PAGE_MAX: usize = 200;

impl Gateway {
    /// What could not be taken, the newest first, from before row number `before`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn quarantine(&self, before: Option<u64>, limit: usize) -> Result<Vec<QuarantineView>, Rejection> {
        Ok(self.0.store.quarantine(before, limit.clamp(1, PAGE_MAX)).await?)
    }

    /// Deliveries that were given up after the last retry, the latest first; how many there are in all is a figure.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn undeliverable(&self, limit: usize) -> Result<Vec<DeliveryRow>, Rejection> {
        Ok(self.0.store.undeliverable(limit.clamp(1, PAGE_MAX)).await?)
    }

    /// A body as people are shown it; one that is not known any more by its code alone.
    #[must_use]
    pub fn party(&self, code: &ParticipantCode) -> Party {
        view::party(&self.0, code)
    }

    /// Lets a letter that was given up go out again, under its own id, with all its retries.
    ///
    /// # Errors
    /// `person_needed` and `observer` when the actor may not decide; `not_found`; `not_undeliverable` when it is on its
    /// way or has arrived.
    pub async fn send_again(&self, message: MessageId, recipient: ParticipantCode, by: Actor) -> Result<(), Rejection> {
        if matches!(by, Actor::Participant(_)) {
            let message = "a person of the centre decides this: log in, and use the page of the quarantine";
            return Err(Rejection::new(RejectionKind::Forbidden, "person_needed", message));
        }
        by.may_decide()?;
        self.0.store.delivery(message, &recipient).await?.ok_or_else(|| Rejection::not_found("letter"))?;
        // Who decided it stands in the log and not in the event, which the recipient's systems may read.
        tracing::info!(%message, %recipient, by = by.label(), "a letter that was given up goes out again");
        let exchange = self.0.store.message(message).await?.map(|stored| stored.exchange);
        self.0.ask(|answer| Job::SendAgain { message, recipient, exchange, answer }).await
    }
}
