//! The entry of a message type: what it is called, who sends it to whom, which answer it demands and by when.
//!
//! Promises: a loaded entry is consistent in itself; the catalogue checks it against the others. Never: counts a term;
//! [`TermEntry`] is what the domain's terms are made from.

use crate::catalogue::facts::FactFields;
use crate::catalogue::plan::RecordPlan;
use crate::domain::ids::TypeCode;
use crate::domain::message::Level;
use crate::domain::participant::BodyKind;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// A message type of the catalogue, with its schema.
#[derive(Debug, Clone)]
pub struct Entry {
    pub code: TypeCode,
    pub version: u32,
    /// What people see.
    pub title_ru: String,
    pub title_en: String,
    pub role: Role,
    pub parties: Vec<Parties>,
    pub answer: Option<Answer>,
    pub term: Option<TermEntry>,
    /// How soon the sender must send a notice (S4: seven working days from the day a change became known).
    pub sent_within: Option<TermEntry>,
    /// How far a due date may be moved by extensions, in calendar days from the first one.
    pub extension_max_days: Option<u32>,
    /// Acts and articles, e.g. «120-ФЗ ст. 9 п. 2».
    pub law: Vec<String>,
    /// Where the rule comes from: a seed by name, a law, or [P] for a default of ours.
    pub source: String,
    pub version_from: NaiveDate,
    pub facts: FactFields,
    /// The body's schema, compiled.
    pub body: RecordPlan,
    /// Its namespace in XML: `urn:mezhved:<type>:<version>`.
    pub namespace: Box<str>,
    /// The schema as it was written.
    pub schema: Box<str>,
    /// An example message in each format, where the folder has one.
    pub example_json: Option<Box<str>>,
    pub example_xml: Option<Box<str>>,
}

/// What a message does to its exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Request,
    Reply,
    Notice,
    Ruling,
    Report,
    Receipt,
    Control(Action),
}

/// What a control message asks for or says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    InterimReply,
    ExtensionRequest,
    ExtensionDecision,
    Redirection,
    ReasonedRefusal,
    Withdrawal,
    Reminder,
    RepeatRequest,
    Return,
    Release,
    Escalation,
}

/// One party of an exchange: a kind of body, any body, or the gateway itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Party {
    Any,
    Gateway,
    Kind(BodyKind),
}

impl<'de> Deserialize<'de> for Party {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let word = String::deserialize(from)?;
        match word.as_str() {
            "any" => Ok(Self::Any),
            "gateway" => Ok(Self::Gateway),
            kind => BodyKind::deserialize(serde::de::value::StrDeserializer::new(kind)).map(Self::Kind),
        }
    }
}

/// Who may send to whom.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parties {
    pub from: Vec<Party>,
    pub to: Vec<Party>,
}

/// The answer that a message demands.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub mandatory: bool,
    /// Types that answer it.
    pub types: Vec<TypeCode>,
    #[serde(default)]
    pub release: Release,
    /// One obligation for each item of a list of the body, instead of one for each addressee.
    #[serde(default)]
    pub each: Option<Each>,
}

/// Who takes an answered obligation off control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Release {
    /// The party to whom the answer is owed.
    #[default]
    Controller,
    /// A complete answer does it by itself.
    Automatic,
}

/// The fields of a body that open one obligation each (`ruling.commission`: its orders).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Each {
    /// The list.
    pub items: String,
    /// The item's own number.
    pub key: String,
    /// The participant that must do it; absent or not filled in: every addressee.
    #[serde(default)]
    pub performer: Option<String>,
    /// Its due date.
    #[serde(default)]
    pub due: Option<String>,
}

/// The term of the answer, in the words of the domain's terms; absent words have the domain's defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermEntry {
    pub unit: String,
    pub n: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_on: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roll: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub week: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub special: Option<String>,
    /// The field of the body that may state the date itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated_in: Option<String>,
    /// The field of the body that holds the date of the event, for `starts_on = "known"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_in: Option<String>,
    /// Instead of the above at the crisis level of support (S3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urgent: Option<Box<TermEntry>>,
    /// Instead of the above at the emergency level of support (S3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency: Option<Box<TermEntry>>,
}

impl TermEntry {
    /// The term at a level of support: urgency follows the level that is valid at the message's date (S3).
    #[must_use]
    pub fn at_level(&self, level: Option<Level>) -> &Self {
        let own = match level {
            Some(Level::Emergency) => self.emergency.as_deref().or(self.urgent.as_deref()),
            Some(Level::Crisis) => self.urgent.as_deref(),
            Some(Level::Adaptation | Level::Basic) | None => None,
        };
        own.unwrap_or(self)
    }
}

impl Entry {
    /// Whether a body of kind `from` may send this type to one of kind `to`; `None` is the gateway itself.
    #[must_use]
    pub fn allows(&self, from: Option<BodyKind>, to: Option<BodyKind>) -> bool {
        let one = |parties: &[Party], kind: Option<BodyKind>| {
            parties.iter().any(|party| match (party, kind) {
                (Party::Any, Some(_)) | (Party::Gateway, None) => true,
                (Party::Kind(kind), Some(given)) => *kind == given,
                (Party::Any | Party::Kind(_), None) | (Party::Gateway, Some(_)) => false,
            })
        };
        self.parties.iter().any(|parties| one(&parties.from, from) && one(&parties.to, to))
    }

    /// Whether this message demands an answer.
    #[must_use]
    pub fn demands_answer(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.mandatory)
    }

    /// Whether a message of type `reply` answers this one in substance.
    #[must_use]
    pub fn is_answered_by(&self, reply: &TypeCode) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.types.contains(reply))
    }
}

/// `entry.toml` as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntryFile {
    pub code: TypeCode,
    pub version: u32,
    pub title_ru: String,
    pub title_en: String,
    role: String,
    #[serde(default)]
    action: Option<Action>,
    pub parties: Vec<Parties>,
    #[serde(default)]
    pub answer: Option<Answer>,
    #[serde(default)]
    pub term: Option<TermEntry>,
    #[serde(default)]
    pub sent_within: Option<TermEntry>,
    #[serde(default)]
    pub extension_max_days: Option<u32>,
    #[serde(default)]
    pub law: Vec<String>,
    pub source: String,
    pub version_from: toml::value::Datetime,
    #[serde(default)]
    pub facts: FactFields,
}

impl EntryFile {
    /// The role, with the action of a control message.
    pub(super) fn role(&self) -> Result<Role, String> {
        let role = match (self.role.as_str(), self.action) {
            ("control", Some(action)) => return Ok(Role::Control(action)),
            ("control", None) => return Err("a control message names its action, e.g. action = \"reminder\"".into()),
            ("request", None) => Role::Request,
            ("reply", None) => Role::Reply,
            ("notice", None) => Role::Notice,
            ("ruling", None) => Role::Ruling,
            ("report", None) => Role::Report,
            ("receipt", None) => Role::Receipt,
            (_, Some(_)) => return Err("only role = \"control\" has an action".into()),
            (_, None) => return Err("role is request, reply, notice, ruling, report, receipt or control".into()),
        };
        Ok(role)
    }

    /// The first day the version is valid on.
    pub(super) fn valid_from(&self) -> Result<NaiveDate, String> {
        self.version_from.to_string().parse().map_err(|_| "version_from is a date, as 2026-01-01".into())
    }
}
