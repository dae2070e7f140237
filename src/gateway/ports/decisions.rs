//! The store as decisions see it: load what a batch of commands touches, decide in memory, save, commit.
//!
//! Promises: between [`Decisions::begin`] and [`Unit::commit`] nobody else changes what was loaded; after a commit has
//! answered `Ok` the changes survive a power cut. A unit that is dropped leaves no trace. Never: decides.

use crate::domain::case::disclosure::Disclosure;
use crate::domain::case::{Case, CaseKey};
use crate::domain::decision::{Event, Opened};
use crate::domain::ending::Ending;
use crate::domain::exchange::Exchange;
use crate::domain::ids::{ExchangeId, MessageId, ObligationId, ParticipantCode, TypeCode};
use crate::domain::message::{Format, Message};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::attachments::Naming;
use crate::gateway::ports::notices::NoticeRow;
use crate::gateway::ports::scans::{ByHand, HandChannel, Handover};
use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// The key of what [`Decisions::answers`] writes: no delivery's digest.
pub const PROBE: [u8; 32] = [0; 32];

/// Transactions of decisions, and the outbox.
#[async_trait]
pub trait Decisions: Send + Sync {
    /// Opens a write transaction and loads what the keys name.
    async fn begin(&self, keys: Keys) -> Result<(Box<dyn Unit>, Loaded), StoreError>;

    /// Obligations whose planned rung is due, or whose alert's acknowledgement has run out, at `now`; oldest first, at
    /// most `limit`. Must cost the same however many obligations are open.
    async fn due_obligations(&self, now: DateTime<Utc>, limit: usize) -> Result<Vec<ObligationId>, StoreError>;

    /// Leases outbox rows that are ready to go out over AMQP or push, oldest first. A row whose lease has run out (its
    /// worker died) is ready again; so is one that waits for longer than any wait lasts
    /// ([`crate::domain::delivery::waits_until_max`]): a clock that ran ahead has put it off. Rows of the inbox route are
    /// never leased.
    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError>;

    /// Writes down what became of leased rows, with their events, in one transaction.
    async fn settle(&self, attempts: Vec<Attempt>, events: Vec<Event>) -> Result<(), StoreError>;

    /// Writes down that the handling of a delivery and the reading of it are begun, both or none, before anything else of
    /// them is done: how often each was begun now without an end. It outlives the gateway. The keys are digests of the
    /// delivery. What was begun last before `forgotten` counts no more, and is removed.
    async fn begin_handlings(
        &self,
        keys: [[u8; 32]; 2],
        at: DateTime<Utc>,
        forgotten: DateTime<Utc>,
    ) -> Result<[u32; 2], StoreError>;

    /// One of them has come to an end, whatever it was.
    async fn end_handling(&self, key: [u8; 32]) -> Result<(), StoreError>;

    /// Whether it would decide now, and write down something small: what it does not take then, it does not take because
    /// of what that is. A row under a key of its own comes and goes.
    async fn answers(&self, at: DateTime<Utc>) -> bool {
        let keys = [PROBE, PROBE.map(|byte| !byte)];
        let [first, second] = keys;
        // The unit ends before the write begins.
        let decides = self.begin(Keys::default()).await.map(drop).is_ok();
        decides
            && self.begin_handlings(keys, at, DateTime::UNIX_EPOCH).await.is_ok()
            && self.end_handling(first).await.is_ok()
            && self.end_handling(second).await.is_ok()
    }

    /// The latest instant of any recorded event: time never runs behind it.
    async fn latest_instant(&self) -> Result<Option<DateTime<Utc>>, StoreError>;
}

/// An open transaction.
#[async_trait]
pub trait Unit: Send {
    /// The last numbers of these registers, both directions; absent means none yet. For registers that only the loaded
    /// exchanges name.
    async fn registers(&mut self, of: Vec<(ParticipantCode, i32)>) -> Result<HashMap<Register, u64>, StoreError>;

    /// Saves and commits. Of [`Changes::taking`] it gives those that are leased now: new rows of the route that they name,
    /// without another letter of the same exchange on its way to the same recipient. All others wait to be
    /// claimed; a store may lease none.
    ///
    /// # Errors
    /// [`StoreError::LettersHeld`] only without [`Keys::letters`].
    async fn commit(self: Box<Self>, changes: Changes) -> Result<Vec<(MessageId, ParticipantCode)>, StoreError>;
}

