//! Calendar data: its sums, its reasons, its edges, and what a wrong file gets.

use crate::support::{calendars, day, due, term};
use chrono::{Datelike, NaiveDate};
use mezhved::catalogue::calendars::{CalendarTexts, load};
use mezhved::domain::calendar::{DayKind, NotCovered};
use mezhved::domain::term::{Special, TermError, Week};

const FEDERAL: &str = include_str!("../../config/calendars/ru.toml");
const REGIONS: &str = include_str!("../../config/calendars/regions.toml");
const OVERLAYS: &str = include_str!("../../config/calendars/overlays.toml");

fn refused(federal: &str, overlays: &str) -> String {
    load(CalendarTexts { federal, regions: REGIONS, overlays }).unwrap_err().to_string()
}

#[test]
fn the_years_have_as_many_working_days_as_published() {
    let calendar = calendars().federal();
    for (year, published) in [(2023, 247), (2024, 248), (2025, 247), (2026, 247), (2027, 247)] {
        let last = |year| NaiveDate::from_ymd_opt(year, 12, 31).unwrap();
        assert_eq!(calendar.working_days_between(last(year - 1), last(year)).unwrap(), published, "{year}");
    }
}

#[test]
fn every_day_off_says_why() {
    let calendar = calendars().federal();
    let why = |date| calendar.day(day(date)).unwrap();
    assert_eq!(why("2025-05-02"), DayKind::Off("выходной, перенесён с 04.01.2025"));
    assert_eq!(why("2026-01-05"), DayKind::Off("Новогодние каникулы"));
    assert_eq!(why("2026-01-07"), DayKind::Off("Рождество Христово"));
    assert_eq!(why("2026-03-08"), DayKind::Off("Международный женский день (воскресенье)"));
    assert_eq!(why("2026-03-14"), DayKind::Off("выходной день, суббота"));
    assert_eq!(why("2025-11-01"), DayKind::Short);
    assert_eq!(why("2024-04-27"), DayKind::Working);
}

#[test]
fn moved_days_off_name_the_day_they_were_moved_from() {
    let calendar = calendars().federal();
    let moved: Vec<(NaiveDate, String)> = calendar
        .off_days(calendar.covered_from(), calendar.covered_until())
        .unwrap()
        .filter_map(|(date, why)| Some((date, why.strip_prefix("выходной, перенесён с ")?.to_owned())))
        .collect();
    assert_eq!(moved.len(), 3 + 5 + 5 + 4 + 6 + 1, "2023 to 2027, and one by the law alone in 2028");
    for (date, from) in moved {
        let from = NaiveDate::parse_from_str(&from, "%d.%m.%Y").unwrap();
        let is_weekend = from.weekday().num_days_from_monday() >= 5;
        assert!(is_weekend && from.year() == date.year(), "{date} is moved from {from}");
    }
}

#[test]
fn a_region_adds_its_days_and_shortens_their_eves() {
    let tatarstan = calendars().for_performer(Some("RU-TA"), Week::FiveDay).unwrap();
    assert_eq!(tatarstan.day(day("2026-03-20")).unwrap(), DayKind::Off("Ураза-байрам (Республика Татарстан)"));
    assert_eq!(tatarstan.day(day("2026-03-19")).unwrap(), DayKind::Short);
    assert_eq!(calendars().federal().day(day("2026-03-20")).unwrap(), DayKind::Working);
}

#[test]
fn a_due_date_that_leans_on_a_day_to_be_checked_is_provisional() {
    let irkutsk = due("2026-04-20", &term("1 wd", None), Some("RU-IRK")).unwrap();
    assert_eq!((irkutsk.due_on, irkutsk.protocol.provisional), (day("2026-04-22"), false), "the region's law is known");
    let omsk = due("2026-04-20", &term("1 wd", None), Some("RU-OMS")).unwrap();
    assert_eq!((omsk.due_on, omsk.protocol.provisional), (day("2026-04-22"), true), "from one source");
    assert!(!due("2026-04-20", &term("1 wd", None), None).unwrap().protocol.provisional);
}

#[test]
fn a_region_without_overlays_has_the_federal_calendar_and_an_unknown_one_is_refused() {
    let moscow = calendars().for_performer(Some("RU-MOW"), Week::FiveDay).unwrap();
    assert!(moscow.same_days(&calendars().federal()));
    assert_eq!(moscow.region(), Some("RU-MOW"));
    for wrong in ["RU-XX", "ru-ta", "TA", ""] {
        let error = calendars().for_performer(Some(wrong), Week::FiveDay).unwrap_err();
        assert!(error.to_string().contains("ISO 3166-2"), "{error}");
    }
}

#[test]
fn an_uncovered_year_is_an_error_that_says_how_far_the_calendar_reaches() {
    let error = due("2031-03-03", &term("5 wd", None), None).unwrap_err();
    let TermError::NotCovered(NotCovered { year, first_year, last_year, .. }) = &error else { panic!("{error}") };
    assert_eq!((*year, *first_year, *last_year), (2031, 2023, 2028));
    assert_eq!(error.code(), "calendar_not_covered");
    let text = error.to_string();
    assert!(text.contains("does not cover 2031") && text.contains("2023 to 2028"), "{text}");
    assert!(text.contains("config/calendars"), "the remedy: {text}");
    for (event, text, year) in [
        ("2028-12-29", "1 wd", 2029),
        ("2028-12-20", "30 cd", 2029),
        ("2028-12-01", "30 cd", 2029),
        ("2022-06-01", "5 wd", 2022),
        ("2022-12-20", "30 cd", 2022),
    ] {
        let error = due(event, &term(text, None), None).unwrap_err();
        let TermError::NotCovered(uncovered) = error else { panic!("{event} + {text}: {error}") };
        assert_eq!(uncovered.year, year, "{event} + {text}");
    }
}

