//! The store as views see it: everything that is shown, and nothing that is changed.
//!
//! Promises: bounded pages by cursor. Never: judges who may see what; the verbs pass the viewer in the filter.

use crate::domain::case::{Case, CaseKey};
use crate::domain::decision::Event;
use crate::domain::exchange::{Duty, Exchange, Root};
use crate::domain::ids::{ExchangeId, MessageId, ObligationId, ParticipantCode};
use crate::domain::obligation::State;
use crate::domain::participant::Participant;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::cases::{CaseFilter, CaseRow, Correspondents, DisclosureFilter, DisclosureRow};
use crate::gateway::ports::decisions::{Accepted, Claimed, Direction, JournalRow, StoredMessage};
use crate::gateway::ports::scans::{ByHand, Handover, ScanRecord};
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use tokio::sync::watch;

/// Everything that is shown.
#[async_trait]
pub trait Reads: Send + Sync {
    async fn participants(&self) -> Result<Vec<Participant>, StoreError>;
    /// Rises with every import, so that caches know when to read again.
    async fn participants_generation(&self) -> Result<u64, StoreError>;

    async fn message(&self, id: MessageId) -> Result<Option<StoredMessage>, StoreError>;
    async fn exchange(&self, id: ExchangeId) -> Result<Option<ExchangeRecord>, StoreError>;
    async fn duty(&self, id: ObligationId) -> Result<Option<DutyRow>, StoreError>;
    /// Sorted by due instant, then id.
    async fn duties(&self, filter: DutyFilter) -> Result<Vec<DutyRow>, StoreError>;
    /// Open obligations counted at `now`, and the silent bodies.
    async fn tally(&self, at: TallyAt) -> Result<Tally, StoreError>;

    /// What waits for a participant of the inbox route, oldest first, after that cursor.
    async fn inbox(&self, page: InboxPage) -> Result<Vec<InboxItem>, StoreError>;
    /// A letter of an inbox with its content, also one that was registered before.
    async fn inbox_letter(&self, message: MessageId, to: &ParticipantCode) -> Result<Option<Claimed>, StoreError>;
    /// One delivery to a participant.
    async fn delivery(&self, message: MessageId, to: &ParticipantCode) -> Result<Option<DeliveryRow>, StoreError>;

    async fn journal(&self, filter: JournalFilter) -> Result<Vec<JournalRow>, StoreError>;
    /// Lines of a journal after a place, each with its own; at most the filter's `limit`.
    async fn journal_page(
        &self,
        filter: JournalFilter,
        after: Option<JournalPlace>,
    ) -> Result<Vec<(JournalPlace, JournalRow)>, StoreError>;
    /// A scan that belongs to at least one message.
    async fn scan(&self, sha256: &str) -> Result<Option<ScanRecord>, StoreError>;
    /// Status events after a sequence number, at most `limit`, for the live stream.
    async fn events_after(&self, seq: u64, limit: usize) -> Result<Vec<(u64, Event)>, StoreError>;
    async fn last_event(&self) -> Result<u64, StoreError>;
    /// What could not be taken, the newest first, from before that row.
    async fn quarantine(&self, before: Option<u64>, limit: usize) -> Result<Vec<QuarantineView>, StoreError>;
    /// Deliveries that were given up, the latest first, at most `limit`.
    async fn undeliverable(&self, limit: usize) -> Result<Vec<DeliveryRow>, StoreError>;
    async fn case(&self, key: &CaseKey) -> Result<Option<Case>, StoreError>;
    /// By number.
    async fn cases(&self, filter: CaseFilter) -> Result<Vec<CaseRow>, StoreError>;
    /// Who exchanged messages about a case with its centre, each side by code.
    async fn correspondents(&self, of: &CaseKey) -> Result<Correspondents, StoreError>;
    /// The log of disclosures of a case, the newest first.
    async fn disclosures(&self, filter: DisclosureFilter) -> Result<Vec<DisclosureRow>, StoreError>;
    /// Changes after what other gateways on the same database commit; `None` for a store that has one gateway.
    fn changes_elsewhere(&self) -> Option<watch::Receiver<u64>> {
        None
    }
    /// The figures of the conservation rule and of the queues.
    async fn figures(&self) -> Result<Figures, StoreError>;
}

/// An obligation with the root of its exchange.
#[derive(Debug, Clone)]
pub struct DutyRow {
    pub duty: Duty,
    pub root: Option<Root>,
    /// The latest event of this obligation.
    pub last_event: Option<Event>,
}

/// Which obligations.
#[derive(Debug, Clone, Default)]
pub struct DutyFilter {
    /// Only those in which this participant owes or is owed; `None` is the staff's view of all.
    pub viewer: Option<ParticipantCode>,
    /// With a viewer: `Outgoing` is owed by it, `Incoming` is owed to it.
    pub direction: Option<Direction>,
    pub state: Option<State>,
    /// Open and due before this instant.
    pub overdue_at: Option<DateTime<Utc>>,
    pub performer: Option<ParticipantCode>,
    pub due_before: Option<DateTime<Utc>>,
    pub case: Option<String>,
    /// Only open ones.
    pub open_only: bool,
    /// Only those with an alert that is not resolved.
    pub alerted: bool,
    /// Only those with a rung that waits for a decision.
    pub prepared: bool,
    /// The due instant and id of the last row of the page before.
    pub after: Option<(DateTime<Utc>, ObligationId)>,
    pub limit: usize,
}

