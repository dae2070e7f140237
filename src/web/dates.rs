//! Dates, times and counts as people read them.
//!
//! Promises: one spelling everywhere, `21.11.2026 (сб)`; Russian plural forms are right. Never: reads a clock or the
//! machine's zone.

use crate::domain::zone::Zone;
use crate::web::words::Lang;
use chrono::{DateTime, Datelike, NaiveDate, Utc, Weekday};

/// `21.11.2026 (сб)`.
pub(super) fn date_with_weekday(date: NaiveDate, lang: Lang) -> String {
    format!("{} ({})", short_date(date), weekday(date.weekday(), lang))
}

/// `21.11.2026`.
pub(super) fn short_date(date: NaiveDate) -> String {
    date.format("%d.%m.%Y").to_string()
}

/// `21.11.2026 09:41`, in that zone.
pub(super) fn minute(at: DateTime<Utc>, zone: Zone) -> String {
    zone.local(at).format("%d.%m.%Y %H:%M").to_string()
}

/// The end of a span: `21.11.2026` where it lasts to the end of that day, else to the minute.
pub(super) fn until(at: DateTime<Utc>, zone: Zone) -> String {
    let local = zone.local(at);
    if local.time() == chrono::NaiveTime::MIN {
        return short_date(local.date().pred_opt().unwrap_or(local.date()));
    }
    minute(at, zone)
}

/// `09:41:07`, in that zone.
pub(super) fn time(at: DateTime<Utc>, zone: Zone) -> String {
    zone.local(at).format("%H:%M:%S").to_string()
}

fn weekday(day: Weekday, lang: Lang) -> &'static str {
    let names = match lang {
        Lang::Ru => ["пн", "вт", "ср", "чт", "пт", "сб", "вс"],
        Lang::En => ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"],
    };
    names[day.num_days_from_monday() as usize]
}

/// The form of a word beside a number: `[1 рабочий день, 2 рабочих дня, 5 рабочих дней]`; English gives its plural twice.
pub(super) fn plural(count: u64, lang: Lang, forms: [&'static str; 3]) -> &'static str {
    let [one, few, many] = forms;
    match (lang, count % 10, count % 100) {
        (Lang::En, ..) if count == 1 => one,
        (Lang::En, ..) => many,
        (Lang::Ru, _, 11..=14) => many,
        (Lang::Ru, 1, _) => one,
        (Lang::Ru, 2..=4, _) => few,
        (Lang::Ru, ..) => many,
    }
}

/// The number with its word, held together by a no-break space.
pub(super) fn counted(count: u64, lang: Lang, forms: [&'static str; 3]) -> String {
    format!("{count}\u{a0}{}", plural(count, lang, forms))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    const DAYS: [&str; 3] = ["рабочий день", "рабочих дня", "рабочих дней"];

    #[test]
    fn russian_plural_follows_the_last_two_digits() {
        let forms = |count| plural(count, Lang::Ru, DAYS);
        assert!([1, 21, 101, 1001].iter().all(|count| forms(*count) == DAYS[0]));
        assert!([2, 3, 4, 22, 104].iter().all(|count| forms(*count) == DAYS[1]));
        assert!([0, 5, 11, 12, 14, 19, 20, 111, 112, 25].iter().all(|count| forms(*count) == DAYS[2]));
    }

    #[test]
    fn english_plural_is_one_or_many() {
        assert_eq!(plural(1, Lang::En, ["day", "days", "days"]), "day");
        assert_eq!(plural(21, Lang::En, ["day", "days", "days"]), "days");
    }

    #[test]
    fn date_bears_its_weekday() {
        let date = NaiveDate::from_ymd_opt(2026, 11, 21).unwrap();
        assert_eq!(date_with_weekday(date, Lang::Ru), "21.11.2026 (сб)");
        assert_eq!(date_with_weekday(date, Lang::En), "21.11.2026 (Sa)");
    }

    #[test]
    fn time_is_that_of_the_zone() {
        let at = "2026-11-21T20:41:07Z".parse().unwrap();
        let irkutsk = Zone::named("Asia/Irkutsk").unwrap();
        assert_eq!(minute(at, irkutsk), "22.11.2026 04:41");
        assert_eq!(time(at, irkutsk), "04:41:07");
        assert_eq!(until(at, irkutsk), "22.11.2026 04:41");
        assert_eq!(until(irkutsk.end_of(irkutsk.date(at)), irkutsk), "22.11.2026");
    }
}
