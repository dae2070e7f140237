//! The production calendar. (Being furnished on another branch; these are its outlines.)

use crate::domain::term::TermError;
use chrono::NaiveDate;

/// Outline.
#[derive(Debug, Clone)]
pub struct Calendars;

/// Outline.
#[derive(Debug, Clone)]
pub struct PerformerCalendar;

impl PerformerCalendar {
    /// Outline.
    ///
    /// # Errors
    /// Never.
    pub fn working_on_or_before(&self, date: NaiveDate) -> Result<NaiveDate, TermError> {
        Ok(date)
    }

    /// Outline.
    ///
    /// # Errors
    /// Never.
    pub fn working_on_or_after(&self, date: NaiveDate) -> Result<NaiveDate, TermError> {
        Ok(date)
    }

    /// Outline.
    ///
    /// # Errors
    /// Never.
    pub fn add_working_days(&self, date: NaiveDate, _days: i32) -> Result<NaiveDate, TermError> {
        Ok(date)
    }
}
