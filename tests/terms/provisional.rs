//! Years that nobody has published: what the law alone makes of them, and how a date says that it leans on one.

use crate::support::{calendars, day, due, term};
use chrono::{Datelike, NaiveDate};
use mezhved::catalogue::calendars::{CalendarTexts, load};
use mezhved::domain::calendar::{CalendarSet, NotCovered};
use mezhved::domain::term::{Event, Performer, Remark, StartsOn, TermError, Week, compute};
use mezhved::domain::zone::Zone;
use std::collections::BTreeSet;

const FEDERAL: &str = include_str!("../../config/calendars/ru.toml");
const REGIONS: &str = include_str!("../../config/calendars/regions.toml");
const THROUGH: &str = "provisional_through = 2028\n";

fn federal_only(federal: &str) -> CalendarSet {
    load(CalendarTexts { federal, regions: REGIONS, overlays: "version = \"none\"" }).unwrap()
}

#[test]
fn a_date_in_a_year_that_nobody_has_published_is_counted_and_says_so() {
    let found = due("2028-02-21", &term("3 wd", None), None).unwrap();
    assert_eq!(found.due_on, day("2028-02-25"), "23.02 is a holiday whatever the Government moves");
    assert!(found.protocol.provisional);
    assert_eq!(found.protocol.remarks, [Remark::YearNotPublished { year: 2028 }]);
    let text = found.protocol.explanation().join("\n");
    assert!(text.contains("Календарь на 2028 год ещё не опубликован"), "{text}");
    assert!(text.contains("2028 год не опубликован: праздники и переносы по ТК РФ ст. 112"), "{text}");
    let over_new_year = due("2027-12-30", &term("1 wd", None), None).unwrap();
    assert_eq!(over_new_year.due_on, day("2028-01-10"));
    assert_eq!(over_new_year.protocol.remarks, [Remark::YearNotPublished { year: 2028 }]);
    let published = due("2027-12-20", &term("5 wd", None), None).unwrap();
    assert!(published.protocol.remarks.is_empty(), "that year has its act");
}

#[test]
fn a_holiday_on_a_day_off_shifts_by_the_law_except_in_the_first_week_of_january() {
    let calendar = calendars().federal();
    let works = |date| calendar.is_working(day(date)).unwrap();
    // 4 November 2028 is a Saturday; 1, 2 and 8 January are Saturday, Sunday, Saturday.
    assert!(!works("2028-11-06") && works("2028-11-07") && works("2028-01-10"));
    let days = calendar.working_days_between(day("2027-12-31"), day("2028-12-31")).unwrap();
    assert_eq!(days, 260 - 5 - 5 - 1, "weekdays, less the New Year's, five holidays on weekdays, and the shift");
}

/// The years before a given one as published, and that one by the law alone.
fn by_the_law_alone(year: i32) -> CalendarSet {
    let published = &FEDERAL[..FEDERAL.find(&format!("[[year]]\nyear = {year}")).unwrap()];
    federal_only(&published.replace(THROUGH, &format!("provisional_through = {year}\n")))
}

#[test]
fn the_law_alone_gives_every_published_year_but_for_what_the_government_moved() {
    let moved: [(i32, &[&str]); 4] = [
        (2024, &["04-27", "04-29", "04-30", "05-10", "11-02", "12-28", "12-30", "12-31"]),
        (2025, &["02-24", "03-10", "05-02", "05-08", "06-13", "11-01", "11-03", "12-31"]),
        (2026, &["01-09", "12-31"]),
        (2027, &["02-20", "02-22", "11-05", "12-31"]),
    ];
    let published = federal_only(FEDERAL).federal();
    for (year, moved) in moved {
        let derived = by_the_law_alone(year).federal();
        let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
        let days = first.iter_days().take_while(|date| date.year() == year);
        let differs = |date: &NaiveDate| derived.is_working(*date).unwrap() != published.is_working(*date).unwrap();
        let found: BTreeSet<String> = days.filter(differs).map(|date| date.format("%m-%d").to_string()).collect();
        assert_eq!(found, moved.iter().map(|date| (*date).to_owned()).collect(), "{year}");
    }
}

#[test]
fn beyond_the_provisional_years_there_is_no_calendar_and_no_clock() {
    let without = federal_only(&FEDERAL.replace(THROUGH, ""));
    assert_eq!((without.published_until(), without.covered_until()), (day("2027-12-31"), day("2027-12-31")));
    assert_eq!((calendars().published_until(), calendars().covered_until()), (day("2027-12-31"), day("2028-12-31")));
    for (set, year) in [(&without, 2028), (calendars(), 2029)] {
        let calendar = set.for_performer(None, Week::FiveDay).unwrap();
        let performer = Performer { calendar, zone: Zone::named("Europe/Moscow").unwrap() };
        let event = Event::new(StartsOn::Registered, format!("{}-12-29T09:00:00Z", year - 1).parse().unwrap());
        let error = compute(&term("5 wd", None), &event, &performer).unwrap_err();
        let TermError::NotCovered(NotCovered { year: missing, .. }) = error else { panic!("{error}") };
        assert_eq!(missing, year);
    }
}

#[test]
fn more_provisional_years_than_anybody_can_mean_are_refused() {
    let federal = FEDERAL.replace(THROUGH, "provisional_through = 2200\n");
    let texts = CalendarTexts { federal: &federal, regions: REGIONS, overlays: "version = \"none\"" };
    let error = load(texts).unwrap_err().to_string();
    assert!(error.contains("173 provisional ones; give 1 to 100"), "{error}");
}
