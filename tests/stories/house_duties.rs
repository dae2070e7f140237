//! What the centre owes by itself: visits, monitoring, the notice of a change; and the rhythm that a ruling states.

use crate::duties::{example, send};
use crate::kit::{CENTRE, SCHOOL, Story, new_id, system};
use serde_json::{Value, json};

const KEEPER: &str = "register-test";

/// Type, period, due date and state of what the centre owes by way of duty.
async fn owed(story: &Story) -> Vec<String> {
    let mut rows = Vec::new();
    for one in story.obligations(CENTRE).await {
        let row = serde_json::to_value(&one).unwrap();
        let awaited = row["duty"]["report"].as_str().unwrap_or("once").to_owned();
        rows.push(format!("{awaited} {} {} {}", one.item.unwrap_or_default(), one.due_on, one.state));
    }
    rows.sort();
    rows
}

/// A case that was opened on 18 March.
pub async fn opened() -> (Story, Value) {
    let story = Story::at("2026-03-18 16:00").await;
    let mut opened = example("notice.case-opened", "2026-03-18 16:00");
    opened["to"] = json!([CENTRE]);
    send(&story, "2026-03-18 16:00", &opened).await;
    (story, opened)
}

pub fn done(of: &str, opened: &Value, at: &str) -> Value {
    let mut act = example(of, at);
    (act["exchange"], act["in_reply_to"]) = (opened["id"].clone(), opened["id"].clone());
    act["body"]["date"] = json!(&at[..10]);
    act
}

#[tokio::test]
async fn a_case_owes_a_visit_act_in_each_month_and_its_act_answers_the_month_of_the_visit() {
    let (story, opened) = opened().await;
    let monitoring = "report.monitoring 2026-03-18 2026-09-18 running";
    assert_eq!(owed(&story).await, [monitoring, "report.visit-act 2026-03 2026-03-31 running"]);
    send(&story, "2026-03-25 17:00", &done("report.visit-act", &opened, "2026-03-25 17:00")).await;
    let april = "report.visit-act 2026-04 2026-04-30 running";
    assert_eq!(owed(&story).await, [monitoring, "report.visit-act 2026-03 2026-03-31 fulfilled", april]);
    // Nobody visited in April: it stays owed, and May is owed beside it. May ends on a Sunday.
    story.set("2026-05-01 00:30");
    story.sweep().await;
    assert!(owed(&story).await.contains(&"report.visit-act 2026-05 2026-05-29 running".to_owned()));
    send(&story, "2026-05-20 17:00", &done("report.visit-act", &opened, "2026-05-20 17:00")).await;
    let rows = owed(&story).await;
    assert!(rows.contains(&april.to_owned()), "a visit in May is none in April: {rows:?}");
    assert!(rows.contains(&"report.visit-act 2026-05 2026-05-29 fulfilled".to_owned()), "{rows:?}");
}

#[tokio::test]
async fn a_case_that_is_opened_when_no_working_day_of_the_month_is_left_owes_the_next_months_visit() {
    // Saturday, 30 May: the last working day of May was the 29th.
    let story = Story::at("2026-05-30 12:00").await;
    let mut opened = example("notice.case-opened", "2026-05-30 12:00");
    opened["to"] = json!([CENTRE]);
    send(&story, "2026-05-30 12:00", &opened).await;
    assert_eq!(owed(&story).await[1], "report.visit-act 2026-06 2026-06-30 running");
}

#[tokio::test]
async fn monitoring_is_owed_six_months_after_the_last_one_and_stays_owed_until_it_is_done() {
    let (story, opened) = opened().await;
    send(&story, "2026-07-20 12:00", &done("report.monitoring", &opened, "2026-07-20 12:00")).await;
    let of_monitoring = async |story: &Story| {
        let mut rows = owed(story).await;
        rows.retain(|row| row.starts_with("report.monitoring"));
        rows
    };
    let first = "report.monitoring 2026-03-18 2026-09-18 fulfilled";
    assert_eq!(of_monitoring(&story).await, [first, "report.monitoring 2026-07-20 2027-01-20 running"]);
    story.set("2027-03-01 12:00");
    story.sweep().await;
    assert_eq!(of_monitoring(&story).await.len(), 2, "no other one is owed until this one is done");
    let late = done("report.monitoring", &opened, "2027-03-02 12:00");
    send(&story, "2027-03-02 12:00", &late).await;
    // 02.09.2027 is a Thursday.
    assert_eq!(
        of_monitoring(&story).await,
        [
            first,
            "report.monitoring 2026-07-20 2027-01-20 fulfilled_late",
            "report.monitoring 2027-03-02 2027-09-02 running"
        ]
    );
}

