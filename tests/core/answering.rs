//! What closes an obligation: answers in time and late, nil and interim ones, refusals with reasons.

use crate::kit::{Story, TUESDAY, day, id, instant, kinds, message, reply, request, stating, watched_request};
use mezhved::domain::decide::act::Act;
use mezhved::domain::obligation::Fact;
use mezhved::domain::rule::BodyFacts;

#[test]
fn a_reply_in_time_closes_the_obligation() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let decision = story.go("2026-03-24T23:59:59+08:00").receive(reply("reply", "school-1"));
    assert_eq!(story.state("school-1"), "fulfilled");
    assert_eq!(kinds(&decision), ["message.registered", "obligation.changed", "obligation.closed"]);
    assert_eq!(story.duty("school-1").obligation.closed_at(), Some(instant("2026-03-24T23:59:59+08:00")));
}

#[test]
fn a_reply_at_the_last_instant_of_the_term_is_in_time_and_one_after_it_is_late() {
    let state = |at: &str| {
        let mut story = Story::of(request(&["school-1"]), TUESDAY);
        story.go(at).receive(reply("reply", "school-1"));
        story.state("school-1")
    };
    assert_eq!(state("2026-03-25T00:00:00+08:00"), "fulfilled");
    assert_eq!(state("2026-03-25T00:00:00.000001+08:00"), "fulfilled_late");
}

#[test]
fn a_reply_after_the_due_date_closes_the_obligation_as_late() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.go("2026-06-01T12:00:00+08:00").receive(reply("reply", "school-1"));
    assert_eq!(story.state("school-1"), "fulfilled_late");
    assert_eq!(story.rungs("school-1"), [(0, "cancelled")]);
}

#[test]
fn an_answer_that_only_the_controller_releases_lies_with_the_controller() {
    let mut story = Story::of(watched_request(&["school-1"]), TUESDAY);
    story.go("2026-03-18T10:00:00+08:00").receive(reply("reply", "school-1"));
    assert_eq!(story.state("school-1"), "answered");
    assert_eq!(story.duty("school-1").obligation.closed_at(), None);
    story.go("2026-04-10T10:00:00+08:00").act("school-1", Act::Release).unwrap();
    assert_eq!(story.state("school-1"), "fulfilled", "the day of the release does not make the answer late");
    assert_eq!(story.duty("school-1").obligation.closed_at(), Some(instant("2026-04-10T10:00:00+08:00")));
}

#[test]
fn a_reply_that_is_decided_twice_is_one_fact_and_says_nothing_twice() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.go("2026-03-18T10:00:00+08:00").receive(reply("reply", "school-1"));
    let before = story.exchange.clone();
    let again = story.go("2026-05-18T10:00:00+08:00").receive(reply("reply", "school-1"));
    assert_eq!(story.exchange, before);
    assert_eq!(kinds(&again), ["message.registered"]);
}

#[test]
fn a_second_reply_in_words_of_its_own_is_kept_and_changes_no_state() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.go("2026-03-18T10:00:00+08:00").receive(reply("reply", "school-1"));
    story.go("2026-05-18T10:00:00+08:00").receive(reply("supplement", "school-1"));
    let obligation = &story.duty("school-1").obligation;
    assert_eq!((obligation.facts.len(), story.state("school-1")), (2, "fulfilled"));
    assert_eq!(obligation.closed_at(), Some(instant("2026-03-18T10:00:00+08:00")), "later facts do not move the close");
}

#[test]
fn a_nil_reply_is_an_answer_and_is_remembered_as_nil() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let nil = BodyFacts { no_data: true, ..BodyFacts::default() };
    story.go("2026-03-18T10:00:00+08:00").receive(stating(reply("reply", "school-1"), nil));
    assert_eq!(story.state("school-1"), "fulfilled");
    let at = instant("2026-03-18T10:00:00+08:00");
    assert_eq!(
        story.duty("school-1").obligation.facts,
        [Fact::Answered { message: id("reply"), at, nil: true, on: None }]
    );
}

