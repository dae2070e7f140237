//! What the regions add: the data itself, what a row may say, and what is not applied.

use crate::support::{calendars, day, due, term};
use mezhved::catalogue::calendars::{CalendarTexts, load};
use mezhved::domain::calendar::{CalendarSet, DayKind};
use mezhved::domain::term::Week;

const FEDERAL: &str = include_str!("../../config/calendars/ru.toml");
const REGIONS: &str = include_str!("../../config/calendars/regions.toml");

/// Overlays of one's own: the rows as TOML.
fn with(rows: &str) -> Result<CalendarSet, String> {
    let overlays = format!("version = \"test\"\n{rows}");
    load(CalendarTexts { federal: FEDERAL, regions: REGIONS, overlays: &overlays }).map_err(|error| error.to_string())
}

fn row(region: &str, date: &str, more: &str) -> String {
    format!(
        "[[overlay]]\nregion = \"{region}\"\ndates = [\"{date}\"]\ntitle = \"День\"\nact = \"Акт\"\n\
         status = \"decreed\"\n{more}\n"
    )
}

#[test]
fn the_days_of_the_regions_are_off_there_and_nowhere_else() {
    let known = [
        ("RU-TA", "2023-08-30"),
        ("RU-TA", "2026-11-06"),
        ("RU-BA", "2024-10-11"),
        ("RU-BA", "2026-05-27"),
        ("RU-AD", "2025-10-06"),
        ("RU-AL", "2026-07-03"),
        ("RU-BEL", "2024-07-12"),
        ("RU-BRY", "2024-05-14"),
        ("RU-BU", "2025-03-03"),
        ("RU-CE", "2026-03-19"),
        ("RU-CR", "2026-04-13"),
        ("RU-CU", "2026-06-24"),
        ("RU-DA", "2025-07-28"),
        ("RU-IN", "2024-04-12"),
        ("RU-IRK", "2026-04-21"),
        ("RU-KB", "2024-03-28"),
        ("RU-KC", "2025-04-28"),
        ("RU-KDA", "2025-04-29"),
        ("RU-KL", "2025-06-11"),
        ("RU-MO", "2026-08-05"),
        ("RU-OMS", "2026-04-21"),
        ("RU-PNZ", "2024-05-14"),
        ("RU-SA", "2025-06-23"),
        ("RU-SAR", "2023-04-25"),
        ("RU-SE", "2024-11-18"),
        ("RU-SEV", "2026-03-18"),
        ("RU-STA", "2026-04-21"),
        ("RU-TY", "2026-02-18"),
        ("RU-ZAB", "2026-02-18"),
    ];
    for (region, date) in known {
        let there = calendars().for_performer(Some(region), Week::FiveDay).unwrap();
        assert!(matches!(there.day(day(date)).unwrap(), DayKind::Off(_)), "{region} {date}");
        assert!(calendars().federal().is_working(day(date)).unwrap(), "{date}");
    }
    let mut named: Vec<&str> = known.iter().map(|(region, _)| *region).collect();
    named.sort_unstable();
    named.dedup();
    assert_eq!(calendars().regions_with_own_days(), named, "every region with days of its own has its example here");
}

#[test]
fn a_moved_day_off_is_a_row_of_its_own_and_the_saturday_for_it_is_worked() {
    let due_on = |term_text| due("2025-04-25", &term(term_text, None), Some("RU-AD")).unwrap().due_on;
    assert_eq!(due_on("1 wd"), day("2025-04-26"), "a Saturday that is worked for 30.04");
    assert_eq!(due_on("2 wd"), day("2025-04-28"));
    assert_eq!(due_on("3 wd"), day("2025-05-05"), "29.04 Радоница, 30.04 moved, 1 to 4 May federal");
    assert_eq!(due("2025-04-25", &term("3 wd", None), None).unwrap().due_on, day("2025-04-30"));
}

#[test]
fn a_holiday_on_a_saturday_binds_a_school_that_works_on_saturdays() {
    let school = calendars().for_performer(Some("RU-TA"), Week::SixDay).unwrap();
    assert_eq!(
        school.day(day("2025-08-30")).unwrap(),
        DayKind::Off("День Республики Татарстан (Республика Татарстан)")
    );
    assert_eq!(school.day(day("2025-08-29")).unwrap(), DayKind::Short);
    assert_eq!(school.day(day("2025-08-23")).unwrap(), DayKind::Working);
}

#[test]
fn a_region_may_rest_on_a_saturday_that_the_country_works() {
    let kalmykia = calendars().for_performer(Some("RU-KL"), Week::FiveDay).unwrap();
    assert!(!kalmykia.is_working(day("2024-12-28")).unwrap());
    assert!(calendars().federal().is_working(day("2024-12-28")).unwrap());
}

#[test]
fn a_decision_that_is_awaited_makes_the_regions_year_provisional() {
    let provisional = |region| due("2026-11-23", &term("1 wd", None), Some(region)).unwrap().protocol.provisional;
    assert!(provisional("RU-KL"), "the day of Зул in 2026 is not decided in these data");
    assert!(!provisional("RU-TA"));
    let set = with("[[awaited]]\nregion = \"RU-MOW\"\nyear = 2026\ntitle = \"День города\"").unwrap();
    let moscow = set.for_performer(Some("RU-MOW"), Week::FiveDay).unwrap();
    assert!(moscow.is_provisional(day("2026-03-02"), day("2026-03-02")));
    assert!(!moscow.is_provisional(day("2025-03-03"), day("2025-03-03")));
    assert_eq!(moscow.version(), "2026.2+RU-MOW.test");
}

#[test]
fn a_row_of_one_municipality_is_kept_and_not_applied() {
    let set = with(&row("RU-MOW", "2026-04-22", "applies_to = \"municipality\"")).unwrap();
    assert!(set.for_performer(Some("RU-MOW"), Week::FiveDay).unwrap().is_working(day("2026-04-22")).unwrap());
    assert_eq!(set.unapplied().len(), 1);
    assert!(set.regions_with_own_days().is_empty());
    let all = with(&row("RU-MOW", "2026-04-22", "applies_to = \"budget_organisations\"")).unwrap();
    assert!(!all.for_performer(Some("RU-MOW"), Week::FiveDay).unwrap().is_working(day("2026-04-22")).unwrap());
}

#[test]
fn a_row_that_changes_nothing_or_stands_twice_is_refused() {
    let works = "works = true";
    for (rows, fault) in [
        (row("RU-MOW", "2026-04-26", ""), "overlay RU-MOW 2026-04-26: is off anyway"),
        (row("RU-MOW", "2026-05-01", ""), "is off anyway"),
        (row("RU-MOW", "2028-11-06", ""), "is off anyway"),
        (row("RU-MOW", "2026-04-22", works), "is worked anyway"),
        (row("RU-MOW", "2024-12-28", works), "is worked anyway"),
        (row("RU-MOW", "2029-04-26", ""), "lies in a year that the federal calendar does not cover"),
        (row("RU-MOW", "2026-04-22", "").repeat(2), "overlay RU-MOW 2026-04-22: stands twice"),
        ("[[awaited]]\nregion = \"RU-XX\"\nyear = 2026\ntitle = \"\"".to_owned(), "awaited RU-XX 2026: names a region"),
    ] {
        let error = with(&rows).unwrap_err();
        assert!(error.contains(fault), "`{fault}` is missing in: {error}");
    }
    assert!(with(&row("RU-MOW", "2026-04-25", "")).is_ok(), "a Saturday is worked by a six-day week");
    assert!(with(&row("RU-MOW", "2026-04-25", works)).is_ok());
}
