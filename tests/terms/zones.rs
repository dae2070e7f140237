//! The zones of the country: eleven offsets, no daylight saving, three zones in Якутия, and the day that is the body's.

use crate::support::{at, day, performer, term};
use chrono::{NaiveTime, TimeDelta};
use mezhved::domain::term::{ClosesAt, Event, StartsOn, Term, compute};
use mezhved::domain::zone::Zone;

/// IANA name, hours ahead of UTC.
const ZONES: [(&str, i64); 19] = [
    ("Europe/Kaliningrad", 2),
    ("Europe/Moscow", 3),
    ("Europe/Simferopol", 3),
    ("Europe/Volgograd", 3),
    ("Europe/Samara", 4),
    ("Europe/Saratov", 4),
    ("Asia/Yekaterinburg", 5),
    ("Asia/Omsk", 6),
    ("Asia/Krasnoyarsk", 7),
    ("Asia/Barnaul", 7),
    ("Asia/Irkutsk", 8),
    ("Asia/Chita", 9),
    ("Asia/Yakutsk", 9),
    ("Asia/Vladivostok", 10),
    ("Asia/Ust-Nera", 10),
    ("Asia/Magadan", 11),
    ("Asia/Srednekolymsk", 11),
    ("Asia/Kamchatka", 12),
    ("Asia/Anadyr", 12),
];

#[test]
fn every_zone_keeps_its_offset_all_year() {
    for (name, hours) in ZONES {
        let zone = Zone::named(name).unwrap();
        for month in 1..=12 {
            let noon = zone.instant(chrono::NaiveDate::from_ymd_opt(2026, month, 15).unwrap(), NaiveTime::MIN);
            let utc = chrono::NaiveDate::from_ymd_opt(2026, month, 15).unwrap().and_time(NaiveTime::MIN).and_utc();
            assert_eq!(utc - noon, TimeDelta::hours(hours), "{name} in month {month}");
        }
    }
}

#[test]
fn the_same_term_ends_at_the_midnight_of_each_body() {
    // 05:00 UTC on Monday is Monday everywhere from Калининград to Камчатка.
    let event = Event::new(StartsOn::Registered, at("2026-03-02T05:00:00Z"));
    for (name, hours) in ZONES {
        let due = compute(&term("1 wd", None), &event, &performer(name, None)).unwrap();
        assert_eq!(due.due_on, day("2026-03-03"), "{name}");
        assert_eq!(due.due_at, at("2026-03-04T00:00:00Z") - TimeDelta::hours(hours), "{name}");
    }
}

#[test]
fn one_instant_is_friday_in_the_west_and_saturday_in_the_east() {
    // Friday 18:00 UTC: 20:00 in Калининград, 06:00 of Saturday in Петропавловск. The term begins the day after.
    let event = Event::new(StartsOn::Registered, at("2026-03-13T18:00:00Z"));
    for (name, hours) in ZONES {
        let due = compute(&term("3 cd", None), &event, &performer(name, None)).unwrap();
        let (event_on, due_on) = if hours < 6 { ("2026-03-13", "2026-03-16") } else { ("2026-03-14", "2026-03-17") };
        assert_eq!((due.protocol.event.local_on, due.due_on), (day(event_on), day(due_on)), "{name}");
        let working = compute(&term("1 wd", None), &event, &performer(name, None)).unwrap();
        assert_eq!(working.due_on, day("2026-03-16"), "{name}: Monday, whether it was Friday or Saturday there");
    }
}

#[test]
fn bodies_of_one_region_may_lie_in_three_zones() {
    let event = Event::new(StartsOn::Registered, at("2026-04-24T14:30:00Z"));
    let closing = ClosesAt::At(NaiveTime::from_hms_opt(17, 0, 0).unwrap());
    let term = Term { closes_at: closing, ..term("1 wd", None) };
    // Friday evening in Якутск, Saturday half past midnight and half past one further east; 27.04 is a day off.
    let due = |zone| compute(&term, &event, &performer(zone, Some("RU-SA"))).unwrap();
    for (zone, event_on, due_at) in [
        ("Asia/Yakutsk", "2026-04-24", "2026-04-28T17:00:00+09:00"),
        ("Asia/Ust-Nera", "2026-04-25", "2026-04-28T17:00:00+10:00"),
        ("Asia/Srednekolymsk", "2026-04-25", "2026-04-28T17:00:00+11:00"),
    ] {
        let found = due(zone);
        assert_eq!(found.protocol.event.local_on, day(event_on), "{zone}");
        assert_eq!(found.due_at, at(due_at), "{zone}");
        assert!(found.protocol.excluded.iter().any(|off| off.why.contains("День Республики Саха")), "{zone}");
    }
}
