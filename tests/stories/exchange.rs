//! A request, its obligation, and the ways in which it ends.

use crate::kit::{CENTRE, SCHOOL, Story, code, control, coordinator, new_id, reply, request, system};
use mezhved::domain::message::Format;
use mezhved::gateway::act::{Action, RegistrationNotice};
use mezhved::gateway::rejection::RejectionKind;
use serde_json::json;

#[tokio::test]
async fn a_request_becomes_a_letter_in_the_schools_format_and_an_obligation_with_a_due_date() {
    let story = Story::at("2025-12-26 10:00").await;
    let id = new_id();
    let submitted = story.submit(&request(id, &[SCHOOL, "school-test-18"], "2025-12-26 09:55")).await.unwrap();
    assert_eq!(submitted.accepted.number, "1/2025");
    // School 17 has a five-day week, school 18 works on Saturdays.
    let due: Vec<String> = submitted.accepted.obligations.iter().map(|one| one.due_on.to_string()).collect();
    assert_eq!(due[0], "2026-01-14");
    assert!(due[1] < due[0], "a six-day week ends sooner: {due:?}");
    let letters = story.inbox(SCHOOL).await;
    assert!(letters[0].content.starts_with('{'), "school 17 reads JSON");
    let letters = story.inbox("school-test-18").await;
    assert!(letters[0].content.contains("<message xmlns="), "school 18 reads XML");
    let shown = story.obligations(SCHOOL).await;
    assert_eq!((shown.len(), shown[0].state, shown[0].due_text.as_str()), (1, "running", "14.01.2026 (ср)"));
}

