//! The protocol of a due date: everything that it followed from. Stored as JSON beside the date; it is evidence.
//!
//! Promises: a reader can repeat the count by hand from it. Never: is recomputed; a new calendar leaves it as it is.

use super::{Counted, Event, Left, Roll, StartsOn, Term, Unit};
use crate::domain::calendar::Calendar;
use crate::domain::term::Week;
use crate::domain::zone::Zone;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// The version of the counting rules of this engine; raised when any of them changes.
pub const RULES_VERSION: &str = "1";

/// How a due date was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protocol {
    pub event: EventFact,
    pub rule: RuleFact,
    pub calendar: CalendarFact,
    /// The day on which the term begins: the day after the event (ГК ст. 191); for hours the day of the event.
    pub first_on: NaiveDate,
    /// Every day off that was skipped, with its reason: inside the term when working days are counted, else those
    /// that the last day rolled over.
    pub excluded: Vec<Excluded>,
    /// The last day before the roll.
    pub raw_last_on: NaiveDate,
    pub roll: RollFact,
    pub due_on: NaiveDate,
    pub due_at: DateTime<Utc>,
    /// Whether a source that is still to be checked had a part in it.
    pub provisional: bool,
    #[serde(default)]
    pub remarks: Vec<Remark>,
}

/// The event that started the term.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventFact {
    pub kind: StartsOn,
    pub at: DateTime<Utc>,
    /// The performer's zone, in which days begin and end.
    pub zone: Zone,
    /// The date of the event there.
    pub local_on: NaiveDate,
}

/// The rule that was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleFact {
    pub term: Term,
    /// The laws the count follows, as people cite them.
    pub laws: Vec<String>,
    /// The version of the counting rules, [`RULES_VERSION`] at that time.
    pub version: String,
}

/// The calendar that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarFact {
    pub name: String,
    pub version: String,
    pub region: Option<String>,
    pub week: Week,
    /// The acts behind the days that had a part in the count; none when no day had (hours).
    pub sources: Vec<String>,
}

/// A day off that was skipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excluded {
    pub date: NaiveDate,
    /// The reason in Russian.
    pub why: String,
}

/// What became of the last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollFact {
    pub rule: Roll,
    /// Whether the last day was moved by it.
    pub applied: bool,
}

/// What a person should know about this due date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "remark", rename_all = "snake_case")]
pub enum Remark {
    /// The law says «незамедлительно» and no number; these hours are policy.
    AtOnceIsPolicy { hours: u32 },
    /// The date was stated by the document; it was not counted.
    DateStatedByDocument,
    /// The count reaches into a year that nobody has published yet: the holidays and their automatic shift alone.
    YearNotPublished { year: i32 },
    /// The date lies before the term begins (stated in the past, or rolled back over the event): a person decides.
    DueBeforeTermBegins,
    /// The clock stood from a question to its answer; what was left of the term was counted from there.
    ClockStopped { stopped_on: NaiveDate, resumed_on: NaiveDate, left: Left },
}

impl EventFact {
    pub(super) fn new(event: &Event, zone: Zone) -> Self {
        Self { kind: event.kind, at: event.at, zone, local_on: zone.date(event.at) }
    }
}

impl RuleFact {
    pub(super) fn new(term: &Term) -> Self {
        let laws = laws(term).into_iter().map(str::to_owned).collect();
        Self { term: term.clone(), laws, version: RULES_VERSION.to_owned() }
    }
}

impl CalendarFact {
    pub(super) fn new(calendar: &Calendar, span: Option<(NaiveDate, NaiveDate)>) -> Self {
        let sources = span.map(|(from, to)| calendar.sources(from, to)).unwrap_or_default();
        Self {
            name: calendar.name().to_owned(),
            version: calendar.version().to_owned(),
            region: calendar.region().map(str::to_owned),
            week: calendar.week(),
            sources: sources.into_iter().map(str::to_owned).collect(),
        }
    }
}

impl Excluded {
    pub(super) fn new((date, why): (NaiveDate, &str)) -> Self {
        Self { date, why: why.to_owned() }
    }
}

impl RollFact {
    pub(super) fn new(rule: Roll, counted: &Counted) -> Self {
        Self { rule, applied: counted.due_on != counted.raw_last_on }
    }
}

fn laws(term: &Term) -> Vec<&'static str> {
    let mut laws = match term.unit {
        Unit::Hour | Unit::AtOnce => return Vec::new(),
        Unit::WorkingDay => vec!["ГК РФ ст. 191", "ТК РФ ст. 112"],
        Unit::CalendarDay | Unit::FixedDates | Unit::PeriodEnd => vec!["ГК РФ ст. 191"],
        Unit::Week | Unit::Month | Unit::Quarter | Unit::HalfYear | Unit::Year => {
            vec!["ГК РФ ст. 191", "ГК РФ ст. 192"]
        }
    };
    if term.effective_roll() == Roll::NextWorking {
        laws.push("ГК РФ ст. 193");
    }
    laws.push("ГК РФ ст. 194");
    laws
}
