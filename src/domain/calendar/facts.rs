//! What a calendar is made of: years, holidays, overlays, as plain data with their sources, and their checking.
//!
//! Promises: data that contradicts itself is refused with every fault named. Never: guesses what was meant.

use chrono::{Datelike, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How sure we are of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceStatus {
    /// The act is published and known.
    Decreed,
    /// To be compared with the official publication; what leans on it is provisional.
    ToBeChecked,
}

/// Whom an overlay binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppliesTo {
    #[default]
    All,
    BudgetOrganisations,
    /// Not applied until bodies state their municipality.
    Municipality,
}

/// A day that recurs each year, written `MM-DD`; 02-29 is the last day of February in other years (ГК ст. 192).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MonthDay {
    month: u32,
    day: u32,
}

impl MonthDay {
    /// The day of the date in its year.
    #[must_use]
    pub fn of(date: NaiveDate) -> Self {
        Self { month: date.month(), day: date.day() }
    }

    /// This day in a year.
    #[must_use]
    pub fn in_year(self, year: i32) -> Option<NaiveDate> {
        let exact = NaiveDate::from_ymd_opt(year, self.month, self.day);
        exact.or_else(|| NaiveDate::from_ymd_opt(year, self.month, self.day - 1))
    }
}

impl TryFrom<String> for MonthDay {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        // 2024 is a leap year: every day that any year has is a day of it.
        let date = (text.len() == 5).then(|| NaiveDate::parse_from_str(&format!("2024-{text}"), "%Y-%m-%d").ok());
        date.flatten().map(Self::of).ok_or_else(|| format!("`{text}` is no day of a year; write it as `12-31`"))
    }
}

impl From<MonthDay> for String {
    fn from(day: MonthDay) -> Self {
        format!("{:02}-{:02}", day.month, day.day)
    }
}

/// The holidays of ТК ст. 112 with their Russian titles.
pub type Holidays = BTreeMap<MonthDay, String>;

/// One year of the federal calendar: what differs from plain weeks of five days, and which act says so.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FederalYear {
    pub year: i32,
    pub act: String,
    pub status: SourceStatus,
    /// The published count, against which the lists are checked.
    pub working_days: u32,
    /// Days one hour shorter (ТК ст. 95).
    #[serde(default)]
    pub short: Vec<NaiveDate>,
    /// Weekdays that are not worked, with the reason.
    #[serde(default)]
    pub off: BTreeMap<NaiveDate, String>,
    /// Saturdays and Sundays that are worked, with the reason.
    #[serde(default)]
    pub working_weekend: BTreeMap<NaiveDate, String>,
    /// «Нерабочие дни» of a presidential decree, with the act; each term says whether they count.
    #[serde(default)]
    pub special: BTreeMap<NaiveDate, String>,
    /// Nobody has published it: it was derived from the holidays ([`FederalYear::unpublished`]).
    #[serde(skip)]
    pub derived: bool,
}

/// A non-working day that a region adds, or a weekend day that it works instead of one moved elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlay {
    /// A code of the list of regions, e.g. `RU-TA`.
    pub region: String,
    pub date: NaiveDate,
    pub title: String,
    pub applies_to: AppliesTo,
    pub act: String,
    pub status: SourceStatus,
    /// A Saturday or Sunday that is worked.
    pub works: bool,
}

/// A decision that a region has still to take about a year: until then its whole year is provisional.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Awaited {
    pub region: String,
    pub year: i32,
    /// What is to be decided, e.g. `Сагаалган`.
    pub title: String,
}

/// One contradiction in calendar data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {fault}")]
pub struct CalendarFault {
    /// The key, e.g. `year 2026, off 2026-05-09`.
    pub place: String,
    pub fault: String,
}

impl CalendarFault {
    pub(super) fn new(place: impl Into<String>, fault: impl Into<String>) -> Self {
        Self { place: place.into(), fault: fault.into() }
    }
}

/// Saturday or Sunday.
pub(super) fn is_weekend(date: NaiveDate) -> bool {
    matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

impl FederalYear {
    /// Every contradiction of the year: with the week, with the holidays of ТК ст. 112, with its own count.
    pub(super) fn faults(&self, holidays: &Holidays) -> Vec<CalendarFault> {
        let mut faults = Vec::new();
        let mut fault =
            |key: String, text: &str| faults.push(CalendarFault::new(format!("year {}, {key}", self.year), text));
        for (list, dates) in self.lists() {
            for date in dates.iter().filter(|date| date.year() != self.year) {
                fault(format!("{list} {date}"), "is a day of another year; move it to that year");
            }
        }
        for date in self.off.keys().filter(|&&date| is_weekend(date)) {
            fault(format!("off {date}"), "is a Saturday or Sunday, which is off anyway; remove it");
        }
        for date in self.working_weekend.keys().filter(|&&date| !is_weekend(date)) {
            fault(format!("working_weekend {date}"), "is a weekday, which works anyway; remove it");
        }
        for date in self.short.iter().filter(|&&date| !self.is_worked(date)) {
            fault(format!("short {date}"), "is not a working day; remove it or correct the lists");
        }
        for (day, title) in holidays {
            if let Some(date) = day.in_year(self.year).filter(|&date| self.is_worked(date)) {
                fault(format!("off {date}"), &format!("is missing: «{title}» (ТК ст. 112); add it"));
            }
        }
        let counted = self.days().filter(|&date| self.is_worked(date)).count();
        if counted != self.working_days as usize {
            let text = format!("says {}, the lists give {counted}; correct one of them", self.working_days);
            fault("working_days".to_owned(), &text);
        }
        faults
    }

    /// The days of the year.
    pub(super) fn days(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let year = self.year;
        let first = NaiveDate::from_ymd_opt(year, 1, 1).into_iter();
        first.flat_map(|first: NaiveDate| first.iter_days()).take_while(move |date| date.year() == year)
    }

    /// Whether the day is worked in a five-day week.
    pub(super) fn is_worked(&self, date: NaiveDate) -> bool {
        if is_weekend(date) { self.working_weekend.contains_key(&date) } else { !self.off.contains_key(&date) }
    }

    fn lists(&self) -> [(&'static str, Vec<NaiveDate>); 4] {
        [
            ("off", self.off.keys().copied().collect()),
            ("working_weekend", self.working_weekend.keys().copied().collect()),
            ("short", self.short.clone()),
            ("special", self.special.keys().copied().collect()),
        ]
    }
}
