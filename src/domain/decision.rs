//! A decision: what a command does, as plain data that the store saves in one transaction.
//!
//! Promises: everything that will leave the process is in here. Never: does anything itself.

use crate::domain::calendar::CalendarSet;
use crate::domain::escalation::Ladder;
use crate::domain::ids::{ExchangeId, MessageId, ObligationId, ParticipantCode, TypeCode};
use crate::domain::message::Message;
use crate::domain::notice::Notice;
use crate::domain::participant::{Directory, Participant};
use crate::domain::rule::{BodyFacts, TypeRule, Urgency};
use crate::domain::term::TermError;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// What the core may look at: the instant, the calendars, the ladders, the participants.
pub struct Context<'a> {
    pub now: DateTime<Utc>,
    pub calendars: &'a CalendarSet,
    pub ladders: &'a Ladders,
    pub directory: &'a Directory,
}

/// The two directions of the ladder: what is owed to us goes outward, what we owe goes inward.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ladders {
    pub outward: Ladder,
    pub inward: Ladder,
}

impl Ladders {
    /// The ladder of what a body owes: the centre's climbs inward, that of others outward.
    #[must_use]
    pub fn of(&self, body: &Participant) -> &Ladder {
        if body.is_centre() { &self.inward } else { &self.outward }
    }
}

/// A message as the core sees it: the envelope's facts and what the body states, no content.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrived {
    pub message: MessageId,
    pub type_code: TypeCode,
    pub rule: TypeRule,
    pub from: ParticipantCode,
    pub to: Vec<ParticipantCode>,
    pub exchange: ExchangeId,
    pub in_reply_to: Option<MessageId>,
    pub case: Option<String>,
    pub urgency: Urgency,
    pub reply_by: Option<NaiveDate>,
    pub facts: BodyFacts,
    pub received_at: DateTime<Utc>,
    /// When the sender says it was made; never later than the receipt for terms.
    pub created_at: DateTime<Utc>,
    /// The same as a date in the sender's own offset.
    pub created_on: NaiveDate,
    /// The registration number it gets if it is accepted.
    pub number: String,
}

/// What the core decided about one command. The exchange itself is changed beside it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decision {
    /// Messages of the gateway's own making, on behalf of a participant.
    pub letters: Vec<Message>,
    /// Mails and webhooks that tell people of rungs.
    pub notices: Vec<Notice>,
    /// Stored messages to be sent to somebody else as well (redirection).
    pub forwards: Vec<Forward>,
    /// Proofs about deliveries that a receipt brought.
    pub proofs: Vec<Proof>,
    /// What the chronology and the live stream will say.
    pub events: Vec<Event>,
    /// The obligations that the command opened, for the sender's receipt.
    pub opened: Vec<Opened>,
}

/// A stored message that goes to a further recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    pub message: MessageId,
    pub to: ParticipantCode,
}

/// An obligation as the sender's receipt shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    pub id: ObligationId,
    pub performer: ParticipantCode,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    pub due_on: NaiveDate,
    /// The sender asserted another date in `reply_by`; ours stands.
    pub reply_by_differs: bool,
}

/// What an addressee says of a message it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    pub message: MessageId,
    pub recipient: ParticipantCode,
    pub stage: ProofStage,
}

/// How far a delivery is proven. `Registered` needs the addressee's number and the digest of what it registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProofStage {
    Received,
    /// People handed it over, at that instant by the word of who registers it.
    HandedOver {
        at: DateTime<Utc>,
    },
    Registered {
        number: String,
        date: NaiveDate,
        content_sha256: String,
    },
    Rejected {
        reason: String,
    },
}

/// One line of the chronology and of the live stream. No personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub at: DateTime<Utc>,
    pub kind: EventKind,
    pub exchange: Option<ExchangeId>,
    pub obligation: Option<ObligationId>,
    pub message: Option<MessageId>,
    /// Whose doing or whose delivery it is about.
    pub participant: Option<ParticipantCode>,
    /// A detail by kind: a rung's number, a code, a date.
    pub detail: Option<String>,
}

impl Event {
    /// The delivery of which it tells that it was given up: true only if whoever says so has it in hand. That one has
    /// arrived is true in any case.
    #[must_use]
    pub fn gives_up(&self) -> Option<(MessageId, ParticipantCode)> {
        let delivery = self.message.zip(self.participant.clone());
        delivery.filter(|_| self.kind == EventKind::Undeliverable)
    }
}

