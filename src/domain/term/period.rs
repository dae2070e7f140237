//! Calendar periods and their ends: the half-year report and its kin.
//!
//! Promises: half-years end on 30 June and 31 December (deadlines; S4 «1 раз в полугодие»). Never: rolls.

use chrono::{Datelike, Months, NaiveDate};
use serde::{Deserialize, Serialize};

/// A calendar period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    Month,
    Quarter,
    #[default]
    HalfYear,
    Year,
}

impl Period {
    /// Its length.
    #[must_use]
    pub fn months(self) -> u32 {
        match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::HalfYear => 6,
            Self::Year => 12,
        }
    }

    /// The name of the period that `date` lies in: the year and its number, `2026-1` for the first half of 2026.
    #[must_use]
    pub fn key(self, date: NaiveDate) -> String {
        format!("{}-{}", date.year(), date.month0() / self.months() + 1)
    }

    /// The last day of the period that `date` lies in, or of the one that ends `later` periods after it; `None` at the
    /// end of the range of dates.
    #[must_use]
    pub fn end_of(self, date: NaiveDate, later: u32) -> Option<NaiveDate> {
        let begins_month0 = date.month0() / self.months() * self.months();
        let begins = NaiveDate::from_ymd_opt(date.year(), begins_month0 + 1, 1)?;
        let months = self.months().checked_mul(later.checked_add(1)?)?;
        begins.checked_add_months(Months::new(months))?.pred_opt()
    }
}
