//! A question back stops the clock where the policy allows it, and its answer starts it again with the days kept.

use crate::kit::{Story, TUESDAY, extension, id, message, reply, request};
use chrono::Duration;
use mezhved::domain::decide::act::Act;
use mezhved::domain::decision::{Arrived, Refusal};
use mezhved::domain::term::{Left, Remark, Term, Unit};

fn question(name: &str) -> Arrived {
    message(name, "control.clarification-request", "school-1", &["centre"])
}

fn clarification(name: &str, of: &str) -> Arrived {
    Arrived { in_reply_to: Some(id(of)), ..message(name, "control.clarification", "centre", &["school-1"]) }
}

fn in_terms_of(term: Term) -> Arrived {
    let mut request = request(&["school-1"]);
    request.rule.answer.as_mut().unwrap().term = term;
    request
}

/// Asked on Friday 20.03, the third of five working days; Monday and Tuesday are left.
fn asked_on_the_third_day() -> Story {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.go("2026-03-20T10:00:00+08:00").receive(question("question"));
    story
}

#[test]
fn a_school_that_asks_on_the_third_day_of_five_has_two_working_days_after_the_answer() {
    let mut story = asked_on_the_third_day();
    assert_eq!(story.state("school-1"), "suspended");
    let decision = story.go("2026-03-27T15:00:00+08:00").receive(clarification("clarification", "question"));
    assert_eq!((story.state("school-1"), story.due_on("school-1")), ("running", "2026-03-31".to_owned()));
    assert_eq!(decision.events.last().unwrap().detail.as_deref(), Some("running"));
    let one = &story.duty("school-1").obligation;
    let protocol = &one.pauses[0].resumed.as_ref().unwrap().due.protocol;
    assert_eq!(protocol.rule.term.n, 2);
    let [Remark::ClockStopped { stopped_on, resumed_on, left }] = protocol.remarks[..] else { panic!("{protocol:?}") };
    assert_eq!((stopped_on.to_string(), resumed_on.to_string()), ("2026-03-20".to_owned(), "2026-03-27".to_owned()));
    assert_eq!(left, Left::WorkingDays(2));
    assert!(protocol.explanation().last().unwrap().contains("оставалось: 2 рабочих дня"), "{protocol:?}");
    assert_eq!(one.due.on.to_string(), "2026-03-24", "the date it was born with stays on record");
}

#[test]
fn no_rung_fires_while_the_clock_stands_and_the_ladder_begins_anew_when_it_runs() {
    let mut story = asked_on_the_third_day();
    assert_eq!(story.climb("school-1", "2026-04-30T12:00:00+08:00"), Vec::<String>::new());
    let mut story = asked_on_the_third_day();
    story.go("2026-03-27T15:00:00+08:00").receive(clarification("clarification", "question"));
    let climbed = story.climb("school-1", "2026-04-03T12:00:00+08:00");
    assert_eq!(climbed, ["Tue 31.03 08:30 fired 1", "Wed 01.04 08:30 fired 2", "Fri 03.04 08:30 prepared 3"]);
}

#[test]
fn a_question_takes_off_the_alert_of_the_early_warning() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.climb("school-1", "2026-03-23T12:00:00+08:00");
    assert_eq!(story.alert("school-1").code(), "open");
    story.receive(question("question"));
    assert_eq!(story.alert("school-1").code(), "resolved");
}

#[test]
fn a_question_that_is_answered_on_the_day_it_was_asked_moves_nothing() {
    let mut story = asked_on_the_third_day();
    story.go("2026-03-20T17:00:00+08:00").receive(clarification("clarification", "question"));
    assert_eq!((story.state("school-1"), story.due_on("school-1")), ("running", "2026-03-24".to_owned()));
    assert!(story.duty("school-1").obligation.pauses.is_empty());
}

#[test]
fn what_was_asked_on_the_last_day_is_due_on_the_day_of_the_answer_or_the_next_working_one() {
    for (answered, due) in [("2026-03-26T10:00:00+08:00", "2026-03-26"), ("2026-03-28T10:00:00+08:00", "2026-03-30")] {
        let mut story = Story::of(request(&["school-1"]), TUESDAY);
        story.go("2026-03-24T10:00:00+08:00").receive(question("question"));
        story.go(answered).receive(clarification("clarification", "question"));
        assert_eq!(story.due_on("school-1"), due);
        let lenient_at = story.duty("school-1").obligation.lenient_at();
        assert!(lenient_at >= story.duty("school-1").obligation.due_at());
    }
}

#[test]
fn a_question_after_the_due_date_stops_nothing() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.go("2026-03-25T10:00:00+08:00").receive(question("question"));
    assert_eq!((story.state("school-1"), story.due_on("school-1")), ("running", "2026-03-24".to_owned()));
}

