//! What may be shown, and to whom: participants see their own, people of the centre see all.

use crate::domain::decision::Event;
use crate::domain::ids::{ExchangeId, MessageId, ObligationId, ParticipantCode};
use crate::domain::message::Format;
use crate::domain::participant::Participant;
use crate::gateway::Gateway;
use crate::gateway::act::Actor;
use crate::gateway::ports::reads::{DutyFilter, Figures, InboxPage, JournalFilter, QuarantineView};
use crate::gateway::rejection::{Rejection, RejectionKind};
use crate::gateway::views::{BoardSummary, Chronology, Explanation, InboxLetter, JournalLine, ObligationView};
use std::sync::Arc;
use tokio::sync::watch;

fn outline() -> Rejection {
    Rejection::new(RejectionKind::Unavailable, "unavailable", "outline")
}

impl Gateway {
    /// Obligations by filter; the viewer is set from the actor.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn obligations(&self, filter: DutyFilter, by: &Actor) -> Result<Vec<ObligationView>, Rejection> {
        let _ = (filter, by);
        Err(outline())
    }

    /// One obligation.
    ///
    /// # Errors
    /// `not_found`, also for what the actor may not see.
    pub async fn obligation(&self, id: ObligationId, by: &Actor) -> Result<ObligationView, Rejection> {
        let _ = (id, by);
        Err(outline())
    }

    /// Why this date.
    ///
    /// # Errors
    /// `not_found`, also for what the actor may not see.
    pub async fn explanation(&self, id: ObligationId, by: &Actor) -> Result<Explanation, Rejection> {
        let _ = (id, by);
        Err(outline())
    }

    /// The chronology of an exchange with its proofs.
    ///
    /// # Errors
    /// `not_found`, also for what the actor may not see.
    pub async fn chronology(&self, id: ExchangeId, by: &Actor) -> Result<Chronology, Rejection> {
        let _ = (id, by);
        Err(outline())
    }

    /// A message in the format asked for, whatever it came in; only for its sender and addressees.
    ///
    /// # Errors
    /// `not_found`, also for what the actor may not see.
    pub async fn message(&self, id: MessageId, format: Format, by: &Actor) -> Result<Vec<u8>, Rejection> {
        let _ = (id, format, by);
        Err(outline())
    }

    /// What waits for a participant.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn inbox(&self, page: InboxPage) -> Result<Vec<InboxLetter>, Rejection> {
        let _ = page;
        Err(outline())
    }

    /// Lines of a participant's journal, in the order of registration.
    ///
    /// # Errors
    /// `Forbidden` for another participant's journal.
    pub async fn journal(&self, filter: JournalFilter, by: &Actor) -> Result<Vec<JournalLine>, Rejection> {
        let _ = (filter, by);
        Err(outline())
    }

    /// The first line and the buckets of the board.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn summary(&self) -> Result<BoardSummary, Rejection> {
        Err(outline())
    }

    /// Status events after a sequence number that this actor may see; the first element is the sequence number.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn events_after(&self, seq: u64, limit: usize, by: &Actor) -> Result<Vec<(u64, Event)>, Rejection> {
        let _ = (seq, limit, by);
        Err(outline())
    }

    /// The number of the last event.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn last_event(&self) -> Result<u64, Rejection> {
        Err(outline())
    }

    /// Rises (changes) after every commit of this process: the wake-up of live streams. Read the events after it.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }

    /// The participant of a code, as imported.
    #[must_use]
    pub fn participant(&self, code: &ParticipantCode) -> Option<Arc<Participant>> {
        let _ = code;
        None
    }

    /// What waits for a person.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn quarantine(&self, after: u64, limit: usize) -> Result<Vec<QuarantineView>, Rejection> {
        let _ = (after, limit);
        Err(outline())
    }

    /// Figures for metrics and health.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn figures(&self) -> Result<Figures, Rejection> {
        Err(outline())
    }

    /// Why the gateway is not ready; empty when it is.
    pub async fn unready_reasons(&self) -> Vec<String> {
        Vec::new()
    }
}