#[tokio::test]
async fn an_act_answers_one_period_and_the_next_counts_from_its_day_however_often_and_late_it_comes() {
    let (story, opened) = opened().await;
    let dated = |at: &str, on: &str| {
        let mut act = done("report.monitoring", &opened, at);
        act["body"]["date"] = json!(on);
        act
    };
    let of_monitoring = async || {
        let mut rows = owed(&story).await;
        rows.retain(|row| row.starts_with("report.monitoring"));
        rows
    };
    story.set("2026-03-19 12:00");
    let early = story.submit(&dated("2026-03-19 12:00", "2026-02-10")).await;
    assert_eq!(early.unwrap_err().code, "not_your_obligation", "it was done before the case was opened");
    send(&story, "2026-07-20 12:00", &dated("2026-07-20 12:00", "2026-06-01")).await;
    let expected = [
        "report.monitoring 2026-03-18 2026-09-18 fulfilled",
        // Six months after the act, not after its paper.
        "report.monitoring 2026-06-01 2026-12-01 running",
    ];
    assert_eq!(of_monitoring().await, expected);
    for on in ["2026-06-01", "2026-05-20"] {
        send(&story, "2026-07-22 12:00", &dated("2026-07-22 12:00", on)).await;
        assert_eq!(of_monitoring().await, expected, "the act again, and one before it: {on}");
    }
    send(&story, "2026-07-23 12:00", &dated("2026-07-23 12:00", "2026-07-21")).await;
    assert_eq!(
        of_monitoring().await[1..],
        ["report.monitoring 2026-06-01 2026-12-01 fulfilled", "report.monitoring 2026-07-21 2027-01-21 running"]
    );
}

#[tokio::test]
async fn monitoring_on_the_day_of_the_opening_answers_and_the_next_is_owed() {
    let (story, opened) = opened().await;
    send(&story, "2026-03-18 17:00", &done("report.monitoring", &opened, "2026-03-18 17:00")).await;
    let rows = owed(&story).await;
    assert!(rows.contains(&"report.monitoring 2026-03-18 2026-09-18 fulfilled".to_owned()), "{rows:?}");
    assert!(rows.contains(&"report.monitoring 2026-03-19 2026-09-18 running".to_owned()), "{rows:?}");
}

#[tokio::test]
async fn what_stays_in_the_house_is_numbered_delivered_to_nobody_and_sent_to_no_other() {
    let (story, opened) = opened().await;
    let mut act = done("report.visit-act", &opened, "2026-03-25 17:00");
    act["to"] = json!([SCHOOL]);
    story.set("2026-03-25 17:00");
    assert_eq!(story.submit(&act).await.unwrap_err().code, "role_not_allowed");
    act["to"] = json!([CENTRE]);
    let taken = story.submit(&act).await.unwrap();
    assert_eq!(taken.accepted.number, "2/2026", "after the notice of the case");
    assert!(story.inbox(CENTRE).await.is_empty());
    let tally = story.store.figures().await.unwrap();
    assert_eq!(tally.accepted_addressees, 0, "nothing waits to be delivered: {tally:?}");
    let mut request = example("request.information", "2026-03-25 17:30");
    request["to"] = json!([CENTRE]);
    assert_eq!(story.submit(&request).await.unwrap_err().code, "bad_addressee", "a request to oneself is none");
}

#[tokio::test]
async fn the_end_of_the_case_ends_visits_and_monitoring() {
    let (story, _) = opened().await;
    send(&story, "2026-03-27 15:00", &example("notice.case-closed", "2026-03-27 15:00")).await;
    assert_eq!(
        owed(&story).await,
        ["report.monitoring 2026-03-18 2026-09-18 withdrawn", "report.visit-act 2026-03 2026-03-31 withdrawn"]
    );
}

/// Word of a change, from somebody to the centre.
fn change(from: &str, at: &str, known_on: Option<&str>) -> Value {
    let mut word = example("signal.family-change", at);
    word["from"] = json!(from);
    let body = word["body"].as_object_mut().unwrap();
    body.remove("known_on");
    body.extend(known_on.map(|on| ("known_on".to_owned(), json!(on))));
    word
}

#[tokio::test]
async fn a_change_is_told_to_the_keeper_within_seven_working_days_of_the_day_the_centre_knew() {
    for (from, known_on, due) in [
        // Fri 6 March was known: 10, 11, 12, 13, 16, 17, 18 March (9 March is a day off).
        (CENTRE, Some("2026-03-06"), "2026-03-18"),
        // What a school has known since then is known to the centre on 11 March, when it is told.
        (SCHOOL, Some("2026-03-06"), "2026-03-20"),
        (CENTRE, None, "2026-03-20"),
    ] {
        let story = Story::at("2026-03-11 10:00").await;
        let word = change(from, "2026-03-11 10:00", known_on);
        send(&story, "2026-03-11 10:00", &word).await;
        assert_eq!(owed(&story).await, [format!("once  {due} running")], "{from} {known_on:?}");
        let to_keeper = story.obligations(KEEPER).await;
        assert_eq!((to_keeper.len(), to_keeper[0].controller.code.as_str()), (1, KEEPER));
        let mut notice = example("notice.family-change", "2026-03-13 10:00");
        send(&story, "2026-03-13 10:00", &notice).await;
        assert_eq!(owed(&story).await, [format!("once  {due} running")], "it names no change of ours");
        (notice["id"], notice["in_reply_to"]) = (json!(new_id()), word["id"].clone());
        send(&story, "2026-03-13 11:00", &notice).await;
        assert_eq!(owed(&story).await, [format!("once  {due} fulfilled")]);
    }
}