#[test]
fn only_the_first_question_stops_the_clock_where_the_policy_allows_one() {
    let mut story = asked_on_the_third_day();
    story.go("2026-03-27T10:00:00+08:00").receive(clarification("clarification", "question"));
    story.go("2026-03-30T10:00:00+08:00").receive(question("second"));
    assert_eq!((story.state("school-1"), story.due_on("school-1")), ("running", "2026-03-31".to_owned()));
    let mut twice = request(&["school-1"]);
    twice.rule.answer.as_mut().unwrap().suspensions_max = 2;
    let mut story = Story::of(twice, TUESDAY);
    story.go("2026-03-20T10:00:00+08:00").receive(question("question"));
    story.go("2026-03-27T10:00:00+08:00").receive(clarification("clarification", "question"));
    story.go("2026-03-30T10:00:00+08:00").receive(question("second"));
    assert_eq!(story.state("school-1"), "suspended");
    story.go("2026-04-02T10:00:00+08:00").receive(clarification("further", "request"));
    assert_eq!((story.state("school-1"), story.due_on("school-1")), ("running", "2026-04-03".to_owned()));
}

#[test]
fn where_the_policy_allows_no_pause_the_question_is_recorded_and_the_clock_runs_on() {
    let mut plain = request(&["school-1"]);
    plain.rule.answer.as_mut().unwrap().suspensions_max = 0;
    let mut story = Story::of(plain, TUESDAY);
    story.go("2026-03-20T10:00:00+08:00").receive(question("question"));
    assert_eq!(story.state("school-1"), "running");
    assert_eq!(story.duty("school-1").obligation.facts.len(), 1);
    assert_eq!(
        story.climb("school-1", "2026-03-24T12:00:00+08:00"),
        ["Fri 20.03 10:00 fired 0", "Tue 24.03 08:30 fired 1"]
    );
}

#[test]
fn an_answer_that_comes_while_the_clock_stands_is_not_late() {
    let mut story = asked_on_the_third_day();
    story.go("2026-04-10T10:00:00+08:00").receive(reply("reply", "school-1"));
    assert_eq!(story.state("school-1"), "fulfilled");
    let mut late = asked_on_the_third_day();
    late.go("2026-03-27T15:00:00+08:00").receive(clarification("clarification", "question"));
    late.go("2026-04-01T10:00:00+08:00").receive(reply("reply", "school-1"));
    assert_eq!(late.state("school-1"), "fulfilled_late");
}

#[test]
fn the_days_are_kept_of_the_extended_term_when_it_was_extended_before_the_question() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.receive(extension("2026-03-26", "school-1"));
    story.go("2026-03-24T10:00:00+08:00").receive(question("question"));
    story.go("2026-03-31T10:00:00+08:00").receive(clarification("clarification", "question"));
    assert_eq!(story.due_on("school-1"), "2026-04-02");
    story.act("school-1", Act::Extend { due_on: crate::kit::day("2026-04-10") }).unwrap();
    assert_eq!(story.due_on("school-1"), "2026-04-10");
}

#[test]
fn calendar_days_are_kept_as_calendar_days_and_hours_to_the_minute() {
    let mut story = Story::of(in_terms_of(Term::new(Unit::CalendarDay, 10)), TUESDAY);
    story.go("2026-03-20T10:00:00+08:00").receive(question("question"));
    story.go("2026-04-03T10:00:00+08:00").receive(clarification("clarification", "question"));
    // Seven calendar days were left until Friday 27.03; the seventh after 03.04 is a Friday too.
    assert_eq!(story.due_on("school-1"), "2026-04-10");
    let mut story = Story::of(in_terms_of(Term::new(Unit::Hour, 48)), TUESDAY);
    let due_at = story.duty("school-1").obligation.due_at();
    story.go("2026-03-17T20:00:00+08:00").receive(question("question"));
    story.go("2026-03-17T22:30:00+08:00").receive(clarification("clarification", "question"));
    assert_eq!(story.duty("school-1").obligation.due_at() - due_at, Duration::minutes(150));
}

#[test]
fn a_suspended_obligation_may_still_be_withdrawn_released_and_extended() {
    for act in [Act::Release, Act::Withdraw { reason: "не нужно".into() }] {
        let mut story = asked_on_the_third_day();
        story.act("school-1", act).unwrap();
        assert_eq!(story.state("school-1"), "withdrawn");
    }
    let mut story = asked_on_the_third_day();
    story.act("school-1", Act::Extend { due_on: crate::kit::day("2026-04-03") }).unwrap();
    assert_eq!(story.state("school-1"), "suspended");
}

#[test]
fn a_question_of_somebody_who_is_no_party_is_refused_and_one_of_the_asker_changes_nothing() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let foreign = message("question", "control.clarification-request", "police", &["centre"]);
    assert!(matches!(story.try_receive(foreign).unwrap_err(), Refusal::NotYourObligation(_)));
    story.receive(message("asked", "control.clarification-request", "centre", &["school-1"]));
    story.receive(message("told", "control.clarification", "school-1", &["centre"]));
    assert_eq!((story.state("school-1"), story.duty("school-1").obligation.facts.len()), ("running", 0));
}
