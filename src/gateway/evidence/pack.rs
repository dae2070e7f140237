//! What the evidence of an obligation holds, as its file writes it.
//!
//! Promises: a section is there only where the gateway holds something for it; instants are in UTC. Never: a signature,
//! or a log that cannot be tampered with: the gateway has neither, and the pack does not pretend.

use crate::domain::ids::{ExchangeId, MessageId, ObligationId, ParticipantCode, TypeCode};
use crate::domain::obligation::Fact;
use crate::domain::rule::Urgency;
use crate::gateway::ports::scans::{ByHand, Handover};
use crate::gateway::views::{ChronologyEntry, Explanation};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

/// The value of `format`.
pub const FORMAT: &str = "mezhved.evidence";
/// The version of the format; raised when a reader would misread.
pub const VERSION: u64 = 1;

/// The evidence of one obligation at one instant.
#[derive(Debug, Clone, Serialize)]
pub struct Pack {
    pub format: &'static str,
    pub version: u64,
    pub made_at: DateTime<Utc>,
    /// The login of the person, or the code of the participant, that it was given to.
    pub given_to: String,
    pub obligation: Subject,
    /// Absent only where the request itself has never come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Letter>,
    pub due: Explanation,
    /// Reminders, repeated requests, reports to others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reminders: Vec<Letter>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interim: Vec<Said>,
    /// Asked for, granted, denied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<Said>,
    /// Answers and reasoned refusals, those that were sent back too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Said>,
    /// Returns, releases, redirections, withdrawals, what was opened in error.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Said>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
    pub chronology: Vec<ChronologyEntry>,
}

/// The obligation.
#[derive(Debug, Clone, Serialize)]
pub struct Subject {
    pub id: ObligationId,
    pub exchange: ExchangeId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    pub performer: Side,
    pub controller: Side,
    pub awaited: String,
    pub urgency: Urgency,
    pub state: &'static str,
    pub opened_at: DateTime<Utc>,
    pub due_on: NaiveDate,
    pub overdue: bool,
    pub late_by_working_days: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<DateTime<Utc>>,
}

/// A body by its code and its name.
#[derive(Debug, Clone, Serialize)]
pub struct Side {
    pub code: ParticipantCode,
    pub title: String,
}

/// A message without its body: what its envelope says, and what the gateway knows of its bytes and of its way.
#[derive(Debug, Clone, Serialize)]
pub struct Letter {
    pub message: MessageId,
    #[serde(rename = "type")]
    pub type_code: TypeCode,
    pub title: String,
    pub from: Side,
    /// Of several addressees those whom this obligation concerns.
    pub to: Vec<Side>,
    /// The gateway's number in the sender's register.
    pub registered_number: String,
    pub registered_on: NaiveDate,
    pub received_at: DateTime<Utc>,
    /// What the sender's envelope says; absent where a type is not in the catalogue any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub envelope: Option<EnvelopeFacts>,
    /// The format it came in, and the bytes as they came.
    pub stored_format: crate::domain::message::Format,
    pub stored_bytes: u64,
    pub stored_sha256: String,
    /// SHA-256 of the canonical JSON form: the same whatever format it came in.
    pub canonical_sha256: String,
    pub deliveries: Vec<Delivered>,
    /// The desk's note, where no system carried it: the channel, the stated instant and that of the registration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<ByHand>,
}

/// What an envelope says, without the addressees.
#[derive(Debug, Clone, Serialize)]
pub struct EnvelopeFacts {
    /// In the sender's own spelling.
    pub created_at: String,
    /// The sender's own outgoing number and date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outgoing_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outgoing_date: Option<NaiveDate>,
    /// As the envelope names the official; not a signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signatory: Option<String>,
    /// «120-ФЗ, ст. 9».
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub legal_basis: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_consent_ground: Option<String>,
    /// What it is about: «Содержание» of the journal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub annexes: Vec<Annex>,
}

/// An annex by its digest.
#[derive(Debug, Clone, Serialize)]
pub struct Annex {
    pub number: u32,
    pub name: String,
    pub media_type: String,
    pub size_bytes: u64,
    pub sha256: String,
}

/// The way of a letter to one addressee: the proof that it arrived.
#[derive(Debug, Clone, Serialize)]
pub struct Delivered {
    pub to: Side,
    pub state: String,
    pub attempts: u32,
    /// Oldest first.
    pub stages: Vec<Stage>,
    /// SHA-256 of the bytes that the addressee was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_date: Option<NaiveDate>,
    /// Where people handed it over: who took it, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handover: Option<Handover>,
}

/// One step of a delivery.
#[derive(Debug, Clone, Serialize)]
pub struct Stage {
    pub at: DateTime<Utc>,
    /// `queued`, `delivered`, `registered`, `rejected`, `undeliverable`, `queued_again`, `handled_manually`.
    pub stage: &'static str,
}

/// A fact, with the letter that said it.
#[derive(Debug, Clone, Serialize)]
pub struct Said {
    #[serde(flatten)]
    pub fact: Fact,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub letter: Option<Letter>,
}

/// «Ответ по состоянию на … не поступил»: there only while it is true.
#[derive(Debug, Clone, Serialize)]
pub struct Certificate {
    pub at: DateTime<Utc>,
    /// In Russian, sentence by sentence.
    pub lines: Vec<String>,
}
