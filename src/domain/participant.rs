//! A participant: a body of the prevention system, how to reach it, and where its day begins and ends.
//!
//! Promises: plain data, checked when imported. Never: holds a secret (keys live in the store, hashed).

use crate::domain::ids::ParticipantCode;
use crate::domain::message::Format;
use crate::domain::notice::Whom;
use crate::domain::term::Week;
use crate::domain::zone::Zone;
use chrono::NaiveTime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Kinds of bodies: 120-ФЗ ст. 4 and the parties around it (catalogue «Kinds of bodies»).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyKind {
    SocialCentre,
    SocialProtection,
    Commission,
    EducationAuthority,
    School,
    Guardianship,
    Youth,
    HealthAuthority,
    HealthFacility,
    Employment,
    Police,
    PenalInspection,
    CultureSport,
    Prosecutor,
    Court,
    Investigator,
    Ombudsman,
    Ngo,
    RegisterKeeper,
    Citizen,
}

/// One participant of the exchange.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Participant {
    pub code: ParticipantCode,
    pub kind: BodyKind,
    /// Full Russian name, as letters address it.
    pub title: String,
    /// ISO 3166-2 code of the subject of the Federation, e.g. `RU-IRK`; its overlay of the calendar applies.
    #[serde(default)]
    pub region: Option<String>,
    /// IANA zone; a due date ends at 24:00 there (ГК ст. 194).
    pub zone: Zone,
    #[serde(default)]
    pub week: Week,
    #[serde(default)]
    pub hours: WorkingHours,
    /// Who prepares answers.
    #[serde(default)]
    pub executor: Option<Contact>,
    /// Who heads the body; the third rung speaks to this person.
    #[serde(default)]
    pub head: Option<Contact>,
    /// The commission that a long silence is reported to.
    #[serde(default)]
    pub commission: Option<ParticipantCode>,
    /// The superior authority (учредитель).
    #[serde(default)]
    pub superior: Option<ParticipantCode>,
    /// The prosecutor that the last rung speaks to.
    #[serde(default)]
    pub prosecutor: Option<ParticipantCode>,
    /// The keeper of the register of families (БД СОП) that it tells of changes (S4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register_keeper: Option<ParticipantCode>,
    /// Where mail reaches its people, by their duty; what is not set falls back on the contacts above.
    #[serde(default)]
    pub mail: Mailboxes,
    /// Where its coordinators' program is told of alerts (https, Standard Webhooks).
    #[serde(default)]
    pub alerts_url: Option<String>,
    /// The format in which it is written to.
    pub format: Format,
    #[serde(default)]
    pub route: Route,
    /// It keeps the consents of its cases here: what it cites must be in the registry. Otherwise it is held to the
    /// registry only in cases of which it has registered a consent.
    #[serde(default)]
    pub keeps_consents: bool,
}

impl Participant {
    /// Whether it is a social centre: its people work here, it keeps cases, and what it owes climbs inward.
    #[must_use]
    pub fn is_centre(&self) -> bool {
        self.kind == BodyKind::SocialCentre
    }
}

/// A person of a body: official contact data, shown to coordinators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    pub name: String,
    #[serde(default)]
    pub post: Option<String>,
    #[serde(default)]
    pub phone: Option<String>,
    #[serde(default)]
    pub email: Option<String>,
}

/// Mail addresses of a body by the duty of who reads them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mailboxes {
    pub executor: Option<String>,
    pub registry: Option<String>,
    pub head: Option<String>,
    pub department: Option<String>,
    pub coordinator: Option<String>,
    pub director: Option<String>,
}

impl Participant {
    /// The mail address of a duty, if the body has one for it.
    #[must_use]
    pub fn mail_of(&self, whom: Whom) -> Option<&str> {
        let book = &self.mail;
        match whom {
            Whom::Executor => book.executor.as_deref().or(mail_in(self.executor.as_ref())),
            Whom::Registry => book.registry.as_deref(),
            Whom::Head => book.head.as_deref().or(mail_in(self.head.as_ref())),
            Whom::Addressee => book.registry.as_deref().or(self.mail_of(Whom::Executor)),
            Whom::Department => book.department.as_deref(),
            Whom::Coordinator => book.coordinator.as_deref(),
            Whom::Director => book.director.as_deref().or(mail_in(self.head.as_ref())),
        }
    }
}

fn mail_in(contact: Option<&Contact>) -> Option<&str> {
    contact.and_then(|one| one.email.as_deref())
}

/// Local opening and closing time on working days; alerts are clamped to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkingHours {
    pub opens: NaiveTime,
    pub closes: NaiveTime,
}

impl Default for WorkingHours {
    /// 09:00 to 18:00: our default, no source states it.
    fn default() -> Self {
        Self {
            opens: NaiveTime::from_hms_opt(9, 0, 0).unwrap_or(NaiveTime::MIN),
            closes: NaiveTime::from_hms_opt(18, 0, 0).unwrap_or(NaiveTime::MIN),
        }
    }
}

/// How messages reach a participant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum Route {
    /// It pulls from its inbox over HTTP.
    #[default]
    Inbox,
    /// Its own queue `mezhved.out.<code>`.
    Amqp,
    /// We push to its endpoint over HTTPS, signed by Standard Webhooks.
    Push { url: String },
}

/// The participants as a decision sees them: looked up by code.
#[derive(Debug, Clone, Default)]
pub struct Directory(BTreeMap<ParticipantCode, Arc<Participant>>);

impl Directory {
    /// The participant of that code.
    #[must_use]
    pub fn get(&self, code: &ParticipantCode) -> Option<&Arc<Participant>> {
        self.0.get(code)
    }

    /// Whether that code is known, and is a social centre's.
    #[must_use]
    pub fn is_centre(&self, code: &ParticipantCode) -> bool {
        self.get(code).is_some_and(|body| body.is_centre())
    }

    /// All participants, by code: what is written for each of them comes in the same order every time.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Participant>> {
        self.0.values()
    }
}

impl FromIterator<Participant> for Directory {
    fn from_iter<I: IntoIterator<Item = Participant>>(participants: I) -> Self {
        Self(participants.into_iter().map(|one| (one.code.clone(), Arc::new(one))).collect())
    }
}
