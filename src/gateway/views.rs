//! What is shown: the domain's records with the words and figures that people and programs read.
//!
//! Promises: computed from the store's rows and the calendar; the lateness is in working days of the body that owes.
//! Never: contains the body of a message, except where the verb says so.

use crate::domain::alert::AlertState;
use crate::domain::ids::{ExchangeId, MessageId, ObligationId, ParticipantCode, TypeCode};
use crate::domain::obligation::Fact;
use crate::domain::participant::{BodyKind, Contact};
use crate::domain::rule::Urgency;
use crate::domain::term::Period;
use crate::gateway::ports::scans::{ByHand, HandChannel, Handover};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

/// An obligation as the API and the board show it.
#[derive(Debug, Clone, Serialize)]
pub struct ObligationView {
    pub id: ObligationId,
    pub exchange: ExchangeId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// Of what recurs: what kind of duty it is, and for which period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duty: Option<DutyView>,
    pub request_type: TypeCode,
    /// Russian title of the request's type, and of what is awaited.
    pub request_title: String,
    pub awaited_title: String,
    /// The gateway's number of the opening message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    pub performer: Party,
    pub controller: Party,
    pub urgency: Urgency,
    /// `running`, `suspended`, `answered`, `fulfilled`, `fulfilled_late`, `refused`, `redirected`, `withdrawn`, `void`.
    pub state: &'static str,
    pub opened_at: DateTime<Utc>,
    pub due_on: NaiveDate,
    pub due_at: DateTime<Utc>,
    pub lenient_at: DateTime<Utc>,
    pub overdue: bool,
    /// Working days after the due date, of the performer's calendar, until the answer or until now; 0 when in time.
    pub late_by_working_days: u32,
    /// Working days left until the due date, or kept while the clock stands; absent when it has passed or the obligation is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_working_days: Option<u32>,
    /// In the performer's zone, with the weekday: `21.11.2026 (сб)`.
    pub due_text: String,
    /// The date leans on a calendar that is not published or not checked yet.
    pub provisional: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<DateTime<Utc>>,
    pub facts: Vec<Fact>,
    pub rungs: Vec<RungView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_event: Option<LastEvent>,
}

/// A duty that recurs until a message ends it, as shown beside what single requests have opened.
#[derive(Debug, Clone, Serialize)]
pub struct DutyView {
    /// What is owed.
    pub report: TypeCode,
    pub rhythm: Period,
    /// «раз в полугодие»
    pub rhythm_text: &'static str,
    /// «I полугодие 2026 года», «после 18.03.2026»
    pub period_text: String,
}

/// One side of an obligation.
#[derive(Debug, Clone, Serialize)]
pub struct Party {
    pub code: ParticipantCode,
    pub title: String,
    pub kind: Option<BodyKind>,
    /// The person who prepares answers, with the phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executor: Option<Contact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<Contact>,
}

/// A rung as shown.
#[derive(Debug, Clone, Serialize)]
pub struct RungView {
    pub no: u8,
    pub title: String,
    /// `planned`, `fired`, `skipped`, `prepared`, `approved`, `declined`, `cancelled`.
    pub state: &'static str,
    pub planned_at: DateTime<Utc>,
    pub needs_decision: bool,
    /// To whom the letter of this rung goes; absent when the performer's record names nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addressee: Option<Party>,
    /// There is a document of it to print.
    pub has_letter: bool,
}

/// An alert as shown.
#[derive(Debug, Clone, Serialize)]
pub struct AlertView {
    pub raised_at: DateTime<Utc>,
    pub rung: u8,
    #[serde(flatten)]
    pub state: AlertState,
}

/// The latest thing that happened.
#[derive(Debug, Clone, Serialize)]
pub struct LastEvent {
    pub at: DateTime<Utc>,
    pub kind: String,
    /// In Russian, for the board.
    pub text: String,
}

/// Why this date: the answer of `GET /obligations/{id}/explanation`.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    pub obligation: ObligationId,
    pub due_on: NaiveDate,
    pub due_at: DateTime<Utc>,
    pub lenient_at: DateTime<Utc>,
    pub zone: &'static str,
    pub rule_version: String,
    /// The law, the seed, or «наше правило по умолчанию».
    pub source: String,
    /// The frozen calculation.
    pub protocol: crate::domain::term::Protocol,
    /// Calendars adopted since: each with the date it moved from and the calculation that replaced it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<Fact>,
    /// Extensions granted since.
    pub extensions: Vec<Fact>,
    /// The same in Russian, line by line.
    pub lines: Vec<String>,
}

/// The chronology of an exchange, with its proofs.
#[derive(Debug, Clone, Serialize)]
pub struct Chronology {
    pub exchange: ExchangeId,
    pub entries: Vec<ChronologyEntry>,
    pub obligations: Vec<ObligationView>,
    pub deliveries: Vec<DeliveryView>,
    /// Replies that came before their request and wait for it.
    pub parked: Vec<MessageId>,
    /// The desk's notes of messages that no system carried.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by_hand: Vec<ByHand>,
    /// What people handed over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub handovers: Vec<Handover>,
}

/// One line of a chronology.
#[derive(Debug, Clone, Serialize)]
pub struct ChronologyEntry {
    pub at: DateTime<Utc>,
    pub kind: String,
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub obligation: Option<ObligationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participant: Option<ParticipantCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// One delivery.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryView {
    pub message: MessageId,
    pub recipient: ParticipantCode,
    pub state: String,
    pub attempts: u32,
    pub queued_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_date: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The first line and the buckets of the board.
#[derive(Debug, Clone, Serialize)]
pub struct BoardSummary {
    pub at: DateTime<Utc>,
    pub overdue: u64,
    pub overdue_bodies: u64,
    pub today: u64,
    pub soon: u64,
    pub week: u64,
    pub later: u64,
    pub silent_bodies: u64,
    pub prepared: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_due_at: Option<DateTime<Utc>>,
    /// Age of the last sweep in milliseconds; absent before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep_age_ms: Option<u64>,
    /// No sweep yet, or the last one is older than the gateway is ready with (`escalation.sweep_age_max_s`).
    pub sweep_stale: bool,
    /// Days until the end of the published calendar; negative after it.
    pub calendar_days_left: i64,
    /// It is time to install the next year's.
    pub calendar_ends_soon: bool,
}

/// A line of the journal as shown.
#[derive(Debug, Clone, Serialize)]
pub struct JournalLine {
    /// `incoming` or `outgoing`.
    pub direction: &'static str,
    pub number: String,
    pub date: NaiveDate,
    pub annexes: String,
    pub summary: String,
    pub message: MessageId,
    #[serde(rename = "type")]
    pub type_code: TypeCode,
    /// Its Russian title.
    pub type_title: String,
    pub exchange: ExchangeId,
    pub counterparty: ParticipantCode,
    pub counterparty_title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// `paper`, `mail` or `phone`, where a clerk registered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<HandChannel>,
}

/// A letter that waits in an inbox.
#[derive(Debug, Clone, Serialize)]
pub struct InboxLetter {
    /// The cursor for `after`.
    pub seq: u64,
    pub id: MessageId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<ExchangeId>,
    pub queued_at: DateTime<Utc>,
    pub content_type: &'static str,
    /// SHA-256 of the bytes below, to be named when registering.
    pub content_sha256: String,
    /// The message in the recipient's own format, as text.
    pub content: String,
}
