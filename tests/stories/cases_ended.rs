//! The end of the duties of a case, by its number: whoever tells it, and whatever came first.

use crate::duties::{example, send};
use crate::kit::{CENTRE, Story, code, coordinator, new_id, system};
use serde_json::{Value, json};

const CASE: &str = "СЛ-2026/014";

/// Type, period and state of the half-year duties that somebody is a party of.
async fn duties(story: &Story, of: &str) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for one in story.obligations(of).await {
        let Some(duty) = one.duty else { continue };
        rows.push(format!("{} {} {} {}", duty.report, one.item.unwrap_or_default(), one.performer.code, one.state));
    }
    rows.sort();
    rows
}

/// A plan of 18 March and a ruling of 20 March of one case, in two exchanges.
async fn plan_and_ruling(story: &Story) {
    send(story, "2026-03-18 10:00", &example("plan.approved", "2026-03-18 10:00")).await;
    let mut ruling = example("ruling.commission", "2026-03-20 10:00");
    (ruling["case"], ruling["body"]["ruling_kind"]) = (json!(CASE), json!("place_on_register"));
    send(story, "2026-03-20 10:00", &ruling).await;
}

fn deregistration(at: &str) -> Value {
    let mut end = example("ruling.deregistration", at);
    end["case"] = json!(CASE);
    end
}

#[tokio::test]
async fn a_closing_message_ends_the_duties_of_its_case_in_every_exchange_without_naming_one() {
    let story = Story::at("2026-03-18 10:00").await;
    plan_and_ruling(&story).await;
    assert_eq!(duties(&story, CENTRE).await.len(), 2);
    let mut closed = example("notice.case-closed", "2026-05-15 15:00");
    send(&story, "2026-05-15 15:00", &closed).await;
    let expected = ["report.plan-progress 2026-1 centre-vymysel withdrawn"; 2];
    assert_eq!(duties(&story, CENTRE).await, expected);
    let story = story.restart().await;
    closed["id"] = json!(new_id());
    send(&story, "2026-05-16 15:00", &closed).await;
    story.set("2027-02-01 12:00");
    story.sweep().await;
    assert_eq!(duties(&story, CENTRE).await, expected, "no further period, and the end told twice is told once");
    let facts = story.obligations(CENTRE).await.into_iter().find(|one| one.duty.is_some()).unwrap().facts;
    let facts = serde_json::to_value(facts).unwrap();
    assert_eq!((&facts[0]["fact"], &facts[0]["reason"]), (&json!("ended"), &json!("дело закрыто")));
}

#[tokio::test]
async fn a_period_that_is_overdue_when_the_case_ends_stays_owed_and_the_running_one_does_not() {
    let story = Story::at("2026-03-18 10:00").await;
    send(&story, "2026-03-18 10:00", &example("plan.approved", "2026-03-18 10:00")).await;
    story.set("2026-07-10 12:00");
    story.sweep().await;
    send(&story, "2026-07-15 10:00", &deregistration("2026-07-15 10:00")).await;
    let rows = duties(&story, CENTRE).await;
    assert_eq!(
        rows,
        ["report.plan-progress 2026-1 centre-vymysel running", "report.plan-progress 2026-2 centre-vymysel withdrawn"]
    );
}

#[tokio::test]
async fn the_end_that_comes_before_the_beginning_ends_it_and_a_family_that_is_taken_on_again_begins_anew() {
    for sweep in [false, true] {
        let story = Story::at("2026-05-20 10:00").await;
        send(&story, "2026-05-20 10:00", &deregistration("2026-05-20 10:00")).await;
        if sweep {
            story.sweep().await;
        }
        // Made in March, it was held up on its way.
        let plan = example("plan.approved", "2026-03-18 10:00");
        send(&story, "2026-05-21 10:00", &plan).await;
        assert_eq!(duties(&story, CENTRE).await, ["report.plan-progress 2026-1 centre-vymysel withdrawn"]);
        let mut again = example("plan.approved", "2026-05-25 10:00");
        for measure in again["body"]["measures"].as_array_mut().unwrap() {
            measure["to"] = json!("2026-06-26");
        }
        send(&story, "2026-05-25 10:00", &again).await;
        assert_eq!(
            duties(&story, CENTRE).await,
            [
                "report.plan-progress 2026-1 centre-vymysel running",
                "report.plan-progress 2026-1 centre-vymysel withdrawn"
            ]
        );
    }
}

