//! What the domain needs to know of a body, fetched by the entry's `[facts]`, so that the core never walks a body.
//!
//! Promises: every field that an entry names exists in the type's schema with a fitting type; the loader checks it.
//! Never: carries personal data: numbers, dates, codes of participants and codes of reasons only.

use crate::catalogue::entry::{Each, Entry, Recurring};
use crate::catalogue::term_entry::TermEntry;
use crate::domain::ids::{ParticipantCode, TypeCode};
use crate::domain::message::{Message, Node, Registration};
use crate::domain::term::Period;
use chrono::{Days, NaiveDate};
use serde::Deserialize;
use serde::de::value::{Error as ValueError, StrDeserializer};

/// The facts of one body. What the type does not carry is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BodyFacts {
    /// The due date that the body itself states.
    pub stated_due: Option<NaiveDate>,
    /// The code by which the body chooses one of the term's cases.
    pub term_case: Option<String>,
    /// The type of the message that was spoken.
    pub carries: Option<String>,
    /// The date of the event from which a term with `starts_on = "known"` runs.
    pub known_on: Option<NaiveDate>,
    /// One obligation each (`[answer.each]`).
    pub items: Vec<Item>,
    /// The duties that begin with this message, by the report that is owed.
    pub duties: Vec<TypeCode>,
    /// The rhythm of reports that the body states.
    pub rhythm: Option<Period>,
    /// The body that a duty falls on by name.
    pub named: Option<ParticipantCode>,
    /// The keys of the items that a report answers.
    pub answered_items: Vec<String>,
    /// The day of what a recurring report tells.
    pub answered_on: Option<NaiveDate>,
    /// The due date that an extension asks for or grants.
    pub new_due: Option<NaiveDate>,
    pub granted: Option<bool>,
    /// When an interim reply expects the answer.
    pub expected_on: Option<NaiveDate>,
    /// The body that a request is redirected to.
    pub redirect_to: Option<ParticipantCode>,
    /// The code of a refusal's, withdrawal's, release's or return's ground.
    pub reason_code: Option<String>,
    pub registration: Option<Registration>,
    /// Digest of the registered content, lower-case hexadecimal.
    pub content_sha256: Option<String>,
    /// Whether a receipt accepts.
    pub accepted: Option<bool>,
    /// The reply says that there is nothing to tell (СМЭВ NO_DATA).
    pub no_data: bool,
    /// The obligation that a control message speaks of, as its id is spelled.
    pub obligation: Option<String>,
    /// The number of a reminder or a repeated request.
    pub number: Option<i64>,
}

/// An item of a body that opens an obligation of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The item's own number, as its text is spelled.
    pub key: String,
    pub performer: Option<ParticipantCode>,
    pub due: Option<NaiveDate>,
    /// The day on which its period ends; the term runs from it.
    pub ends_on: Option<NaiveDate>,
}

/// `[facts]` of an entry: which field of the body holds which fact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FactFields {
    pub new_due: Option<String>,
    pub granted: Option<String>,
    pub expected_on: Option<String>,
    pub redirect_to: Option<String>,
    pub reason_code: Option<String>,
    pub registration: Option<String>,
    pub content_sha256: Option<String>,
    pub accepted: Option<String>,
    pub no_data: Option<String>,
    pub obligation: Option<String>,
    pub number: Option<String>,
    /// The list of a report whose items name the items they answer, and the field that names them.
    pub answered_items: Option<String>,
    pub answered_key: Option<String>,
    /// The field of a report on one item that names it; left out, the report answers all.
    pub answered_item: Option<String>,
    /// The field of a recurring report that names its period: a record `year` with `half`, `quarter` or `month`, or a
    /// date within it.
    pub answered_period: Option<String>,
}

impl Entry {
    /// The facts of a message of this type.
    #[must_use]
    pub fn facts(&self, message: &Message) -> BodyFacts {
        let body = message.body.expose();
        let fields = &self.facts;
        let term = self.term.as_ref();
        BodyFacts {
            stated_due: term.and_then(|term| stated(message, term)),
            term_case: term.and_then(|term| text(body, term.chosen_by.as_deref())).map(str::to_owned),
            carries: text(body, self.carries.as_deref()).map(str::to_owned),
            known_on: date(body, self.known_in()),
            items: self
                .answer
                .as_ref()
                .and_then(|answer| answer.each.as_ref())
                .map(|each| items(body, each))
                .unwrap_or_default(),
            duties: self.duties.iter().filter(|duty| begins(body, duty)).map(|duty| duty.answer.clone()).collect(),
            rhythm: self.duties.iter().find_map(|duty| rhythm(body, duty)),
            named: self
                .duties
                .iter()
                .find_map(|duty| text(body, duty.named_in.as_deref()))
                .and_then(|code| ParticipantCode::new(code).ok()),
            answered_items: answered(body, fields),
            answered_on: date(body, fields.answered_period.as_deref()),
            new_due: date(body, fields.new_due.as_deref()),
            granted: boolean(body, fields.granted.as_deref()),
            expected_on: date(body, fields.expected_on.as_deref()),
            redirect_to: text(body, fields.redirect_to.as_deref()).and_then(|code| ParticipantCode::new(code).ok()),
            reason_code: text(body, fields.reason_code.as_deref()).map(str::to_owned),
            registration: field(body, fields.registration.as_deref()).and_then(registration),
            content_sha256: text(body, fields.content_sha256.as_deref()).map(str::to_owned),
            accepted: boolean(body, fields.accepted.as_deref()),
            no_data: boolean(body, fields.no_data.as_deref()).unwrap_or(false),
            obligation: text(body, fields.obligation.as_deref()).map(str::to_owned),
            number: match field(body, fields.number.as_deref()) {
                Some(Node::Integer(number)) => Some(*number),
                _ => None,
            },
        }
    }

