//! A case lives through its messages and the decisions of people; consents bind its centre; what is given is written down.

use crate::kit::{CENTRE, SCHOOL, Story, code, coordinator, new_id, reply, request, system};
use mezhved::domain::case::act::CaseAct;
use mezhved::domain::case::consent::ConsentKind;
use mezhved::domain::case::history::Standing;
use mezhved::domain::case::{PartRole, Stage, What};
use mezhved::domain::ids::MessageId;
use mezhved::domain::message::{Format, Level, Track};
use mezhved::gateway::act::Actor;
use mezhved::gateway::cases::views::{CaseView, DisclosureLine};
use mezhved::gateway::ports::accounts::UserRole;
use mezhved::gateway::ports::cases::CaseFilter;
use serde_json::{Value, json};

const CASE: &str = "СЛ-2026/014";

async fn case(story: &Story) -> CaseView {
    story.gateway.case(None, CASE, &coordinator()).await.unwrap()
}

async fn decide(story: &Story, act: Value) -> Result<CaseView, &'static str> {
    let act: CaseAct = serde_json::from_value(act).unwrap();
    let decided = story.gateway.decide_case((Some(&code(CENTRE)), CASE), act, &coordinator()).await;
    decided.map_err(|fault| fault.code)
}

/// The log, the oldest first, without the line of this reading.
pub async fn log(story: &Story) -> Vec<DisclosureLine> {
    let mut lines = story.gateway.disclosures((None, CASE), (None, 1000), &coordinator()).await.unwrap();
    lines.reverse();
    assert_eq!(lines.pop().map(|line| (line.kind, line.what)), Some(("record_read", "disclosures".to_owned())));
    lines
}

fn example(type_code: &str) -> Value {
    let path = format!("{}/schemas/{type_code}/1/example.json", env!("CARGO_MANIFEST_DIR"));
    let mut message: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    (message["id"], message["case"]) = (json!(new_id()), json!(CASE));
    message
}

fn ruling() -> Value {
    let mut ruling = example("ruling.commission");
    ruling["body"]["ruling_kind"] = json!("place_on_register");
    ruling
}

fn level(to: &str, on: &str) -> Value {
    let mut notice = example("notice.support-level");
    (notice["body"]["level_to"], notice["body"]["from"]) = (json!(to), json!(on));
    notice["created_at"] = json!(format!("{on}T09:00:00+08:00"));
    notice
}

fn closing() -> Value {
    let mut closed = example("notice.case-closed");
    closed["body"]["order"]["date"] = json!("2026-04-20");
    closed["created_at"] = json!("2026-04-21T09:00:00+08:00");
    closed
}

/// A request for a child's health, which citing a consent allows.
fn about_health(on: &str) -> Value {
    let mut request = example("request.health");
    request["created_at"] = json!(format!("{on}T09:00:00+08:00"));
    request["consent"] = json!({ "kind": "medical_secrecy", "reference": "согласие № 8" });
    request
}

fn spells(case: &CaseView) -> Vec<(Level, String, Option<String>, Option<String>)> {
    let text = |day: chrono::NaiveDate| day.to_string();
    let row = |one: &mezhved::domain::case::history::LevelSpell| {
        (one.level, text(one.placed_on), one.moved_on.map(text), one.removed_on.map(text))
    };
    case.levels.iter().map(row).collect()
}