#[tokio::test]
async fn the_end_of_another_case_or_of_another_centres_case_of_the_same_number_ends_nothing() {
    let story = Story::at("2026-03-18 10:00").await;
    plan_and_ruling(&story).await;
    let mut other = deregistration("2026-05-20 10:00");
    other["case"] = json!("СЛ-2026/015");
    send(&story, "2026-05-20 10:00", &other).await;
    // The same number, and no centre of ours: the commission and the lead serve both.
    let mut foreign = deregistration("2026-05-20 11:00");
    foreign["to"] = json!(["education-test"]);
    send(&story, "2026-05-20 11:00", &foreign).await;
    let running = ["report.plan-progress 2026-1 centre-vymysel running"; 2];
    assert_eq!(duties(&story, CENTRE).await, running);
    send(&story, "2026-05-20 12:00", &deregistration("2026-05-20 12:00")).await;
    assert_eq!(duties(&story, CENTRE).await, ["report.plan-progress 2026-1 centre-vymysel withdrawn"; 2]);
}

#[tokio::test]
async fn a_case_that_a_person_closes_ends_its_duties_in_the_same_decision() {
    let story = Story::at("2026-03-18 10:00").await;
    plan_and_ruling(&story).await;
    story.set("2026-05-15 15:00");
    let act = serde_json::from_value(json!({"action": "close", "reason": "Переезд семьи"})).unwrap();
    story.gateway.decide_case((None, CASE), act, &coordinator()).await.unwrap();
    let expected = ["report.plan-progress 2026-1 centre-vymysel withdrawn"; 2];
    assert_eq!(duties(&story, CENTRE).await, expected);
    // A family that is taken on again owes again.
    let open = serde_json::from_value(json!({"action": "open"})).unwrap();
    story.set("2026-05-20 10:00");
    story.gateway.decide_case((None, CASE), open, &coordinator()).await.unwrap();
    send(&story, "2026-05-20 11:00", &example("notice.case-opened", "2026-05-20 11:00")).await;
    assert!(duties(&story, CENTRE).await.iter().any(|duty| duty.ends_with("running")));
}

#[tokio::test]
async fn staff_end_the_duties_of_their_own_centres_case() {
    let story = Story::at("2026-03-18 10:00").await;
    plan_and_ruling(&story).await;
    let foreign = story.gateway.end_duties_of_case(CASE.into(), code(CENTRE), &system("school-test-17")).await;
    assert_eq!(foreign.unwrap_err().code, "not_your_obligation");
    for at in ["2026-05-20 10:00", "2026-05-20 11:00"] {
        story.set(at);
        story.gateway.end_duties_of_case(CASE.into(), code(CENTRE), &coordinator()).await.unwrap();
    }
    assert_eq!(duties(&story, CENTRE).await, ["report.plan-progress 2026-1 centre-vymysel withdrawn"; 2]);
    let ended = story.obligations(CENTRE).await.into_iter().filter(|one| one.duty.is_some());
    let ended: Vec<usize> = ended.map(|one| one.facts.len()).collect();
    assert_eq!(ended, [1, 1], "said once");
}

fn opened() -> Value {
    let mut opened = example("notice.case-opened", "2026-03-18 16:00");
    opened["to"] = json!([CENTRE]);
    opened
}

fn closing_ruling(at: &str, continues: bool) -> Value {
    let mut ruling = deregistration(at);
    (ruling["body"]["recommend_continue"], ruling["body"]["date"]) = (json!(continues), json!(&at[..10]));
    ruling
}

#[tokio::test]
async fn a_ruling_that_closes_the_case_ends_visits_and_monitoring_in_every_order_and_one_that_does_not_ends_none() {
    for (continues, ruling_first) in [(false, false), (false, true), (true, false)] {
        let story = Story::at("2026-03-18 16:00").await;
        let ruling = closing_ruling("2026-03-27 10:00", continues);
        if ruling_first {
            send(&story, "2026-03-27 10:00", &ruling).await;
            send(&story, "2026-03-27 11:00", &opened()).await;
        } else {
            send(&story, "2026-03-18 16:00", &opened()).await;
            send(&story, "2026-03-27 10:00", &ruling).await;
        }
        let story = story.restart().await;
        let states: Vec<String> = duties(&story, CENTRE).await;
        let expected = if continues { "running" } else { "withdrawn" };
        assert!(states.len() == 2 && states.iter().all(|row| row.ends_with(expected)), "{ruling_first}: {states:?}");
        story.set("2026-09-01 12:00");
        story.sweep().await;
        let later = duties(&story, CENTRE).await.len();
        assert!(if continues { later > 2 } else { later == 2 }, "{later} after {continues}");
    }
}