    /// The field of the body that dates the event from which the type's term runs, where it has one.
    #[must_use]
    pub fn known_in(&self) -> Option<&str> {
        let terms = [self.term.as_ref(), self.sent_within.as_ref()];
        let own = terms.into_iter().flatten().find_map(|term| term.known_in.as_deref());
        own.or_else(|| self.duties.iter().find_map(Recurring::known_in))
    }
}

fn field<'b>(body: &'b Node, name: Option<&str>) -> Option<&'b Node> {
    name.and_then(|name| body.field(name))
}

fn text<'b>(body: &'b Node, name: Option<&str>) -> Option<&'b str> {
    field(body, name).and_then(Node::as_text)
}

fn date(body: &Node, name: Option<&str>) -> Option<NaiveDate> {
    text(body, name).and_then(|text| text.parse().ok())
}

fn boolean(body: &Node, name: Option<&str>) -> Option<bool> {
    if let Some(Node::Boolean(value)) = field(body, name) { Some(*value) } else { None }
}

fn registration(node: &Node) -> Option<Registration> {
    Some(Registration { number: node.field("number")?.as_text()?.to_owned(), date: date(node, Some("date"))? })
}

fn items(body: &Node, each: &Each) -> Vec<Item> {
    let list = body.field(&each.items).map(Node::items).unwrap_or_default();
    let item = |node: &Node| {
        Some(Item {
            key: text(node, Some(&each.key))?.to_owned(),
            performer: text(node, each.performer.as_deref()).and_then(|code| ParticipantCode::new(code).ok()),
            due: date(node, each.due.as_deref()),
            ends_on: date(node, each.ends.as_deref()),
        })
    };
    list.iter().filter_map(item).collect()
}

/// The stated date, or so many days before it, but not before the message itself: who is invited today for today can
/// still answer today. A stated date that is over stays as it is, so that it is refused.
fn stated(message: &Message, term: &TermEntry) -> Option<NaiveDate> {
    let mut fields = term.stated_in.as_deref()?.split('.');
    let node = fields.try_fold(message.body.expose(), |node, name| node.field(name))?;
    // A date, or the date of an instant by the clock of who wrote it.
    let on: NaiveDate = node.as_text()?.get(..10)?.parse().ok()?;
    let earliest = message.envelope.created_at.instant().date_naive().min(on);
    let before = on.checked_sub_days(Days::new(u64::from(term.days_before.unwrap_or_default())))?;
    Some(before.max(earliest))
}

fn begins(body: &Node, duty: &Recurring) -> bool {
    let fits = duty.when.as_ref().is_none_or(|when| text(body, Some(&when.field)) == Some(when.is.as_str()));
    fits || rhythm(body, duty).is_some()
}

/// The rhythm that the body states, in the words of the periods.
fn rhythm(body: &Node, duty: &Recurring) -> Option<Period> {
    let word = text(body, duty.rhythm_in.as_deref())?;
    Period::deserialize(StrDeserializer::<ValueError>::new(word)).ok()
}

/// The period as the duties name it: `2026-1`, `2026-q1`, `2026-03`.
fn period(node: &Node) -> Option<String> {
    let number = |name: &str| if let Some(Node::Integer(number)) = node.field(name) { Some(*number) } else { None };
    let year = i32::try_from(number("year")?).ok()?;
    let parts = [("month", Period::Month), ("quarter", Period::Quarter), ("half", Period::HalfYear)];
    let part = parts.into_iter().find_map(|(name, period)| Some((period, u32::try_from(number(name)?).ok()?)));
    let (period, part) = part.unwrap_or((Period::Year, 1));
    Some(period.key_of(year, part))
}

fn answered(body: &Node, fields: &FactFields) -> Vec<String> {
    if let Some(period) = field(body, fields.answered_period.as_deref()).and_then(period) {
        return vec![period];
    }
    if let Some(one) = text(body, fields.answered_item.as_deref()) {
        return vec![one.to_owned()];
    }
    let list = field(body, fields.answered_items.as_deref()).map(Node::items).unwrap_or_default();
    list.iter().filter_map(|node| text(node, fields.answered_key.as_deref())).map(str::to_owned).collect()
}