#[test]
fn the_eve_of_the_first_covered_day_may_start_a_term() {
    assert_eq!(due("2022-12-31", &term("1 wd", None), None).unwrap().due_on, day("2023-01-09"));
    assert_eq!(calendars().covered_until(), day("2028-12-31"));
    assert_eq!(due("2028-12-25", &term("4 wd", None), None).unwrap().due_on, day("2028-12-29"));
}

#[test]
fn lateness_counts_working_days_after_the_due_date() {
    let calendar = calendars().federal();
    let late = |due, on| calendar.working_days_between(day(due), day(on)).unwrap();
    assert_eq!(late("2026-05-08", "2026-05-08"), 0);
    assert_eq!(late("2026-05-08", "2026-05-11"), 0);
    assert_eq!(late("2026-05-08", "2026-05-12"), 1);
    assert_eq!(late("2025-12-30", "2026-01-14"), 3);
    assert_eq!(late("2026-05-12", "2026-05-08"), 0);
}

#[test]
fn working_days_are_added_backwards_for_early_warnings() {
    let calendar = calendars().federal();
    assert_eq!(calendar.add_working_days(day("2026-05-12"), -2).unwrap(), day("2026-05-07"));
    assert_eq!(calendar.add_working_days(day("2026-05-10"), -1).unwrap(), day("2026-05-08"));
    assert_eq!(calendar.add_working_days(day("2026-05-10"), 0).unwrap(), day("2026-05-10"));
    assert!(calendar.add_working_days(day("2023-01-09"), -1).is_err());
}

#[test]
fn a_presidential_non_working_day_counts_as_the_term_says() {
    let federal =
        FEDERAL.replace("year = 2026\n", "year = 2026\nspecial = { 2026-06-15 = \"Указ, выдуманный для теста\" }\n");
    let set = load(CalendarTexts { federal: &federal, regions: REGIONS, overlays: OVERLAYS }).unwrap();
    let calendar = set.federal();
    let off = calendar.day(day("2026-06-15")).unwrap();
    assert_eq!(off, DayKind::Off("нерабочий день: Указ, выдуманный для теста"));
    assert_eq!(calendar.add_working_days(day("2026-06-11"), 1).unwrap(), day("2026-06-16"));
    let counting = calendar.with_special(Special::CountAsWorking);
    assert_eq!(counting.add_working_days(day("2026-06-11"), 1).unwrap(), day("2026-06-15"));
}

#[test]
fn a_calendar_that_contradicts_itself_is_refused_with_every_fault() {
    let wrong = FEDERAL
        .replace("2026-01-07 = \"Рождество Христово\"\n", "")
        .replace("\"2026-04-30\"", "\"2026-05-01\"")
        .replace("2024-04-27 =", "2024-04-26 =");
    let text = refused(&wrong, OVERLAYS);
    for part in [
        "year 2026, off 2026-01-07: is missing: «Рождество Христово»",
        "year 2026, short 2026-05-01: is not a working day",
        "year 2026, working_days: says 247, the lists give 248",
        "year 2024, working_weekend 2024-04-26: is a weekday",
    ] {
        assert!(text.contains(part), "`{part}` is missing in: {text}");
    }
}

#[test]
fn a_gap_between_years_and_a_misplaced_overlay_are_refused() {
    let without_2025 = {
        let begin = FEDERAL.find("[[year]]\nyear = 2025").unwrap();
        let end = FEDERAL.find("[[year]]\nyear = 2026").unwrap();
        format!("{}{}", &FEDERAL[..begin], &FEDERAL[end..])
    };
    assert!(refused(&without_2025, OVERLAYS).contains("year 2026: does not follow 2024"));
    let wrong = OVERLAYS.replace("RU-IRK", "RU-IRQ").replace("2026-05-27", "2031-05-27");
    let text = refused(FEDERAL, &wrong);
    assert!(text.contains("overlay RU-IRQ 2026-04-21: names a region"), "{text}");
    assert!(text.contains("overlay RU-TA 2031-05-27: lies in a year"), "{text}");
}

#[test]
fn an_unknown_key_of_a_calendar_is_refused_with_its_line() {
    let text = refused(&FEDERAL.replace("working_days = 248", "workingdays = 248"), OVERLAYS);
    assert!(text.contains("ru.toml") && text.contains("workingdays") && text.contains("line"), "{text}");
}

#[test]
fn a_regions_version_names_the_overlays_too() {
    let tatarstan = calendars().for_performer(Some("RU-TA"), Week::FiveDay).unwrap();
    assert_eq!(tatarstan.version(), "2026.2+RU-TA.2026.2");
    assert_eq!(calendars().federal().version(), "2026.2");
}