#[test]
fn an_interim_reply_is_recorded_and_closes_nothing() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let interim = message("interim", "control.interim-reply", "school-1", &["centre"]);
    let facts = BodyFacts { expected_on: Some(day("2026-04-30")), ..BodyFacts::default() };
    let rungs = story.rungs("school-1");
    story.go("2026-03-18T10:00:00+08:00").receive(stating(interim, facts));
    assert_eq!((story.state("school-1"), story.due_on("school-1")), ("running", "2026-03-24".to_owned()));
    assert_eq!(story.rungs("school-1"), rungs);
    assert!(matches!(story.duty("school-1").obligation.facts[..], [Fact::Interim { expected_on: Some(_), .. }]));
}

#[test]
fn a_reasoned_refusal_waits_for_the_release_of_the_controller_also_where_answers_do_not() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let refusal = message("refusal", "control.reasoned-refusal", "school-1", &["centre"]);
    story.go("2026-03-18T10:00:00+08:00").receive(refusal);
    assert_eq!((story.state("school-1"), story.rungs("school-1")), ("answered", vec![(0, "cancelled")]));
    story.go("2026-03-19T10:00:00+08:00").act("school-1", Act::Release).unwrap();
    assert_eq!(story.state("school-1"), "refused");
    assert_eq!(story.duty("school-1").obligation.closed_at(), Some(instant("2026-03-19T10:00:00+08:00")));
}

#[test]
fn a_reasoned_refusal_that_the_controller_sends_back_leaves_the_answer_owed() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let refusal = message("refusal", "control.reasoned-refusal", "school-1", &["centre"]);
    story.go("2026-03-18T10:00:00+08:00").receive(refusal);
    let back = Act::Return { answer: None, reason: "вопрос в вашей компетенции".into() };
    story.go("2026-03-19T10:00:00+08:00").act("school-1", back).unwrap();
    assert_eq!(story.state("school-1"), "running");
}

#[test]
fn an_answer_after_a_refusal_is_an_answer() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.receive(message("refusal", "control.reasoned-refusal", "school-1", &["centre"]));
    story.go("2026-03-19T10:00:00+08:00").receive(reply("reply", "school-1"));
    assert_eq!(story.state("school-1"), "fulfilled");
}

#[test]
fn one_school_that_answers_leaves_the_others_owing() {
    let mut story = Story::of(request(&["school-1", "school-ta"]), TUESDAY);
    story.receive(reply("reply", "school-1"));
    assert_eq!((story.state("school-1"), story.state("school-ta")), ("fulfilled", "running"));
}

#[test]
fn a_reply_that_overtook_its_request_answers_it_when_it_comes() {
    let mut story = Story::at(TUESDAY);
    let parked = story.receive(reply("reply", "school-1"));
    assert_eq!(kinds(&parked), ["message.registered", "message.parked"]);
    let opened = story.go("2026-03-18T10:00:00+08:00").receive(request(&["school-1"]));
    assert_eq!((story.state("school-1"), story.exchange.parked.len()), ("fulfilled", 0));
    assert_eq!(opened.opened.len(), 1);
}

#[test]
fn a_parked_reply_that_comes_again_waits_once() {
    let mut story = Story::at(TUESDAY);
    story.receive(reply("reply", "school-1"));
    story.receive(reply("reply", "school-1"));
    assert_eq!(story.exchange.parked.len(), 1);
}

#[test]
fn only_so_many_messages_wait_for_a_request_that_never_comes() {
    let mut story = Story::at(TUESDAY);
    let taken = (0..1000).take_while(|n| story.try_receive(reply(&format!("reply {n}"), "school-1")).is_ok()).count();
    assert_eq!(taken, 256);
    let refusal = story.try_receive(reply("one more", "school-1")).unwrap_err();
    assert_eq!(refusal.code(), "too_many_parked");
}
