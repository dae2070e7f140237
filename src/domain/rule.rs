//! What the catalogue says of a message type, as the core needs it, and the facts that a body states about terms.
//!
//! Promises: the core never walks a body; the catalogue extracts [`BodyFacts`] by the entry of the type.
//! Never: holds text that a person wrote.

use crate::domain::ids::{ParticipantCode, TypeCode};
use crate::domain::message::{Level, Registration};
use crate::domain::term::{Period, Term};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// What a message of a type does in its exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Begins an exchange; its answer may be mandatory (requests, signals, rulings, notices).
    Opening,
    /// Answers an obligation.
    Answer,
    /// Says that a message arrived, was registered, or was refused.
    Receipt(ReceiptKind),
    /// Acts on an obligation.
    Control(Control),
}

/// The three receipts (catalogue E).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    Delivery,
    Registration,
    Refusal,
}

/// The control messages (catalogue E).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    InterimReply,
    ExtensionRequest,
    ExtensionDecision,
    Redirection,
    ReasonedRefusal,
    /// The performer asks back.
    ClarificationRequest,
    /// The controller answers what was asked.
    Clarification,
    Withdrawal,
    Return,
    Release,
    /// Reminder, repeated request, escalation: recorded, they change no obligation.
    Notice,
}

impl Control {
    /// Whether the performer sends it; the others are the controller's.
    #[must_use]
    pub fn is_performers(self) -> bool {
        match self {
            Self::InterimReply
            | Self::ExtensionRequest
            | Self::ClarificationRequest
            | Self::Redirection
            | Self::ReasonedRefusal => true,
            Self::ExtensionDecision
            | Self::Clarification
            | Self::Withdrawal
            | Self::Return
            | Self::Release
            | Self::Notice => false,
        }
    }

    /// Whether the controller decides by it what becomes of an obligation.
    #[must_use]
    pub fn decides(self) -> bool {
        !self.is_performers() && self != Self::Notice
    }
}

/// A type's rule.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeRule {
    pub role: Role,
    /// The answer that a message of this type makes mandatory.
    pub answer: Option<AnswerRule>,
    /// The duties that a message of this type begins, where its body says what they depend on.
    pub duties: Vec<DutyRule>,
}

/// A duty that a message begins beside its own answer: once, or once in a period until a message ends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutyRule {
    /// What is owed.
    pub answer: TypeCode,
    pub owes: DutyParty,
    pub to: DutyParty,
    pub when: DutyTime,
    pub release: Release,
    pub ends: Vec<TypeCode>,
    pub version: String,
    pub source: String,
}

/// When a duty is owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DutyTime {
    /// Once in each calendar period. `stated` says that the message may name another rhythm (`BodyFacts::rhythm`).
    Each { rhythm: Period, stated: bool },
    /// At most this far apart, counted from what was done last («не реже 1 раза в 6 месяцев»).
    Apart(Period),
    /// Once, so long after the event.
    Once(Term),
}

/// How a duty recurs. The obligation of a period carries it, so that the next one needs no rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recurs {
    pub rhythm: Period,
    /// The next one counts from the answer to this one, not from the end of a calendar period.
    #[serde(default, skip_serializing_if = "is_false")]
    pub apart: bool,
    /// Messages of these types end it.
    pub ends: Vec<TypeCode>,
    /// When the message that began it was made: an end of the case that was told before that is another case's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<DateTime<Utc>>,
    /// When the next period is to be opened; none once it is, and when none will come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews_at: Option<DateTime<Utc>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Who owes a duty, or to whom it is owed, seen from the message that begins it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DutyParty {
    Addressees,
    Sender,
    /// The commission that the sender's record names.
    Commission,
    /// The keeper of the register that the record of the body that owes names.
    RegisterKeeper,
    /// The body that the message names (`BodyFacts::named`).
    Named,
    /// The body that owes: a document that stays in the house.
    Itself,
}

