//! Short ways to say a date, a performer, a due date. Promises: the embedded calendars. Never: a calendar of its own.

use chrono::{DateTime, NaiveDate, Utc};
use mezhved::catalogue::calendars::embedded;
use mezhved::domain::calendar::CalendarSet;
use mezhved::domain::term::{DueDate, Event, Performer, Roll, StartsOn, Term, TermError, Week, compute};
use mezhved::domain::zone::Zone;
use std::sync::OnceLock;

pub fn calendars() -> &'static CalendarSet {
    static SET: OnceLock<CalendarSet> = OnceLock::new();
    SET.get_or_init(|| embedded().unwrap())
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub fn performer(zone: &str, region: Option<&str>) -> Performer {
    let calendar = calendars().for_performer(region, Week::FiveDay).unwrap();
    Performer { calendar, zone: Zone::named(zone).unwrap() }
}

pub fn term(text: &str, roll: Option<Roll>) -> Term {
    Term { roll, ..text.parse().unwrap() }
}

/// The due date of an event registered at noon in Moscow.
pub fn due(event: &str, term: &Term, region: Option<&str>) -> Result<DueDate, TermError> {
    let event = Event::new(StartsOn::Registered, at(&format!("{event}T12:00:00+03:00")));
    compute(term, &event, &performer("Europe/Moscow", region))
}
