//! The catalogue at work: every example is a message that the gateway takes, and each rule of an entry is followed.

use crate::kit::{CENTRE, SCHOOL, Story, new_id};
use mezhved::catalogue::Catalogue;
use mezhved::domain::decision::Event;
use mezhved::domain::ids::TypeCode;
use serde_json::{Value, json};

/// The example of a type.
fn example(of: &str) -> Value {
    let entry = Catalogue::builtin().latest(&TypeCode::new(of).unwrap()).unwrap();
    serde_json::from_str(entry.example_json.as_deref().unwrap()).unwrap()
}

/// `2026-03-02 10:15` of a message's own clock, in Irkutsk.
fn created(message: &Value) -> String {
    let at = chrono::DateTime::parse_from_rfc3339(message["created_at"].as_str().unwrap()).unwrap();
    at.with_timezone(&chrono::FixedOffset::east_opt(8 * 3600).unwrap()).format("%Y-%m-%d %H:%M").to_string()
}

/// Submits the example of a type at its own instant.
async fn submit(story: &Story, of: &str) -> Value {
    let message = example(of);
    story.set(&created(&message));
    story.submit(&message).await.unwrap_or_else(|refused| panic!("{of}: {refused:?}"));
    message
}

/// Item, performer, due date and state of every obligation that somebody is a party of.
async fn owed(story: &Story, of: &str) -> Vec<(String, String, String, String)> {
    let row = |one: mezhved::gateway::views::ObligationView| {
        let item = one.item.unwrap_or_default();
        (item, one.performer.code.to_string(), one.due_on.to_string(), one.state.to_owned())
    };
    let mut rows: Vec<_> = story.obligations(of).await.into_iter().map(row).collect();
    rows.sort();
    rows
}

/// Without what is owed once in a half-year.
async fn measures(story: &Story, of: &str) -> Vec<(String, String, String, String)> {
    let mut rows = owed(story, of).await;
    rows.retain(|row| !row.0.starts_with("20"));
    rows
}

fn row(item: &str, performer: &str, due: &str, state: &str) -> (String, String, String, String) {
    (item.to_owned(), performer.to_owned(), due.to_owned(), state.to_owned())
}

#[tokio::test]
async fn the_examples_are_one_story_that_the_gateway_takes() {
    let of_participants = |message: &Value| message["from"] != "mezhved";
    let mut examples: Vec<Value> =
        Catalogue::builtin().entries().map(|entry| example(entry.code.as_str())).filter(of_participants).collect();
    examples.sort_by_key(|message| (created(message), message["id"].to_string()));
    let story = Story::at(&created(&examples[0])).await;
    let mut refused = Vec::new();
    for message in &examples {
        story.set(&created(message));
        if let Err(rejection) = story.submit(message).await {
            refused.push((message["type"].as_str().unwrap().to_owned(), rejection.code));
        }
    }
    assert_eq!(refused, []);
}

#[tokio::test]
async fn each_measure_of_a_plan_is_owed_five_working_days_after_its_end_and_answered_by_itself() {
    let story = Story::at("2026-03-18 10:00").await;
    submit(&story, "plan.approved").await;
    let running = |item, who, due| row(item, who, due, "running");
    assert_eq!(
        measures(&story, "education-test").await,
        [running("1", CENTRE, "2026-07-07"), running("2", SCHOOL, "2026-07-03")]
    );
    submit(&story, "report.measure").await;
    assert_eq!(
        measures(&story, "education-test").await,
        [running("1", CENTRE, "2026-07-07"), row("2", SCHOOL, "2026-07-03", "answered")]
    );
}

#[tokio::test]
async fn a_measure_that_ended_before_its_plan_came_is_owed_from_the_day_it_came() {
    let story = Story::at("2026-03-18 10:00").await;
    let mut plan = example("plan.approved");
    plan["body"]["measures"][1]["to"] = json!("2026-03-10");
    story.submit(&plan).await.unwrap();
    assert_eq!(measures(&story, SCHOOL).await, [row("2", SCHOOL, "2026-03-25", "running")]);
}

#[tokio::test]
async fn each_task_of_an_extract_is_owed_on_its_own_date() {
    let story = Story::at("2026-03-13 10:00").await;
    let extract = submit(&story, "council.extract").await;
    assert_eq!(
        owed(&story, CENTRE).await,
        [row("1", SCHOOL, "2026-03-27", "running"), row("2", "police-test", "2026-03-31", "running")]
    );
    let mut report = example("report.measure");
    report["id"] = json!(new_id());
    (report["exchange"], report["in_reply_to"]) = (extract["id"].clone(), extract["id"].clone());
    (report["to"], report["body"]["no"]) = (json!([CENTRE]), json!("1"));
    story.set("2026-03-26 10:00");
    report["created_at"] = json!("2026-03-26T10:00:00+08:00");
    story.submit(&report).await.unwrap();
    let states: Vec<String> = owed(&story, CENTRE).await.into_iter().map(|one| one.3).collect();
    assert_eq!(states, ["answered", "running"]);
}

