//! The production calendar: which days a performer works, and why it does not work the others.
//!
//! Promises: answers only for years it has been given («no calendar, no clock»); every day off has its reason; a
//! calendar never changes, its version says which one it is; counting n working days costs two look-ups.
//! Never: assumes that a year without data has plain weeks; reads a file; knows today's date.

mod checks;
mod coverage;
mod days;
mod derived;
mod facts;
mod set;
mod table;

pub use coverage::{Coverage, Standing, YearCoverage};
pub use days::DayKind;
pub use facts::{AppliesTo, Awaited, CalendarFault, FederalYear, Holidays, MonthDay, Overlay, SourceStatus};
pub use set::{CalendarSet, FederalCalendar, RegionalCalendar, UnknownRegion};

use crate::domain::term::{Special, Week};
use chrono::{Datelike, NaiveDate};
use days::Days;
use std::sync::Arc;
use table::Table;

/// The calendar of one performer: federal, with the overlay of its region, read for its week. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Calendar {
    days: Arc<Days>,
    region: Option<Arc<str>>,
    week: Week,
    special: Special,
}

/// A date whose year no loaded calendar covers. Nothing may be assumed about it (deadlines: «No calendar, no clock»).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "calendar `{calendar}` version {version} does not cover {year}: it has {first_year} to {last_year}; \
     add the year {year} to config/calendars"
)]
pub struct NotCovered {
    /// The year that was needed.
    pub year: i32,
    pub calendar: String,
    pub version: String,
    pub first_year: i32,
    pub last_year: i32,
}

impl Calendar {
    /// Whether and how a day is worked.
    ///
    /// # Errors
    /// [`NotCovered`] when the calendar has no data for its year.
    pub fn day(&self, date: NaiveDate) -> Result<DayKind<'_>, NotCovered> {
        let index = self.index(date)?;
        Ok(self.table().kind(index, &self.days))
    }

    /// Whether a day is worked (a short day is).
    ///
    /// # Errors
    /// [`NotCovered`].
    pub fn is_working(&self, date: NaiveDate) -> Result<bool, NotCovered> {
        Ok(self.table().is_working(self.index(date)?))
    }

    /// The n-th working day after `date` (n > 0) or before it (n < 0); `date` itself for 0, even if it is not worked.
    ///
    /// # Errors
    /// [`NotCovered`] when the count leaves the calendar.
    pub fn add_working_days(&self, date: NaiveDate, count: i32) -> Result<NaiveDate, NotCovered> {
        let found = match count {
            0 => return Ok(date),
            1.. => self.table().nth_from(self.boundary_after(date)?, count.unsigned_abs()),
            _ => self.table().nth_before(self.index(date)?, count.unsigned_abs()),
        };
        found.map(|index| self.days.date(index)).ok_or_else(|| self.left(count > 0))
    }

    /// Lateness in working days: how many working days lie after `due_on` up to and including `date`; 0 when `date`
    /// is not after `due_on`.
    ///
    /// # Errors
    /// [`NotCovered`].
    pub fn working_days_between(&self, due_on: NaiveDate, date: NaiveDate) -> Result<u32, NotCovered> {
        if date <= due_on {
            return Ok(0);
        }
        let (from, to) = (self.boundary_after(due_on)?, self.boundary_after(date)?);
        Ok(self.table().rank(to) - self.table().rank(from))
    }

    /// `date` if it is worked, else the next working day (ГК ст. 193).
    ///
    /// # Errors
    /// [`NotCovered`].
    pub fn next_working_on_or_after(&self, date: NaiveDate) -> Result<NaiveDate, NotCovered> {
        let found = self.table().nth_from(self.index(date)?, 1);
        found.map(|index| self.days.date(index)).ok_or_else(|| self.left(true))
    }

    /// `date` if it is worked, else the preceding working day.
    ///
    /// # Errors
    /// [`NotCovered`].
    pub fn previous_working_on_or_before(&self, date: NaiveDate) -> Result<NaiveDate, NotCovered> {
        let index = self.index(date)?;
        let found = self.table().nth_before(index + 1, 1);
        found.map(|index| self.days.date(index)).ok_or_else(|| self.left(false))
    }

    /// The days off from `from` to `to`, both included, with their reasons; none when `to` is before `from`.
    ///
    /// # Errors
    /// [`NotCovered`].
    pub fn off_days(
        &self,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<impl Iterator<Item = (NaiveDate, &str)>, NotCovered> {
        let (from, to) = if to < from { (0, 0) } else { (self.index(from)?, self.index(to)? + 1) };
        let table = self.table();
        Ok((from..to).filter_map(move |index| match table.kind(index, &self.days) {
            DayKind::Off(why) => Some((self.days.date(index), why)),
            DayKind::Working | DayKind::Short => None,
        }))
    }

    /// Whether a source that is still to be checked has a part in these days (both included, clamped to the coverage).
    #[must_use]
    pub fn is_provisional(&self, from: NaiveDate, to: NaiveDate) -> bool {
        self.days.is_doubtful(from, to)
    }

    /// The acts of the years from `from` to `to` and of the overlays that fall into them.
    #[must_use]
    pub fn sources(&self, from: NaiveDate, to: NaiveDate) -> Vec<&str> {
        self.days.sources(from, to)
    }

    /// The name of the federal calendar, e.g. `ru`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.days.name
    }

    /// The version of the data: federal, and that of the overlays where the region has any.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.days.version
    }

    /// The region it was asked for.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// The week it is read for.
    #[must_use]
    pub fn week(&self) -> Week {
        self.week
    }

    /// The first day it has data for.
    #[must_use]
    pub fn covered_from(&self) -> NaiveDate {
        self.days.first
    }

    /// The last day of the years that somebody has published; coverage that ends within 60 days is an alert.
    #[must_use]
    pub fn published_until(&self) -> NaiveDate {
        self.days.published_until
    }

    /// The last day it has data for, provisional years included.
    #[must_use]
    pub fn covered_until(&self) -> NaiveDate {
        self.days.last()
    }

    /// The same calendar read for another week.
    #[must_use]
    pub fn with_week(&self, week: Week) -> Self {
        Self { week, ..self.clone() }
    }

    /// The same calendar with another reading of the «нерабочие дни» of a presidential decree.
    #[must_use]
    pub fn with_special(&self, special: Special) -> Self {
        Self { special, ..self.clone() }
    }

    /// Whether both have the same working days by construction (same data, week and reading).
    #[must_use]
    pub fn same_days(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.days, &other.days) && self.week == other.week && self.special == other.special
    }

    fn table(&self) -> &Table {
        self.days.table(self.week, self.special)
    }

    fn index(&self, date: NaiveDate) -> Result<usize, NotCovered> {
        self.days.index(date).ok_or_else(|| self.not_covered(date.year()))
    }

    /// The index of the day after `date`; the eve of the first covered day is a legal event day, since a term begins
    /// the day after it (ГК ст. 191).
    fn boundary_after(&self, date: NaiveDate) -> Result<usize, NotCovered> {
        self.days.boundary_after(date).ok_or_else(|| self.not_covered(date.year()))
    }

    fn left(&self, forward: bool) -> NotCovered {
        let year = if forward { self.days.last().year() + 1 } else { self.days.first.year() - 1 };
        self.not_covered(year)
    }

    fn not_covered(&self, year: i32) -> NotCovered {
        NotCovered {
            year,
            calendar: self.name().to_owned(),
            version: self.version().to_owned(),
            first_year: self.days.first.year(),
            last_year: self.days.last().year(),
        }
    }
}
