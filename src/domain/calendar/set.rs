//! All calendars of one load: the federal one and those of the regions, joined and checked.
//!
//! Promises: every calendar it gives is whole and free of contradictions; an unknown region is an error.
//! Never: falls back to the federal calendar for a code it does not know.

use super::Calendar;
use super::days::Days;
use super::facts::{AppliesTo, CalendarFault, FederalYear, Holidays, MonthDay, Overlay};
use crate::domain::term::{Special, Week};
use chrono::{Datelike, NaiveDate};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Years of one calendar at most: keeps every table small and every count far from overflow.
const YEARS_MAX: usize = 100;
/// Overlay rows at most.
const OVERLAYS_MAX: usize = 10_000;

/// The federal calendar as data.
#[derive(Debug, Clone, PartialEq)]
pub struct FederalCalendar {
    pub name: String,
    pub version: String,
    pub holidays: Holidays,
    pub years: Vec<FederalYear>,
}

impl FederalCalendar {
    /// The holiday of ТК ст. 112 that falls on a date.
    pub(super) fn holiday(&self, date: NaiveDate) -> Option<&str> {
        self.holidays.get(&MonthDay::of(date)).map(String::as_str)
    }
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
}

impl CalendarSet {
    /// Joins the calendars. `regions` are the known codes with their Russian titles; `overlays_version` is added to
    /// the version of every region that has overlays.
    ///
    /// # Errors
    /// Every contradiction found in the data.
    pub fn new(
        mut federal: FederalCalendar,
        regions: &BTreeMap<String, String>,
        overlays_version: &str,
        overlays: &[Overlay],
    ) -> Result<Self, Vec<CalendarFault>> {
        federal.years.sort_by_key(|year| year.year);
        let faults = faults(&federal, regions, overlays);
        if !faults.is_empty() {
            return Err(faults);
        }
        let plain = Arc::new(Days::join(&federal, &[], federal.version.clone(), ""));
        let joined = |(code, title): (&String, &String)| {
            let own: Vec<&Overlay> = overlays.iter().filter(|row| row.region == *code && row.is_applied()).collect();
            let days = if own.is_empty() {
                Arc::clone(&plain)
            } else {
                let version = format!("{}+{code}.{overlays_version}", federal.version);
                Arc::new(Days::join(&federal, &own, version, title))
            };
            (Arc::from(code.as_str()), days)
        };
        let regions = regions.iter().map(joined).collect();
        Ok(Self { federal: plain, regions })
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

    /// The last day that the federal calendar covers; an end within 60 days is an alert.
    #[must_use]
    pub fn covered_until(&self) -> NaiveDate {
        self.federal.last()
    }
}

impl Overlay {
    /// Bodies of the prevention system are budget organisations; their municipality is not known yet.
    fn is_applied(&self) -> bool {
        match self.applies_to {
            AppliesTo::All | AppliesTo::BudgetOrganisations => true,
            AppliesTo::Municipality => false,
        }
    }
}

fn faults(federal: &FederalCalendar, regions: &BTreeMap<String, String>, overlays: &[Overlay]) -> Vec<CalendarFault> {
    let mut faults = size_faults(federal, overlays);
    for year in &federal.years {
        faults.extend(year.faults(&federal.holidays));
    }
    for pair in federal.years.windows(2) {
        if pair[1].year != pair[0].year + 1 {
            let place = format!("year {}", pair[1].year);
            faults.push(CalendarFault::new(
                place,
                format!("does not follow {}; years are given once, without gaps", pair[0].year),
            ));
        }
    }
    for overlay in overlays {
        let place = || format!("overlay {} {}", overlay.region, overlay.date);
        if !regions.contains_key(&overlay.region) {
            faults.push(CalendarFault::new(place(), "names a region that regions.toml does not list"));
        }
        if !federal.years.iter().any(|year| year.year == overlay.date.year()) {
            faults.push(CalendarFault::new(place(), "lies in a year that the federal calendar does not cover"));
        }
    }
    faults
}

fn size_faults(federal: &FederalCalendar, overlays: &[Overlay]) -> Vec<CalendarFault> {
    let mut faults = Vec::new();
    if federal.years.is_empty() || federal.years.len() > YEARS_MAX {
        faults.push(CalendarFault::new("year", format!("has {} years; give 1 to {YEARS_MAX}", federal.years.len())));
    }
    if overlays.len() > OVERLAYS_MAX {
        faults.push(CalendarFault::new("overlay", format!("has {} rows; give {OVERLAYS_MAX} at most", overlays.len())));
    }
    faults
}
