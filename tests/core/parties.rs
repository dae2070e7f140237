//! Who may say what: only the party that owes answers, only the party that is owed decides.

use crate::kit::{Story, TUESDAY, code, extension, id, kinds, message, redirection, reply, request, watched_request};
use mezhved::domain::decision::{Arrived, ProofStage, Refusal};
use mezhved::domain::ids::ExchangeId;
use mezhved::domain::rule::{BodyFacts, RegistrationFact};

fn foreign(outcome: Result<mezhved::domain::decision::Decision, Refusal>, who: &str) {
    assert_eq!(outcome.unwrap_err(), Refusal::NotYourObligation(code(who)));
}

#[test]
fn a_reply_of_a_body_that_owes_nothing_is_refused() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    foreign(story.try_receive(reply("reply", "school-ta")), "school-ta");
    foreign(story.try_receive(message("reply", "reply.information", "centre", &["school-1"])), "centre");
    assert_eq!(story.state("school-1"), "running");
}

#[test]
fn the_controls_of_the_performer_are_its_own() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let performers =
        ["control.interim-reply", "control.extension-request", "control.reasoned-refusal", "control.redirection"];
    for control in performers {
        let of = |from: &str| Arrived {
            facts: BodyFacts { redirect_to: Some(code("police")), ..BodyFacts::default() },
            ..message(control, control, from, &["centre"])
        };
        foreign(story.try_receive(of("school-ta")), "school-ta");
        foreign(story.try_receive(of("centre")), "centre");
        story.receive(of("school-1"));
    }
}

#[test]
fn only_the_controller_decides() {
    let mut story = Story::of(watched_request(&["school-1"]), TUESDAY);
    story.receive(reply("reply", "school-1"));
    for control in ["control.withdrawal", "control.return", "control.release"] {
        foreign(story.try_receive(message(control, control, "school-1", &["school-1"])), "school-1");
        foreign(story.try_receive(message(control, control, "police", &["school-1"])), "police");
    }
    foreign(story.try_receive(Arrived { from: code("school-1"), ..extension("2026-04-03", "school-1") }), "school-1");
    assert_eq!(story.state("school-1"), "answered");
}

#[test]
fn a_controller_decides_about_the_bodies_it_writes_to() {
    let mut story = Story::of(request(&["school-1", "school-ta"]), TUESDAY);
    foreign(story.try_receive(message("withdrawal", "control.withdrawal", "centre", &["police"])), "centre");
    story.receive(message("withdrawal", "control.withdrawal", "centre", &["school-ta"]));
    assert_eq!((story.state("school-1"), story.state("school-ta")), ("running", "withdrawn"));
}

#[test]
fn a_decision_that_is_wrong_for_one_of_two_bodies_acts_on_neither() {
    let mut story = Story::of(request(&["school-1", "school-ta"]), TUESDAY);
    let before = story.exchange.clone();
    let to_both = Arrived { to: vec![code("school-1"), code("school-ta")], ..extension("2026-03-25", "school-1") };
    assert_eq!(story.try_receive(to_both).unwrap_err(), Refusal::NotAnExtension);
    assert_eq!(story.exchange, before);
}

#[test]
fn a_wrong_answer_type_is_refused_naming_the_expected_ones() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let wrong = message("reply", "reply.school-characteristics", "school-1", &["centre"]);
    let refusal = story.try_receive(wrong).unwrap_err();
    assert_eq!(refusal.code(), "wrong_answer_type");
    assert!(refusal.to_string().ends_with("expected one of: reply.information"), "{refusal}");
}

#[test]
fn an_answer_that_names_only_foreign_items_is_refused() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.exchange.duties[0].obligation.item = Some("1".into());
    let named = BodyFacts { answered_items: vec!["7".into()], ..BodyFacts::default() };
    foreign(story.try_receive(Arrived { facts: named, ..reply("reply", "school-1") }), "school-1");
}

#[test]
fn an_answer_that_names_no_request_at_all_is_refused_with_the_remedy() {
    let mut story = Story::at(TUESDAY);
    let alone = Arrived { in_reply_to: None, exchange: ExchangeId::from(id("reply")), ..reply("reply", "school-1") };
    let refusal = story.try_receive(alone).unwrap_err();
    assert_eq!(refusal.code(), "reply_without_request");
    assert!(refusal.to_string().contains("in_reply_to"));
}