#[tokio::test]
async fn a_case_opens_at_the_first_message_that_names_it_and_messages_move_it() {
    let story = Story::at("2026-03-02 10:20").await;
    assert_eq!(story.gateway.case(None, CASE, &coordinator()).await.unwrap_err().code, "not_found");
    story.submit(&request(new_id(), &[SCHOOL], "2026-03-02 10:15")).await.unwrap();
    let named = case(&story).await;
    assert_eq!((named.standing, named.track, named.level, named.stage), (Standing::Named, None, None, None));
    story.submit(&ruling()).await.unwrap();
    let placed = case(&story).await;
    assert_eq!((placed.standing, placed.track), (Standing::Open, Some(Track::DangerousPosition)));
    assert_eq!((placed.opened_on.unwrap().to_string(), placed.stage), ("2026-02-26".into(), Some(Stage::Decision)));
    story.set("2026-04-21 10:00");
    story.submit(&level("basic", "2026-03-10")).await.unwrap();
    story.submit(&level("crisis", "2026-04-01")).await.unwrap();
    let mut continued = example("ruling.deregistration");
    (continued["created_at"], continued["body"]["date"]) = (json!("2026-04-10T09:00:00+08:00"), json!("2026-04-09"));
    story.submit(&continued).await.unwrap();
    assert_eq!(case(&story).await.track, Some(Track::DifficultSituation), "support goes on, as ТЖС");
    story.submit(&closing()).await.unwrap();
    let story = story.restart().await;
    let closed = case(&story).await;
    assert_eq!((closed.standing, closed.reason.as_deref()), (Standing::Closed, Some("programme_fulfilled")));
    assert_eq!((closed.closed_on.unwrap().to_string(), closed.level), ("2026-04-20".into(), None));
    let text = |day: &str| Some(day.to_owned());
    assert_eq!(
        spells(&closed),
        [
            (Level::Basic, "2026-03-10".to_owned(), text("2026-04-01"), None),
            (Level::Crisis, "2026-04-01".to_owned(), None, text("2026-04-20")),
        ]
    );
    let bodies: Vec<(&str, PartRole, u64, u64)> =
        closed.participants.iter().map(|one| (one.body.as_str(), one.role, one.incoming, one.outgoing)).collect();
    assert!(bodies.contains(&(SCHOOL, PartRole::Exchange, 0, 4)), "{bodies:?}");
    assert!(bodies.contains(&("commission-test", PartRole::Exchange, 2, 3)), "{bodies:?}");
}

#[tokio::test]
async fn every_order_of_the_messages_of_a_case_ends_in_the_same_record() {
    let messages = [ruling(), level("basic", "2026-03-10"), level("crisis", "2026-04-01"), closing()];
    let mut ends = Vec::new();
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2], [3, 0, 2, 1]] {
        let story = Story::at("2026-04-22 10:00").await;
        for place in order {
            let mut message = messages[place].clone();
            let orders = message.pointer_mut("/body/orders").and_then(Value::as_array_mut);
            for item in orders.into_iter().flatten() {
                item["due"] = json!("2026-05-20");
            }
            story.submit(&message).await.unwrap();
        }
        let end = case(&story).await;
        let facts: Vec<_> = end.history.iter().filter(|fact| fact.what != What::Named).cloned().collect();
        ends.push((end.standing, end.track, spells(&end), end.opened_on, end.closed_on, facts));
    }
    assert!(ends.iter().all(|end| *end == ends[0]), "{ends:#?}");
    assert_eq!(ends[0].0, Standing::Closed);
}

