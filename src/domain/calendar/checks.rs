//! What calendar data may not say: contradictions with the week, with the federal days, with itself.
//!
//! Promises: every fault is named, with the row and the remedy. Never: corrects anything.

use super::facts::{AppliesTo, CalendarFault, FederalYear, MonthDay, Overlay};
use super::set::{FederalCalendar, RegionalCalendar};
use chrono::{Datelike, NaiveDate, Weekday};
use std::collections::BTreeSet;

/// Years of one calendar at most: keeps every table small and every count far from overflow.
const YEARS_MAX: usize = 100;
/// Overlay rows at most.
const OVERLAYS_MAX: usize = 10_000;

/// The data stands, or every fault of it.
pub(super) fn none_of(faults: Vec<CalendarFault>) -> Result<(), Vec<CalendarFault>> {
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Every contradiction of the years and of what the regions add.
pub(super) fn faults(federal: &FederalCalendar, regional: &RegionalCalendar) -> Vec<CalendarFault> {
    let mut faults = Vec::new();
    for year in &federal.years {
        faults.extend(year.faults(&federal.holidays));
    }
    for pair in federal.years.windows(2) {
        if pair[1].year != pair[0].year + 1 {
            let place = format!("year {}", pair[1].year);
            let fault = format!("does not follow {}; years are given once, without gaps", pair[0].year);
            faults.push(CalendarFault::new(place, fault));
        }
    }
    let mut seen = BTreeSet::new();
    for overlay in &regional.overlays {
        let twice = overlay.is_applied() && !seen.insert((&overlay.region, overlay.date));
        let twice = twice.then_some("stands twice; give each day of a region once");
        let found = unknown(regional, &overlay.region).into_iter().chain(misplaced(federal, overlay)).chain(twice);
        let place = || format!("overlay {} {}", overlay.region, overlay.date);
        faults.extend(found.map(|fault| CalendarFault::new(place(), fault)));
    }
    for awaited in &regional.awaited {
        let fault = unknown(regional, &awaited.region);
        let place = || format!("awaited {} {}", awaited.region, awaited.year);
        faults.extend(fault.map(|fault| CalendarFault::new(place(), fault)));
    }
    faults
}

fn unknown(regional: &RegionalCalendar, region: &str) -> Option<&'static str> {
    (!regional.titles.contains_key(region)).then_some("names a region that regions.toml does not list")
}

/// A row that says nothing: of another year, or of a day that is as it says without it.
fn misplaced(federal: &FederalCalendar, overlay: &Overlay) -> Option<&'static str> {
    let Some(year) = federal.years.iter().find(|year| year.year == overlay.date.year()) else {
        return Some("lies in a year that the federal calendar does not cover");
    };
    match overlay.works {
        true if year.is_worked(overlay.date) => Some("is worked anyway; remove the row"),
        false if is_off_for_all(federal, year, overlay.date) => Some("is off anyway; remove the row"),
        _ => None,
    }
}

/// Off by the federal calendar in a week of five days and in one of six.
fn is_off_for_all(federal: &FederalCalendar, year: &FederalYear, date: NaiveDate) -> bool {
    let works_in_six = date.weekday() == Weekday::Sat && !federal.holidays.contains_key(&MonthDay::of(date));
    !year.is_worked(date) && !works_in_six
}

/// More than the tables are made for.
pub(super) fn size_faults(federal: &FederalCalendar, regional: &RegionalCalendar) -> Vec<CalendarFault> {
    let mut faults = Vec::new();
    let given = federal.years.len();
    let last = federal.years.last().map_or(0, |year| year.year);
    let derived = federal.provisional_through.map_or(0, |through| through.saturating_sub(last).max(0));
    if given == 0 || given.saturating_add(usize::try_from(derived).unwrap_or(usize::MAX)) > YEARS_MAX {
        let fault = format!("has {given} years and {derived} provisional ones; give 1 to {YEARS_MAX} in all");
        faults.push(CalendarFault::new("year", fault));
    }
    let rows = regional.overlays.len();
    if rows > OVERLAYS_MAX {
        faults.push(CalendarFault::new("overlay", format!("has {rows} days; give {OVERLAYS_MAX} at most")));
    }
    faults
}

impl Overlay {
    /// Bodies of the prevention system are budget organisations; their municipality is not known yet.
    pub(super) fn is_applied(&self) -> bool {
        match self.applies_to {
            AppliesTo::All | AppliesTo::BudgetOrganisations => true,
            AppliesTo::Municipality => false,
        }
    }
}
