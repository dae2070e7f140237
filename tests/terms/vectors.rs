//! The worked examples: the file of vectors and the table of the rules.

use crate::support::{calendars, day, due, term};
use chrono::NaiveDate;
use mezhved::domain::term::{Period, Roll, Term, Unit, Week, count};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector {
    event: NaiveDate,
    unit: Unit,
    n: u32,
    roll: Roll,
    due: NaiveDate,
}

#[test]
fn every_vector_of_the_file_comes_out() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("deadline_vectors.json")).unwrap();
    assert_eq!(vectors.len(), 24);
    for vector in vectors {
        let term = Term { roll: Some(vector.roll), ..Term::new(vector.unit, vector.n) };
        let found = count(&term, vector.event, None, &calendars().federal()).unwrap().due_on;
        assert_eq!(found, vector.due, "{} + {} {:?} {:?}", vector.event, vector.n, vector.unit, vector.roll);
    }
}

#[test]
fn every_row_of_the_table_of_worked_examples_comes_out() {
    const NEXT: Option<Roll> = Some(Roll::NextWorking);
    const PREVIOUS: Option<Roll> = Some(Roll::PreviousWorking);
    let rows = [
        ("2025-12-26", "5 wd", None, None, "2026-01-14"),
        ("2026-12-25", "5 wd", None, None, "2027-01-12"),
        ("2024-12-24", "5 wd", None, None, "2025-01-09"),
        ("2026-04-24", "10 wd", None, None, "2026-05-12"),
        ("2026-04-30", "1 wd", None, None, "2026-05-04"),
        ("2025-10-31", "1 wd", None, None, "2025-11-01"),
        ("2027-02-18", "3 wd", None, None, "2027-02-24"),
        ("2026-05-09", "5 wd", None, None, "2026-05-18"),
        ("2025-12-10", "30 cd", NEXT, None, "2026-01-12"),
        ("2025-12-10", "30 cd", PREVIOUS, None, "2025-12-30"),
        ("2026-01-31", "1 month", NEXT, None, "2026-03-02"),
        ("2026-01-31", "1 month", PREVIOUS, None, "2026-02-27"),
        ("2026-04-09", "1 month", NEXT, None, "2026-05-12"),
        ("2026-04-09", "1 month", PREVIOUS, None, "2026-05-08"),
        ("2025-08-31", "1 half-year", NEXT, None, "2026-03-02"),
        ("2025-08-31", "1 half-year", PREVIOUS, None, "2026-02-27"),
        ("2026-07-01", "period end", None, None, "2026-12-30"),
        ("2026-11-21", "period end", PREVIOUS, None, "2026-12-30"),
        ("2026-03-18", "3 wd", None, Some("RU-TA"), "2026-03-24"),
        ("2026-03-18", "3 wd", None, None, "2026-03-23"),
    ];
    for (event, text, roll, region, expected) in rows {
        let found = due(event, &term(text, roll), region).unwrap().due_on;
        assert_eq!(found, day(expected), "{event} + {text}, {roll:?}, {region:?}");
    }
}

#[test]
fn period_ends_of_every_year_go_back_to_the_preceding_working_day() {
    // 31 December is off in 2024–2027, and a Sunday in 2023.
    let ends = ["2023-12-29", "2024-12-28", "2025-12-30", "2026-12-30", "2027-12-30"];
    for end in ends {
        let event = format!("{}-07-15", &end[..4]);
        assert_eq!(due(&event, &term("period end", None), None).unwrap().due_on, day(end));
    }
    let second = Term { n: 2, ..term("period end", None) };
    assert_eq!(due("2026-01-15", &second, None).unwrap().due_on, day("2026-12-30"));
}

#[test]
fn a_period_is_that_in_which_the_term_begins() {
    // ГК ст. 191: registered on 30 June, the term begins on 1 July.
    assert_eq!(due("2026-06-29", &term("period end", None), None).unwrap().due_on, day("2026-06-30"));
    assert_eq!(due("2026-06-30", &term("period end", None), None).unwrap().due_on, day("2026-12-30"));
    let monthly = Term { period: Some(Period::Month), ..term("period end", None) };
    assert_eq!(due("2026-05-05", &monthly, None).unwrap().due_on, day("2026-05-29"));
    let quarterly = Term { period: Some(Period::Quarter), ..term("period end", None) };
    assert_eq!(due("2026-07-31", &quarterly, None).unwrap().due_on, day("2026-09-30"));
}

#[test]
fn fixed_dates_are_the_stated_one_or_the_next_of_the_list() {
    let yearly: Term =
        serde_json::from_str(r#"{"unit":"fixed_dates","dates":["01-15","07-15"],"roll":"next"}"#).unwrap();
    assert_eq!(due("2026-01-14", &yearly, None).unwrap().due_on, day("2026-01-15"));
    assert_eq!(due("2026-01-15", &yearly, None).unwrap().due_on, day("2026-07-15"));
    assert_eq!(due("2026-07-15", &yearly, None).unwrap().due_on, day("2027-01-15"));
    let stated = count(&yearly, day("2026-03-02"), Some(day("2026-05-09")), &calendars().federal()).unwrap();
    assert_eq!((stated.raw_last_on, stated.due_on), (day("2026-05-09"), day("2026-05-12")));
    let nothing = due("2026-01-14", &Term::new(Unit::FixedDates, 0), None).unwrap_err();
    assert_eq!(nothing.code(), "no_date");
}

#[test]
fn a_six_day_week_works_on_saturdays_that_are_no_holidays() {
    let six = Term { week: Some(Week::SixDay), ..term("1 wd", None) };
    assert_eq!(due("2026-03-13", &six, None).unwrap().due_on, day("2026-03-14"));
    // 09.05.2026 is a Saturday and День Победы; Monday 11.05 is moved from it.
    assert_eq!(due("2026-05-08", &six, None).unwrap().due_on, day("2026-05-12"));
}

#[test]
fn weeks_quarters_and_years_are_counted_by_the_calendar() {
    assert_eq!(due("2026-03-02", &term("2 weeks", None), None).unwrap().due_on, day("2026-03-16"));
    assert_eq!(due("2025-11-30", &term("1 quarter", None), None).unwrap().due_on, day("2026-03-02"));
    assert_eq!(due("2024-02-29", &term("1 year", None), None).unwrap().due_on, day("2025-02-28"));
    assert_eq!(due("2026-10-20", &term("1 half-month", None), None).unwrap().due_on, day("2026-11-05"));
}