#[tokio::test]
async fn people_of_the_centre_open_a_case_lead_it_and_close_it() {
    let story = Story::at("2026-03-02 10:20").await;
    assert_eq!(decide(&story, json!({"action": "level", "level": "basic"})).await.unwrap_err(), "not_found");
    let opened = json!({"action": "open", "on": "2026-02-24", "track": "difficult_situation", "level": "basic",
        "reason": "Заявление о постановке"});
    let view = decide(&story, opened.clone()).await.unwrap();
    assert_eq!(
        (view.standing, view.level, view.track),
        (Standing::Open, Some(Level::Basic), Some(Track::DifficultSituation))
    );
    assert_eq!(decide(&story, opened).await.unwrap_err(), "case_open");
    assert_eq!(
        decide(&story, json!({"action": "level", "level": "crisis", "on": "2026-03-03"})).await.unwrap_err(),
        "case_day_in_future"
    );
    decide(&story, json!({"action": "level", "level": "crisis"})).await.unwrap();
    decide(&story, json!({"action": "stage", "stage": "in_depth_assessment"})).await.unwrap();
    decide(&story, json!({"action": "join", "body": SCHOOL, "role": "lead"})).await.unwrap();
    let nobody = json!({"action": "join", "body": "nobody", "role": "lead"});
    assert_eq!(decide(&story, nobody).await.unwrap_err(), "unknown_participant");
    story.submit(&request(new_id(), &[SCHOOL], "2026-03-02 10:15")).await.unwrap();
    let led = case(&story).await;
    assert_eq!(led.stage, Some(Stage::InDepthAssessment));
    assert_eq!(
        led.participants.iter().map(|one| (one.body.as_str(), one.role, one.outgoing)).collect::<Vec<_>>(),
        [(SCHOOL, PartRole::Lead, 1)]
    );
    decide(&story, json!({"action": "close", "reason": "Переезд"})).await.unwrap();
    assert_eq!(
        decide(&story, json!({"action": "track", "track": "dangerous_position"})).await.unwrap_err(),
        "case_closed"
    );
    decide(&story, json!({"action": "stage", "stage": "follow_up"})).await.unwrap();
    story.set("2026-03-03 10:00");
    assert_eq!(decide(&story, json!({"action": "open"})).await.unwrap().standing, Standing::Open, "again");
    let observer = Actor::Person { login: "o".into(), name: "О".into(), role: UserRole::Observer };
    let act = CaseAct::Close { on: None, reason: "нет".into() };
    let refused = story.gateway.decide_case((None, CASE), act, &observer).await.unwrap_err();
    assert_eq!(refused.code, "observer");
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
async fn whoever_gets_something_of_a_case_stands_in_its_log_before_it_is_given() {
    let story = Story::at("2026-03-02 10:20").await;
    let root = new_id();
    let mut asked = request(root, &[SCHOOL], "2026-03-02 10:15");
    asked["legal_basis"] = json!([{"act": "120-ФЗ", "article": "ст. 9"}]);
    let opened = story.submit(&asked).await.unwrap().accepted.obligations[0].id;
    story.submit(&reply(root, SCHOOL, "2026-03-02 10:18")).await.unwrap();
    story.gateway.evidence(opened, &system(SCHOOL)).await.unwrap();
    story.gateway.message(root, Format::Xml, &system(SCHOOL)).await.unwrap();
    story.gateway.message(root, Format::Json, &coordinator()).await.unwrap();
    story.gateway.case_letters(CASE, &coordinator()).await.unwrap();
    case(&story).await;
    let stranger = story.gateway.message(root, Format::Json, &system("school-test-18")).await;
    assert_eq!(stranger.unwrap_err().code, "not_found");
    let story = story.restart().await;
    let lines: Vec<String> =
        log(&story).await.iter().map(|one| format!("{} {} {}", one.kind, one.to, one.ground.code())).collect();
    assert_eq!(
        lines,
        [
            "message school-test-17 law",
            "evidence school-test-17 party",
            "message_read school-test-17 party",
            "message_read coordinator keeper",
            "case_file coordinator keeper",
            "record_read coordinator keeper",
        ]
    );
}

#[tokio::test]
async fn a_redirected_request_stands_in_the_log_and_its_new_performer_among_the_participants() {
    let story = Story::at("2026-03-02 10:20").await;
    let root = new_id();
    story.submit(&request(root, &[SCHOOL], "2026-03-02 10:15")).await.unwrap();
    let body = json!({"to": "education-test", "reason": "Ребёнок выбыл"});
    let mut passed = crate::kit::control("control.redirection", root, (SCHOOL, CENTRE), body);
    let template = example("control.redirection");
    passed["body"] = template["body"].clone();
    passed["body"]["to"] = json!("education-test");
    story.submit(&passed).await.unwrap();
    let lines: Vec<String> = log(&story).await.iter().map(|one| format!("{} {}", one.to, one.ground.code())).collect();
    assert_eq!(lines, ["school-test-17 unstated", "education-test redirected"]);
    let bodies = case(&story).await.participants;
    assert!(bodies.iter().any(|one| one.body.as_str() == "education-test" && one.outgoing == 1));
}

#[tokio::test]
async fn only_the_centre_that_keeps_a_case_sees_it() {
    let story = Story::at("2026-03-02 10:20").await;
    let first: MessageId = new_id();
    story.submit(&request(first, &[SCHOOL], "2026-03-02 10:15")).await.unwrap();
    story.gateway.case(None, CASE, &system(CENTRE)).await.unwrap();
    let filter = || CaseFilter { limit: 10, ..CaseFilter::default() };
    assert_eq!(story.gateway.cases(filter(), &system(CENTRE)).await.unwrap().len(), 1);
    assert!(story.gateway.cases(filter(), &system("centre-obrazec")).await.unwrap().is_empty());
    for other in ["centre-obrazec", SCHOOL, "commission-test"] {
        for named in [None, Some(code(CENTRE))] {
            let refused = story.gateway.case(named.as_ref(), CASE, &system(other)).await.unwrap_err();
            assert_eq!(refused.code, "not_found", "{other}");
            let of = (named.as_ref(), CASE);
            let refused = story.gateway.disclosures(of, (None, 10), &system(other)).await.unwrap_err();
            assert_eq!(refused.code, "not_found", "{other}");
            let act = CaseAct::Close { on: None, reason: "чужой".into() };
            let refused = story.gateway.decide_case(of, act, &system(other)).await.unwrap_err();
            assert_eq!(refused.code, "not_found", "{other}");
        }
    }
    assert_eq!(story.gateway.cases(filter(), &system(SCHOOL)).await.unwrap_err().code, "keeps_no_cases");
}