/// A mandatory answer.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerRule {
    /// Any of these types answers.
    pub types: Vec<TypeCode>,
    pub release: Release,
    /// The term by urgency; a date stated in the message itself goes before it.
    pub term: Term,
    pub term_urgent: Option<Term>,
    pub term_emergency: Option<Term>,
    /// Version of the policy that the obligation is born under and keeps.
    pub version: String,
    /// Where the term comes from: a law, a seed, or our default.
    pub source: String,
    /// Calendar days that extensions may add in all; `None` where nothing limits them.
    pub extension_days_max: Option<u32>,
    /// Questions of the performer that may stop the clock; 0 where none does.
    pub suspensions_max: u32,
}

impl AnswerRule {
    /// The term for this urgency: the next milder one where none is given.
    #[must_use]
    pub fn term_for(&self, urgency: Urgency) -> &Term {
        let urgent = self.term_urgent.as_ref().unwrap_or(&self.term);
        match urgency {
            Urgency::Normal => &self.term,
            Urgency::Urgent => urgent,
            Urgency::Emergency => self.term_emergency.as_ref().unwrap_or(urgent),
        }
    }
}

/// Who takes an answered obligation off control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Release {
    /// The gateway, when the answer is complete by its schema; the controller may still return it.
    Automatic,
    /// Only the controller («снять с контроля»).
    Controller,
}

/// How fast, by the level of support at the message's date (S3; the mapping is our default).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    #[default]
    Normal,
    Urgent,
    Emergency,
}

impl From<Option<Level>> for Urgency {
    /// Адаптационный и базовый: normal; кризисный: urgent; экстренный: emergency.
    fn from(level: Option<Level>) -> Self {
        match level {
            None | Some(Level::Adaptation | Level::Basic) => Self::Normal,
            Some(Level::Crisis) => Self::Urgent,
            Some(Level::Emergency) => Self::Emergency,
        }
    }
}

/// What a body states that terms and obligations depend on. Extracted by the catalogue; no text of a person.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BodyFacts {
    /// The date by which the answer is asked for (`requested_due`).
    pub stated_due: Option<NaiveDate>,
    /// The date of the event from which a term that starts on `known` runs.
    pub known_on: Option<NaiveDate>,
    /// One obligation each, where the entry says so (orders of a ruling).
    pub items: Vec<Item>,
    /// The duties that begin with this message, by the report that is owed.
    pub duties: Vec<TypeCode>,
    /// The rhythm of reports that the message itself states.
    pub rhythm: Option<Period>,
    /// The body that a duty falls on by name.
    pub named: Option<ParticipantCode>,
    /// The items that an answer answers; empty means all.
    pub answered_items: Vec<String>,
    /// The day of what a recurring report tells; it answers the period in which that day lies.
    pub answered_on: Option<NaiveDate>,
    /// A nil reply («сведений нет»).
    pub no_data: bool,
    /// Interim reply: when the full one is expected.
    pub expected_on: Option<NaiveDate>,
    /// Extension: the date asked for or granted.
    pub new_due: Option<NaiveDate>,
    /// Extension decision.
    pub granted: Option<bool>,
    /// Redirection: the competent body.
    pub redirect_to: Option<ParticipantCode>,
    /// Refusals: the stable code of the reason.
    pub reason_code: Option<String>,
    /// Receipts: accepted or not.
    pub accepted: Option<bool>,
    /// Receipts: the addressee's own incoming number.
    pub registration: Option<RegistrationFact>,
    /// Receipts: digest of the content that the addressee registered, lower-case hexadecimal SHA-256.
    pub content_sha256: Option<String>,
}

/// One item of a message that opens several obligations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub key: String,
    /// Who owes it; every addressee where the item names nobody.
    pub performer: Option<ParticipantCode>,
    pub due: Option<NaiveDate>,
    /// The day on which its period ends; a term that starts on `period_end` runs from it.
    #[serde(default)]
    pub ends_on: Option<NaiveDate>,
}

/// A registration number and date, as stored among facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationFact {
    pub number: String,
    pub date: NaiveDate,
}

impl From<&Registration> for RegistrationFact {
    fn from(from: &Registration) -> Self {
        Self { number: from.number.clone(), date: from.date }
    }
}
