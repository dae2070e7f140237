//! When each rung is due: the table of the ladder, by level of support, calendar, opening hour and lenient reading.

use crate::bodies::{body, world};
use crate::kit::{Story, TUESDAY, message, request, urgent};
use chrono::{DateTime, Duration, Timelike, Utc};
use mezhved::domain::escalation::{Course, Offset};
use mezhved::domain::rule::Urgency;
use proptest::prelude::*;

const END: &str = "2026-12-01T12:00:00+08:00";

fn climbed(performer: &str, urgency: Urgency, at: &str) -> Vec<String> {
    Story::of(urgent(request(&[performer]), urgency), at).climb(performer, END)
}

#[test]
fn at_the_normal_level_the_ladder_is_that_of_the_table() {
    let expected = [
        "Fri 20.03 08:30 fired 0",
        "Tue 24.03 08:30 fired 1",
        "Wed 25.03 08:30 fired 2",
        "Fri 27.03 08:30 prepared 3",
        "Tue 31.03 08:30 prepared 4",
        "Tue 07.04 08:30 prepared 5",
        "Tue 14.04 08:30 prepared 6",
    ];
    assert_eq!(climbed("school-1", Urgency::Normal, TUESDAY), expected);
}

#[test]
fn at_the_crisis_level_the_ladder_is_shorter() {
    let expected = [
        "Thu 19.03 08:30 fired 0",
        "Fri 20.03 08:30 fired 1",
        "Mon 23.03 08:30 fired 2",
        "Tue 24.03 08:30 prepared 3",
        "Wed 25.03 08:30 prepared 4",
        "Fri 27.03 08:30 prepared 5",
        "Wed 01.04 08:30 prepared 6",
    ];
    assert_eq!(climbed("school-1", Urgency::Urgent, TUESDAY), expected);
}

#[test]
fn at_the_emergency_level_hours_count_from_the_end_of_the_term() {
    // Due on Wednesday at 24:00; half of the 36 hours, one, four and eight hours after, one and two working days after.
    let expected = [
        "Wed 18.03 06:00 fired 0",
        "Wed 18.03 08:30 fired 1",
        "Thu 19.03 01:00 fired 2",
        "Thu 19.03 04:00 prepared 3",
        "Thu 19.03 08:00 prepared 4",
        "Thu 19.03 08:30 prepared 5",
        "Fri 20.03 08:30 prepared 6",
    ];
    assert_eq!(climbed("school-1", Urgency::Emergency, TUESDAY), expected);
}

#[test]
fn the_ladder_goes_by_the_calendar_and_the_opening_hour_of_the_body_that_owes() {
    let six = climbed("school-six", Urgency::Normal, TUESDAY);
    let expected = ["Fri 20.03 08:00 fired 0", "Mon 23.03 08:00 fired 1", "Tue 24.03 08:00 fired 2"];
    assert_eq!(six[..3], expected, "by a six-day week, at eight in Yakutsk");
    let ta = climbed("school-ta", Urgency::Normal, TUESDAY);
    assert_eq!(ta[0], "Mon 23.03 09:00 fired 0", "at nine in Kazan; Friday is a holiday there");
}

#[test]
fn after_hours_the_accusing_rungs_count_from_the_lenient_reading() {
    let expected = [
        "Fri 20.03 08:30 fired 0",
        "Tue 24.03 08:30 fired 1",
        "Wed 25.03 08:30 fired 2",
        "Mon 30.03 08:30 prepared 3",
        "Wed 01.04 08:30 prepared 4",
        "Wed 08.04 08:30 prepared 5",
        "Wed 15.04 08:30 prepared 6",
    ];
    assert_eq!(climbed("school-1", Urgency::Normal, "2026-03-17T20:00:00+08:00"), expected);
}

#[test]
fn after_hours_the_steps_of_an_emergency_stay_apart() {
    // Strictly due on Wednesday, leniently on Thursday: no letter before, and not all four in one minute after. The half
    // of the term would come after the morning of its last day, so it has nothing to say.
    let expected = [
        "Wed 18.03 08:30 fired 1",
        "Thu 19.03 01:00 fired 2",
        "Fri 20.03 04:00 prepared 3",
        "Fri 20.03 08:00 prepared 4",
        "Fri 20.03 08:30 prepared 5",
        "Mon 23.03 08:30 prepared 6",
    ];
    assert_eq!(climbed("school-1", Urgency::Emergency, "2026-03-17T20:00:00+08:00"), expected);
}

#[test]
fn a_term_too_short_for_an_early_warning_has_none() {
    let mut short = request(&["school-1"]);
    short.rule.answer.as_mut().unwrap().term.n = 1;
    assert_eq!(Story::of(short, TUESDAY).rungs("school-1"), [(1, "planned")]);
}

#[test]
fn what_the_centre_owes_climbs_inward_and_writes_to_nobody() {
    let referral = message("request", "signal.referral", "school-1", &["centre"]);
    let mut story = Story::of(referral, TUESDAY);
    assert_eq!(story.due_on("centre"), "2026-03-31");
    let climbed = story.clone().climb("centre", END);
    assert_eq!(climbed, ["Thu 26.03 09:00 fired 0", "Tue 31.03 09:00 fired 1", "Wed 01.04 09:00 fired 2"]);
    for at in ["2026-03-26T09:00:00+08:00", "2026-03-31T09:00:00+08:00", "2026-04-01T09:00:00+08:00"] {
        assert!(story.go(at).sweep("centre").letters.is_empty());
    }
    assert_eq!((story.alert("centre").rung, story.alert("centre").code()), (2, "open"));
}

fn opened(urgency: Urgency, minutes: i64, performer: &str) -> Story {
    let start: DateTime<Utc> = "2025-01-13T00:00:00Z".parse().unwrap();
    let at = (start + Duration::minutes(minutes)).to_rfc3339();
    Story::of(urgent(request(&[performer]), urgency), &at)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_rung_is_due_before_its_right(
        urgency in prop_oneof![Just(Urgency::Normal), Just(Urgency::Urgent), Just(Urgency::Emergency)],
        minutes in 0_i64..(60 * 24 * 660),
        performer in prop_oneof![Just("school-1"), Just("school-ta"), Just("school-six")],
    ) {
        let story = opened(urgency, minutes, performer);
        let (body, obligation) = (body(performer), &story.duty(performer).obligation);
        let calendar = world().calendars.for_performer(body.region.as_deref(), body.week).unwrap();
        let course = Course::new(&world().ladders.outward, &calendar, body);
        let mut before = None;
        for policy in &course.ladder.rungs {
            let at = course.due_at(policy, obligation).unwrap();
            prop_assert!(policy.no < 2 || at > obligation.due_at(), "rung {} at {at}", policy.no);
            prop_assert!(policy.no < 3 || at > obligation.lenient_at(), "rung {} at {at}", policy.no);
            prop_assert!(policy.no < 2 || before.is_none_or(|before| at >= before), "rung {} at {at}", policy.no);
            before = Some(at);
            let offset = match urgency {
                Urgency::Normal => policy.normal,
                Urgency::Urgent => policy.urgent,
                Urgency::Emergency => policy.emergency,
            };
            if let Offset::WorkingDays(_) = offset {
                let local = body.zone.local(at);
                prop_assert_eq!(local.time(), body.hours.opens);
                prop_assert!(calendar.is_working(local.date()).unwrap() && local.hour() > 0);
            }
        }
    }
}
