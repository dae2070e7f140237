//! Calendar periods and their ends: the half-year report and its kin.
//!
//! Promises: half-years end on 30 June and 31 December (deadlines; S4 «1 раз в полугодие»). Never: rolls.

use chrono::{Datelike, Months, NaiveDate};
use serde::{Deserialize, Serialize};

const MONTHS: [&str; 12] = [
    "январь",
    "февраль",
    "март",
    "апрель",
    "май",
    "июнь",
    "июль",
    "август",
    "сентябрь",
    "октябрь",
    "ноябрь",
    "декабрь",
];

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

    /// The name of the period that `date` lies in: `2026-1` for the first half of 2026, `2026-q1`, `2026-03`, `2026`.
    #[must_use]
    pub fn key(self, date: NaiveDate) -> String {
        self.key_of(date.year(), date.month0() / self.months() + 1)
    }

    /// The name of the period of that number within its year, from 1.
    #[must_use]
    pub fn key_of(self, year: i32, number: u32) -> String {
        match self {
            Self::Month => format!("{year}-{number:02}"),
            Self::Quarter => format!("{year}-q{number}"),
            Self::HalfYear => format!("{year}-{number}"),
            Self::Year => year.to_string(),
        }
    }

    /// The period that `date` lies in, in Russian: «I полугодие 2026 года», «март 2026 года».
    #[must_use]
    pub fn words(self, date: NaiveDate) -> String {
        const ROMAN: [&str; 4] = ["I", "II", "III", "IV"];
        let place = (date.month0() / self.months()) as usize;
        let roman = ROMAN.get(place).copied().unwrap_or_default();
        let year = date.year();
        match self {
            Self::Month => format!("{} {year} года", MONTHS.get(place).copied().unwrap_or_default()),
            Self::Quarter => format!("{roman} квартал {year} года"),
            Self::HalfYear => format!("{roman} полугодие {year} года"),
            Self::Year => format!("{year} год"),
        }
    }

    /// How often, in Russian: «раз в полугодие».
    #[must_use]
    pub fn rhythm_words(self) -> &'static str {
        match self {
            Self::Month => "раз в месяц",
            Self::Quarter => "раз в квартал",
            Self::HalfYear => "раз в полугодие",
            Self::Year => "раз в год",
        }
    }

    /// At most how far apart, in Russian: «не реже раза в 6 месяцев».
    #[must_use]
    pub fn apart_words(self) -> &'static str {
        match self {
            Self::Month => "не реже раза в месяц",
            Self::Quarter => "не реже раза в 3 месяца",
            Self::HalfYear => "не реже раза в 6 месяцев",
            Self::Year => "не реже раза в год",
        }
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
