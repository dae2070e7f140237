//! A term whose clock was stopped and runs again: what was left is counted from the day on which it was started anew.
//!
//! Promises: working days of the performer's calendar where the term counts those, else calendar days; hours to the
//! second. The result has a protocol of its own that names the stop. Never: gives more than was left, but for a roll.

use super::compute::calendar_of;
use super::{DueDate, Event, Performer, Protocol, Remark, Roll, StartsOn, Term, TermError, Unit, compute};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// What was left of a term when its clock was stopped; the day of the stop itself is not left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "in", content = "n", rename_all = "snake_case")]
pub enum Left {
    WorkingDays(u32),
    CalendarDays(u32),
    Seconds(u64),
}

/// A clock that was stopped.
#[derive(Debug, Clone, Copy)]
pub struct Stopped<'a> {
    /// The protocol of the due date that was counted first.
    pub was: &'a Protocol,
    pub at: DateTime<Utc>,
    pub left: Left,
    /// The due instant in force when it stopped.
    pub due_at: DateTime<Utc>,
}

/// What is left of a term at an instant, up to the due date in force (its day, its instant).
///
/// # Errors
/// [`TermError::NotCovered`].
pub fn left(
    term: &Term,
    (at, due_on, due_at): (DateTime<Utc>, NaiveDate, DateTime<Utc>),
    performer: &Performer,
) -> Result<Left, TermError> {
    let on = performer.zone.date(at);
    Ok(match term.unit {
        Unit::Hour | Unit::AtOnce => Left::Seconds(u64::try_from((due_at - at).num_seconds()).unwrap_or(0)),
        Unit::WorkingDay => Left::WorkingDays(calendar_of(term, performer).working_days_between(on, due_on)?),
        _ => Left::CalendarDays(u32::try_from((due_on - on).num_days()).unwrap_or(0)),
    })
}

/// The due date of a stopped clock that runs again from `at`, by the reading of its term that is given.
///
/// # Errors
/// [`TermError`]: the calendar does not reach.
pub fn resume(
    (term, stopped): (&Term, &Stopped<'_>),
    at: DateTime<Utc>,
    performer: &Performer,
) -> Result<DueDate, TermError> {
    let zone = performer.zone;
    let (stopped_on, resumed_on) = (zone.date(stopped.at), zone.date(at));
    let remark = Remark::ClockStopped { stopped_on, resumed_on, left: stopped.left };
    let (unit, n) = match stopped.left {
        Left::Seconds(_) => return shifted(stopped, (at, remark), performer),
        // Nothing was left but the day itself: the day on which the clock runs again, if it is worked.
        Left::WorkingDays(0) | Left::CalendarDays(0) => (Unit::FixedDates, 1),
        Left::WorkingDays(n) => (Unit::WorkingDay, n),
        Left::CalendarDays(n) => (Unit::CalendarDay, n),
    };
    // A date that no document stated any more does not end on a day off (ГК ст. 193), unless the term rolls back.
    let roll = match (unit, term.effective_roll()) {
        (Unit::CalendarDay, Roll::PreviousWorking) => Roll::PreviousWorking,
        (Unit::WorkingDay, _) => Roll::None,
        _ => Roll::NextWorking,
    };
    let term = Term {
        starts_on: StartsOn::Received,
        roll: Some(roll),
        week: term.week,
        closes_at: term.closes_at,
        special: term.special,
        ..Term::new(unit, n)
    };
    let event = Event { kind: term.starts_on, at, stated_on: (unit == Unit::FixedDates).then_some(resumed_on) };
    let mut due = compute(&term, &event, performer)?;
    due.protocol.remarks = vec![remark];
    Ok(due)
}

/// An instant moves by as long as the clock stood.
fn shifted(
    stopped: &Stopped<'_>,
    (at, remark): (DateTime<Utc>, Remark),
    performer: &Performer,
) -> Result<DueDate, TermError> {
    let Left::Seconds(seconds) = stopped.left else { return Err(TermError::OutOfRange) };
    let seconds = i64::try_from(seconds).ok().and_then(TimeDelta::try_seconds);
    let due_at = seconds.and_then(|left| at.checked_add_signed(left)).ok_or(TermError::OutOfRange)?;
    // 24:00 of a day is that day's, though the clock there already shows the next one.
    let due_on = performer.zone.date(due_at - TimeDelta::microseconds(1));
    let mut remarks = stopped.was.remarks.clone();
    remarks.push(remark);
    let protocol = Protocol { raw_last_on: due_on, due_on, due_at, remarks, ..stopped.was.clone() };
    Ok(DueDate { due_on, due_at, protocol })
}
