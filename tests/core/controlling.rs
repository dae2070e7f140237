//! What the controller decides: extensions, withdrawal, release, and what needs a second person.

use crate::kit::{Story, TUESDAY, day, extension, instant, message, reply, request, stating, watched_request};
use mezhved::domain::decide::act::Act;
use mezhved::domain::decision::Refusal;
use mezhved::domain::rule::BodyFacts;

fn extend(due_on: &str) -> Act {
    Act::Extend { due_on: day(due_on) }
}

fn void(second: &str) -> Act {
    Act::Void { reason: "не тому адресату".into(), second: second.into() }
}

#[test]
fn a_granted_extension_moves_the_due_date_and_the_ladder() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.go("2026-03-18T10:00:00+08:00").receive(extension("2026-04-03", "school-1"));
    let obligation = &story.duty("school-1").obligation;
    assert_eq!((story.due_on("school-1"), obligation.due.on), ("2026-04-03".to_owned(), day("2026-03-24")));
    assert_eq!(obligation.due_at(), instant("2026-04-04T00:00:00+08:00"));
    assert_eq!(story.climb("school-1", "2026-04-01T12:00:00+08:00"), ["Wed 01.04 08:30 fired 0"]);
}

#[test]
fn an_answer_within_the_extension_is_in_time() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.receive(extension("2026-04-03", "school-1"));
    story.go("2026-04-03T18:00:00+08:00").receive(reply("reply", "school-1"));
    assert_eq!(story.state("school-1"), "fulfilled");
}

#[test]
fn a_denied_extension_moves_nothing() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let asked = message("asked", "control.extension-request", "school-1", &["centre"]);
    story.receive(stating(asked, BodyFacts { new_due: Some(day("2026-04-03")), ..BodyFacts::default() }));
    assert_eq!(story.due_on("school-1"), "2026-03-24", "to ask is not to be granted");
    let denied = message("denied", "control.extension-decision", "centre", &["school-1"]);
    let facts = BodyFacts { granted: Some(false), new_due: Some(day("2026-04-03")), ..BodyFacts::default() };
    story.receive(stating(denied, facts));
    assert_eq!((story.due_on("school-1"), story.state("school-1")), ("2026-03-24".to_owned(), "running"));
}

#[test]
fn an_extension_that_is_too_long_or_goes_back_is_refused() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    // 30 calendar days from the first due date, by the entry of the type.
    assert_eq!(story.try_receive(extension("2026-04-24", "school-1")).unwrap_err(), Refusal::ExtensionTooLong(30));
    assert_eq!(story.act("school-1", extend("2026-04-24")).unwrap_err(), Refusal::ExtensionTooLong(30));
    assert_eq!(story.try_receive(extension("2026-03-24", "school-1")).unwrap_err(), Refusal::NotAnExtension);
    assert_eq!(story.due_on("school-1"), "2026-03-24");
    story.receive(extension("2026-04-23", "school-1"));
    assert_eq!(story.due_on("school-1"), "2026-04-23");
}

#[test]
fn extensions_together_may_not_add_more_than_one_alone() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.act("school-1", extend("2026-04-23")).unwrap();
    assert_eq!(story.act("school-1", extend("2026-04-30")).unwrap_err(), Refusal::ExtensionTooLong(30));
}

#[test]
fn a_person_cannot_extend_to_a_date_before_the_one_in_force() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.act("school-1", extend("2026-04-10")).unwrap();
    assert_eq!(story.act("school-1", extend("2026-04-03")).unwrap_err(), Refusal::NotAnExtension);
}

#[test]
fn an_extension_beyond_the_calendar_is_refused_with_the_remedy() {
    let mut story = Story::of(request(&["school-1"]), "2028-12-20T12:00:00+08:00");
    let refusal = story.try_receive(extension("2029-01-20", "school-1")).unwrap_err();
    assert_eq!(refusal.code(), "term_not_countable");
    assert!(refusal.to_string().contains("add the year 2029"), "{refusal}");
}