#[tokio::test]
async fn a_reply_in_time_closes_the_obligation_and_a_late_one_closes_it_as_late() {
    let story = Story::at("2026-03-02 10:00").await;
    let (first, second) = (new_id(), new_id());
    story.submit(&request(first, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    story.set("2026-03-10 17:00");
    story.submit(&reply(first, SCHOOL, "2026-03-10 16:00")).await.unwrap();
    let shown = story.obligation().await;
    assert_eq!((shown.state, shown.late_by_working_days), ("fulfilled", 0));
    let story = Story::at("2026-03-02 10:00").await;
    story.submit(&request(second, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    story.set("2026-03-13 10:00");
    story.submit(&reply(second, SCHOOL, "2026-03-13 09:00")).await.unwrap();
    let shown = story.obligation().await;
    // Due on Tuesday 10.03 (Monday 09.03 is a day off); answered on Friday.
    assert_eq!((shown.state, shown.due_on.to_string().as_str()), ("fulfilled_late", "2026-03-10"));
    assert_eq!(shown.late_by_working_days, 3);
}

#[tokio::test]
async fn the_same_message_again_gets_the_original_outcome_and_has_one_effect() {
    let story = Story::at("2026-03-02 10:00").await;
    let message = request(new_id(), &[SCHOOL], "2026-03-02 09:00");
    let first = story.submit(&message).await.unwrap();
    story.set("2026-03-03 10:00");
    for _ in 0..50 {
        let again = story.submit(&message).await.unwrap();
        assert!(again.duplicate);
        assert_eq!(again.accepted, first.accepted);
    }
    // The same content in the other format is the same message.
    let json = serde_json::to_vec(&message).unwrap();
    let catalogue = mezhved::catalogue::Catalogue::builtin();
    let parsed = mezhved::format::read(&json, Format::Json, catalogue).unwrap();
    let xml = mezhved::format::write(&parsed, Format::Xml, catalogue).unwrap();
    assert!(story.submit_bytes(CENTRE, Format::Xml, xml).await.unwrap().duplicate);
    assert_eq!(story.inbox(SCHOOL).await.len(), 1);
    story.obligation().await;
}

#[tokio::test]
async fn the_same_id_with_other_content_is_a_conflict_that_keeps_both() {
    let story = Story::at("2026-03-02 10:00").await;
    let id = new_id();
    story.submit(&request(id, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    let mut other = request(id, &[SCHOOL], "2026-03-02 09:00");
    other["summary"] = json!("Совсем другой запрос");
    let refused = story.submit(&other).await.unwrap_err();
    assert_eq!((refused.kind, refused.code), (RejectionKind::Conflict, "id_conflict"));
    let kept = story.gateway.quarantine(None, 10).await.unwrap();
    assert_eq!((kept.len(), kept[0].code.as_str()), (1, "id_conflict"));
    assert_eq!(story.gateway.figures().await.unwrap().conflicts, 1);
}

#[tokio::test]
async fn a_reply_before_its_request_is_parked_and_matched() {
    let story = Story::at("2026-03-02 10:00").await;
    let id = new_id();
    let early = story.submit(&reply(id, SCHOOL, "2026-03-02 09:30")).await.unwrap();
    assert!(early.accepted.parked);
    assert_eq!(story.gateway.figures().await.unwrap().parked, 1);
    story.set("2026-03-02 11:00");
    story.submit(&request(id, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    assert_eq!(story.obligation().await.state, "fulfilled");
    assert_eq!(story.gateway.figures().await.unwrap().parked, 0);
}

#[tokio::test]
async fn an_interim_reply_closes_nothing_and_an_extension_moves_the_due_date() {
    let story = Story::at("2026-03-02 10:00").await;
    let id = new_id();
    story.submit(&request(id, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    let interim = json!({"text": "Собираем сведения.", "expected_on": "2026-03-12"});
    story.submit(&control("control.interim-reply", id, (SCHOOL, CENTRE), interim)).await.unwrap();
    assert_eq!(story.obligation().await.state, "running");
    let granted = json!({"granted": true, "new_due": "2026-03-20"});
    story.submit(&control("control.extension-decision", id, (CENTRE, SCHOOL), granted)).await.unwrap();
    let shown = story.obligation().await;
    assert_eq!((shown.state, shown.due_on.to_string().as_str()), ("running", "2026-03-20"));
    let too_far = json!({"granted": true, "new_due": "2026-12-20"});
    let refused =
        story.submit(&control("control.extension-decision", id, (CENTRE, SCHOOL), too_far)).await.unwrap_err();
    assert_eq!(refused.code, "extension_too_long");
}

#[tokio::test]
async fn a_reasoned_refusal_waits_for_the_controller_and_a_redirection_carries_the_request_on() {
    let story = Story::at("2026-03-02 10:00").await;
    let id = new_id();
    story.submit(&request(id, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    let ground = json!({"to": "education-test", "ground": "Сведения ведёт управление образования."});
    story.submit(&control("control.redirection", id, (SCHOOL, CENTRE), ground)).await.unwrap();
    let states: Vec<(String, &str)> =
        story.obligations(CENTRE).await.iter().map(|one| (one.performer.code.to_string(), one.state)).collect();
    assert!(states.contains(&(SCHOOL.into(), "redirected")), "{states:?}");
    assert!(states.contains(&("education-test".into(), "running")), "{states:?}");
    assert_eq!(story.inbox_types("education-test").await, ["request.information"]);
    let refusal = json!({"ground": "not_competent", "text": "Таких сведений у нас нет."});
    let sent = control("control.reasoned-refusal", id, ("education-test", CENTRE), refusal);
    story.submit(&sent).await.unwrap_or_else(|fault| panic!("{fault:?}"));
    let mine = story.obligations("education-test").await;
    assert_eq!(mine[0].state, "answered");
    story.gateway.act(mine[0].id, Action::Release, system(CENTRE)).await.unwrap();
    assert_eq!(story.obligations("education-test").await[0].state, "refused");
}

#[tokio::test]
async fn a_returned_answer_opens_the_obligation_again_with_the_same_due_date() {
    let story = Story::at("2026-03-02 10:00").await;
    let id = new_id();
    story.submit(&request(id, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    story.submit(&reply(id, SCHOOL, "2026-03-02 10:00")).await.unwrap();
    let shown = story.obligation().await;
    assert_eq!(shown.state, "fulfilled");
    let back = Action::Return { answer: None, reason: "Нет сведений о пропусках.".into() };
    let again = story.gateway.act(shown.id, back, coordinator()).await.unwrap();
    assert_eq!((again.state, again.due_on), ("running", shown.due_on));
    assert!(story.inbox_types(SCHOOL).await.contains(&"control.return".to_owned()));
    story.set("2026-03-03 10:00");
    story.submit(&reply(id, SCHOOL, "2026-03-03 09:00")).await.unwrap();
    assert_eq!(story.obligation().await.state, "fulfilled");
}

#[tokio::test]
async fn a_ruling_opens_one_obligation_per_order_and_a_report_answers_the_orders_it_names() {
    let story = Story::at("2026-03-02 10:00").await;
    let text = include_str!("../../schemas/ruling.commission/1/example.json");
    let mut ruling: serde_json::Value = serde_json::from_str(text).unwrap();
    ruling["body"].as_object_mut().unwrap().remove("report_every");
    let submitted = story.submit(&ruling).await.unwrap();
    assert_eq!(submitted.accepted.obligations.len(), 2);
    let report = include_str!("../../schemas/report.ruling-execution/1/example.json");
    story.set("2026-03-25 16:00");
    story.submit(&serde_json::from_str(report).unwrap()).await.unwrap();
    let ours = story.obligations(CENTRE).await;
    assert_eq!((ours.len(), ours[0].state, ours[0].item.as_deref()), (1, "answered", Some("1")));
    // Only the commission takes it off control.
    let refused = story.gateway.act(ours[0].id, Action::Release, system(CENTRE)).await.unwrap_err();
    assert_eq!(refused.code, "not_the_controller");
    story.gateway.act(ours[0].id, Action::Release, system("commission-test")).await.unwrap();
    assert_eq!(story.obligations(CENTRE).await[0].state, "fulfilled");
    assert_eq!(story.obligations("education-test").await[0].state, "running");
}

#[tokio::test]
async fn what_was_receipted_survives_a_restart() {
    let story = Story::at("2026-03-02 10:00").await;
    let id = new_id();
    let before = story.submit(&request(id, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    let story = story.restart().await;
    let again = story.submit(&request(id, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    assert!(again.duplicate);
    assert_eq!(again.accepted, before.accepted);
    let letter = story.inbox(SCHOOL).await.remove(0);
    story.register(&letter, SCHOOL, "вх-15").await;
    assert!(story.inbox(SCHOOL).await.is_empty());
    let delivery = story.store.delivery(id, &code(SCHOOL)).await.unwrap().unwrap();
    assert_eq!((delivery.state.as_str(), delivery.registration.unwrap().0.as_str()), ("registered", "вх-15"));
}

#[tokio::test]
async fn a_recipient_that_has_refused_a_letter_and_registers_it_after_all_has_registered_it() {
    let story = Story::at("2026-03-02 10:00").await;
    let id = new_id();
    story.submit(&request(id, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    let letter = story.inbox(SCHOOL).await.remove(0);
    let reason = Some("Ошиблись адресом".to_owned());
    let refusal = RegistrationNotice { accepted: false, content_sha256: None, number: None, date: None, reason };
    let refused = story.gateway.register_delivery(id, &code(SCHOOL), refusal.clone()).await.unwrap();
    assert_eq!((refused.state.as_str(), refused.error.as_deref()), ("rejected", Some("Ошиблись адресом")));
    story.register(&letter, SCHOOL, "вх-15").await;
    // Nor does a second refusal undo it.
    let delivery = story.gateway.register_delivery(id, &code(SCHOOL), refusal).await.unwrap();
    assert_eq!((delivery.state.as_str(), delivery.error.as_deref()), ("registered", Some("Ошиблись адресом")));
}
