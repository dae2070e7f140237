//! What is ours to answer for: outages, clocks set back, letters that we could not deliver, ladders that we change.

use crate::bodies::{World, bodies, world};
use crate::kit::{Story, TUESDAY, kinds, message, request, rungs_of};
use mezhved::domain::decision::Ladders;
use mezhved::domain::escalation::Offset;

#[test]
fn a_ten_day_outage_fires_only_the_highest_rung_and_records_the_skipped() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    assert_eq!(story.climb("school-1", "2026-03-23T12:00:00+08:00"), ["Fri 20.03 08:30 fired 0"]);
    let decision = story.go("2026-04-02T12:00:00+08:00").sweep("school-1");
    assert_eq!(rungs_of(&decision), ["skipped 1", "skipped 2", "skipped 3", "prepared 4"]);
    assert!(decision.letters.is_empty(), "no heap of reminders");
    let rows = [(0, "fired"), (1, "skipped"), (2, "skipped"), (3, "skipped"), (4, "prepared"), (5, "planned")];
    assert_eq!(story.rungs("school-1"), rows);
    assert!(rungs_of(&story.sweep("school-1")).is_empty());
    assert_eq!(story.climb("school-1", "2026-04-07T12:00:00+08:00"), ["Tue 07.04 08:30 prepared 5"]);
}

#[test]
fn a_gateway_that_slept_over_the_answer_fires_nothing() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.go("2026-04-30T12:00:00+08:00").receive(crate::kit::reply("reply", "school-1"));
    assert!(story.sweep("school-1").events.is_empty());
    assert!(story.duty("school-1").alert.is_none());
}

#[test]
fn a_clock_set_back_fires_nothing_again() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.climb("school-1", "2026-03-25T12:00:00+08:00");
    let before = story.exchange.clone();
    for back in ["2026-03-24T12:00:00+08:00", "2025-03-24T12:00:00+08:00", "2026-03-25T12:00:00+08:00"] {
        let decision = story.go(back).sweep("school-1");
        assert!(decision.events.is_empty() && decision.letters.is_empty());
    }
    assert_eq!(story.exchange, before);
    assert_eq!(story.climb("school-1", "2026-03-27T12:00:00+08:00"), ["Fri 27.03 08:30 prepared 3"]);
}

#[test]
fn a_clock_set_back_takes_no_prepared_letter_off() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.climb("school-1", "2026-03-27T12:00:00+08:00");
    let interim = message("interim", "control.interim-reply", "school-1", &["centre"]);
    story.go("2026-03-26T12:00:00+08:00").receive(interim);
    assert_eq!(story.rungs("school-1")[3..], [(3, "prepared"), (4, "planned")]);
}

#[test]
fn an_undelivered_letter_is_reminded_of_but_nobody_is_accused_until_it_is_there() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let mut told = Vec::new();
    for at in ["2026-03-20", "2026-03-24", "2026-03-25", "2026-03-27", "2026-03-30", "2026-03-31", "2026-04-01"] {
        story.go(&format!("{at}T12:00:00+08:00"));
        told.extend(rungs_of(&story.try_sweep("school-1", false).unwrap()));
    }
    assert_eq!(told, ["fired 0", "fired 1", "fired 2", "held 3", "held 3", "held 3", "held 3"]);
    let planned = story.duty("school-1").rungs.planned().unwrap();
    assert_eq!(planned.planned_at, crate::kit::instant("2026-04-02T08:30:00+08:00"), "asked again each working day");
    story.now = planned.planned_at;
    assert_eq!(rungs_of(&story.sweep("school-1")), ["skipped 3", "prepared 4"]);
}

#[test]
fn what_is_delivered_before_the_next_working_day_is_accused_of_on_that_day() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.climb("school-1", "2026-03-26T12:00:00+08:00");
    let held = story.go("2026-03-27T09:00:00+08:00").try_sweep("school-1", false).unwrap();
    assert_eq!((kinds(&held), story.alert("school-1").rung), (vec!["rung.held".to_owned()], 2));
    assert_eq!(story.climb("school-1", "2026-03-30T12:00:00+08:00"), ["Mon 30.03 08:30 prepared 3"]);
}

#[test]
fn an_outage_and_a_failed_delivery_together_still_remind() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let decision = story.go("2026-03-28T12:00:00+08:00").try_sweep("school-1", false).unwrap();
    assert_eq!(rungs_of(&decision), ["held 3", "skipped 0", "skipped 1", "fired 2"]);
    assert_eq!(decision.letters.len(), 1);
}

fn with_ladders(change: impl FnOnce(&mut Ladders)) -> &'static World {
    let mut ladders = world().ladders.clone();
    change(&mut ladders);
    let World { calendars, .. } = world();
    let policies = mezhved::gateway::policy::Policies::of(mezhved::catalogue::Catalogue::builtin()).unwrap();
    let directory = bodies().into_iter().collect();
    Box::leak(Box::new(World { directory, calendars: calendars.clone(), ladders, policies }))
}

#[test]
fn a_ladder_that_was_made_milder_meanwhile_fires_no_rung_early() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.world = with_ladders(|ladders| ladders.outward.rungs[0].normal = Offset::WorkingDays(-1));
    let climbed = story.climb("school-1", "2026-03-24T12:00:00+08:00");
    assert_eq!(climbed, ["Mon 23.03 08:30 fired 0", "Tue 24.03 08:30 fired 1"]);
}

#[test]
fn a_ladder_cannot_make_the_gateway_accuse_by_itself() {
    let mut story = Story::at(TUESDAY);
    story.world = with_ladders(|ladders| ladders.outward.rungs.iter_mut().for_each(|rung| rung.needs_decision = false));
    story.receive(request(&["school-1"]));
    let climbed = story.climb("school-1", "2026-04-14T12:00:00+08:00");
    assert!(climbed[3..].iter().all(|rung| rung.contains("prepared")), "{climbed:?}");
}

#[test]
fn a_ladder_whose_rungs_stand_in_any_order_is_the_same_ladder() {
    let mut story = Story::at(TUESDAY);
    story.world = with_ladders(|ladders| ladders.outward.rungs.reverse());
    story.receive(request(&["school-1"]));
    let mut plain = Story::of(request(&["school-1"]), TUESDAY);
    let until = "2026-04-14T12:00:00+08:00";
    assert_eq!(story.climb("school-1", until), plain.climb("school-1", until));
}

#[test]
fn a_rung_that_the_ladder_has_no_more_does_not_stop_the_others() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.world = with_ladders(|ladders| ladders.outward.rungs.retain(|policy| policy.no != 0));
    let climbed = story.climb("school-1", "2026-03-25T12:00:00+08:00");
    assert_eq!(climbed, ["Tue 24.03 08:30 fired 1", "Wed 25.03 08:30 fired 2"]);
}