#[tokio::test]
async fn an_end_that_is_spoken_closes_the_record_with_the_duties() {
    let story = Story::at("2026-03-18 16:00").await;
    send(&story, "2026-03-18 16:00", &opened()).await;
    let mut call = example("signal.phone-message", "2026-03-27 10:00");
    (call["case"], call["from"], call["to"]) = (json!(CASE), json!(CENTRE), json!(["commission-test"]));
    call["body"]["carries"] = json!("notice.case-closed");
    send(&story, "2026-03-27 10:00", &call).await;
    assert!(duties(&story, CENTRE).await.iter().all(|row| row.ends_with("withdrawn")));
    let case = story.gateway.case(None, CASE, &coordinator()).await.unwrap();
    assert_eq!(case.closed_on.map(|day| day.to_string()).as_deref(), Some("2026-03-27"));
}

#[tokio::test]
async fn what_began_by_a_clock_that_is_ahead_is_ended_by_a_person_an_hour_later() {
    let story = Story::at("2026-03-18 16:00").await;
    let mut ahead = opened();
    ahead["created_at"] = json!("2026-03-19T10:00:00+08:00");
    send(&story, "2026-03-18 16:00", &ahead).await;
    story.set("2026-03-18 17:00");
    story.gateway.end_duties_of_case(CASE.into(), code(CENTRE), &coordinator()).await.unwrap();
    let states = duties(&story, CENTRE).await;
    assert!(states.len() == 2 && states.iter().all(|row| row.ends_with("withdrawn")), "{states:?}");
}

/// The centre, in a region of which no calendar knows, or in its own again.
async fn moved(story: &Story, region: &str) {
    let mut centre = (*story.gateway.participant(&code(CENTRE)).unwrap()).clone();
    centre.region = Some(region.to_owned());
    story.store.import_participants(vec![centre]).await.unwrap();
    assert!(story.gateway.refresh_directory().await.unwrap());
}

#[tokio::test]
async fn an_end_that_cannot_be_told_to_the_duties_is_refused_whole_and_its_neighbours_are_taken() {
    let story = Story::at("2026-03-18 16:00").await;
    send(&story, "2026-03-18 16:00", &opened()).await;
    moved(&story, "RU-NOWHERE").await;
    story.set("2026-03-27 10:00");
    let ruling = closing_ruling("2026-03-27 10:00", false);
    let neighbours = [1, 2].map(|_| crate::kit::request(new_id(), &["school-test-17"], "2026-03-27 09:00"));
    let (first, refused, second) =
        tokio::join!(story.submit(&neighbours[0]), story.submit(&ruling), story.submit(&neighbours[1]));
    assert_eq!(refused.unwrap_err().code, "unknown_region");
    let numbers = [first, second].map(|taken| taken.unwrap().accepted.number);
    assert_eq!(numbers, ["2/2026", "3/2026"], "after the notice of the case");
    let id = serde_json::from_value(ruling["id"].clone()).unwrap();
    let shown = story.gateway.message(id, mezhved::domain::message::Format::Json, &coordinator()).await;
    assert_eq!(shown.unwrap_err().code, "not_found");
    let close = || serde_json::from_value(json!({"action": "close", "reason": "Переезд семьи"})).unwrap();
    let decided = story.gateway.decide_case((None, CASE), close(), &coordinator()).await;
    assert_eq!(decided.unwrap_err().code, "unknown_region");
    let case = story.gateway.case(None, CASE, &coordinator()).await.unwrap();
    assert_eq!(case.closed_on, None);
    assert!(duties(&story, CENTRE).await.iter().all(|row| row.ends_with("running")));
    moved(&story, "RU-IRK").await;
    assert!(!story.submit(&ruling).await.unwrap().duplicate, "nothing of it was kept");
    assert!(duties(&story, CENTRE).await.iter().all(|row| row.ends_with("withdrawn")));
}