#[tokio::test]
async fn an_invitation_is_answered_by_the_last_working_day_before_the_meeting() {
    for (sent, at, due) in [
        ("2026-03-05 11:00", "2026-03-12T14:00:00+08:00", "2026-03-11"),
        ("2026-03-02 11:00", "2026-03-10T10:00:00+08:00", "2026-03-06"),
        ("2026-03-12 09:00", "2026-03-12T14:00:00+08:00", "2026-03-12"),
        // Sent on a Saturday, and the days until the meeting are days off: no date before the invitation itself.
        ("2026-03-07 11:00", "2026-03-10T10:00:00+08:00", "2026-03-09"),
    ] {
        let story = Story::at(sent).await;
        let mut invitation = example("council.invitation");
        invitation["created_at"] = json!(format!("{}:00+08:00", sent.replace(' ', "T")));
        (invitation["body"]["meeting"]["at"], invitation["to"]) = (json!(at), json!([SCHOOL]));
        story.submit(&invitation).await.unwrap();
        assert_eq!(owed(&story, CENTRE).await, [row("", SCHOOL, due, "running")], "a meeting on {at}");
    }
}

#[tokio::test]
async fn the_circumstances_that_a_demand_names_choose_its_term() {
    for (circumstance, due, on) in [
        // 21.04.2026 is a day off in Иркутская область.
        ("ordinary", None, "2026-04-22"),
        ("inspection", None, "2026-04-16"),
        ("threat", None, "2026-04-15"),
        ("inspection", Some("2026-04-30"), "2026-04-30"),
    ] {
        let story = Story::at("2026-04-14 10:00").await;
        let mut demand = example("supervision.demand");
        demand["body"]["circumstance"] = json!(circumstance);
        if let Some(due) = due {
            demand["body"]["due"] = json!(due);
        }
        story.submit(&demand).await.unwrap();
        assert_eq!(owed(&story, CENTRE).await, [row("", CENTRE, on, "running")], "{circumstance} {due:?}");
    }
}

#[tokio::test]
async fn a_month_of_a_representation_runs_from_the_day_it_bears_and_ends_on_a_working_day_before() {
    let story = Story::at("2026-04-10 10:00").await;
    // 09.05.2026 is a Saturday and a holiday: back to Friday for the centre, which owes.
    submit(&story, "supervision.representation").await;
    assert_eq!(owed(&story, CENTRE).await, [row("", CENTRE, "2026-05-08", "running")]);
}

#[tokio::test]
async fn a_spoken_request_is_owed_like_a_written_one_and_a_spoken_answer_closes_it() {
    let story = Story::at("2026-03-03 09:20").await;
    let request = submit(&story, "signal.phone-message").await;
    assert_eq!(owed(&story, CENTRE).await, [row("", SCHOOL, "2026-03-11", "running")]);
    let mut answer = example("signal.phone-message");
    (answer["id"], answer["from"], answer["to"]) = (json!(new_id()), json!(SCHOOL), json!([CENTRE]));
    (answer["exchange"], answer["in_reply_to"]) = (request["id"].clone(), request["id"].clone());
    answer["body"]["carries"] = json!("control.interim-reply");
    story.submit(&answer).await.unwrap();
    assert_eq!(story.obligation().await.state, "running", "an interim reply closes nothing, spoken or written");
    (answer["id"], answer["body"]["carries"]) = (json!(new_id()), json!("reply.information"));
    story.submit(&answer).await.unwrap();
    assert_eq!(story.obligation().await.state, "fulfilled");
}

#[tokio::test]
async fn what_is_spoken_is_held_to_the_parties_of_its_type() {
    let story = Story::at("2026-03-03 09:20").await;
    let mut spoken = example("signal.phone-message");
    spoken["body"]["carries"] = json!("reply.school-characteristics");
    assert_eq!(story.submit(&spoken).await.unwrap_err().code, "role_not_allowed");
    let by_the_document_only = ["ruling.commission", "supervision.demand", "report.measure", "notice.family-change"];
    for carries in
        ["receipt.registration", "signal.phone-message", "request.nothing"].iter().chain(&by_the_document_only)
    {
        spoken["body"]["carries"] = json!(carries);
        assert_eq!(story.submit(&spoken).await.unwrap_err().code, "cannot_be_spoken", "{carries}");
    }
    spoken["body"].as_object_mut().unwrap().remove("carries");
    story.submit(&spoken).await.unwrap();
    assert!(story.obligations(CENTRE).await.is_empty(), "a mere note demands nothing");
}