/// The instants that a tally compares with.
#[derive(Debug, Clone, Copy)]
pub struct TallyAt {
    pub now: DateTime<Utc>,
    /// End of today.
    pub today_until: DateTime<Utc>,
    /// End of the third working day from today.
    pub soon_until: DateTime<Utc>,
    pub week_until: DateTime<Utc>,
}

/// The first line and the buckets of the board.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub overdue: u64,
    pub overdue_bodies: u64,
    pub today: u64,
    pub soon: u64,
    pub week: u64,
    pub later: u64,
    /// Bodies with an overdue obligation and no interim reply to it.
    pub silent_bodies: u64,
    /// Rungs that wait for a decision.
    pub prepared: u64,
    pub next_due_at: Option<DateTime<Utc>>,
}

/// An exchange with its messages, events and deliveries.
#[derive(Debug, Clone)]
pub struct ExchangeRecord {
    pub exchange: Exchange,
    pub messages: Vec<MessageLine>,
    pub events: Vec<Event>,
    pub deliveries: Vec<DeliveryRow>,
    /// The desk's notes of its messages.
    pub by_hand: Vec<ByHand>,
    pub handovers: Vec<Handover>,
}

/// A message without its content.
#[derive(Debug, Clone)]
pub struct MessageLine {
    pub id: MessageId,
    pub type_code: crate::domain::ids::TypeCode,
    pub sender: ParticipantCode,
    pub recipients: Vec<ParticipantCode>,
    pub outcome: Accepted,
}

/// A page of an inbox.
#[derive(Debug, Clone)]
pub struct InboxPage {
    pub recipient: ParticipantCode,
    pub after: u64,
    pub limit: usize,
}

/// A letter that waits in an inbox; `seq` is the cursor.
#[derive(Debug, Clone)]
pub struct InboxItem {
    pub seq: u64,
    pub letter: Claimed,
}

/// Where one delivery stands.
#[derive(Debug, Clone)]
pub struct DeliveryRow {
    pub message: MessageId,
    pub recipient: ParticipantCode,
    /// `queued`, `sending`, `waiting_retry`, `delivered`, `registered`, `rejected`, `undeliverable`,
    /// `handled_manually`.
    pub state: String,
    pub attempts: u32,
    pub queued_at: DateTime<Utc>,
    pub next_at: Option<DateTime<Utc>>,
    pub delivered_at: Option<DateTime<Utc>>,
    pub content_sha256: Option<String>,
    /// The recipient's own registration.
    pub registration: Option<(String, NaiveDate)>,
    pub error: Option<String>,
}

/// Which lines of the journal.
#[derive(Debug, Clone)]
pub struct JournalFilter {
    pub participant: ParticipantCode,
    pub case: Option<String>,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    /// With what a centre writes to itself: numbered, but no exchange with another body (S3 §6).
    pub in_house: bool,
    pub limit: usize,
}

/// The place of a line in its journal: the cursor of its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalPlace {
    pub date: NaiveDate,
    pub n: i64,
}

/// A quarantined thing, without its content.
#[derive(Debug, Clone)]
pub struct QuarantineView {
    pub seq: u64,
    pub at: DateTime<Utc>,
    pub source: String,
    pub participant: Option<ParticipantCode>,
    pub message: Option<MessageId>,
    pub code: String,
    pub reason: String,
}

/// Figures for metrics and health.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Deliveries by state: queued or being sent.
    pub deliveries_owed: u64,
    /// Waiting for another attempt.
    pub deliveries_waiting: u64,
    /// Delivered or registered.
    pub deliveries_done: u64,
    pub deliveries_undeliverable: u64,
    pub deliveries_rejected: u64,
    /// Accepted message × addressee pairs, with what was forwarded and the receipts; the conservation gap is this less
    /// the five states above.
    pub accepted_addressees: u64,
    pub parked: u64,
    pub open: u64,
    pub quarantined: u64,
    pub conflicts: u64,
    /// The oldest letter that still waits.
    pub oldest_waiting_at: Option<DateTime<Utc>>,
}

impl Figures {
    /// Accepted pairs of message and addressee, less those whose delivery is in one of the known states: not zero means
    /// that something was lost or doubled.
    #[must_use]
    pub fn conservation_gap(&self) -> i128 {
        let covered = [
            self.deliveries_owed,
            self.deliveries_waiting,
            self.deliveries_done,
            self.deliveries_undeliverable,
            self.deliveries_rejected,
        ];
        i128::from(self.accepted_addressees) - covered.into_iter().map(i128::from).sum::<i128>()
    }
}
