//! Counting: from an event's date to a due date. No allocation, so that a million terms cost under a second.
//!
//! Promises: ГК ст. 191–193 as `deadlines` states them. Never: counts hours (those are instants, see `compute`).

use super::{Period, Roll, Term, TermError, Unit};
use crate::domain::calendar::Calendar;
use chrono::{Datelike, Days, Months, NaiveDate};

/// The dates of one count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The day after the event, on which the term begins (ГК ст. 191).
    pub first_on: NaiveDate,
    /// The last day before any roll.
    pub raw_last_on: NaiveDate,
    /// The last day.
    pub due_on: NaiveDate,
    by_working_days: bool,
}

impl Counted {
    /// The days (both included) whose days off were skipped: the whole term when working days are counted, else the
    /// days that were rolled over. `None` when nothing was skipped.
    #[must_use]
    pub fn skipped_span(&self) -> Option<(NaiveDate, NaiveDate)> {
        if self.by_working_days {
            return Some((self.first_on, self.due_on));
        }
        match self.raw_last_on.cmp(&self.due_on) {
            std::cmp::Ordering::Less => Some((self.raw_last_on, self.due_on.pred_opt()?)),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some((self.due_on.succ_opt()?, self.raw_last_on)),
        }
    }

    /// The first and the last day that had a part in the count.
    #[must_use]
    pub fn span(&self) -> (NaiveDate, NaiveDate) {
        (self.first_on.min(self.due_on), self.raw_last_on.max(self.due_on))
    }
}

/// Counts a term in days, months or dates. `stated_on` is the date that a document states ([`Unit::FixedDates`]). The
/// calendar is taken as it is: the caller has chosen its week and its reading of special days.
///
/// # Errors
/// [`TermError`]; a term that begins or ends outside the calendar is never counted.
pub fn count(
    term: &Term,
    event_on: NaiveDate,
    stated_on: Option<NaiveDate>,
    calendar: &Calendar,
) -> Result<Counted, TermError> {
    term.check()?;
    let first_on = event_on.succ_opt().ok_or(TermError::OutOfRange)?;
    let by_working_days = term.unit == Unit::WorkingDay;
    if by_working_days {
        let n = i32::try_from(term.n).map_err(|_| TermError::CountTooLarge { n: term.n })?;
        let due_on = calendar.add_working_days(event_on, n)?;
        return Ok(Counted { first_on, raw_last_on: due_on, due_on, by_working_days });
    }
    calendar.is_working(first_on)?;
    let raw_last_on = match stated_on.filter(|_| term.unit == Unit::FixedDates) {
        Some(stated_on) => stated_on,
        None => raw_last_on(term, event_on, first_on)?.ok_or(TermError::OutOfRange)?,
    };
    calendar.is_working(raw_last_on)?;
    let due_on = match term.effective_roll() {
        Roll::NextWorking => calendar.next_working_on_or_after(raw_last_on)?,
        Roll::PreviousWorking => calendar.previous_working_on_or_before(raw_last_on)?,
        Roll::None => raw_last_on,
    };
    Ok(Counted { first_on, raw_last_on, due_on, by_working_days })
}

/// The last day before any roll; `None` outside the range of dates.
fn raw_last_on(term: &Term, event_on: NaiveDate, first_on: NaiveDate) -> Result<Option<NaiveDate>, TermError> {
    let n = term.n;
    // `checked_add_months` takes the last day of a month that lacks the day, as ГК ст. 192 п. 3 has it.
    let months = |per_unit: u32| event_on.checked_add_months(Months::new(n.saturating_mul(per_unit)));
    Ok(match term.unit {
        Unit::CalendarDay => event_on.checked_add_days(Days::new(u64::from(n))),
        Unit::Week => event_on.checked_add_days(Days::new(u64::from(n) * 7)),
        Unit::Month => months(1),
        Unit::Quarter => months(Period::Quarter.months()),
        Unit::HalfYear => months(Period::HalfYear.months()),
        Unit::Year => months(Period::Year.months()),
        Unit::PeriodEnd => term.period.unwrap_or_default().end_of(first_on, n.saturating_sub(1)),
        Unit::FixedDates if term.dates.is_empty() => return Err(TermError::NoDate),
        Unit::FixedDates => yearly_date(term, first_on),
        Unit::WorkingDay | Unit::Hour | Unit::AtOnce => None,
    })
}

/// The n-th of the term's yearly dates on or after the day on which the term begins.
fn yearly_date(term: &Term, first_on: NaiveDate) -> Option<NaiveDate> {
    let mut dates = term.dates.clone();
    dates.sort_unstable();
    dates.dedup();
    // `check` holds n to TERM_COUNT_MAX, so this walk ends.
    let after = (first_on.year()..=NaiveDate::MAX.year())
        .flat_map(|year| dates.iter().filter_map(move |day| day.in_year(year)))
        .filter(|&date| date >= first_on);
    after.take(term.n.max(1) as usize).last()
}
