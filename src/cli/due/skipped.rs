//! The skipped days of every possible answer, written once per calendar: an answer copies one slice of it.
//!
//! Promises: the same days and reasons as the protocol has, as JSON. Never: outlives its calendar.

use crate::domain::calendar::{Calendar, NotCovered};
use chrono::NaiveDate;

/// All days off of a calendar, each as `{"date":…,"why":…},`, in order.
pub(super) struct SkippedText {
    calendar: Calendar,
    text: Vec<u8>,
    /// Per covered day: where the text of the first day off on or after it begins; one more for the end.
    begins: Vec<usize>,
}

impl SkippedText {
    pub(super) fn new(calendar: Calendar) -> Result<Self, NotCovered> {
        let (mut text, mut begins) = (Vec::new(), Vec::new());
        let (first, last) = (calendar.covered_from(), calendar.covered_until());
        for (date, why) in calendar.off_days(first, last)? {
            begins.resize(day_number(first, date) + 1, text.len());
            let entry = serde_json::json!({ "date": date, "why": why });
            text.extend_from_slice(entry.to_string().as_bytes());
            text.push(b',');
        }
        begins.resize(day_number(first, last) + 2, text.len());
        Ok(Self { calendar, text, begins })
    }

    pub(super) fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// The days off from `from` to `to`, both included and covered, separated by commas.
    pub(super) fn between(&self, (from, to): (NaiveDate, NaiveDate)) -> &[u8] {
        let first = self.calendar.covered_from();
        let range = self.begins[day_number(first, from)]..self.begins[day_number(first, to) + 1];
        let entries = &self.text[range];
        entries.strip_suffix(b",").unwrap_or(entries)
    }
}

fn day_number(first: NaiveDate, date: NaiveDate) -> usize {
    usize::try_from((date - first).num_days()).unwrap_or(0)
}
