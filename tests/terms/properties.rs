//! Properties that hold for every event and every count.

use crate::support::{calendars, due};
use chrono::{Days, NaiveDate};
use mezhved::domain::calendar::Calendar;
use mezhved::domain::term::{Roll, Term, Unit, Week, count};
use proptest::prelude::*;

fn event_days() -> impl Strategy<Value = NaiveDate> {
    let first = calendars().federal().covered_from();
    // Far enough from the beginning for every roll back over the New Year holidays, and from the end for every count.
    (9_u64..1000).prop_map(move |days| first + Days::new(days))
}

fn any_calendar() -> impl Strategy<Value = Calendar> {
    let regions = prop_oneof![Just(None), Just(Some("RU-TA")), Just(Some("RU-IRK"))];
    let weeks = prop_oneof![Just(Week::FiveDay), Just(Week::SixDay)];
    (regions, weeks).prop_map(|(region, week)| calendars().for_performer(region, week).unwrap())
}

fn dated_terms() -> impl Strategy<Value = Term> {
    prop_oneof![
        (1_u32..400).prop_map(|n| Term::new(Unit::CalendarDay, n)),
        (1_u32..50).prop_map(|n| Term::new(Unit::Week, n)),
        (1_u32..12).prop_map(|n| Term::new(Unit::Month, n)),
        (1_u32..4).prop_map(|n| Term::new(Unit::Quarter, n)),
        (1_u32..3).prop_map(|n| Term::new(Unit::PeriodEnd, n)),
    ]
}

fn rolled(term: &Term, roll: Roll, event: NaiveDate, calendar: &Calendar) -> NaiveDate {
    count(&Term { roll: Some(roll), ..term.clone() }, event, None, calendar).unwrap().due_on
}

/// Counting as a person does it, a day at a time: what the tables are measured against.
fn counted_by_hand(event: NaiveDate, n: u32, calendar: &Calendar) -> NaiveDate {
    let days = event.iter_days().skip(1).filter(|date| calendar.is_working(*date).unwrap());
    days.take(n as usize).last().unwrap()
}

proptest! {
    #[test]
    fn working_days_come_out_as_by_hand(event in event_days(), n in 1_u32..200, calendar in any_calendar()) {
        let found = count(&Term::new(Unit::WorkingDay, n), event, None, &calendar).unwrap().due_on;
        prop_assert_eq!(found, counted_by_hand(event, n, &calendar));
        prop_assert!(calendar.is_working(found).unwrap());
        prop_assert_eq!(calendar.working_days_between(event, found).unwrap(), n);
    }

    #[test]
    fn adding_n_then_m_working_days_is_adding_n_plus_m(
        event in event_days(), n in 1_i32..100, m in 1_i32..100, calendar in any_calendar()
    ) {
        let at_once = calendar.add_working_days(event, n + m).unwrap();
        let in_two = calendar.add_working_days(calendar.add_working_days(event, n).unwrap(), m).unwrap();
        prop_assert_eq!(at_once, in_two);
        prop_assert_eq!(calendar.add_working_days(at_once, -m).unwrap(), calendar.add_working_days(event, n).unwrap());
    }

    #[test]
    fn a_later_event_or_a_longer_term_is_never_due_earlier(
        event in event_days(), later in 0_u64..30, n in 1_u32..100, calendar in any_calendar()
    ) {
        for unit in [Unit::WorkingDay, Unit::CalendarDay] {
            let due = |event, n| count(&Term::new(unit, n), event, None, &calendar).unwrap().due_on;
            prop_assert!(due(event, n) <= due(event + Days::new(later), n));
            prop_assert!(due(event, n) <= due(event, n + 1));
        }
        let due = |n| count(&Term::new(Unit::WorkingDay, n), event, None, &calendar).unwrap().due_on;
        prop_assert!(due(n) < due(n + 1));
    }

    #[test]
    fn the_next_roll_is_not_before_the_raw_day_and_the_previous_not_after(
        event in event_days(), term in dated_terms(), calendar in any_calendar()
    ) {
        let raw = rolled(&term, Roll::None, event, &calendar);
        let next = rolled(&term, Roll::NextWorking, event, &calendar);
        let previous = rolled(&term, Roll::PreviousWorking, event, &calendar);
        prop_assert!(next >= raw && raw >= previous);
        prop_assert!(calendar.is_working(next).unwrap() && calendar.is_working(previous).unwrap());
        if calendar.is_working(raw).unwrap() {
            prop_assert!(next == raw && previous == raw);
        }
    }

    #[test]
    fn the_protocol_excludes_exactly_the_days_off_of_the_term(event in event_days(), n in 1_u32..60) {
        let found = due(&event.to_string(), &Term::new(Unit::WorkingDay, n), Some("RU-TA")).unwrap();
        let calendar = calendars().for_performer(Some("RU-TA"), Week::FiveDay).unwrap();
        let inside = event.iter_days().skip(1).take_while(|date| *date <= found.due_on);
        let off: Vec<NaiveDate> = inside.filter(|date| !calendar.is_working(*date).unwrap()).collect();
        let excluded: Vec<NaiveDate> = found.protocol.excluded.iter().map(|day| day.date).collect();
        prop_assert_eq!(&excluded, &off);
        let length = u32::try_from((found.due_on - event).num_days()).unwrap();
        prop_assert_eq!(excluded.len() + n as usize, length as usize);
        prop_assert!(found.protocol.excluded.iter().all(|day| !day.why.is_empty()));
    }

    #[test]
    fn rolled_over_days_are_days_off(event in event_days(), term in dated_terms()) {
        for roll in [Roll::NextWorking, Roll::PreviousWorking] {
            let found = due(&event.to_string(), &Term { roll: Some(roll), ..term.clone() }, None).unwrap().protocol;
            let distance = (found.due_on - found.raw_last_on).num_days().unsigned_abs();
            prop_assert_eq!(found.excluded.len() as u64, distance);
            prop_assert_eq!(found.roll.applied, distance > 0);
        }
    }
}
