//! The wall between participants, and who may send what to whom.

use crate::kit::{CENTRE, SCHOOL, Story, code, new_id, reply, request, system};
use mezhved::domain::message::Format;
use mezhved::gateway::rejection::RejectionKind;
use serde_json::json;

#[tokio::test]
async fn a_participant_sees_only_its_own() {
    let story = Story::at("2026-03-02 10:00").await;
    let id = new_id();
    story.submit(&request(id, &[SCHOOL, "school-test-18"], "2026-03-02 09:00")).await.unwrap();
    assert_eq!(story.obligations(SCHOOL).await.len(), 1);
    assert_eq!(story.obligations(CENTRE).await.len(), 2);
    assert!(story.obligations("police-test").await.is_empty());
    let other = story.obligations("school-test-18").await[0].id;
    assert_eq!(story.gateway.obligation(other, &system(SCHOOL)).await.unwrap_err().code, "not_found");
    assert_eq!(story.gateway.explanation(other, &system(SCHOOL)).await.unwrap_err().code, "not_found");
    assert!(story.gateway.message(id, Format::Xml, &system(SCHOOL)).await.is_ok());
    assert_eq!(story.gateway.message(id, Format::Xml, &system("police-test")).await.unwrap_err().code, "not_found");
    let exchange = story.obligations(CENTRE).await[0].exchange;
    let seen = story.gateway.chronology(exchange, &system(SCHOOL)).await.unwrap();
    assert!(seen.deliveries.iter().all(|delivery| delivery.recipient == code(SCHOOL)));
    assert!(seen.obligations.iter().all(|one| one.performer.code == code(SCHOOL)));
    assert!(seen.entries.iter().all(|one| one.participant.as_ref() != Some(&code("school-test-18"))));
    assert_eq!(story.gateway.chronology(exchange, &system("police-test")).await.unwrap_err().code, "not_found");
}

#[tokio::test]
async fn nobody_writes_in_another_name_or_answers_for_another() {
    let story = Story::at("2026-03-02 10:00").await;
    let id = new_id();
    let message = request(id, &[SCHOOL], "2026-03-02 09:00");
    let bytes = serde_json::to_vec(&message).unwrap();
    let refused = story.submit_bytes(SCHOOL, Format::Json, bytes).await.unwrap_err();
    assert_eq!((refused.kind, refused.code), (RejectionKind::Forbidden, "sender_mismatch"));
    story.submit(&message).await.unwrap();
    let foreign = story.submit(&reply(id, "police-test", "2026-03-02 10:00")).await.unwrap_err();
    assert_eq!((foreign.kind, foreign.code), (RejectionKind::Forbidden, "not_your_obligation"));
    let mut taken = request(id, &[CENTRE], "2026-03-02 09:00");
    taken["from"] = json!(SCHOOL);
    assert_eq!(story.submit(&taken).await.unwrap_err().code, "id_taken");
    assert_eq!(story.obligation().await.state, "running");
}

#[tokio::test]
async fn roles_and_addressees_are_enforced_with_every_fault() {
    let story = Story::at("2026-03-02 10:00").await;
    let wrong = request(new_id(), &["nobody-here", CENTRE, SCHOOL], "2026-03-02 09:00");
    let refused = story.submit(&wrong).await.unwrap_err();
    let paths: Vec<(&str, &str)> = refused.faults.iter().map(|fault| (fault.path.as_str(), fault.code)).collect();
    assert_eq!(paths, [("/to/0", "unknown_participant"), ("/to/1", "to_oneself")]);
    let text = include_str!("../../schemas/ruling.commission/1/example.json");
    let mut ruling: serde_json::Value = serde_json::from_str(text).unwrap();
    ruling["from"] = json!(SCHOOL);
    ruling["to"] = json!([CENTRE]);
    let refused = story.submit(&ruling).await.unwrap_err();
    assert_eq!((refused.kind, refused.code), (RejectionKind::Forbidden, "role_not_allowed"));
    let mut future = request(new_id(), &[SCHOOL], "2026-03-04 09:00");
    future["id"] = json!(new_id());
    assert_eq!(story.submit(&future).await.unwrap_err().code, "created_in_the_future");
}

#[tokio::test]
async fn a_request_cannot_take_over_the_exchange_of_another() {
    let story = Story::at("2026-03-02 10:00").await;
    let id = new_id();
    story.submit(&request(id, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    let mut intruder = request(new_id(), &[CENTRE], "2026-03-02 09:00");
    intruder["from"] = json!("police-test");
    intruder["exchange"] = json!(id);
    assert_eq!(story.submit(&intruder).await.unwrap_err().code, "opens_no_exchange");
    intruder.as_object_mut().unwrap().remove("exchange");
    intruder["in_reply_to"] = json!(id);
    story.submit(&intruder).await.unwrap();
    let mine = story.obligations(SCHOOL).await;
    assert_eq!((mine.len(), mine[0].controller.code.as_str()), (1, CENTRE));
    assert_eq!(story.obligations("police-test").await.len(), 1, "its request has an exchange of its own");
}