#[test]
fn an_extension_after_the_due_date_takes_the_prepared_letter_and_the_alert_off() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.climb("school-1", "2026-03-27T12:00:00+08:00");
    assert_eq!(story.rungs("school-1")[3], (3, "prepared"));
    story.act("school-1", extend("2026-04-10")).unwrap();
    assert_eq!(story.rungs("school-1"), [(0, "fired"), (1, "fired"), (2, "fired"), (3, "planned")]);
    assert_eq!(story.alert("school-1").code(), "resolved");
    let refusal = story.decide_rung("school-1", 3, crate::kit::send()).unwrap_err();
    assert_eq!(refusal, Refusal::RungNotPrepared(3), "nobody is accused of a date that is yet to come");
    assert_eq!(story.climb("school-1", "2026-04-15T12:00:00+08:00"), ["Wed 15.04 08:30 prepared 3"]);
    assert_eq!((story.alert("school-1").code(), story.alert("school-1").rung), ("open", 3));
}

#[test]
fn a_withdrawal_ends_the_obligation_and_its_ladder() {
    let mut story = Story::of(request(&["school-1", "school-ta"]), TUESDAY);
    story.climb("school-1", "2026-03-25T12:00:00+08:00");
    story.receive(message("withdrawal", "control.withdrawal", "centre", &["school-1"]));
    assert_eq!((story.state("school-1"), story.state("school-ta")), ("withdrawn", "running"));
    assert_eq!(story.alert("school-1").code(), "resolved");
    assert!(story.climb("school-1", "2026-12-01T12:00:00+08:00").is_empty());
}

#[test]
fn an_answer_given_outweighs_a_withdrawal() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.receive(message("withdrawal", "control.withdrawal", "centre", &["school-1"]));
    story.go("2026-03-18T12:00:00+08:00").receive(reply("reply", "school-1"));
    assert_eq!(story.state("school-1"), "fulfilled");
    let mut watched = Story::of(watched_request(&["school-1"]), TUESDAY);
    watched.receive(reply("reply", "school-1"));
    let withdraw = Act::Withdraw { reason: "не нужно".into() };
    assert_eq!(watched.act("school-1", withdraw).unwrap_err(), Refusal::ObligationClosed("answered"));
}

#[test]
fn a_release_of_an_open_obligation_takes_it_off_control_unanswered() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.act("school-1", Act::Release).unwrap();
    assert_eq!((story.state("school-1"), story.rungs("school-1")), ("withdrawn", vec![(0, "cancelled")]));
    assert!(story.duty("school-1").obligation.closed_at().is_some());
}

#[test]
fn a_release_by_message_is_the_release_of_the_controller() {
    let mut story = Story::of(watched_request(&["school-1"]), TUESDAY);
    story.receive(reply("reply", "school-1"));
    story.receive(message("release", "control.release", "centre", &["school-1"]));
    assert_eq!(story.state("school-1"), "fulfilled");
}

#[test]
fn to_void_needs_a_second_person() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    for alone in ["", " ", "koordinator", " koordinator "] {
        assert_eq!(story.act("school-1", void(alone)).unwrap_err(), Refusal::SecondPersonNeeded, "{alone:?}");
    }
    assert_eq!(story.state("school-1"), "running");
    story.act("school-1", void("direktor")).unwrap();
    assert_eq!((story.state("school-1"), story.rungs("school-1")), ("void", vec![(0, "cancelled")]));
    assert_eq!(story.act("school-1", void("direktor")).unwrap_err(), Refusal::ObligationClosed("void"));
}

#[test]
fn what_is_void_stays_void_whatever_comes() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.act("school-1", void("direktor")).unwrap();
    let closed_at = story.duty("school-1").obligation.closed_at();
    story.go("2026-03-19T12:00:00+08:00").receive(reply("reply", "school-1"));
    story.receive(extension("2026-04-03", "school-1"));
    assert_eq!((story.state("school-1"), story.duty("school-1").obligation.closed_at()), ("void", closed_at));
}

#[test]
fn nothing_moves_what_is_closed() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.receive(reply("reply", "school-1"));
    let closed = Refusal::ObligationClosed("fulfilled");
    assert_eq!(story.act("school-1", extend("2026-04-03")).unwrap_err(), closed);
    assert_eq!(story.act("school-1", Act::Release).unwrap_err(), closed);
    assert_eq!(story.act("school-1", Act::Withdraw { reason: "не нужно".into() }).unwrap_err(), closed);
}
