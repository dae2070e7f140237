//! The sweep: each rung fires once, in its time, and never for what is not owed.

use crate::kit::{Story, TUESDAY, decline, message, minutes, reply, request, rungs_of, send};
use chrono::{DateTime, Utc};
use mezhved::domain::decide::act::Act;
use mezhved::domain::decision::Refusal;
use mezhved::domain::escalation::RungState;
use proptest::prelude::*;

const END: &str = "2026-12-01T12:00:00+08:00";

#[test]
fn a_rung_fires_once_however_often_it_is_swept() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.climb("school-1", "2026-03-25T08:29:59+08:00");
    assert!(rungs_of(&story.sweep("school-1")).is_empty());
    story.go("2026-03-25T08:30:00+08:00");
    assert_eq!(rungs_of(&story.sweep("school-1")), ["fired 2"]);
    let after = story.exchange.clone();
    for _ in 0..5 {
        let again = story.sweep("school-1");
        assert!(again.events.is_empty() && again.letters.is_empty());
    }
    assert_eq!(story.exchange, after);
}

#[test]
fn the_reminders_are_sent_and_from_the_third_rung_nothing_is_sent_by_itself() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let mut sent = Vec::new();
    while let Some(at) = story.duty("school-1").rungs.planned().map(|rung| rung.planned_at) {
        story.now = at;
        sent.push(story.sweep("school-1").letters.len());
    }
    assert_eq!(sent, [1, 0, 1, 0, 0, 0, 0]);
    let prepared = [(3, "cancelled"), (4, "cancelled"), (5, "cancelled"), (6, "prepared")];
    assert_eq!(story.rungs("school-1")[3..], prepared, "one letter waits at a time");
}

#[test]
fn an_answered_obligation_never_climbs() {
    let answered: [fn() -> Story; 3] = [
        || {
            let mut story = Story::of(request(&["school-1"]), TUESDAY);
            story.receive(reply("reply", "school-1"));
            story
        },
        || {
            let mut story = Story::of(crate::kit::watched_request(&["school-1"]), TUESDAY);
            story.receive(reply("reply", "school-1"));
            story
        },
        || {
            let mut story = Story::of(request(&["school-1"]), TUESDAY);
            story.receive(message("refusal", "control.reasoned-refusal", "school-1", &["centre"]));
            story
        },
    ];
    for answered in answered {
        let mut story = answered();
        assert!(story.climb("school-1", END).is_empty());
        let before = story.exchange.clone();
        assert!(story.sweep("school-1").events.is_empty());
        assert_eq!(story.exchange, before);
    }
}

#[test]
fn an_answer_while_a_letter_waits_takes_the_letter_off() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.climb("school-1", "2026-03-28T12:00:00+08:00");
    story.receive(reply("reply", "school-1"));
    assert_eq!(story.rungs("school-1").last().unwrap(), &(3, "cancelled"));
    assert_eq!(story.decide_rung("school-1", 3, send()).unwrap_err(), Refusal::RungNotPrepared(3));
}

#[test]
fn approving_a_prepared_letter_sends_it_once() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.climb("school-1", "2026-03-27T12:00:00+08:00");
    assert_eq!(story.decide_rung("school-1", 3, send()).unwrap().letters.len(), 1);
    assert!(matches!(&story.duty("school-1").rungs.row(3).unwrap().state,
        RungState::Approved { by, .. } if by == "koordinator"));
    for second in [send(), decline()] {
        assert_eq!(story.decide_rung("school-1", 3, second).unwrap_err(), Refusal::RungNotPrepared(3));
    }
    assert_eq!(story.rungs("school-1").last().unwrap(), &(4, "planned"), "the ladder goes on");
}

#[test]
fn declining_a_prepared_letter_sends_none_and_the_ladder_goes_on() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.climb("school-1", "2026-03-27T12:00:00+08:00");
    assert!(story.decide_rung("school-1", 3, decline()).unwrap().letters.is_empty());
    assert!(matches!(&story.duty("school-1").rungs.row(3).unwrap().state,
        RungState::Declined { reason, .. } if reason == "созвонились"));
    assert_eq!(story.decide_rung("school-1", 3, send()).unwrap_err(), Refusal::RungNotPrepared(3));
    assert_eq!(story.climb("school-1", "2026-03-31T12:00:00+08:00"), ["Tue 31.03 08:30 prepared 4"]);
}

