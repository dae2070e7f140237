//! The alert: one per obligation, risen by rungs, taken by people, resolved by the answer.

use crate::kit::{Story, TUESDAY, instant, kinds, reply, request};
use mezhved::domain::alert::AlertState;
use mezhved::domain::decision::Refusal;

/// The story at its reminder, with an alert.
fn late() -> Story {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.climb("school-1", "2026-03-25T12:00:00+08:00");
    story
}

#[test]
fn one_alert_rises_with_the_rungs_and_remembers_when_it_was_raised() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    assert!(story.duty("school-1").alert.is_none());
    let mut rungs = Vec::new();
    for at in ["2026-03-20", "2026-03-24", "2026-03-25", "2026-03-27"] {
        story.climb("school-1", &format!("{at}T12:00:00+08:00"));
        rungs.push((story.alert("school-1").rung, story.alert("school-1").code()));
        assert_eq!(story.alert("school-1").raised_at, instant("2026-03-20T08:30:00+08:00"));
    }
    assert_eq!(rungs, [(0, "open"), (1, "open"), (2, "open"), (3, "open")]);
}

#[test]
fn an_alert_is_taken_with_an_owner_and_an_end() {
    let mut story = late();
    let decision = story.acknowledge("school-1", "2026-03-26T18:00:00+08:00").unwrap();
    assert_eq!(kinds(&decision), ["alert.acknowledged"]);
    let AlertState::Acknowledged { owner, until, .. } = &story.alert("school-1").state else { panic!("not taken") };
    assert_eq!((owner.as_str(), *until), ("koordinator", instant("2026-03-26T18:00:00+08:00")));
}

#[test]
fn an_acknowledgement_lapses_by_itself() {
    let mut story = late();
    story.acknowledge("school-1", "2026-03-26T18:00:00+08:00").unwrap();
    assert!(story.go("2026-03-26T17:59:59+08:00").sweep("school-1").events.is_empty());
    assert_eq!(story.alert("school-1").code(), "acknowledged");
    assert_eq!(kinds(&story.go("2026-03-26T18:00:00+08:00").sweep("school-1")), ["alert.lapsed"]);
    assert_eq!((story.alert("school-1").code(), story.alert("school-1").rung), ("open", 2));
    assert!(story.sweep("school-1").events.is_empty(), "it lapses once");
}

#[test]
fn an_acknowledgement_moves_neither_the_ladder_nor_the_due_date() {
    let mut story = late();
    let (rungs, due_at) = (story.duty("school-1").rungs.clone(), story.duty("school-1").obligation.due_at());
    story.acknowledge("school-1", "2026-04-20T18:00:00+08:00").unwrap();
    assert_eq!((&story.duty("school-1").rungs, story.duty("school-1").obligation.due_at()), (&rungs, due_at));
    assert_eq!(story.climb("school-1", "2026-03-27T12:00:00+08:00"), ["Fri 27.03 08:30 prepared 3"]);
}

#[test]
fn the_next_rung_opens_an_acknowledged_alert_again() {
    let mut story = late();
    story.acknowledge("school-1", "2026-04-20T18:00:00+08:00").unwrap();
    story.climb("school-1", "2026-03-27T12:00:00+08:00");
    assert_eq!((story.alert("school-1").code(), story.alert("school-1").rung), ("open", 3));
}

#[test]
fn an_answer_resolves_the_alert_once() {
    let mut story = late();
    let answered = story.receive(reply("reply", "school-1"));
    let expected = ["message.registered", "obligation.changed", "alert.resolved", "obligation.closed"];
    assert_eq!((kinds(&answered), story.alert("school-1").code()), (expected.map(str::to_owned).to_vec(), "resolved"));
    let again = story.receive(reply("second", "school-1"));
    assert_eq!(kinds(&again), ["message.registered", "obligation.changed"]);
}

#[test]
fn an_acknowledgement_after_the_resolution_does_nothing() {
    let mut story = late();
    story.receive(reply("reply", "school-1"));
    let before = story.exchange.clone();
    let refusal = story.acknowledge("school-1", "2026-03-26T18:00:00+08:00").unwrap_err();
    assert_eq!((refusal, &story.exchange), (Refusal::UnknownAlert, &before));
}

#[test]
fn an_acknowledgement_that_runs_while_the_answer_comes_does_not_reopen_the_alert() {
    let mut story = late();
    story.acknowledge("school-1", "2026-03-26T18:00:00+08:00").unwrap();
    story.receive(reply("reply", "school-1"));
    story.go("2026-03-27T18:00:00+08:00").sweep("school-1");
    assert_eq!(story.alert("school-1").code(), "resolved");
}

#[test]
fn an_acknowledgement_ends_in_the_future_and_within_thirty_days() {
    let mut story = late();
    for until in ["2026-03-25T12:00:00+08:00", "2026-03-01T12:00:00+08:00", "2026-04-24T12:00:01+08:00"] {
        assert_eq!(story.acknowledge("school-1", until).unwrap_err(), Refusal::BadAcknowledgementEnd, "{until}");
    }
    story.acknowledge("school-1", "2026-04-24T12:00:00+08:00").unwrap();
}

#[test]
fn there_is_nothing_to_acknowledge_before_the_first_rung() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let refusal = story.acknowledge("school-1", "2026-03-18T12:00:00+08:00").unwrap_err();
    assert_eq!(refusal, Refusal::UnknownAlert);
}

#[test]
fn an_alert_of_a_returned_answer_is_raised_anew() {
    let mut story = late();
    story.receive(reply("reply", "school-1"));
    let back = mezhved::domain::decide::act::Act::Return { answer: None, reason: "неполно".into() };
    story.act("school-1", back).unwrap();
    assert_eq!(story.alert("school-1").code(), "resolved", "no rung has come since");
    story.climb("school-1", "2026-03-31T12:00:00+08:00");
    let alert = story.alert("school-1");
    assert_eq!((alert.code(), alert.rung), ("open", 3));
    assert_eq!(alert.raised_at, instant("2026-03-30T08:30:00+08:00"));
}