/// The kinds of events; their codes are part of the public surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventKind {
    #[serde(rename = "message.registered")]
    MessageRegistered,
    #[serde(rename = "message.parked")]
    MessageParked,
    #[serde(rename = "message.conflict")]
    MessageConflict,
    #[serde(rename = "message.refused")]
    MessageRefused,
    #[serde(rename = "message.quarantined")]
    MessageQuarantined,
    #[serde(rename = "delivery.delivered")]
    Delivered,
    #[serde(rename = "delivery.registered")]
    DeliveryRegistered,
    #[serde(rename = "delivery.rejected")]
    DeliveryRejected,
    #[serde(rename = "delivery.undeliverable")]
    Undeliverable,
    /// A clerk has registered a message that no system carried: the channel and the stated instant stand in `detail`.
    #[serde(rename = "message.by_hand")]
    MessageByHand,
    /// People have handed a message over; the way stands in `detail`.
    #[serde(rename = "delivery.handled_manually")]
    HandledManually,
    /// A person lets an undeliverable letter go out once more.
    #[serde(rename = "delivery.queued_again")]
    DeliveryQueuedAgain,
    /// A mail or a webhook told somebody of a rung.
    #[serde(rename = "notice.sent")]
    NoticeSent,
    #[serde(rename = "notice.undeliverable")]
    NoticeUndeliverable,
    #[serde(rename = "obligation.opened")]
    ObligationOpened,
    #[serde(rename = "obligation.changed")]
    ObligationChanged,
    #[serde(rename = "obligation.closed")]
    ObligationClosed,
    #[serde(rename = "obligation.due_moved")]
    DueMoved,
    #[serde(rename = "rung.fired")]
    RungFired,
    #[serde(rename = "rung.skipped")]
    RungSkipped,
    #[serde(rename = "rung.prepared")]
    RungPrepared,
    #[serde(rename = "rung.held")]
    RungHeld,
    #[serde(rename = "rung.approved")]
    RungApproved,
    #[serde(rename = "rung.declined")]
    RungDeclined,
    #[serde(rename = "alert.raised")]
    AlertRaised,
    #[serde(rename = "alert.acknowledged")]
    AlertAcknowledged,
    #[serde(rename = "alert.lapsed")]
    AlertLapsed,
    #[serde(rename = "alert.resolved")]
    AlertResolved,
    /// The evidence of an obligation was given to somebody: who, stands in `detail`.
    #[serde(rename = "disclosure.evidence")]
    EvidenceDisclosed,
    /// Something was recorded of a case; its number stands in `detail`.
    #[serde(rename = "case.changed")]
    CaseChanged,
    /// A case was closed; its number stands in `detail`.
    #[serde(rename = "case.closed")]
    CaseClosed,
    #[serde(rename = "security.foreign_reply")]
    ForeignReply,
}

impl EventKind {
    /// The public code, e.g. `obligation.opened`.
    #[must_use]
    pub fn code(self) -> String {
        serde_json::to_value(self).ok().and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// The domain says no: answered with a stable code, never retried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the answer must name the message it answers: set `in_reply_to`, or `exchange`")]
    ReplyWithoutRequest,
    #[error("`{0}` owes nothing in this exchange that this message could answer or act on")]
    NotYourObligation(ParticipantCode),
    #[error("a message that begins an exchange bears the exchange's own id: leave out `exchange` and `in_reply_to`")]
    OpensNoExchange,
    #[error("item `{item}` names `{performer}`, which is no addressee; add it to `to`, or name another body")]
    ItemWithoutAddressee { item: String, performer: ParticipantCode },
    #[error("item `{item}` stands twice for `{performer}`; give each item a number of its own")]
    ItemTwice { item: String, performer: ParticipantCode },
    #[error("a redirection names the competent body: set `to` in its body")]
    RedirectsNowhere,
    #[error("`{0}` cannot take over: it asked, or has itself redirected here; name the competent body")]
    RedirectsInCircle(ParticipantCode),
    #[error("too many messages wait for the beginning of this exchange; send the request first, then again")]
    TooManyParked,
    #[error("there is no such answer to send back; name one that was given, or none for all of them")]
    UnknownAnswer,
    #[error("a message of this type does not answer what is owed here; expected one of: {0}")]
    WrongAnswerType(String),
    #[error("the obligation is {0}; in this state the act would change nothing")]
    ObligationClosed(&'static str),
    #[error("there is no such obligation, or it is not yours to act on")]
    UnknownObligation,
    #[error("there is no such alert, or it is resolved")]
    UnknownAlert,
    #[error("rung {0} is not waiting for a decision")]
    RungNotPrepared(u8),
    #[error("rung {0} has no addressee: set `{1}` of the body that owes, then decide again")]
    RungWithoutAddressee(u8, &'static str),
    #[error("the new due date must be after the one in force")]
    NotAnExtension,
    #[error("extensions may add {0} calendar days in all; the new date is beyond that")]
    ExtensionTooLong(u32),
    #[error("a second person must confirm: `second` is missing or the same as the first")]
    SecondPersonNeeded,
    #[error("participant `{0}` is not known; import it first")]
    UnknownParticipant(ParticipantCode),
    #[error("region `{0}` is not known to the calendar; correct the participant's `region`")]
    Region(String),
    #[error("the date stated for the answer is before the message itself; correct it")]
    StatedDueInThePast,
    #[error("the due date cannot be counted: {0}")]
    Term(#[from] TermError),
    #[error("the acknowledgement must end in the future, within 30 days")]
    BadAcknowledgementEnd,
}

impl Refusal {
    /// The stable code (`docs/ERRORS.md`).
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::ReplyWithoutRequest => "reply_without_request",
            Self::NotYourObligation(_) => "not_your_obligation",
            Self::OpensNoExchange => "opens_no_exchange",
            Self::ItemWithoutAddressee { .. } => "item_without_addressee",
            Self::ItemTwice { .. } => "item_twice",
            Self::RedirectsNowhere => "redirects_nowhere",
            Self::RedirectsInCircle(_) => "redirects_in_circle",
            Self::TooManyParked => "too_many_parked",
            Self::UnknownAnswer => "unknown_answer",
            Self::WrongAnswerType(_) => "wrong_answer_type",
            Self::ObligationClosed(_) => "obligation_closed",
            Self::UnknownObligation => "unknown_obligation",
            Self::UnknownAlert => "unknown_alert",
            Self::RungNotPrepared(_) => "rung_not_prepared",
            Self::RungWithoutAddressee(..) => "rung_without_addressee",
            Self::NotAnExtension => "not_an_extension",
            Self::ExtensionTooLong(_) => "extension_too_long",
            Self::SecondPersonNeeded => "second_person_needed",
            Self::UnknownParticipant(_) => "unknown_participant",
            Self::Region(_) => "unknown_region",
            Self::StatedDueInThePast => "stated_due_in_the_past",
            Self::Term(_) => "term_not_countable",
            Self::BadAcknowledgementEnd => "bad_acknowledgement_end",
        }
    }
}
