//! Redirection: somebody owes the answer afterwards, and the chain is visible.

use crate::kit::{Story, TUESDAY, code, extension, id, instant, message, redirection, reply, request};
use mezhved::domain::decision::{Forward, Refusal};
use mezhved::domain::obligation::Fact;

fn redirected() -> Story {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.go("2026-03-18T10:00:00+08:00").receive(redirection("redirection", "school-1", "guardianship"));
    story
}

#[test]
fn a_redirection_opens_a_linked_obligation_of_the_competent_body_and_forwards_the_letter() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let decision =
        story.go("2026-03-18T10:00:00+08:00").receive(redirection("redirection", "school-1", "guardianship"));
    assert_eq!((story.state("school-1"), story.state("guardianship")), ("redirected", "running"));
    assert_eq!(decision.forwards, [Forward { message: id("request"), to: code("guardianship") }]);
    let successor = story.obligation("guardianship");
    let linked = |fact: &Fact| matches!(fact, Fact::Redirected { successor: to, .. } if *to == successor);
    assert!(story.duty("school-1").obligation.facts.iter().any(linked));
    assert_eq!(story.due_on("guardianship"), "2026-03-24", "the due date stands");
    assert_eq!((story.rungs("school-1"), story.rungs("guardianship")), (vec![(0, "cancelled")], vec![(0, "planned")]));
}

#[test]
fn the_competent_body_answers_and_the_chain_is_closed() {
    let mut story = redirected();
    story.go("2026-03-19T10:00:00+08:00").receive(reply("reply", "guardianship"));
    assert_eq!((story.state("school-1"), story.state("guardianship")), ("redirected", "fulfilled"));
}

#[test]
fn a_second_redirection_to_the_same_body_forwards_nothing_again() {
    let mut story = redirected();
    let again = story.receive(redirection("redirection 2", "school-1", "guardianship"));
    assert!(again.forwards.is_empty());
    assert_eq!(story.exchange.duties.len(), 2);
}

#[test]
fn a_redirection_to_another_addressee_joins_the_obligation_it_has() {
    let mut story = Story::of(request(&["school-1", "guardianship"]), TUESDAY);
    let decision = story.receive(redirection("redirection", "school-1", "guardianship"));
    assert_eq!((story.exchange.duties.len(), decision.forwards.len()), (2, 0));
    assert_eq!((story.state("school-1"), story.state("guardianship")), ("redirected", "running"));
}

#[test]
fn a_circle_of_redirections_is_refused_so_that_somebody_always_owes() {
    let mut story = redirected();
    let back = story.try_receive(redirection("back", "guardianship", "school-1")).unwrap_err();
    assert_eq!(back, Refusal::RedirectsInCircle(code("school-1")));
    story.receive(redirection("further", "guardianship", "police"));
    let around = story.try_receive(redirection("around", "police", "school-1")).unwrap_err();
    assert_eq!(around.code(), "redirects_in_circle");
    assert_eq!(story.state("police"), "running");
}

#[test]
fn a_redirection_to_an_unknown_body_or_to_nobody_is_refused() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let unknown = story.try_receive(redirection("redirection", "school-1", "nobody")).unwrap_err();
    assert_eq!(unknown, Refusal::UnknownParticipant(code("nobody")));
    let nowhere = message("redirection", "control.redirection", "school-1", &["centre"]);
    assert_eq!(story.try_receive(nowhere).unwrap_err(), Refusal::RedirectsNowhere);
}

#[test]
fn the_term_of_the_competent_body_ends_at_its_own_midnight() {
    for order in [["redirection", "extension"], ["extension", "redirection"]] {
        let mut story = Story::of(request(&["school-1"]), TUESDAY);
        for name in order {
            story.receive(match name {
                "redirection" => redirection(name, "school-1", "school-ta"),
                _ => extension("2026-04-03", "school-1"),
            });
        }
        let obligation = &story.duty("school-ta").obligation;
        assert_eq!(obligation.due.at, instant("2026-03-25T00:00:00+03:00"));
        assert_eq!(obligation.due_at(), instant("2026-04-04T00:00:00+03:00"), "extended {order:?}");
    }
}

#[test]
fn a_body_that_takes_over_at_the_last_moment_is_not_accused_before_it_could_take_notice() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.go("2026-03-27T19:00:00+08:00").receive(redirection("redirection", "school-1", "guardianship"));
    let obligation = &story.duty("guardianship").obligation;
    assert_eq!(obligation.due_at(), instant("2026-03-25T00:00:00+08:00"), "the due date stands");
    assert_eq!(obligation.lenient_at(), instant("2026-03-31T00:00:00+08:00"), "Friday evening is read on Monday");
    assert_eq!(story.climb("guardianship", "2026-04-02T12:00:00+08:00"), ["Thu 02.04 09:00 prepared 3"]);
}

#[test]
fn an_extension_that_was_granted_goes_over_to_the_competent_body() {
    let mut before = Story::of(request(&["school-1"]), TUESDAY);
    before.receive(extension("2026-04-03", "school-1"));
    before.go("2026-03-18T10:00:00+08:00").receive(redirection("redirection", "school-1", "guardianship"));
    assert_eq!(before.due_on("guardianship"), "2026-04-03");
    let mut after = redirected();
    after.receive(extension("2026-04-03", "school-1"));
    assert_eq!(after.due_on("guardianship"), "2026-04-03", "what is granted to the first body holds for the second");
}

#[test]
fn a_withdrawal_that_crosses_a_redirection_leaves_nobody_owing() {
    let withdrawal = || message("withdrawal", "control.withdrawal", "centre", &["school-1"]);
    let mut crossed = redirected();
    crossed.receive(withdrawal());
    assert_eq!((crossed.state("school-1"), crossed.state("guardianship")), ("withdrawn", "withdrawn"));
    let mut first = Story::of(request(&["school-1"]), TUESDAY);
    first.receive(withdrawal());
    let late = first.receive(redirection("redirection", "school-1", "guardianship"));
    assert_eq!((first.state("school-1"), first.state("guardianship")), ("withdrawn", "withdrawn"));
    assert!(late.forwards.is_empty(), "a withdrawn request is not sent on");
}

#[test]
fn a_refused_reply_of_the_new_body_is_taken_when_it_comes_again_after_the_redirection() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let early = story.try_receive(reply("reply", "guardianship")).unwrap_err();
    assert_eq!(early, Refusal::NotYourObligation(code("guardianship")));
    story.receive(redirection("redirection", "school-1", "guardianship"));
    story.receive(reply("reply", "guardianship"));
    assert_eq!(story.state("guardianship"), "fulfilled");
}