#[test]
fn a_parked_reply_of_a_stranger_changes_nothing_and_is_told_of_once() {
    let mut story = Story::at(TUESDAY);
    story.receive(reply("foreign", "police"));
    let opened = story.receive(request(&["school-1"]));
    let expected = ["message.registered", "obligation.opened", "security.foreign_reply"];
    assert_eq!((kinds(&opened), story.state("school-1")), (expected.map(str::to_owned).to_vec(), "running"));
    let later = story.receive(message("interim", "control.interim-reply", "school-1", &["centre"]));
    assert_eq!(kinds(&later), ["message.registered", "obligation.changed"]);
    assert_eq!(story.exchange.parked.len(), 1, "it was taken, and so it is kept");
}

#[test]
fn a_parked_message_that_is_wrong_is_told_of_as_refused_and_acts_on_nobody() {
    // One date for two schools: beyond the due date of the one, not of the other. All or nothing.
    let mut story = Story::at(TUESDAY);
    story.receive(Arrived { to: vec![code("school-1"), code("school-ta")], ..extension("2026-03-25", "school-1") });
    let opened = story.receive(request(&["school-1", "school-ta"]));
    assert_eq!(kinds(&opened).last().unwrap(), "message.refused");
    assert_eq!(opened.events.last().unwrap().detail.as_deref(), Some("not_an_extension"));
    assert_eq!((story.due_on("school-1"), story.due_on("school-ta")), ("2026-03-24".into(), "2026-03-25".into()));
    assert!(story.exchange.duties.iter().all(|duty| duty.obligation.facts.is_empty()));
}

#[test]
fn a_registration_with_number_and_digest_proves_that_the_letter_was_registered() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let receipt = message("receipt", "receipt.registration", "school-1", &["centre"]);
    let registration = Some(RegistrationFact { number: "вх-5".into(), date: crate::kit::day("2026-03-17") });
    let facts = BodyFacts { registration, content_sha256: Some("ab".repeat(32)), ..BodyFacts::default() };
    let proven = story.receive(Arrived { facts: facts.clone(), ..receipt.clone() });
    assert!(matches!(&proven.proofs[0].stage, ProofStage::Registered { number, .. } if number == "вх-5"));
    assert_eq!((proven.proofs[0].message, &proven.proofs[0].recipient), (id("request"), &code("school-1")));
    let bare = story.receive(Arrived { facts: BodyFacts { content_sha256: None, ..facts }, ..receipt });
    assert_eq!(bare.proofs[0].stage, ProofStage::Received, "without the digest it is no proof of registration");
    assert_eq!(story.state("school-1"), "running", "a receipt answers no request");
}

#[test]
fn a_refusal_to_register_is_a_proof_of_rejection_and_answers_nothing() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let refusal = message("receipt", "receipt.refusal", "school-1", &["centre"]);
    let facts = BodyFacts { reason_code: Some("unreadable".into()), ..BodyFacts::default() };
    let refused = story.receive(Arrived { facts, ..refusal });
    assert_eq!(refused.proofs[0].stage, ProofStage::Rejected { reason: "unreadable".into() });
    assert_eq!(story.state("school-1"), "running");
}

#[test]
fn a_receipt_of_delivery_that_does_not_accept_proves_no_delivery() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let receipt = |accepted| {
        let facts = BodyFacts { accepted: Some(accepted), ..BodyFacts::default() };
        Arrived { facts, ..message("receipt", "receipt.delivery", "school-1", &["centre"]) }
    };
    assert_eq!(story.receive(receipt(true)).proofs[0].stage, ProofStage::Received);
    assert!(matches!(story.receive(receipt(false)).proofs[0].stage, ProofStage::Rejected { .. }));
}

#[test]
fn a_reminder_that_a_party_writes_itself_is_recorded_and_changes_nothing() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let before = story.exchange.clone();
    story.receive(message("reminder", "control.reminder", "centre", &["school-1"]));
    assert_eq!(story.exchange, before);
    foreign(story.try_receive(message("reminder 2", "control.reminder", "police", &["school-1"])), "police");
}

#[test]
fn nobody_sheds_an_obligation_by_redirecting_it_to_itself_or_to_the_asker() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    for to in ["school-1", "centre"] {
        let refusal = story.try_receive(redirection("redirection", "school-1", to)).unwrap_err();
        assert_eq!(refusal, Refusal::RedirectsInCircle(code(to)));
    }
    assert_eq!(story.state("school-1"), "running");
}