#[tokio::test]
async fn a_ruling_that_states_its_rhythm_is_reported_on_in_that_rhythm_whatever_its_kind() {
    for (kind, every, expected) in [
        ("individual_work", None, vec![]),
        ("individual_work", Some("quarter"), vec!["report.plan-progress 2026-q1 2026-03-31 running"]),
        ("place_on_register", Some("month"), vec!["report.plan-progress 2026-03 2026-03-31 running"]),
        ("place_on_register", None, vec!["report.plan-progress 2026-1 2026-06-30 running"]),
    ] {
        let story = Story::at("2026-03-02 10:00").await;
        let mut ruling = example("ruling.commission", "2026-03-02 10:00");
        let body = ruling["body"].as_object_mut().unwrap();
        body.remove("report_every");
        body.extend(every.map(|every| ("report_every".to_owned(), json!(every))));
        body.insert("ruling_kind".to_owned(), json!(kind));
        send(&story, "2026-03-02 10:00", &ruling).await;
        let mut rows = owed(&story).await;
        rows.retain(|row| row.starts_with("report."));
        assert_eq!(rows, expected, "{kind} {every:?}");
    }
}

#[tokio::test]
async fn a_report_for_a_quarter_answers_the_quarter_and_no_half_year() {
    let story = Story::at("2026-03-02 10:00").await;
    let mut ruling = example("ruling.commission", "2026-03-02 10:00");
    ruling["body"]["report_every"] = json!("quarter");
    send(&story, "2026-03-02 10:00", &ruling).await;
    let mut report = example("report.plan-progress", "2026-03-30 10:00");
    (report["exchange"], report["in_reply_to"]) = (ruling["id"].clone(), ruling["id"].clone());
    story.set("2026-03-30 10:00");
    assert_eq!(story.submit(&report).await.unwrap_err().code, "not_your_obligation", "no half-year is owed");
    report["body"]["period"] = json!({ "quarter": 1, "year": 2026 });
    story.submit(&report).await.unwrap();
    let mut rows = owed(&story).await;
    rows.retain(|row| row.starts_with("report."));
    assert_eq!(
        rows,
        ["report.plan-progress 2026-q1 2026-03-31 answered", "report.plan-progress 2026-q2 2026-06-30 running"]
    );
}

#[tokio::test]
async fn the_body_that_a_ruling_names_as_lead_owes_the_control_act_and_must_be_its_addressee() {
    let story = Story::at("2026-03-02 10:00").await;
    let mut ruling = example("ruling.commission", "2026-03-02 10:00");
    (ruling["body"]["ruling_kind"], ruling["body"]["lead"]) = (json!("place_on_register"), json!(SCHOOL));
    assert_eq!(story.submit(&ruling).await.unwrap_err().code, "item_without_addressee");
    ruling["body"]["lead"] = json!("education-test");
    story.submit(&ruling).await.unwrap();
    let acts: Vec<String> = story
        .obligations("education-test")
        .await
        .into_iter()
        .filter(|one| one.duty.as_ref().is_some_and(|duty| duty.report.as_str() == "report.control-act"))
        .map(|one| format!("{} {} {}", one.controller.code, one.item.unwrap_or_default(), one.due_on))
        .collect();
    assert_eq!(acts, ["commission-test 2026-1 2026-06-30"]);
    let mut act = example("report.control-act", "2026-05-20 10:00");
    (act["exchange"], act["in_reply_to"]) = (ruling["id"].clone(), ruling["id"].clone());
    (act["from"], act["body"]["date"]) = (json!("education-test"), json!("2026-05-19"));
    send(&story, "2026-05-20 10:00", &act).await;
    let answered = story.obligations("education-test").await;
    assert!(answered.iter().any(|one| one.state == "answered" && one.item.as_deref() == Some("2026-1")));
}

#[tokio::test]
async fn a_duty_is_shown_with_its_kind_and_its_period_in_russian() {
    let (story, _) = opened().await;
    let shown = serde_json::to_value(story.obligations(CENTRE).await).unwrap();
    let duties: Vec<(&str, &str, &str)> = shown
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let of = |name: &str| one["duty"][name].as_str().unwrap();
            (one["awaited_title"].as_str().unwrap(), of("rhythm_text"), of("period_text"))
        })
        .collect();
    assert_eq!(
        duties,
        [
            ("Текущий акт посещения семьи", "раз в месяц", "март 2026 года"),
            ("Мониторинг ситуации вместе с семьёй", "не реже раза в 6 месяцев", "после 18.03.2026"),
        ]
    );
    let of_school = story.gateway.obligations(Default::default(), &system(SCHOOL)).await.unwrap();
    assert!(of_school.is_empty());
}
