//! Terms: how a due date is counted, frozen and explained.
//!
//! Promises: the same term, event and calendar give the same due date for ever; each due date comes with its protocol,
//! which is evidence. Never: reads the clock; assumes a calendar; moves a due date that was once computed.

mod compute;
mod count;
mod fault;
mod period;
mod protocol;
mod resume;
mod text;
mod words;

pub use compute::{DueDate, Event, Performer, compute};
pub use count::{Counted, count};
pub use fault::TermError;
pub use period::Period;
pub use protocol::{CalendarFact, EventFact, Excluded, Protocol, RULES_VERSION, Remark, RollFact, RuleFact};
pub use resume::{Left, Stopped, left, resume};
pub use text::{BadTerm, parse_roll, parse_week};
pub use words::{date_words, days_words, term_words};

use crate::domain::calendar::MonthDay;
use chrono::NaiveTime;
use serde::{Deserialize, Serialize};

/// Units of one term at most; more is a slip of the pen.
pub const TERM_COUNT_MAX: u32 = 100_000;

/// «At once» in hours where policy says nothing else: no source gives a number, this is our default.
pub const AT_ONCE_HOURS: u32 = 24;

/// The working week of a performer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Week {
    #[default]
    #[serde(alias = "five")]
    FiveDay,
    /// Our default, no source states it: Saturdays work unless they are holidays.
    #[serde(alias = "six")]
    SixDay,
}

/// What a term is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Working days of the performer's calendar; the result is one, so it never rolls.
    WorkingDay,
    CalendarDay,
    /// Seven days (ГК ст. 192 п. 4).
    Week,
    Month,
    Quarter,
    HalfYear,
    Year,
    /// Instant + n hours; no roll, weekends included.
    Hour,
    /// «Незамедлительно»: the same day, `n` hours at most (policy; [`AT_ONCE_HOURS`] when `n` is left out).
    AtOnce,
    /// The date that the document states, or else the n-th of the term's yearly `dates` after the event.
    FixedDates,
    /// The n-th end of a calendar period (`period`, a half-year by default), the first being that of the period in
    /// which the term begins.
    PeriodEnd,
}

/// The event that a term is counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartsOn {
    /// Our default: a receipt, and so knowledge, exists only after registration.
    #[default]
    Registered,
    Received,
    Sent,
    Signed,
    Decided,
    Known,
    PeriodEnd,
}

/// Where a last day goes that is not worked. Two opposite rules are in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Roll {
    /// To the next working day (ГК ст. 193).
    #[serde(alias = "next")]
    NextWorking,
    /// To the preceding working day (the rule for поручения).
    #[serde(alias = "previous", alias = "prev_working", alias = "prev")]
    PreviousWorking,
    None,
}

/// When the last day ends (ГК ст. 194).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ClosesAt {
    /// 24:00 in the performer's zone.
    #[default]
    EndOfDay,
    /// The hour at which the organisation closes, where the act must be done there; written `HH:MM`.
    At(NaiveTime),
}

/// Whether the «нерабочие дни» of a presidential decree count as working days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Special {
    CountAsWorking,
    /// Our default, as for other days off.
    #[default]
    CountAsNonWorking,
}

/// A term as policy data: how the due date follows from the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    pub unit: Unit,
    /// Count of units. Needed for counted units; for «at once» the hours at most; else which one, the first if left out.
    #[serde(default)]
    pub n: u32,
    #[serde(default)]
    pub starts_on: StartsOn,
    /// Left out: back to the preceding working day for fixed dates and period ends, forward for everything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roll: Option<Roll>,
    /// Left out: the performer's own week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub week: Option<Week>,
    #[serde(default)]
    pub closes_at: ClosesAt,
    #[serde(default)]
    pub special: Special,
    /// For [`Unit::PeriodEnd`]: which period; left out, the half-year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// For [`Unit::FixedDates`]: the yearly dates, each `MM-DD`; none where each document states its own date.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dates: Vec<MonthDay>,
}

impl Term {
    /// A term of `n` units with our defaults for everything else.
    #[must_use]
    pub fn new(unit: Unit, n: u32) -> Self {
        Self {
            unit,
            n,
            starts_on: StartsOn::default(),
            roll: None,
            week: None,
            closes_at: ClosesAt::default(),
            special: Special::default(),
            period: None,
            dates: Vec::new(),
        }
    }

    /// The roll in force: as stated, else the default of the unit. Hours, «at once» and working days never roll.
    #[must_use]
    pub fn effective_roll(&self) -> Roll {
        match self.unit {
            Unit::WorkingDay | Unit::Hour | Unit::AtOnce => Roll::None,
            Unit::FixedDates | Unit::PeriodEnd => self.roll.unwrap_or(Roll::PreviousWorking),
            Unit::CalendarDay | Unit::Week | Unit::Month | Unit::Quarter | Unit::HalfYear | Unit::Year => {
                self.roll.unwrap_or(Roll::NextWorking)
            }
        }
    }

    /// The lenient reading of the same term, after which alone another body is accused (deadlines: «Two readings»):
    /// forward instead of back, the whole day instead of the closing hour, the full hours instead of the same day.
    #[must_use]
    pub fn lenient(&self) -> Self {
        let mut lenient = Self { closes_at: ClosesAt::EndOfDay, ..self.clone() };
        if self.unit == Unit::AtOnce {
            (lenient.unit, lenient.n) = (Unit::Hour, self.at_once_hours());
        }
        if self.effective_roll() == Roll::PreviousWorking {
            lenient.roll = Some(Roll::NextWorking);
        }
        lenient
    }

    /// Whether the due date is an instant and not the end of a day.
    #[must_use]
    pub fn is_instant(&self) -> bool {
        matches!(self.unit, Unit::Hour | Unit::AtOnce)
    }

    /// The hours at most of «at once».
    pub(crate) fn at_once_hours(&self) -> u32 {
        if self.n == 0 { AT_ONCE_HOURS } else { self.n }
    }

    /// Whether the term says something that can be counted. Policy is checked by this when it is loaded.
    ///
    /// # Errors
    /// [`TermError::NoCount`], [`TermError::CountTooLarge`], [`TermError::Misplaced`].
    pub fn check(&self) -> Result<(), TermError> {
        let optional_n = matches!(self.unit, Unit::AtOnce | Unit::FixedDates | Unit::PeriodEnd);
        if self.n == 0 && !optional_n {
            return Err(TermError::NoCount { unit: self.unit });
        }
        if self.n > TERM_COUNT_MAX {
            return Err(TermError::CountTooLarge { n: self.n });
        }
        if !self.dates.is_empty() && self.unit != Unit::FixedDates {
            return Err(TermError::Misplaced { field: "dates", unit: Unit::FixedDates });
        }
        if self.period.is_some() && self.unit != Unit::PeriodEnd {
            return Err(TermError::Misplaced { field: "period", unit: Unit::PeriodEnd });
        }
        Ok(())
    }
}

impl TryFrom<String> for ClosesAt {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text == "end_of_day" {
            return Ok(Self::EndOfDay);
        }
        let time = NaiveTime::parse_from_str(&text, "%H:%M").ok();
        time.map(Self::At).ok_or_else(|| format!("`{text}` is no closing time; write `end_of_day` or `17:30`"))
    }
}

impl From<ClosesAt> for String {
    fn from(closes_at: ClosesAt) -> Self {
        match closes_at {
            ClosesAt::EndOfDay => "end_of_day".to_owned(),
            ClosesAt::At(time) => time.format("%H:%M").to_string(),
        }
    }
}
