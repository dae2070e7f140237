//! An answer that is sent back: the original due date stands, the ladder waits for the body to mend it.

use crate::kit::{Story, TUESDAY, id, message, reply, request, watched_request};
use mezhved::domain::decide::act::Act;
use mezhved::domain::decision::{Arrived, Refusal};

fn back(answer: Option<&str>) -> Act {
    Act::Return { answer: answer.map(id), reason: "нет ответа на второй вопрос".into() }
}

fn back_by_message(answer: &str) -> Arrived {
    Arrived { in_reply_to: Some(id(answer)), ..message("return", "control.return", "centre", &["school-1"]) }
}

#[test]
fn a_return_reopens_with_the_original_due_date_and_a_second_answer_closes() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.go("2026-03-18T10:00:00+08:00").receive(reply("reply", "school-1"));
    story.go("2026-03-19T10:00:00+08:00").act("school-1", back(None)).unwrap();
    assert_eq!((story.state("school-1"), story.due_on("school-1")), ("running", "2026-03-24".to_owned()));
    assert_eq!(story.rungs("school-1"), [(0, "planned")]);
    story.go("2026-03-20T10:00:00+08:00").receive(reply("second", "school-1"));
    assert_eq!(story.state("school-1"), "fulfilled");
}

#[test]
fn a_second_answer_after_the_original_due_date_is_late() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.go("2026-03-24T10:00:00+08:00").receive(reply("reply", "school-1"));
    story.go("2026-03-26T10:00:00+08:00").act("school-1", back(None)).unwrap();
    story.go("2026-03-27T10:00:00+08:00").receive(reply("second", "school-1"));
    assert_eq!(story.state("school-1"), "fulfilled_late");
}

#[test]
fn a_return_sends_back_the_answer_it_names_and_no_other() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.go("2026-03-18T10:00:00+08:00").receive(reply("reply", "school-1"));
    story.go("2026-03-19T10:00:00+08:00").receive(reply("second", "school-1"));
    story.go("2026-03-20T10:00:00+08:00").act("school-1", back(Some("reply"))).unwrap();
    assert_eq!(story.state("school-1"), "fulfilled", "the second answer stands");
    assert_eq!(story.act("school-1", back(Some("nonsense"))).unwrap_err(), Refusal::UnknownAnswer);
    story.act("school-1", back(Some("second"))).unwrap();
    assert_eq!(story.state("school-1"), "running");
}

#[test]
fn a_return_by_message_of_the_request_sends_back_all_that_had_come() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.receive(reply("reply", "school-1"));
    story.receive(reply("second", "school-1"));
    story.receive(back_by_message("request"));
    assert_eq!(story.state("school-1"), "running");
    story.receive(reply("third", "school-1"));
    assert_eq!(story.state("school-1"), "fulfilled", "also within the same instant");
}

#[test]
fn a_return_that_overtook_the_answer_it_names_sends_it_back_all_the_same() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.receive(back_by_message("reply"));
    story.go("2026-03-18T10:00:00+08:00").receive(reply("reply", "school-1"));
    assert_eq!(story.state("school-1"), "running");
}

#[test]
fn a_release_does_not_outlive_the_return_of_what_it_released() {
    let mut story = Story::of(watched_request(&["school-1"]), TUESDAY);
    story.receive(reply("reply", "school-1"));
    story.act("school-1", Act::Release).unwrap();
    assert_eq!(story.state("school-1"), "fulfilled");
    story.go("2026-03-18T10:00:00+08:00").act("school-1", back(None)).unwrap();
    assert_eq!(story.state("school-1"), "running", "what is owed again is not off control");
    story.receive(reply("second", "school-1"));
    assert_eq!(story.state("school-1"), "answered", "the second answer was never released");
    story.act("school-1", Act::Release).unwrap();
    assert_eq!(story.state("school-1"), "fulfilled");
}

#[test]
fn an_obligation_that_was_never_answered_has_nothing_to_send_back() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    assert_eq!(story.act("school-1", back(None)).unwrap_err(), Refusal::ObligationClosed("running"));
}

#[test]
fn a_return_long_after_the_due_date_lets_the_ladder_begin_from_the_return() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.go("2026-03-23T10:00:00+08:00").receive(reply("reply", "school-1"));
    // The centre lets the answer lie for weeks; the school is not to blame for those.
    story.go("2026-04-14T15:00:00+08:00").act("school-1", back(None)).unwrap();
    let climbed = story.climb("school-1", "2026-04-22T12:00:00+08:00");
    // Tuesday 21.04 is a day off in the region.
    assert_eq!(climbed, ["Wed 15.04 08:30 fired 2", "Fri 17.04 08:30 prepared 3", "Wed 22.04 08:30 prepared 4"]);
}

#[test]
fn rungs_that_had_fired_before_the_answer_do_not_fire_again_after_its_return() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let before = story.climb("school-1", "2026-03-25T12:00:00+08:00");
    assert_eq!(before.len(), 3, "{before:?}");
    story.receive(reply("reply", "school-1"));
    story.go("2026-03-26T12:00:00+08:00").act("school-1", back(None)).unwrap();
    assert_eq!(story.climb("school-1", "2026-03-31T12:00:00+08:00"), ["Tue 31.03 08:30 prepared 3"]);
}
