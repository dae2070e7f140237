//! A year that nobody has published yet, as far as the law alone makes it: fixed holidays and their automatic shift.
//!
//! Promises: what it gives is provisional and says so; 1 to 8 January are left to the Government (ТК ст. 112).
//! Never: guesses a transfer that only an act can make.

use super::facts::{FederalYear, Holidays, SourceStatus, is_weekend};
use chrono::{Datelike, NaiveDate};
use std::collections::BTreeMap;

impl FederalYear {
    /// The year by ТК ст. 112 alone: a day off that coincides with a holiday moves to the next working day after it,
    /// except 1 to 8 January; the eve of a holiday is short (ТК ст. 95).
    pub(super) fn unpublished(year: i32, holidays: &Holidays) -> Self {
        let dates = || holidays.iter().filter_map(move |(day, title)| Some((day.in_year(year)?, title)));
        let mut off: BTreeMap<NaiveDate, String> =
            dates().filter(|(date, _)| !is_weekend(*date)).map(|(date, title)| (date, title.clone())).collect();
        for (date, _) in dates().filter(|(date, _)| is_weekend(*date) && !is_left_to_the_government(*date)) {
            let works = |next: &NaiveDate| !is_weekend(*next) && !off.contains_key(next);
            if let Some(next) = date.iter_days().skip(1).find(works).filter(|next| next.year() == year) {
                off.insert(next, format!("выходной, перенесён с {}", date.format("%d.%m.%Y")));
            }
        }
        let mut derived = Self {
            year,
            act: format!("{year} год не опубликован: праздники и переносы по ТК РФ ст. 112"),
            status: SourceStatus::ToBeChecked,
            working_days: 0,
            short: Vec::new(),
            off,
            working_weekend: BTreeMap::new(),
            special: BTreeMap::new(),
            derived: true,
        };
        let eves = dates().filter_map(|(date, _)| date.pred_opt());
        derived.short = eves.filter(|eve| eve.year() == year && derived.is_worked(*eve)).collect();
        let working_days = derived.days().filter(|date| derived.is_worked(*date)).count();
        derived.working_days = u32::try_from(working_days).unwrap_or_default();
        derived
    }
}

/// Where days off that coincide with the New Year holidays go, an act says each year.
fn is_left_to_the_government(date: NaiveDate) -> bool {
    date.month() == 1 && date.day() <= 8
}