#[tokio::test]
async fn a_ruling_answers_the_petition_that_it_names_and_opens_an_exchange_of_its_own() {
    let story = Story::at("2026-08-10 10:00").await;
    let petition = submit(&story, "petition.commission").await;
    assert_eq!(owed(&story, CENTRE).await, [row("", "commission-test", "2026-08-25", "running")]);
    let mut ruling = example("ruling.commission");
    ruling["in_reply_to"] = petition["id"].clone();
    ruling["created_at"] = json!("2026-08-20T10:00:00+08:00");
    ruling["body"].as_object_mut().unwrap().remove("report_every");
    for order in ruling["body"]["orders"].as_array_mut().unwrap() {
        order["due"] = json!("2026-09-10");
    }
    story.set("2026-08-20 10:00");
    story.submit(&ruling).await.unwrap();
    let expected = [row("", "commission-test", "2026-08-25", "fulfilled"), row("1", CENTRE, "2026-09-10", "running")];
    assert_eq!(owed(&story, CENTRE).await, expected);
    assert_eq!(told(&story, "message.registered", &ruling).await, 1, "it is registered once, in its own exchange");
    // Another ruling that names it changes nothing, nor does one of somebody who owes nothing there.
    (ruling["id"], ruling["to"]) = (json!(new_id()), json!([CENTRE]));
    ruling["body"]["orders"].as_array_mut().unwrap().truncate(1);
    story.submit(&ruling).await.unwrap();
    assert_eq!(owed(&story, CENTRE).await.len(), 3);
}

#[tokio::test]
async fn a_ruling_that_overtakes_its_petition_answers_it_when_it_comes() {
    let story = Story::at("2026-08-28 10:00").await;
    let petition = example("petition.commission");
    let mut ruling = example("ruling.deregistration");
    ruling["in_reply_to"] = petition["id"].clone();
    story.submit(&ruling).await.unwrap();
    assert!(owed(&story, CENTRE).await.is_empty());
    story.submit(&petition).await.unwrap();
    assert_eq!(owed(&story, CENTRE).await[0].3, "fulfilled");
}

/// How many events of this kind name the message.
async fn told(story: &Story, kind: &str, message: &Value) -> usize {
    let events = story.store.events_after(0, 100_000).await.unwrap();
    let of = |event: &Event| event.message.is_some_and(|id| json!(id) == message["id"]);
    events.iter().filter(|(_, event)| of(event) && json!(event.kind) == json!(kind)).count()
}

#[tokio::test]
async fn a_ruling_that_overtakes_what_its_sender_does_not_owe_is_no_stranger_there() {
    let story = Story::at("2026-08-28 10:00").await;
    let request = example("request.information");
    let mut ruling = example("ruling.deregistration");
    ruling["in_reply_to"] = request["id"].clone();
    story.submit(&ruling).await.unwrap();
    story.submit(&request).await.unwrap();
    assert_eq!(told(&story, "security.foreign_reply", &ruling).await, 0);
    assert!(owed(&story, CENTRE).await.iter().all(|row| row.3 == "running"));
}

#[tokio::test]
async fn a_ruling_for_whose_answer_there_is_no_room_is_taken_and_said_aloud() {
    let story = Story::at("2026-08-28 10:00").await;
    let petition = example("petition.commission");
    let early = |_| {
        let mut reply = crate::kit::reply(new_id(), "school-test-17", "2026-08-28 09:00");
        (reply["exchange"], reply["in_reply_to"]) = (petition["id"].clone(), petition["id"].clone());
        reply
    };
    for reply in (0..mezhved::domain::exchange::PARKED_MAX).map(early) {
        story.submit(&reply).await.unwrap();
    }
    let mut ruling = example("ruling.deregistration");
    ruling["in_reply_to"] = petition["id"].clone();
    story.submit(&ruling).await.unwrap();
    assert_eq!(told(&story, "message.refused", &ruling).await, 1);
}

#[tokio::test]
async fn what_needs_consent_is_refused_without_it_and_without_a_ground_for_going_without() {
    let story = Story::at("2026-03-03 09:20").await;
    let mut request = example("request.health");
    request["created_at"] = json!("2026-03-03T09:00:00+08:00");
    let envelope = request.as_object_mut().unwrap();
    let said = [envelope.remove("consent"), envelope.remove("no_consent_ground")];
    assert!(said.iter().any(Option::is_some), "the example states one");
    assert_eq!(story.submit(&request).await.unwrap_err().code, "consent_missing");
    request["no_consent_ground"] = json!({ "code": "legal_duty", "reason": "Исполнение обязанности по закону" });
    story.submit(&request).await.unwrap();
}
