//! Notices as the gateway keeps and sends them: rows beside the outbox, and the ways out.
//!
//! Promises: a row is written in the transaction that decides it; a lease that is not settled runs out and the notice
//! goes out again under its own id. Never: anything of a child (the words are made of numbers, dates and titles).

use crate::domain::decision::Event;
use crate::domain::ids::{ExchangeId, ObligationId, ParticipantCode};
use crate::domain::notice::{Medium, Whom};
use crate::domain::participant::Participant;
use crate::gateway::ports::StoreError;
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use std::sync::Arc;
use uuid::Uuid;

/// The rows.
#[async_trait]
pub trait Notices: Send + Sync {
    /// Leases notices that are ready, oldest first.
    async fn claim_notices(&self, claim: NoticeClaim) -> Result<Vec<ClaimedNotice>, StoreError>;

    /// Writes down what became of leased ones, with their events, in one transaction.
    async fn settle_notices(&self, attempts: Vec<NoticeAttempt>, events: Vec<Event>) -> Result<(), StoreError>;

    /// Who has had the digest of a day, of any day from this one on.
    async fn digests_since(&self, day: NaiveDate) -> Result<Vec<(ParticipantCode, Whom, NaiveDate)>, StoreError>;

    /// Notices that were given up, the latest first, at most `limit`.
    async fn undeliverable_notices(&self, limit: usize) -> Result<Vec<NoticeView>, StoreError>;

    /// Lets a notice that was given up go out again, with all its retries; `false` when it is not given up.
    async fn notice_again(&self, id: Uuid, now: DateTime<Utc>) -> Result<bool, StoreError>;

    /// How many wait and how many were given up.
    async fn notice_figures(&self) -> Result<NoticeFigures, StoreError>;
}

/// A notice to be sent, with its words.
#[derive(Debug, Clone)]
pub struct NoticeRow {
    /// The mail's Message-ID, the webhook's id: constant over retries. A row that exists stands.
    pub id: Uuid,
    pub medium: Medium,
    pub recipient: ParticipantCode,
    pub whom: Whom,
    pub obligation: Option<ObligationId>,
    /// The day of a digest.
    pub day: Option<NaiveDate>,
    pub queued_at: DateTime<Utc>,
    /// Not before this instant.
    pub ready_at: DateTime<Utc>,
    /// Subject and text of a mail, type and body of a webhook. `None`: a digest that has nothing to say today.
    pub words: Option<(String, String)>,
}

/// A request for rows.
#[derive(Debug, Clone, Copy)]
pub struct NoticeClaim {
    pub medium: Medium,
    pub now: DateTime<Utc>,
    pub lease_until: DateTime<Utc>,
    pub limit: usize,
}

/// A leased notice.
#[derive(Debug, Clone)]
pub struct ClaimedNotice {
    pub id: Uuid,
    pub recipient: ParticipantCode,
    pub whom: Whom,
    pub obligation: Option<(ExchangeId, ObligationId)>,
    pub queued_at: DateTime<Utc>,
    pub attempts: u32,
    pub subject: String,
    pub content: String,
}

/// What became of one.
#[derive(Debug, Clone)]
pub struct NoticeAttempt {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub result: NoticeResult,
}

/// The ends of a lease.
#[derive(Debug, Clone)]
pub enum NoticeResult {
    /// The other side has taken it.
    Sent,
    Retry {
        next_at: DateTime<Utc>,
        error: String,
    },
    /// Not tried (the way out is down): no attempt is counted.
    Postponed {
        next_at: DateTime<Utc>,
    },
    /// No more attempts: a person sees it.
    Undeliverable {
        error: String,
    },
}

/// A notice that was given up, as people see it.
#[derive(Debug, Clone, Serialize)]
pub struct NoticeView {
    pub id: Uuid,
    pub medium: Medium,
    pub recipient: ParticipantCode,
    pub whom: Whom,
    pub subject: String,
    pub attempts: u32,
    pub queued_at: DateTime<Utc>,
    pub error: String,
}

/// Counts of notices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoticeFigures {
    pub waiting: u64,
    pub undeliverable: u64,
    pub oldest_ready_at: Option<DateTime<Utc>>,
}

/// A way out for notices.
#[async_trait]
pub trait Teller: Send + Sync {
    /// Tells one; `Ok` means that the other side has taken it.
    async fn tell(&self, notice: &Telling) -> Result<(), TellFault>;
}

/// A notice on its way, with whom it tells.
#[derive(Debug, Clone)]
pub struct Telling {
    pub id: Uuid,
    pub recipient: Arc<Participant>,
    pub whom: Whom,
    /// Of the Date header: when it was decided, not when it is tried.
    pub queued_at: DateTime<Utc>,
    pub subject: String,
    pub content: String,
}

/// Why it did not go out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TellFault {
    /// Tried again later.
    #[error("{0}")]
    Later(String),
    /// The other side will never take it: a person sees it at once.
    #[error("{0}")]
    Refused(String),
    /// The way out itself is down: no attempt of this notice, all wait.
    #[error("{0}")]
    Down(String),
}
