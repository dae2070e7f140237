//! A case lives through its messages and the decisions of people; what is given is written down.

use crate::kit::{CENTRE, SCHOOL, Story, code, coordinator, new_id, reply, request, system};
use mezhved::domain::case::act::CaseAct;
use mezhved::domain::case::history::Standing;
use mezhved::domain::case::{PartRole, Stage, What};
use mezhved::domain::ids::MessageId;
use mezhved::domain::message::{Format, Level, Track};
use mezhved::gateway::act::Actor;
use mezhved::gateway::cases::views::{CaseView, DisclosureLine};
use mezhved::gateway::ports::accounts::UserRole;
use mezhved::gateway::ports::cases::CaseFilter;
use serde_json::{Value, json};

pub const CASE: &str = "СЛ-2026/014";

pub async fn case(story: &Story) -> CaseView {
    story.gateway.case(None, CASE, &coordinator()).await.unwrap()
}

pub async fn decide(story: &Story, act: Value) -> Result<CaseView, &'static str> {
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

pub fn example(type_code: &str) -> Value {
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

#[tokio::test]
async fn of_two_centres_with_a_case_of_one_number_one_must_be_named() {
    let story = Story::at("2026-03-02 10:20").await;
    decide(&story, json!({"action": "open"})).await.unwrap();
    let other = code("centre-obrazec");
    let open = || serde_json::from_value(json!({"action": "open"})).unwrap();
    // A person opens what no centre keeps yet: which one shall keep it must be said.
    let unsaid = story.gateway.decide_case((None, "СЛ-7"), open(), &coordinator()).await.unwrap_err();
    assert_eq!(unsaid.code, "centre_missing");
    story.gateway.decide_case((None, CASE), open(), &system("centre-obrazec")).await.unwrap();
    let close = || CaseAct::Close { on: None, reason: "Переезд".into() };
    let refused = story.gateway.decide_case((None, CASE), close(), &coordinator()).await.unwrap_err();
    assert_eq!(refused.code, "centre_missing");
    assert!(refused.message.contains(CENTRE) && refused.message.contains(other.as_str()), "{}", refused.message);
    assert_eq!(story.gateway.case(None, CASE, &coordinator()).await.unwrap_err().code, "centre_missing");
    story.gateway.decide_case((Some(&other), CASE), close(), &coordinator()).await.unwrap();
    let of = async |centre| story.gateway.case(Some(&centre), CASE, &coordinator()).await.unwrap().standing;
    assert_eq!((of(code(CENTRE)).await, of(other.clone()).await), (Standing::Open, Standing::Closed));
}

#[tokio::test]
async fn a_slip_in_the_year_of_an_order_closes_the_case_on_the_day_of_its_registration_and_it_can_be_opened_again() {
    let story = Story::at("2026-04-22 10:00").await;
    let mut closing = closing();
    closing["body"]["order"]["date"] = json!("2062-04-20");
    story.submit(&closing).await.unwrap();
    assert_eq!(case(&story).await.closed_on.unwrap().to_string(), "2026-04-22");
    assert_eq!(decide(&story, json!({"action": "open"})).await.unwrap().standing, Standing::Open);
}

#[tokio::test]
async fn what_a_message_does_without_a_day_of_its_own_holds_from_its_day_where_the_centre_is() {
    let story = Story::at("2026-03-02 10:20").await;
    let mut referral = example("signal.referral");
    (referral["to"], referral["created_at"]) = (json!([CENTRE]), json!("2026-03-01T20:00:00Z"));
    story.submit(&referral).await.unwrap();
    let stages: Vec<String> = case(&story).await.stages.iter().map(|one| one.on.to_string()).collect();
    assert_eq!(stages, ["2026-03-02"]);
}

#[tokio::test]
async fn what_a_centre_writes_for_its_own_file_is_no_disclosure_and_makes_it_no_participant() {
    let story = Story::at("2026-03-02 10:20").await;
    let mut opened = example("notice.case-opened");
    (opened["created_at"], opened["to"]) = (json!("2026-03-02T09:00:00+08:00"), json!([CENTRE, SCHOOL]));
    story.submit(&opened).await.unwrap();
    let mut act = example("report.visit-act");
    (act["exchange"], act["in_reply_to"]) = (opened["id"].clone(), opened["id"].clone());
    (act["created_at"], act["body"]["date"]) = (json!("2026-03-02T10:00:00+08:00"), json!("2026-03-02"));
    story.submit(&act).await.unwrap();
    let bodies: Vec<String> = case(&story).await.participants.iter().map(|one| one.body.to_string()).collect();
    assert_eq!(bodies, [SCHOOL]);
    let given: Vec<String> =
        log(&story).await.into_iter().filter(|line| line.kind == "message").map(|line| line.to).collect();
    assert_eq!(given, [SCHOOL]);
}

#[tokio::test]
async fn a_day_beyond_every_calendar_is_the_askers_fault_and_no_fault_of_the_store() {
    let story = Story::at("2026-03-02 10:20").await;
    decide(&story, json!({"action": "open"})).await.unwrap();
    for act in [
        json!({"action": "close", "reason": "Переезд", "on": "-0001-01-01"}),
        json!({"action": "register_consent", "kind": "processing", "reference": "№ 1", "from": "2026-01-01",
            "until": "+12000-01-01"}),
    ] {
        assert_eq!(decide(&story, act).await.unwrap_err(), "bad_case_day");
    }
}
