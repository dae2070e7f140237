//! From an event to a frozen due date with its protocol.
//!
//! Promises: the due instant is 24:00 of the last day in the performer's zone, or its closing hour (ГК ст. 194).
//! Never: moves a due date; a recorded decision does that.

use super::protocol::{Protocol, RuleFact};
use super::{
    CalendarFact, ClosesAt, Counted, EventFact, Excluded, Remark, RollFact, StartsOn, Term, TermError, Unit, count,
};
use crate::domain::calendar::Calendar;
use crate::domain::zone::Zone;
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};

/// What the term is counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Which event it was; the term names the one it asks for.
    pub kind: StartsOn,
    pub at: DateTime<Utc>,
    /// The date that the document itself states ([`Unit::FixedDates`]).
    pub stated_on: Option<NaiveDate>,
}

impl Event {
    /// An event, where the document states no date.
    #[must_use]
    pub fn new(kind: StartsOn, at: DateTime<Utc>) -> Self {
        Self { kind, at, stated_on: None }
    }
}

/// Who owes: its calendar (region and week are chosen in it) and its zone.
#[derive(Debug, Clone)]
pub struct Performer {
    pub calendar: Calendar,
    pub zone: Zone,
}

/// A due date, frozen with its evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct DueDate {
    /// The last day, in the performer's zone.
    pub due_on: NaiveDate,
    /// The instant at which the term ends; from it on the answer is late.
    pub due_at: DateTime<Utc>,
    pub protocol: Protocol,
}

/// Computes the due date of a term.
///
/// # Errors
/// [`TermError`]: the event is not the one asked for, the calendar does not reach, or the term cannot be counted.
pub fn compute(term: &Term, event: &Event, performer: &Performer) -> Result<DueDate, TermError> {
    term.check()?;
    if event.kind != term.starts_on {
        return Err(TermError::WrongEvent { expected: term.starts_on.name(), given: event.kind.name() });
    }
    let calendar = calendar_of(term, performer);
    if term.is_instant() {
        by_instant(term, event, performer, &calendar)
    } else {
        by_date(term, event, performer, &calendar)
    }
}

/// The performer's calendar as the term reads it.
pub(super) fn calendar_of(term: &Term, performer: &Performer) -> Calendar {
    let calendar = performer.calendar.with_special(term.special);
    term.week.map_or_else(|| calendar.clone(), |week| calendar.with_week(week))
}

fn by_date(term: &Term, event: &Event, performer: &Performer, calendar: &Calendar) -> Result<DueDate, TermError> {
    let zone = performer.zone;
    let counted = count(term, zone.date(event.at), event.stated_on, calendar)?;
    let due_on = counted.due_on;
    let due_at = match term.closes_at {
        ClosesAt::EndOfDay => zone.end_of(due_on),
        ClosesAt::At(time) => zone.instant(due_on, time),
    };
    let excluded = match counted.skipped_span() {
        Some((from, to)) => calendar.off_days(from, to)?.map(Excluded::new).collect(),
        None => Vec::new(),
    };
    let protocol = Protocol {
        event: EventFact::new(event, zone),
        rule: RuleFact::new(term),
        calendar: CalendarFact::new(calendar, Some(counted.span())),
        first_on: counted.first_on,
        excluded,
        raw_last_on: counted.raw_last_on,
        roll: RollFact::new(term.effective_roll(), &counted),
        due_on,
        due_at,
        provisional: calendar.is_provisional(counted.span().0, counted.span().1),
        remarks: remarks(term, event, (&counted, calendar)),
    };
    Ok(DueDate { due_on, due_at, protocol })
}

fn remarks(term: &Term, event: &Event, (counted, calendar): (&Counted, &Calendar)) -> Vec<Remark> {
    let mut remarks = Vec::new();
    if counted.span().1 > calendar.published_until() {
        remarks.push(Remark::YearNotPublished { year: counted.span().1.year() });
    }
    if counted.due_on < counted.first_on {
        remarks.push(Remark::DueBeforeTermBegins);
    }
    if term.unit == Unit::FixedDates && event.stated_on.is_some() {
        remarks.push(Remark::DateStatedByDocument);
    }
    remarks
}

/// Hours and «at once»: no calendar day has a part in these, so no coverage is asked for.
fn by_instant(term: &Term, event: &Event, performer: &Performer, calendar: &Calendar) -> Result<DueDate, TermError> {
    let zone = performer.zone;
    let at_once = term.unit == Unit::AtOnce;
    let hours = if at_once { term.at_once_hours() } else { term.n };
    let after_hours = event.at.checked_add_signed(TimeDelta::hours(i64::from(hours))).ok_or(TermError::OutOfRange)?;
    let event_on = zone.date(event.at);
    let due_at = if at_once { after_hours.min(zone.end_of(event_on)) } else { after_hours };
    // 24:00 of a day is that day's, though the clock there already shows the next one.
    let due_on = if at_once { event_on } else { zone.date(due_at) };
    let protocol = Protocol {
        event: EventFact::new(event, zone),
        rule: RuleFact::new(term),
        calendar: CalendarFact::new(calendar, None),
        first_on: event_on,
        excluded: Vec::new(),
        raw_last_on: due_on,
        roll: RollFact { rule: term.effective_roll(), applied: false },
        due_on,
        due_at,
        provisional: false,
        remarks: if at_once { vec![Remark::AtOnceIsPolicy { hours }] } else { Vec::new() },
    };
    Ok(DueDate { due_on, due_at, protocol })
}
