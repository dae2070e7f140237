//! How far the gateway can see: the calendars of its participants, and what an operator should know before they end.
//!
//! Promises: a warning names the remedy; it never makes the gateway unready. Never: asks the store.

use crate::domain::calendar::YearCoverage;
use crate::gateway::Gateway;
use chrono::{Datelike, Days, NaiveDate};
use std::collections::BTreeSet;
use std::sync::PoisonError;

/// A region's decision about a year is asked for from so many days before the year.
const AWAITED_DAYS_AHEAD: u64 = 60;

impl Gateway {
    /// Days until the end of the published calendar; negative after it. It is one for all regions: they add days to
    /// the federal years.
    #[must_use]
    pub fn calendar_days_left(&self) -> i64 {
        self.0.calendars.days_left(self.today())
    }

    /// Whether the next year's calendar must be installed.
    #[must_use]
    pub fn calendar_ends_soon(&self) -> bool {
        self.0.calendars.ends_soon(self.today())
    }

    /// What the operator should look at, though the gateway is ready.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.calendar_ends_soon() {
            let (until, left) = (self.0.calendars.published_until(), self.calendar_days_left());
            warnings.push(format!("calendar: published until {until}, {left} days left; install the next year's"));
        }
        let directory = self.directory();
        let regions: BTreeSet<&str> = directory.iter().filter_map(|body| body.region.as_deref()).collect();
        warnings.extend(regions.into_iter().flat_map(|region| self.awaited(region)));
        let notes = self.0.notes.read().unwrap_or_else(PoisonError::into_inner);
        warnings.extend(notes.iter().filter_map(|note| note()));
        warnings
    }

    /// What a participant's region has still to decide about this year, or about the one that is near.
    fn awaited(&self, region: &str) -> Vec<String> {
        let today = self.today();
        let ahead = today.checked_add_days(Days::new(AWAITED_DAYS_AHEAD)).unwrap_or(today);
        let near = |year: &YearCoverage| (today.year()..=ahead.year()).contains(&year.year);
        let years = self.0.calendars.coverage(Some(region)).map(|coverage| coverage.years).unwrap_or_default();
        let said = |year: YearCoverage| {
            let warning = |title| format!("calendar: {region} has still to decide about {}: {title}", year.year);
            year.awaited.iter().map(warning).collect::<Vec<_>>()
        };
        years.into_iter().filter(near).flat_map(said).collect()
    }

    fn today(&self) -> NaiveDate {
        self.now().date_naive()
    }
}