/// What a batch of commands touches.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// Ids that may have been seen.
    pub messages: Vec<MessageId>,
    pub exchanges: Vec<ExchangeId>,
    /// Messages whose exchange is to be found and loaded.
    pub answered: Vec<MessageId>,
    /// Obligations whose exchange is to be found and loaded, with the state of their opening message's delivery.
    pub obligations: Vec<ObligationId>,
    /// Cases whose ends and whose exchanges with open duties are needed.
    pub duties_of_case: Vec<String>,
    /// The same of the cases that the roots of the exchanges named above are of.
    pub duties_of_roots: bool,
    /// Deliveries that may have been given up.
    pub given_up: Vec<(MessageId, ParticipantCode)>,
    /// Deliveries that may not have arrived yet.
    pub waiting: Vec<(MessageId, ParticipantCode)>,
    /// Registers whose last numbers are needed, both directions.
    pub registers: Vec<(ParticipantCode, i32)>,
    /// Letters on record are to be changed: proven, or sent again. A store that settles letters beside decisions keeps
    /// the two apart from the beginning then.
    pub letters: bool,
    /// Numbers of cases; those that the roots of the loaded exchanges name are loaded too.
    pub cases: Vec<String>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Loaded {
    pub seen: HashMap<MessageId, Seen>,
    pub exchanges: HashMap<ExchangeId, Exchange>,
    pub exchange_of: HashMap<MessageId, ExchangeId>,
    pub exchange_of_obligation: HashMap<ObligationId, ExchangeId>,
    /// Last number given; absent means none yet.
    pub registers: HashMap<Register, u64>,
    /// Of [`Keys::obligations`]: those whose opening message has not reached the performer over AMQP or push.
    pub undelivered: HashSet<ObligationId>,
    /// Of [`Keys::duties_of_case`]: the ends that were told of each.
    pub endings: HashMap<String, Vec<Ending>>,
    /// Of [`Keys::given_up`]: those that are given up indeed.
    pub given_up: HashSet<(MessageId, ParticipantCode)>,
    /// Of [`Keys::waiting`]: those that have neither arrived nor were refused.
    pub waiting: HashSet<(MessageId, ParticipantCode)>,
    /// Of every centre that keeps a case of a wanted number.
    pub cases: BTreeMap<CaseKey, Case>,
}

/// A message that was accepted before: whose it was, what it held, what was said.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub sender: ParticipantCode,
    pub digest: [u8; 32],
    pub outcome: Accepted,
}

/// The outcome of an accepted message: what its receipt says, now and for every duplicate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// The gateway's registration number and date in the sender's register.
    pub number: String,
    pub date: NaiveDate,
    pub received_at: DateTime<Utc>,
    pub exchange: ExchangeId,
    /// It came before the message it answers and waits for it.
    pub parked: bool,
    pub obligations: Vec<Opened>,
}

/// One register: a participant's numbers of a year, in one direction.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Register {
    pub participant: ParticipantCode,
    pub year: i32,
    pub direction: Direction,
}

/// The two sides of the journal (S3 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Incoming,
    Outgoing,
}

impl Direction {
    /// The stable code, as in the API and the store.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Outgoing => "outgoing",
        }
    }
}

/// Everything one batch writes. Rows are inserted in the order given; exchanges are written whole.
#[derive(Debug, Default)]
pub struct Changes {
    pub messages: Vec<StoredMessage>,
    /// The files that messages of this batch name.
    pub attachments: Vec<Naming>,
    /// Exchanges that changed: their root, parked messages, obligations, rungs and alerts.
    pub exchanges: Vec<Exchange>,
    /// Ends of cases that were told.
    pub endings: Vec<Ending>,
    pub outbox: Vec<OutboxRow>,
    /// Deliveries of this batch that whoever commits it would send himself, at once.
    pub taking: Option<Taking>,
    pub proofs: Vec<crate::domain::decision::Proof>,
    pub journal: Vec<JournalRow>,
    /// The desk's notes of messages of this batch, with their scans, whose files are on disk already.
    pub by_hand: Vec<ByHand>,
    pub handovers: Vec<Handover>,
    /// Last numbers given.
    pub registers: Vec<(Register, u64)>,
    pub quarantine: Vec<QuarantineRow>,
    pub notices: Vec<NoticeRow>,
    pub events: Vec<Event>,
    /// Cases that changed, whole.
    pub cases: Vec<Case>,
    pub disclosures: Vec<Disclosure>,
    /// Messages and receipts of this batch as they were read or made, so that whoever sends one at once need not read it
    /// again. Written nowhere.
    pub read: HashMap<MessageId, Arc<Message>>,
}

