//! Due dates with their protocols: zones, instants, the evidence.

use crate::support::{at, day, due, performer, term};
use chrono::NaiveTime;
use mezhved::domain::term::{
    ClosesAt, Event, Protocol, RULES_VERSION, Remark, Roll, StartsOn, Term, TermError, Unit, compute,
};

fn registered(instant: &str) -> Event {
    Event::new(StartsOn::Registered, at(instant))
}

#[test]
fn the_last_day_ends_at_midnight_in_the_performers_zone() {
    let event = registered("2026-03-02T04:00:00Z");
    let irkutsk = compute(&term("1 wd", None), &event, &performer("Asia/Irkutsk", Some("RU-IRK"))).unwrap();
    assert_eq!(irkutsk.due_on, day("2026-03-03"));
    assert_eq!(irkutsk.due_at, at("2026-03-03T16:00:00Z"));
    let moscow = compute(&term("1 wd", None), &event, &performer("Europe/Moscow", None)).unwrap();
    assert_eq!(moscow.due_at, at("2026-03-03T21:00:00Z"));
}

#[test]
fn the_date_of_the_event_is_that_of_the_performer() {
    // 20:00 UTC on Monday is already Tuesday in Irkutsk.
    let event = registered("2026-03-02T20:00:00Z");
    let irkutsk = compute(&term("1 wd", None), &event, &performer("Asia/Irkutsk", None)).unwrap();
    assert_eq!(irkutsk.due_on, day("2026-03-04"));
    assert_eq!(irkutsk.protocol.event.local_on, day("2026-03-03"));
    let moscow = compute(&term("1 wd", None), &event, &performer("Europe/Moscow", None)).unwrap();
    assert_eq!(moscow.due_on, day("2026-03-03"));
}

#[test]
fn a_closing_hour_ends_the_last_day_earlier() {
    let closing = ClosesAt::At(NaiveTime::from_hms_opt(17, 30, 0).unwrap());
    let term = Term { closes_at: closing, ..term("1 wd", None) };
    let found = compute(&term, &registered("2026-03-02T04:00:00Z"), &performer("Asia/Irkutsk", None)).unwrap();
    assert_eq!(found.due_at, at("2026-03-03T09:30:00Z"));
    let lenient = compute(&term.lenient(), &registered("2026-03-02T04:00:00Z"), &performer("Asia/Irkutsk", None));
    assert_eq!(lenient.unwrap().due_at, at("2026-03-03T16:00:00Z"));
}

#[test]
fn hours_run_through_the_weekend() {
    let friday = registered("2026-05-08T14:30:00+08:00");
    let found = compute(&term("48 h", None), &friday, &performer("Asia/Irkutsk", None)).unwrap();
    assert_eq!(found.due_at, at("2026-05-10T14:30:00+08:00"));
    assert_eq!(found.due_on, day("2026-05-10"));
    assert!(found.protocol.excluded.is_empty() && !found.protocol.roll.applied);
}

#[test]
fn hours_need_no_calendar_because_no_day_has_a_part_in_them() {
    let found = compute(&term("48 h", None), &registered("2031-05-08T06:30:00Z"), &performer("Asia/Irkutsk", None));
    assert_eq!(found.unwrap().due_at, at("2031-05-10T06:30:00Z"));
}

#[test]
fn at_once_is_the_same_day_and_says_that_the_number_is_policy() {
    let evening = registered("2026-05-08T20:00:00+08:00");
    let found = compute(&term("at once", None), &evening, &performer("Asia/Irkutsk", None)).unwrap();
    assert_eq!((found.due_on, found.due_at), (day("2026-05-08"), at("2026-05-09T00:00:00+08:00")));
    assert_eq!(found.protocol.remarks, [Remark::AtOnceIsPolicy { hours: 24 }]);
    let two_hours = compute(&Term::new(Unit::AtOnce, 2), &evening, &performer("Asia/Irkutsk", None)).unwrap();
    assert_eq!(two_hours.due_at, at("2026-05-08T22:00:00+08:00"));
    let lenient = compute(&term("at once", None).lenient(), &evening, &performer("Asia/Irkutsk", None)).unwrap();
    assert_eq!(lenient.due_at, at("2026-05-09T20:00:00+08:00"));
}

#[test]
fn the_protocol_holds_every_excluded_day_the_roll_and_the_versions() {
    let found = due("2025-12-10", &term("30 cd", Some(Roll::NextWorking)), None).unwrap();
    let protocol = &found.protocol;
    assert_eq!(protocol.first_on, day("2025-12-11"));
    assert_eq!((protocol.raw_last_on, protocol.due_on), (day("2026-01-09"), day("2026-01-12")));
    assert!(protocol.roll.applied);
    let excluded: Vec<(String, &str)> =
        protocol.excluded.iter().map(|day| (day.date.to_string(), day.why.as_str())).collect();
    assert_eq!(
        excluded,
        [
            ("2026-01-09".to_owned(), "выходной, перенесён с 03.01.2026"),
            ("2026-01-10".to_owned(), "выходной день, суббота"),
            ("2026-01-11".to_owned(), "выходной день, воскресенье"),
        ]
    );
    assert_eq!(protocol.rule.laws, ["ГК РФ ст. 191", "ГК РФ ст. 193", "ГК РФ ст. 194"]);
    assert_eq!(protocol.rule.version, RULES_VERSION);
    assert_eq!((protocol.calendar.name.as_str(), protocol.calendar.version.as_str()), ("ru", "2026.2"));
    assert_eq!(protocol.calendar.sources.len(), 2, "the acts of both years: {:?}", protocol.calendar.sources);
    assert!(protocol.calendar.sources[1].contains("№ 1466"));
}

