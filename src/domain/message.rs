//! A message: the envelope that everybody may read, and the body that only its addressees may.
//!
//! Promises: what a message holds has passed the strict door and its type's schema. Never: prints a body; [`Body`]
//! has neither `Debug` nor `Display` with content, nor `Serialize`, because it is personal data of children (152-ФЗ).

use crate::domain::ids::{ExchangeId, MessageId, ParticipantCode, TypeCode};
use chrono::{DateTime, FixedOffset, NaiveDate};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// One letter of the exchange, independent of the format it came in.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Who, to whom, what about: no personal data of the family.
    pub envelope: Envelope,
    /// The content by the type's schema.
    pub body: Body,
}

/// The envelope (surface: «One model, two formats»). A list that the schema leaves out is empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    pub id: MessageId,
    /// The root's id; absent in a root, whose exchange is its own id.
    pub exchange: Option<ExchangeId>,
    pub in_reply_to: Option<MessageId>,
    pub type_code: TypeCode,
    pub version: u32,
    pub from: ParticipantCode,
    /// 1 to 64 addressees, no one twice.
    pub to: Vec<ParticipantCode>,
    pub created_at: Timestamp,
    /// An opaque case number; never a name.
    pub case: Option<String>,
    pub support: Option<Support>,
    pub legal_basis: Vec<LegalBasis>,
    pub consent: Option<Consent>,
    pub no_consent_ground: Option<NoConsentGround>,
    /// The sender's outgoing number and date.
    pub registration: Option<Registration>,
    pub signatory: Option<Official>,
    pub executor: Option<Executor>,
    /// The due date as the sender asserts it; the gateway computes its own.
    pub reply_by: Option<NaiveDate>,
    /// «Содержание» of the journal (S3 §6), at most 500 characters, without personal data.
    pub summary: Option<String>,
    pub attachments: Vec<Attachment>,
    /// A message of a test: `None` and `Some(false)` differ only in how they are written.
    pub test: Option<bool>,
}

impl Envelope {
    /// The exchange this message belongs to: stated, else that of the message it answers, else its own.
    #[must_use]
    pub fn exchange_id(&self) -> ExchangeId {
        self.exchange.or(self.in_reply_to.map(ExchangeId::from)).unwrap_or(ExchangeId(self.id.0))
    }

    /// Whether this message begins its exchange.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.exchange_id().0 == self.id.0
    }
}

/// An instant with offset, with the sender's own spelling, so that no format loses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamp {
    text: Box<str>,
    instant: DateTime<FixedOffset>,
}

impl Timestamp {
    /// Reads an RFC 3339 instant and keeps its spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let instant = DateTime::parse_from_rfc3339(text).ok()?;
        Some(Self { text: text.into(), instant })
    }

    /// The sender's own spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The instant with its offset.
    #[must_use]
    pub fn instant(&self) -> DateTime<FixedOffset> {
        self.instant
    }
}

impl From<DateTime<FixedOffset>> for Timestamp {
    /// Our own instants are spelled in whole seconds.
    fn from(instant: DateTime<FixedOffset>) -> Self {
        let text = instant.to_rfc3339_opts(chrono::SecondsFormat::Secs, true).into();
        Self { text, instant }
    }
}

/// Track and level of support (S3 «Уровни», S4 ТЖС / СОП), valid at the message's date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Support {
    pub track: Option<Track>,
    pub level: Option<Level>,
}

/// ТЖС or СОП (S4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Track {
    /// Трудная жизненная ситуация.
    DifficultSituation,
    /// Социально опасное положение.
    DangerousPosition,
}

impl Track {
    /// The code in the envelope.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::DifficultSituation => "difficult_situation",
            Self::DangerousPosition => "dangerous_position",
        }
    }

    /// The track of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::DifficultSituation, Self::DangerousPosition].into_iter().find(|track| track.code() == code)
    }
}

/// The four levels of support (S3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Адаптационный.
    Adaptation,
    /// Базовый (профилактический).
    Basic,
    /// Кризисный.
    Crisis,
    /// Экстренный.
    Emergency,
}

impl Level {
    /// The code in the envelope.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Adaptation => "adaptation",
            Self::Basic => "basic",
            Self::Crisis => "crisis",
            Self::Emergency => "emergency",
        }
    }

    /// The level of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Adaptation, Self::Basic, Self::Crisis, Self::Emergency].into_iter().find(|level| level.code() == code)
    }
}

/// An act and its article, e.g. «120-ФЗ», «ст. 9».
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegalBasis {
    pub act: String,
    pub article: Option<String>,
}

/// The consent under which the data is given, by reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    pub kind: String,
    pub reference: String,
}

/// Why the data is given without consent (S2: «если только это не подвергает ребенка риску»).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoConsentGround {
    pub code: String,
    pub reason: String,
}

/// A registration number and its date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    pub number: String,
    pub date: NaiveDate,
}

/// The official who signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Official {
    pub name: String,
    pub post: Option<String>,
}

/// Who prepared the letter and answers the phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executor {
    pub name: String,
    pub phone: Option<String>,
    pub email: Option<String>,
}

/// An annex, by digest; its content travels apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// № приложения.
    pub annex: u32,
    pub name: String,
    pub media_type: String,
    pub size_bytes: u64,
    /// Lower-case hexadecimal SHA-256.
    pub sha256: String,
}

/// The content of a message: personal data. It can be compared and walked, never printed.
#[derive(Clone, PartialEq)]
pub struct Body(Node);

impl Body {
    /// Wraps a checked tree. The root is a [`Node::Record`].
    #[must_use]
    pub fn new(root: Node) -> Self {
        Self(root)
    }

    /// The tree, for the formats and the catalogue only: what is read here may go to the addressee and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &Node {
        &self.0
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Body(personal data)")
    }
}

/// A value of a body: what both JSON and XML can carry without loss. No null, no fractions.
#[derive(Clone, PartialEq)]
pub enum Node {
    /// Any text, also dates and ids, in the sender's spelling.
    Text(String),
    Integer(i64),
    Boolean(bool),
    List(Vec<Node>),
    /// Fields in the order of the schema.
    Record(Vec<(Arc<str>, Node)>),
}

impl Node {
    /// The field of a record, by name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Node> {
        match self {
            Self::Record(fields) => fields.iter().find(|(field, _)| &**field == name).map(|(_, node)| node),
            Self::Text(_) | Self::Integer(_) | Self::Boolean(_) | Self::List(_) => None,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Integer(_) | Self::Boolean(_) | Self::List(_) | Self::Record(_) => None,
        }
    }

    /// The items, if it is a list.
    #[must_use]
    pub fn items(&self) -> &[Node] {
        match self {
            Self::List(items) => items,
            Self::Text(_) | Self::Integer(_) | Self::Boolean(_) | Self::Record(_) => &[],
        }
    }
}

/// The two formats that every message has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Json,
    Xml,
}
