//! What is owed once in a half-year: opened by a plan or a ruling, one period after the other, until it is ended.

use crate::kit::{CENTRE, SCHOOL, Story, irkutsk, new_id};
use mezhved::catalogue::Catalogue;
use mezhved::domain::ids::TypeCode;
use serde_json::{Value, json};

const LEAD: &str = "education-test";
const COMMISSION: &str = "commission-test";

pub fn example(of: &str, at: &str) -> Value {
    let entry = Catalogue::builtin().latest(&TypeCode::new(of).unwrap()).unwrap();
    let mut message: Value = serde_json::from_str(entry.example_json.as_deref().unwrap()).unwrap();
    message["id"] = json!(new_id());
    message["created_at"] = json!(irkutsk(at).to_rfc3339());
    message
}

pub async fn send(story: &Story, at: &str, message: &Value) {
    story.set(at);
    story.submit(message).await.unwrap_or_else(|refused| panic!("{}: {refused:?}", message["type"]));
}

/// Period, performer, due date and state of what is owed for half-years to somebody or by somebody.
async fn halves(story: &Story, of: &str) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for one in story.obligations(of).await {
        let period = one.item.unwrap_or_default();
        if period.starts_with("20") {
            rows.push(format!("{period} {} {} {}", one.performer.code, one.due_on, one.state));
        }
    }
    rows.sort();
    rows
}

/// A plan of 18 March, from the lead to the centre and the school.
async fn planned() -> (Story, Value) {
    let story = Story::at("2026-03-18 10:00").await;
    let plan = example("plan.approved", "2026-03-18 10:00");
    send(&story, "2026-03-18 10:00", &plan).await;
    (story, plan)
}

fn progress(plan: &Value, at: &str, half: u32) -> Value {
    let mut report = example("report.plan-progress", at);
    (report["exchange"], report["in_reply_to"]) = (plan["id"].clone(), plan["id"].clone());
    report["body"]["period"]["half"] = json!(half);
    report
}

#[tokio::test]
async fn a_plan_opens_the_reports_of_the_co_performers_and_the_control_act_of_the_lead_for_the_running_half_year() {
    let (story, _) = planned().await;
    let reports = [format!("2026-1 {CENTRE} 2026-06-30 running"), format!("2026-1 {SCHOOL} 2026-06-30 running")];
    let act = format!("2026-1 {LEAD} 2026-06-30 running");
    assert_eq!(halves(&story, LEAD).await, [reports[0].clone(), act.clone(), reports[1].clone()]);
    assert_eq!(halves(&story, COMMISSION).await, [act], "the commission is owed the act alone");
}

#[tokio::test]
async fn a_report_answers_its_own_half_year_and_opens_the_next_one() {
    let (story, plan) = planned().await;
    let early = progress(&plan, "2026-06-25 10:00", 2);
    story.set("2026-06-25 10:00");
    assert_eq!(story.submit(&early).await.unwrap_err().code, "not_your_obligation", "the second half is not owed yet");
    send(&story, "2026-06-26 10:00", &progress(&plan, "2026-06-26 10:00", 1)).await;
    let story = story.restart().await;
    // The last day of the year is a day off: back to the working day before it.
    let expected = [format!("2026-1 {CENTRE} 2026-06-30 answered"), format!("2026-2 {CENTRE} 2026-12-30 running")];
    assert_eq!(halves(&story, CENTRE).await, expected);
    send(&story, "2026-06-29 10:00", &progress(&plan, "2026-06-29 10:00", 1)).await;
    assert_eq!(halves(&story, CENTRE).await, expected, "a supplement answers nothing ahead");
}

#[tokio::test]
async fn a_half_year_that_ends_unanswered_stays_owed_beside_the_next_one() {
    let (story, _) = planned().await;
    story.set("2026-06-30 23:00");
    story.sweep().await;
    assert_eq!(halves(&story, SCHOOL).await.len(), 1, "the period is not over yet");
    for at in ["2026-07-02 12:00", "2026-07-06 12:00"] {
        story.set(at);
        story.sweep().await;
        let expected = [format!("2026-1 {SCHOOL} 2026-06-30 running"), format!("2026-2 {SCHOOL} 2026-12-30 running")];
        assert_eq!(halves(&story, SCHOOL).await, expected, "{at}");
    }
}

