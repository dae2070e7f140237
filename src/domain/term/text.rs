//! Short texts of terms, as people write them on a command line: `5 wd`, `30 cd`, `1 month`, `48 h`, `at once`.
//!
//! Promises: what it does not understand is an error that shows the forms it does. Never: guesses a unit.

use super::{Roll, StartsOn, Term, Unit, Week};
use std::str::FromStr;

/// A text that is no term, roll or week.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}; write {forms}")]
pub struct BadTerm {
    text: String,
    what: &'static str,
    forms: &'static str,
}

const TERM_FORMS: &str = "`5 wd`, `30 cd`, `2 weeks`, `1 month`, `1 quarter`, `1 half-year`, `1 year`, `48 h`, `at once` \
                          or `period end` (in Russian: `5 рабочих дней`, `30 дней`, `1 месяц`, `48 часов`, `незамедлительно`)";

/// Days of a half-month (ГК ст. 192 п. 3).
const HALF_MONTH_DAYS: u32 = 15;

impl FromStr for Term {
    type Err = BadTerm;

    /// A term with our defaults for everything that the text does not say.
    fn from_str(text: &str) -> Result<Self, BadTerm> {
        let bad = || BadTerm { text: text.to_owned(), what: "term", forms: TERM_FORMS };
        let lower = text.trim().to_lowercase();
        match lower.as_str() {
            "at once" | "at_once" | "незамедлительно" | "немедленно" => {
                return Ok(Self::new(Unit::AtOnce, 0));
            }
            "period end" | "period_end" | "конец полугодия" => return Ok(Self::new(Unit::PeriodEnd, 0)),
            _ => {}
        }
        let digits = lower.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(bad)?;
        let n: u32 = lower[..digits].parse().map_err(|_| bad())?;
        let (unit, days_each) = unit_of(lower[digits..].trim()).ok_or_else(bad)?;
        let term = Self::new(unit, n.checked_mul(days_each).ok_or_else(bad)?);
        term.check().map(|()| term).map_err(|_| bad())
    }
}

/// The unit of a word, and how many of it one of the words is.
fn unit_of(word: &str) -> Option<(Unit, u32)> {
    let unit = match word {
        "wd"
        | "working_day"
        | "working_days"
        | "working day"
        | "working days"
        | "р.д."
        | "рабочий день"
        | "рабочих дня"
        | "рабочих дней" => Unit::WorkingDay,
        "cd"
        | "d"
        | "day"
        | "days"
        | "calendar_day"
        | "calendar_days"
        | "calendar day"
        | "calendar days"
        | "день"
        | "дня"
        | "дней"
        | "календарный день"
        | "календарных дня"
        | "календарных дней" => Unit::CalendarDay,
        "w" | "week" | "weeks" | "неделя" | "недели" | "недель" => Unit::Week,
        "half-month" | "half-months" | "полмесяца" => return Some((Unit::CalendarDay, HALF_MONTH_DAYS)),
        "m" | "month" | "months" | "месяц" | "месяца" | "месяцев" => Unit::Month,
        "quarter" | "quarters" | "квартал" | "квартала" | "кварталов" => Unit::Quarter,
        "half-year" | "half-years" | "half_year" | "half year" | "полугодие" | "полугодия" | "полугодий" => {
            Unit::HalfYear
        }
        "y" | "year" | "years" | "год" | "года" | "лет" => Unit::Year,
        "h" | "hour" | "hours" | "час" | "часа" | "часов" => Unit::Hour,
        _ => return None,
    };
    Some((unit, 1))
}

/// A roll by its name in the surface or in the domain.
///
/// # Errors
/// [`BadTerm`].
pub fn parse_roll(text: &str) -> Result<Roll, BadTerm> {
    match text {
        "next" | "next_working" => Ok(Roll::NextWorking),
        "previous" | "previous_working" | "prev_working" | "prev" => Ok(Roll::PreviousWorking),
        "none" => Ok(Roll::None),
        _ => Err(BadTerm { text: text.to_owned(), what: "roll", forms: "`next`, `previous` or `none`" }),
    }
}

/// A week by its name in the surface or in the domain.
///
/// # Errors
/// [`BadTerm`].
pub fn parse_week(text: &str) -> Result<Week, BadTerm> {
    match text {
        "five" | "five_day" | "5" => Ok(Week::FiveDay),
        "six" | "six_day" | "6" => Ok(Week::SixDay),
        _ => Err(BadTerm { text: text.to_owned(), what: "week", forms: "`five` or `six`" }),
    }
}

impl Unit {
    /// Its name in data.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::WorkingDay => "working_day",
            Self::CalendarDay => "calendar_day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::HalfYear => "half_year",
            Self::Year => "year",
            Self::Hour => "hour",
            Self::AtOnce => "at_once",
            Self::FixedDates => "fixed_dates",
            Self::PeriodEnd => "period_end",
        }
    }
}

impl StartsOn {
    /// Its name in data.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Received => "received",
            Self::Sent => "sent",
            Self::Signed => "signed",
            Self::Decided => "decided",
            Self::Known => "known",
            Self::PeriodEnd => "period_end",
        }
    }
}
