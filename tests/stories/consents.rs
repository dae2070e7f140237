//! Consents bind the centre that has registered them.

use crate::cases::{decide, example, log};
use crate::kit::{CENTRE, SCHOOL, Story, code, new_id, reply, request};
use mezhved::domain::case::consent::ConsentKind;
use serde_json::{Value, json};

/// A request for a child's health, which citing a consent allows.
fn about_health(on: &str) -> Value {
    let mut request = example("request.health");
    request["created_at"] = json!(format!("{on}T09:00:00+08:00"));
    request["consent"] = json!({ "kind": "medical_secrecy", "reference": "согласие № 8" });
    request
}

#[tokio::test]
async fn a_centre_that_registers_consents_for_a_case_is_held_to_them() {
    let story = Story::at("2026-03-02 10:20").await;
    story.submit(&about_health("2026-03-02")).await.expect("no consent of this case is registered: its word stands");
    let register = |reference: &str, kind: &str| {
        json!({"action": "register_consent", "kind": kind, "reference": reference,
            "bodies": ["clinic-test"], "data": ["health"], "from": "2026-03-02", "until": "2026-06-30"})
    };
    decide(&story, register("согласие № 9", "processing")).await.unwrap();
    assert_eq!(decide(&story, register("согласие № 9", "processing")).await.unwrap_err(), "consent_exists");
    let refused = story.submit(&about_health("2026-03-02")).await.unwrap_err();
    assert_eq!((refused.code, refused.faults[0].path.as_str()), ("consent_unknown", "/consent/reference"));
    let view = decide(&story, register("согласие № 8", "medical_secrecy")).await.unwrap();
    assert_eq!((view.consents[1].consent.kind, view.consents[1].state), (ConsentKind::MedicalSecrecy, "in_force"));
    let good = about_health("2026-03-02");
    story.submit(&good).await.unwrap();
    assert_eq!(story.submit(&about_health("2026-03-01")).await.unwrap_err().code, "consent_not_in_force", "too early");
    let mut ordinary = request(new_id(), &["clinic-test", SCHOOL], "2026-03-02 10:15");
    ordinary["consent"] = json!({"kind": "processing", "reference": "согласие № 9"});
    let refused = story.submit(&ordinary).await.unwrap_err();
    assert_eq!((refused.code, refused.faults[0].path.as_str()), ("consent_not_covering", "/to/1"));
    decide(&story, json!({"action": "withdraw_consent", "no": 2, "reason": "Заявление матери"})).await.unwrap();
    assert_eq!(story.submit(&about_health("2026-03-02")).await.unwrap_err().code, "consent_not_in_force", "withdrawn");
    assert!(story.submit(&good).await.unwrap().duplicate, "a repeat gets the original outcome again");
    let mut at_risk = about_health("2026-03-02");
    at_risk.as_object_mut().unwrap().remove("consent");
    at_risk["no_consent_ground"] =
        json!({"code": "risk_of_harm", "reason": "Получение согласия подвергло бы ребёнка риску"});
    story.submit(&at_risk).await.unwrap();
    let grounds: Vec<String> = log(&story)
        .await
        .iter()
        .filter(|line| line.kind == "message")
        .map(|line| format!("{}:{}", line.ground.code(), line.to))
        .collect();
    assert_eq!(grounds, ["consent:clinic-test", "consent:clinic-test", "no_consent:clinic-test"]);
}

#[tokio::test]
async fn a_consent_to_dissemination_allows_no_passing_on_and_a_body_is_not_held_to_our_registry() {
    let story = Story::at("2026-03-02 10:20").await;
    decide(&story, json!({"action": "open"})).await.unwrap();
    decide(
        &story,
        json!({"action": "register_consent", "kind": "dissemination", "reference": "согласие № 1",
        "from": "2026-01-01"}),
    )
    .await
    .unwrap();
    let mut spread = request(new_id(), &[SCHOOL], "2026-03-02 10:15");
    spread["consent"] = json!({"kind": "dissemination", "reference": "согласие № 1"});
    assert_eq!(story.submit(&spread).await.unwrap_err().code, "consent_not_covering");
    let root = new_id();
    story.submit(&request(root, &[SCHOOL], "2026-03-02 10:15")).await.unwrap();
    let mut answer = reply(root, SCHOOL, "2026-03-02 10:18");
    answer["consent"] = json!({"kind": "processing", "reference": "согласие школы № 3"});
    story.submit(&answer).await.expect("the school keeps its consents elsewhere");
}

#[tokio::test]
async fn a_centre_that_keeps_all_its_consents_here_cites_none_that_is_not_registered() {
    let story = Story::at("2026-03-02 10:20").await;
    let mut centre = (*story.gateway.participant(&code(CENTRE)).unwrap()).clone();
    centre.keeps_consents = true;
    story.store.import_participants(vec![centre]).await.unwrap();
    story.gateway.refresh_directory().await.unwrap();
    assert_eq!(story.submit(&about_health("2026-03-02")).await.unwrap_err().code, "consent_unknown");
    let mut without_case = about_health("2026-03-02");
    without_case.as_object_mut().unwrap().remove("case");
    assert_eq!(story.submit(&without_case).await.unwrap_err().code, "consent_unknown");
    decide(&story, json!({"action": "open"})).await.unwrap();
    decide(
        &story,
        json!({"action": "register_consent", "kind": "medical_secrecy", "reference": "согласие № 8",
        "from": "2026-01-01"}),
    )
    .await
    .unwrap();
    story.submit(&about_health("2026-03-02")).await.unwrap();
}

#[tokio::test]
async fn a_consent_must_hold_on_the_day_of_the_message_and_on_that_of_its_receipt_where_the_centre_is() {
    let story = Story::at("2026-03-01 10:20").await;
    decide(&story, json!({"action": "open"})).await.unwrap();
    for (reference, from) in [("согласие № 8", "2026-03-01"), ("согласие № 9", "2026-03-05")] {
        let act =
            json!({"action": "register_consent", "kind": "medical_secrecy", "reference": reference, "from": from});
        decide(&story, act).await.unwrap();
    }
    let held_up = about_health("2026-03-01");
    story.set("2026-03-05 10:00");
    story.submit(&about_health("2026-03-01")).await.unwrap();
    decide(&story, json!({"action": "withdraw_consent", "no": 1})).await.unwrap();
    story.set("2026-03-10 10:00");
    assert_eq!(story.submit(&held_up).await.unwrap_err().code, "consent_not_in_force", "withdrawn meanwhile");
    // 4 March in Greenwich, 5 March in Irkutsk.
    let mut at_night = about_health("2026-03-04");
    at_night["created_at"] = json!("2026-03-04T18:00:00Z");
    at_night["consent"]["reference"] = json!("согласие № 9");
    story.submit(&at_night).await.unwrap();
}