#[test]
fn a_rung_that_is_not_prepared_cannot_be_decided() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    for no in [0, 3, 9] {
        assert_eq!(story.decide_rung("school-1", no, send()).unwrap_err(), Refusal::RungNotPrepared(no));
    }
}

#[test]
fn a_rung_without_an_addressee_says_which_key_of_the_record_is_missing() {
    let mut story = Story::of(request(&["school-alone"]), TUESDAY);
    story.climb("school-alone", "2026-04-15T12:00:00+08:00");
    let refusal = story.decide_rung("school-alone", 6, send()).unwrap_err();
    assert_eq!(refusal, Refusal::RungWithoutAddressee(6, "prosecutor"));
    assert!(refusal.to_string().contains("set `prosecutor`"), "{refusal}");
    assert_eq!(story.rungs("school-alone").last().unwrap(), &(6, "prepared"), "it waits until somebody is named");
    story.decide_rung("school-alone", 6, decline()).unwrap();
}

#[test]
fn a_released_and_a_void_obligation_do_not_climb() {
    let acts = [Act::Release, Act::Void { reason: "ошибка".into(), second: "direktor".into() }];
    for act in acts {
        let mut story = Story::of(request(&["school-1"]), TUESDAY);
        story.act("school-1", act).unwrap();
        assert!(story.climb("school-1", END).is_empty());
    }
}

/// The instants at which rungs may fire, by the ladder that never sleeps.
fn times() -> Vec<(String, DateTime<Utc>)> {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let mut times = Vec::new();
    while let Some(at) = story.duty("school-1").rungs.planned().map(|rung| rung.planned_at) {
        story.now = at;
        times.push((rungs_of(&story.sweep("school-1")).pop().unwrap(), at));
    }
    times
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn swept_at_any_instants_no_rung_fires_twice_or_before_its_time(
        steps in proptest::collection::vec((-2000_i64..20_000, any::<bool>()), 1..40),
    ) {
        let times = times();
        let mut story = Story::of(request(&["school-1"]), TUESDAY);
        let mut told: Vec<String> = Vec::new();
        for (step, delivered) in steps {
            // Backwards too: a clock may be set back.
            story.now += minutes(step);
            let now = story.now;
            for rung in rungs_of(&story.try_sweep("school-1", delivered).unwrap()) {
                if rung.starts_with("held") {
                    prop_assert!(!delivered);
                    continue;
                }
                let no = rung.rsplit(' ').next().unwrap().to_owned();
                let (proper, at) = times.iter().find(|(proper, _)| proper.ends_with(&no)).unwrap();
                prop_assert!(*at <= now, "{rung} at {now}, its time is {at}");
                prop_assert!(rung == *proper || rung.starts_with("skipped"), "{rung}");
                prop_assert!(delivered || proper.starts_with("fired"), "{rung} although undelivered");
                prop_assert!(told.iter().all(|old| *old != no), "{rung} a second time");
                told.push(no);
            }
            let planned = story.duty("school-1").rungs.rows.iter().filter(|row| row.state == RungState::Planned);
            prop_assert!(planned.count() <= 1);
        }
    }

}

proptest! {
    // Each case is a month of sweeps.
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn swept_often_enough_every_rung_fires_and_none_is_skipped(pause in 10_i64..(60 * 15)) {
        let mut story = Story::of(request(&["school-1"]), TUESDAY);
        let mut told: Vec<String> = Vec::new();
        for _ in 0..(60 * 24 * 32 / pause) {
            story.now += minutes(pause);
            told.extend(rungs_of(&story.sweep("school-1")));
        }
        let all = ["fired 0", "fired 1", "fired 2", "prepared 3", "prepared 4", "prepared 5", "prepared 6"];
        prop_assert_eq!(told, all);
    }
}
