//! All calendars of one load: the federal one and those of the regions, joined and checked.
//!
//! Promises: every calendar it gives is whole and free of contradictions; an unknown region is an error.
//! Never: falls back to the federal calendar for a code it does not know.

use super::Calendar;
use super::checks::{faults, none_of, size_faults};
use super::days::{Days, Own};
use super::facts::{Awaited, CalendarFault, FederalYear, Holidays, MonthDay, Overlay};
use crate::domain::term::{Special, Week};
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The federal calendar as data.
#[derive(Debug, Clone, PartialEq)]
pub struct FederalCalendar {
    pub name: String,
    pub version: String,
    pub holidays: Holidays,
    pub years: Vec<FederalYear>,
    /// The last year that is counted before somebody has published it; none when it is not after the last of `years`.
    pub provisional_through: Option<i32>,
}

impl FederalCalendar {
    /// The holiday of ТК ст. 112 that falls on a date.
    pub(super) fn holiday(&self, date: NaiveDate) -> Option<&str> {
        self.holidays.get(&MonthDay::of(date)).map(String::as_str)
    }

    /// Adds the years that the law alone gives.
    fn go_on(&mut self) {
        let Some((last, through)) = self.years.last().map(|year| year.year).zip(self.provisional_through) else {
            return;
        };
        for year in last + 1..=through {
            self.years.push(FederalYear::unpublished(year, &self.holidays));
        }
    }
}

/// What the regions add, as data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RegionalCalendar {
    /// Added to the version of every region that has rows.
    pub version: String,
    /// The known codes with their Russian titles.
    pub titles: BTreeMap<String, String>,
    pub overlays: Vec<Overlay>,
    pub awaited: Vec<Awaited>,
}

/// A region that the list of regions does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "region `{0}` is not known; write an ISO 3166-2 code such as `RU-TA`, or add it to config/calendars/regions.toml"
)]
pub struct UnknownRegion(pub String);

/// The federal calendar and those of all regions.
#[derive(Debug, Clone)]
pub struct CalendarSet {
    federal: Arc<Days>,
    regions: BTreeMap<Arc<str>, Arc<Days>>,
    /// What they were made of, for [`CalendarSet::coverage`].
    pub(super) made_of: Arc<(FederalCalendar, RegionalCalendar)>,
}

impl CalendarSet {
    /// Joins the calendars.
    ///
    /// # Errors
    /// Every contradiction found in the data.
    pub fn new(mut federal: FederalCalendar, regional: RegionalCalendar) -> Result<Self, Vec<CalendarFault>> {
        federal.years.sort_by_key(|year| year.year);
        none_of(size_faults(&federal, &regional))?;
        federal.go_on();
        none_of(faults(&federal, &regional))?;
        let plain = Arc::new(Days::join(&federal, federal.version.clone(), &Own::default()));
        let joined = |(code, title): (&String, &String)| {
            let own = regional.own(code, title);
            let days = if own.overlays.is_empty() && own.awaited.is_empty() {
                Arc::clone(&plain)
            } else {
                let version = format!("{}+{code}.{}", federal.version, regional.version);
                Arc::new(Days::join(&federal, version, &own))
            };
            (Arc::from(code.as_str()), days)
        };
        let regions = regional.titles.iter().map(joined).collect();
        Ok(Self { federal: plain, regions, made_of: Arc::new((federal, regional)) })
    }

    /// The calendar of a performer: federal, with the overlay of its region if it states one, read for its week.
    ///
    /// # Errors
    /// [`UnknownRegion`].
    pub fn for_performer(&self, region: Option<&str>, week: Week) -> Result<Calendar, UnknownRegion> {
        let special = Special::default();
        let Some(code) = region else {
            return Ok(Calendar { days: Arc::clone(&self.federal), region: None, week, special });
        };
        let (code, days) = self.regions.get_key_value(code).ok_or_else(|| UnknownRegion(code.to_owned()))?;
        Ok(Calendar { days: Arc::clone(days), region: Some(Arc::clone(code)), week, special })
    }

    /// The federal calendar, five-day week.
    #[must_use]
    pub fn federal(&self) -> Calendar {
        let days = Arc::clone(&self.federal);
        Calendar { days, region: None, week: Week::FiveDay, special: Special::default() }
    }

    /// The last day that somebody has published; an end within 60 days is an alert.
    #[must_use]
    pub fn published_until(&self) -> NaiveDate {
        self.federal.published_until
    }

    /// The last day that the federal calendar covers, provisional years included: beyond it there is no clock.
    #[must_use]
    pub fn covered_until(&self) -> NaiveDate {
        self.federal.last()
    }
}

impl RegionalCalendar {
    fn own<'a>(&'a self, code: &str, title: &'a str) -> Own<'a> {
        Own {
            title,
            overlays: self.overlays.iter().filter(|row| row.region == code && row.is_applied()).collect(),
            awaited: self.awaited.iter().filter(|row| row.region == code).map(|row| row.year).collect(),
        }
    }
}