#[test]
fn a_region_and_its_act_stand_in_the_protocol() {
    let found = due("2026-03-18", &term("3 wd", None), Some("RU-TA")).unwrap();
    assert_eq!(found.protocol.calendar.region.as_deref(), Some("RU-TA"));
    assert!(found.protocol.excluded.iter().any(|day| day.why == "Ураза-байрам (Республика Татарстан)"));
    assert!(found.protocol.calendar.sources.iter().any(|act| act.contains("Раиса РТ")));
    assert!(!found.protocol.provisional);
}

#[test]
fn a_year_whose_act_is_to_be_checked_makes_the_date_provisional() {
    assert!(due("2026-12-25", &term("5 wd", None), None).unwrap().protocol.provisional);
    assert!(!due("2026-12-15", &term("5 wd", None), None).unwrap().protocol.provisional);
}

#[test]
fn a_protocol_survives_its_storage_as_json() {
    let full: Term = serde_json::from_str(
        r#"{"unit":"month","n":1,"starts_on":"signed","roll":"previous","week":"six_day","closes_at":"17:30",
            "special":"count_as_working"}"#,
    )
    .unwrap();
    let event = Event::new(StartsOn::Signed, at("2026-04-09T04:00:00Z"));
    for protocol in [
        compute(&full, &event, &performer("Asia/Irkutsk", Some("RU-IRK"))).unwrap().protocol,
        due("2026-04-24", &term("10 wd", None), None).unwrap().protocol,
        due("2026-04-24", &term("at once", None), None).unwrap().protocol,
    ] {
        let stored = serde_json::to_string(&protocol).unwrap();
        let read: Protocol = serde_json::from_str(&stored).unwrap();
        assert_eq!(read, protocol, "{stored}");
    }
}

#[test]
fn a_term_is_counted_from_the_event_it_asks_for_only() {
    let term = Term { starts_on: StartsOn::Received, ..term("5 wd", None) };
    let error = compute(&term, &registered("2026-03-02T04:00:00Z"), &performer("Asia/Irkutsk", None)).unwrap_err();
    assert_eq!(error, TermError::WrongEvent { expected: "received", given: "registered" });
}

#[test]
fn a_stated_date_is_taken_and_one_in_the_past_is_flagged() {
    let term = Term::new(Unit::FixedDates, 0);
    let stating = |date| Event { stated_on: Some(day(date)), ..registered("2026-03-02T04:00:00Z") };
    let ahead = compute(&term, &stating("2026-03-31"), &performer("Asia/Irkutsk", None)).unwrap();
    assert_eq!((ahead.due_on, &ahead.protocol.remarks[..]), (day("2026-03-31"), &[Remark::DateStatedByDocument][..]));
    let past = compute(&term, &stating("2026-02-27"), &performer("Asia/Irkutsk", None)).unwrap();
    assert_eq!(past.protocol.remarks, [Remark::DueBeforeTermBegins, Remark::DateStatedByDocument]);
}

#[test]
fn a_term_that_says_nothing_countable_is_refused() {
    for (json, code) in [
        (r#"{"unit":"working_day"}"#, "bad_term"),
        (r#"{"unit":"month","n":100001}"#, "bad_term"),
        (r#"{"unit":"month","n":1,"dates":["01-15"]}"#, "bad_term"),
        (r#"{"unit":"month","n":1,"period":"year"}"#, "bad_term"),
    ] {
        let term: Term = serde_json::from_str(json).unwrap();
        assert_eq!(due("2026-03-02", &term, None).unwrap_err().code(), code, "{json}");
    }
    for json in [
        r#"{"unit":"fortnight","n":1}"#,
        r#"{"unit":"month","n":1,"rol":"next"}"#,
        r#"{"unit":"month","n":1,"closes_at":"25:00"}"#,
        r#"{"unit":"fixed_dates","dates":["02-30"]}"#,
        r#"{"unit":"month","n":-1}"#,
    ] {
        assert!(serde_json::from_str::<Term>(json).is_err(), "{json}");
    }
}

#[test]
fn the_lenient_reading_rolls_forward_where_the_strict_one_rolls_back() {
    let strict = term("30 cd", Some(Roll::PreviousWorking));
    assert_eq!(due("2025-12-10", &strict, None).unwrap().due_on, day("2025-12-30"));
    assert_eq!(due("2025-12-10", &strict.lenient(), None).unwrap().due_on, day("2026-01-12"));
    assert_eq!(term("5 wd", None).lenient(), term("5 wd", None));
}