#[tokio::test]
async fn the_end_of_the_case_in_reply_to_the_plan_ends_its_duties_and_opens_no_further_ones() {
    let (story, plan) = planned().await;
    send(&story, "2026-06-26 10:00", &progress(&plan, "2026-06-26 10:00", 1)).await;
    let mut closed = example("notice.case-closed", "2026-09-15 15:00");
    closed["in_reply_to"] = plan["id"].clone();
    send(&story, "2026-09-15 15:00", &closed).await;
    let expected = [format!("2026-1 {CENTRE} 2026-06-30 answered"), format!("2026-2 {CENTRE} 2026-12-30 withdrawn")];
    assert_eq!(halves(&story, CENTRE).await, expected);
    // The act of the first half was overdue by then: it stays owed.
    let acts = [format!("2026-1 {LEAD} 2026-06-30 running"), format!("2026-2 {LEAD} 2026-12-30 withdrawn")];
    assert_eq!(halves(&story, COMMISSION).await, acts);
    story.set("2027-02-01 12:00");
    story.sweep().await;
    assert_eq!(halves(&story, CENTRE).await, expected);
    let measures = story.obligations(SCHOOL).await;
    assert!(measures.iter().any(|one| one.item.as_deref() == Some("2") && one.state == "running"), "a measure stays");
}

#[tokio::test]
async fn only_a_ruling_that_places_on_the_register_opens_a_half_year_duty_and_deregistration_ends_it() {
    for (kind, count) in [("individual_work", 0), ("place_on_register", 1)] {
        let story = Story::at("2026-03-02 10:00").await;
        let mut ruling = example("ruling.commission", "2026-03-02 10:00");
        ruling["body"]["ruling_kind"] = json!(kind);
        ruling["body"].as_object_mut().unwrap().remove("report_every");
        send(&story, "2026-03-02 10:00", &ruling).await;
        assert_eq!(halves(&story, CENTRE).await.len(), count, "{kind}");
        let mut end = example("ruling.deregistration", "2026-05-28 10:00");
        end["in_reply_to"] = ruling["id"].clone();
        send(&story, "2026-05-28 10:00", &end).await;
        let ended = halves(&story, COMMISSION).await;
        assert!(ended.len() == 2 * count && ended.iter().all(|row| row.ends_with("withdrawn")), "{ended:?}");
    }
}

#[tokio::test]
async fn the_next_period_opens_when_the_last_is_over_though_no_rung_of_it_is_left() {
    let (story, plan) = planned().await;
    let inside = |kind: &str, from: &str, to: &str, body: Value| {
        let root = serde_json::from_value(plan["id"].clone()).unwrap();
        crate::kit::control(kind, root, (from, to), body)
    };
    // Refused and released: the period is closed, and its ladder with it.
    story.set("2026-04-10 10:00");
    let refusal = example("control.reasoned-refusal", "2026-04-10 10:00")["body"].clone();
    story.submit(&inside("control.reasoned-refusal", SCHOOL, LEAD, refusal)).await.unwrap();
    let release = example("control.release", "2026-04-10 10:00")["body"].clone();
    story.submit(&inside("control.release", LEAD, SCHOOL, release)).await.unwrap();
    let first = format!("2026-1 {SCHOOL} 2026-06-30 refused");
    story.set("2026-06-30 23:00");
    story.sweep().await;
    assert_eq!(halves(&story, SCHOOL).await, std::slice::from_ref(&first), "the period is not over yet");
    let story = story.restart().await;
    story.set("2026-07-01 00:00");
    story.sweep().await;
    assert_eq!(halves(&story, SCHOOL).await, [first, format!("2026-2 {SCHOOL} 2026-12-30 running")]);
    let again = story.gateway.sweep_once().await.unwrap();
    assert_eq!(again.looked_at, 0, "what has been opened wakes nobody again");
}
