//! The entry of a message type: what it is called, who sends it to whom, which answer it demands and by when.
//!
//! Promises: a loaded entry is consistent in itself; the catalogue checks it against the others. Never: counts a term;
//! [`TermEntry`] is what the domain's terms are made from.

use crate::catalogue::case_rule::CaseRule;
use crate::catalogue::facts::FactFields;
use crate::catalogue::plan::RecordPlan;
use crate::catalogue::term_entry::TermEntry;
use crate::domain::ids::TypeCode;
use crate::domain::participant::BodyKind;
use crate::domain::rule::DutyParty;
use crate::domain::term::Period;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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
    /// The duties that it begins, each owed once in a period.
    pub duties: Vec<Recurring>,
    pub term: Option<TermEntry>,
    /// Whether it may be addressed to its sender; left out, it may not.
    pub in_house: Option<InHouse>,
    /// How soon the sender must send a notice (S4: seven working days from the day a change became known).
    pub sent_within: Option<TermEntry>,
    /// How soon the addressee must register it and say so (59-ФЗ ст. 8: three days).
    pub registered_within: Option<TermEntry>,
    /// How soon the addressee must pass on what is not within its competence (59-ФЗ ст. 8: seven days).
    pub redirected_within: Option<TermEntry>,
    /// How far a due date may be moved by extensions, in calendar days from the first one.
    pub extension_max_days: Option<u32>,
    /// What stops the clock of the answer; left out, nothing does.
    pub suspension: Option<Suspension>,
    /// How often it may; 1 where the entry does not say.
    pub suspensions_max: Option<u32>,
    /// The body holds data of a special category: health, private life (152-ФЗ ст. 10). `law` names the ground.
    pub special_category: bool,
    /// The envelope must state a consent, or the ground for going without one (S2; 323-ФЗ ст. 13).
    pub needs_consent: bool,
    /// The field of the body that names the type of a message that was spoken (S4: телефонограмма): its parties, its
    /// role and its answer are then this message's.
    pub carries: Option<String>,
    /// What it does to the case that it names.
    pub case: Vec<CaseRule>,
    /// Acts and articles, e.g. «120-ФЗ ст. 9 п. 2».
    pub law: Vec<String>,
    /// Where the rule comes from, in Russian, for people: a seed by name, a law, or a default of ours.
    pub source: String,
    /// The first day on which these rules hold.
    pub version_from: NaiveDate,
    /// Later editions of the rules, in the order of their days; theirs is empty.
    pub(super) editions: Vec<Arc<Entry>>,
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
    Executor,
    ClarificationRequest,
    Clarification,
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

impl Serialize for Party {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Any => to.serialize_str("any"),
            Self::Gateway => to.serialize_str("gateway"),
            Self::Kind(kind) => kind.serialize(to),
        }
    }
}

/// Who may send to whom.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parties {
    pub from: Vec<Party>,
    pub to: Vec<Party>,
}

/// The answer that a message demands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub mandatory: bool,
    /// Types that answer it.
    pub types: Vec<TypeCode>,
    #[serde(default)]
    pub release: Release,
    /// One obligation for each item of a list of the body, instead of one for each addressee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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

/// A duty that a message of this type begins: a report for each period until a message ends it (S4), or a notice in a
/// term of its own. It has one of `rhythm`, `apart` and `term`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recurring {
    /// What is owed.
    pub answer: TypeCode,
    pub owes: DutyParty,
    pub to: DutyParty,
    /// Once in each calendar period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rhythm: Option<Period>,
    /// The field of the body that may state another rhythm; one that is stated begins the duty whatever `when` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rhythm_in: Option<String>,
    /// At most so far apart, counted from what was done last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apart: Option<Period>,
    /// Once, in this term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<TermEntry>,
    /// The field of the body that names who owes, for `owes = "named"`; where it names nobody, nobody owes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named_in: Option<String>,
    #[serde(default)]
    pub release: Release,
    /// Messages of these types end it: in reply to this one, or of the same case of the same centre.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ends: Vec<TypeCode>,
    /// Where this duty comes from; left out, as the entry says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Left out, every message begins it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
}

/// A field of the body and the code on which a duty depends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    pub field: String,
    pub is: String,
}

/// Whether a message may be its sender's own: a document that is registered and stays in the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InHouse {
    /// It is addressed to its sender alone.
    Only,
    /// Its sender may be one of its addressees.
    Also,
}

/// What stops the clock of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suspension {
    /// `control.clarification-request` of the body that owes, until `control.clarification` of the one that asked.
    Clarification,
}

/// The fields of a body that open one obligation each (`ruling.commission`: its orders).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Each {
    /// The list.
    pub items: String,
    /// The item's own number.
    pub key: String,
    /// The participant that must do it; absent or not filled in: every addressee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performer: Option<String>,
    /// Its due date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// The day on which its period ends; the entry's term, with `starts_on = "period_end"`, runs from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<String>,
}

impl Recurring {
    /// The field of the body that dates the event from which its term runs.
    #[must_use]
    pub fn known_in(&self) -> Option<&str> {
        self.term.as_ref().and_then(|term| term.known_in.as_deref())
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

    /// How many questions may stop the clock of the answer: once where the entry does not say (our default).
    #[must_use]
    pub fn suspensions_max(&self) -> u32 {
        self.suspension.map_or(0, |Suspension::Clarification| self.suspensions_max.unwrap_or(1))
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
    pub duties: Vec<Recurring>,
    #[serde(default)]
    pub term: Option<TermEntry>,
    #[serde(default)]
    pub in_house: Option<InHouse>,
    #[serde(default)]
    pub sent_within: Option<TermEntry>,
    #[serde(default)]
    pub registered_within: Option<TermEntry>,
    #[serde(default)]
    pub redirected_within: Option<TermEntry>,
    #[serde(default)]
    pub extension_max_days: Option<u32>,
    #[serde(default)]
    pub suspension: Option<Suspension>,
    #[serde(default)]
    pub suspensions_max: Option<u32>,
    #[serde(default)]
    pub special_category: bool,
    #[serde(default)]
    pub needs_consent: bool,
    #[serde(default)]
    pub carries: Option<String>,
    #[serde(default)]
    pub case: Vec<CaseRule>,
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