/// A message as accepted: its bytes as they came are evidence.
#[derive(Debug, Clone)]
pub struct StoredMessage {
    pub id: MessageId,
    pub sender: ParticipantCode,
    pub recipients: Vec<ParticipantCode>,
    pub exchange: ExchangeId,
    pub in_reply_to: Option<MessageId>,
    pub type_code: TypeCode,
    pub version: u32,
    pub format: Format,
    pub content: Bytes,
    /// SHA-256 of the canonical form, the same for both formats.
    pub digest: [u8; 32],
    pub received_at: DateTime<Utc>,
    pub outcome: Accepted,
}

/// A delivery to make: the message (`message`), or a receipt whose content stands here.
#[derive(Debug, Clone)]
pub struct OutboxRow {
    /// The id that the recipient sees; constant over retries. With the recipient it is the key: writing a row that
    /// exists sends it again, unchanged, unless it is still on its way.
    pub message: MessageId,
    pub recipient: ParticipantCode,
    pub route: RouteKind,
    pub exchange: Option<ExchangeId>,
    /// A receipt's own content; `None` means the stored message's.
    pub content: Option<(Format, Bytes)>,
    pub queued_at: DateTime<Utc>,
}

/// New rows that are to be leased as they are written.
#[derive(Debug, Clone)]
pub struct Taking {
    pub letters: HashSet<(MessageId, ParticipantCode)>,
    pub lease_until: DateTime<Utc>,
}

/// How a row goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteKind {
    Inbox,
    Amqp,
    Push,
}

impl RouteKind {
    /// The stable code, as in the store.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Amqp => "amqp",
            Self::Push => "push",
        }
    }
}

/// A line of the journal: one message on one side of one participant, with its number in that register.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalRow {
    pub register: Register,
    pub number: u64,
    /// Local date at the participant.
    pub date: NaiveDate,
    pub message: MessageId,
    pub type_code: TypeCode,
    pub exchange: ExchangeId,
    pub counterparty: ParticipantCode,
    pub case: Option<String>,
    /// № приложения: the annexes, e.g. `1, 2`.
    pub annexes: String,
    /// «Содержание»: the sender's summary, else the type's title.
    pub summary: String,
    /// How it came or went, where a clerk registered it. Read from the desk's note, not written here.
    pub channel: Option<HandChannel>,
}

/// Something that could not be accepted or delivered, kept for a person.
#[derive(Debug, Clone)]
pub struct QuarantineRow {
    pub at: DateTime<Utc>,
    /// Where it came from: `amqp`, `http`, `outbox`.
    pub source: &'static str,
    /// The authenticated sender, if there was one.
    pub participant: Option<ParticipantCode>,
    pub message: Option<MessageId>,
    /// The stable code of the fault.
    pub code: String,
    /// What is wrong, without personal data.
    pub reason: String,
    pub content_type: String,
    /// At most `limits::QUARANTINE_BYTES_MAX` of what came.
    pub content: Bytes,
}

/// A request for outbox rows.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    pub now: DateTime<Utc>,
    pub lease_until: DateTime<Utc>,
    pub limit: usize,
    pub route: RouteKind,
}

/// A leased delivery with what it delivers.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub message: MessageId,
    pub recipient: ParticipantCode,
    pub exchange: Option<ExchangeId>,
    pub format: Format,
    pub content: Bytes,
    /// How often it was tried before.
    pub attempts: u32,
    pub queued_at: DateTime<Utc>,
    /// The content as it was read or made, where it was just decided.
    pub read: Option<Arc<Message>>,
}

/// What became of one leased row.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub message: MessageId,
    pub recipient: ParticipantCode,
    pub at: DateTime<Utc>,
    pub result: AttemptResult,
}

/// The ends of a lease.
#[derive(Debug, Clone)]
pub enum AttemptResult {
    /// The channel has confirmed it. `content_sha256` is of the bytes that went out, lower-case hexadecimal.
    Delivered { content_sha256: String },
    /// Tried again at that instant.
    Retry { next_at: DateTime<Utc>, error: String },
    /// Not tried (the channel is down, the recipient is busy): the lease ends, no attempt is counted.
    Postponed { next_at: DateTime<Utc> },
    /// Not tried: a commit without an answer may have leased it until that instant. If it has, the lease ends.
    Unsure { lease_until: DateTime<Utc> },
    /// No more attempts: a person sees it.
    Undeliverable { error: String },
}
