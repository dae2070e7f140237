//! How far a calendar reaches, and how sure each of its years is: what an operator must know before it ends.
//!
//! Promises: computed from the same data as the days; what is not applied or not decided yet is named.
//! Never: knows today's date.

use super::facts::{AppliesTo, Overlay, SourceStatus};
use super::set::{CalendarSet, UnknownRegion};
use chrono::{Datelike, NaiveDate};
use serde::Serialize;

/// Published coverage that ends within so many days is an alert (deadlines: «No calendar, no clock»). The Government
/// publishes a year in the autumn before it, so that there is time to install it.
const DAYS_LEFT_MIN: i64 = 60;

/// How sure a year is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Every source is published and known.
    Decreed,
    /// A source is to be compared with the official publication, or a decision is awaited.
    ToBeChecked,
    /// Nobody has published it; the law alone gives it.
    NotPublished,
}

/// One year of a territory's calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct YearCoverage {
    pub year: i32,
    pub standing: Standing,
    /// The act of the federal year.
    pub act: String,
    /// Days that the region adds (or works instead).
    pub own_days: usize,
    /// Of these, those whose source is to be checked.
    pub own_days_to_check: usize,
    /// What the region has still to decide about this year.
    pub awaited: Vec<String>,
}

/// How far the calendar of one territory reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Code and Russian title; none for the federal calendar.
    pub region: Option<(String, String)>,
    pub version: String,
    pub covered_from: NaiveDate,
    /// The last day that somebody has published.
    pub published_until: NaiveDate,
    /// The last day that can be counted.
    pub covered_until: NaiveDate,
    pub years: Vec<YearCoverage>,
}

impl CalendarSet {
    /// Days from a date until the end of what somebody has published; negative after it.
    #[must_use]
    pub fn days_left(&self, today: NaiveDate) -> i64 {
        (self.published_until() - today).num_days()
    }

    /// Whether what is published ends so soon that somebody must act.
    #[must_use]
    pub fn ends_soon(&self, today: NaiveDate) -> bool {
        self.days_left(today) < DAYS_LEFT_MIN
    }

    /// The coverage of a region, or of the federal calendar.
    ///
    /// # Errors
    /// [`UnknownRegion`].
    pub fn coverage(&self, region: Option<&str>) -> Result<Coverage, UnknownRegion> {
        let calendar = self.for_performer(region, crate::domain::term::Week::FiveDay)?;
        let (federal, regional) = &*self.made_of;
        let title = |code: &str| regional.titles.get(code).cloned().unwrap_or_default();
        Ok(Coverage {
            region: region.map(|code| (code.to_owned(), title(code))),
            version: calendar.version().to_owned(),
            covered_from: calendar.covered_from(),
            published_until: calendar.published_until(),
            covered_until: calendar.covered_until(),
            years: federal.years.iter().map(|year| self.year(year.year, region)).collect(),
        })
    }

    fn year(&self, year: i32, region: Option<&str>) -> YearCoverage {
        let (federal, regional) = &*self.made_of;
        let of_year = |row: &&Overlay| row.is_applied() && row.date.year() == year && Some(&*row.region) == region;
        let own: Vec<&Overlay> = regional.overlays.iter().filter(of_year).collect();
        let to_check = own.iter().filter(|row| row.status == SourceStatus::ToBeChecked).count();
        let awaited = regional.awaited.iter().filter(|row| row.year == year && Some(&*row.region) == region);
        let awaited: Vec<String> = awaited.map(|row| row.title.clone()).collect();
        let base = federal.years.iter().find(|base| base.year == year);
        let standing = match base {
            Some(base) if base.derived => Standing::NotPublished,
            Some(base) if base.status == SourceStatus::Decreed && to_check == 0 && awaited.is_empty() => {
                Standing::Decreed
            }
            _ => Standing::ToBeChecked,
        };
        YearCoverage {
            year,
            standing,
            act: base.map(|base| base.act.clone()).unwrap_or_default(),
            own_days: own.len(),
            own_days_to_check: to_check,
            awaited,
        }
    }

    /// The codes of the regions that have days of their own, or have one to decide.
    #[must_use]
    pub fn regions_with_own_days(&self) -> Vec<&str> {
        let regional = &self.made_of.1;
        let has_rows = |code: &&str| {
            regional.overlays.iter().any(|row| row.region == *code && row.is_applied())
                || regional.awaited.iter().any(|row| row.region == *code)
        };
        regional.titles.keys().map(String::as_str).filter(has_rows).collect()
    }

    /// The rows that bind one municipality only: kept, and not applied until bodies state theirs.
    #[must_use]
    pub fn unapplied(&self) -> Vec<&Overlay> {
        self.made_of.1.overlays.iter().filter(|row| row.applies_to == AppliesTo::Municipality).collect()
    }
}
