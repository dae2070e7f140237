//! Time passes: warned, late, escalated, answered.

use crate::kit::{CENTRE, SCHOOL, Story, coordinator, irkutsk, new_id, reply, request, system};
use mezhved::domain::alert::Acknowledgement;
use mezhved::gateway::act::RungDecision;

#[tokio::test]
async fn silence_climbs_the_ladder_one_rung_at_a_time_and_an_answer_stops_it() {
    let story = Story::at("2026-03-02 10:00").await;
    let id = new_id();
    story.submit(&request(id, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    assert_eq!(story.sweep().await, 0, "nothing is due on the first day");
    // Due on Tuesday 10.03.2026 (Monday 09.03 is a day off): two working days before it is Thursday 05.03.
    story.set("2026-03-05 08:59");
    assert_eq!(story.sweep().await, 0, "not before the school opens");
    story.set("2026-03-05 09:00");
    assert_eq!(story.sweep().await, 1);
    assert_eq!(story.inbox_types(SCHOOL).await, ["request.information", "control.reminder"]);
    story.set("2026-03-10 09:00");
    story.sweep().await;
    story.set("2026-03-11 09:00");
    story.sweep().await;
    let shown = story.obligation().await;
    assert!(shown.overdue);
    assert_eq!((shown.late_by_working_days, shown.alert.as_ref().unwrap().rung), (1, 2));
    assert_eq!(story.inbox_types(SCHOOL).await.len(), 3, "the request and two reminders");
    story.set("2026-03-13 09:00");
    story.sweep().await;
    let rungs: Vec<(u8, &str)> = story.obligation().await.rungs.iter().map(|rung| (rung.no, rung.state)).collect();
    assert_eq!(rungs, [(0, "fired"), (1, "fired"), (2, "fired"), (3, "prepared"), (4, "planned")]);
    assert_eq!(story.inbox_types(SCHOOL).await.len(), 3, "the third rung waits for a person");
    story.submit(&reply(id, SCHOOL, "2026-03-13 10:00")).await.unwrap();
    let shown = story.obligation().await;
    assert_eq!((shown.state, shown.late_by_working_days), ("fulfilled_late", 3));
    assert!(shown.rungs.iter().all(|rung| rung.state != "planned" && rung.state != "prepared"));
    story.set("2026-06-01 09:00");
    assert_eq!(story.sweep().await, 0, "nothing climbs after the answer");
}

#[tokio::test]
async fn a_person_sends_the_prepared_letter_and_a_system_may_not() {
    let story = Story::at("2026-03-02 10:00").await;
    story.submit(&request(new_id(), &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    story.set("2026-03-17 09:00");
    story.sweep().await;
    let shown = story.obligation().await;
    let prepared = shown.rungs.iter().find(|rung| rung.state == "prepared").unwrap();
    assert_eq!((prepared.no, prepared.addressee.as_ref().unwrap().code.as_str()), (4, "commission-test"));
    let refused = story.gateway.decide_rung((shown.id, 4), RungDecision::Send, system(CENTRE)).await.unwrap_err();
    assert_eq!(refused.code, "person_needed");
    story.gateway.decide_rung((shown.id, 4), RungDecision::Send, coordinator()).await.unwrap();
    assert_eq!(story.inbox_types("commission-test").await, ["notice.commission"]);
    let again = story.gateway.decide_rung((shown.id, 4), RungDecision::Send, coordinator()).await.unwrap_err();
    assert_eq!(again.code, "rung_not_prepared");
    assert_eq!(story.inbox_types("commission-test").await.len(), 1);
}

#[tokio::test]
async fn an_outage_of_ten_days_neither_repeats_nor_skips_a_rung_silently() {
    let story = Story::at("2026-03-02 10:00").await;
    story.submit(&request(new_id(), &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    story.set("2026-03-05 09:00");
    story.sweep().await;
    let story = story.restart().await;
    // Down from the early warning until after the fourth rung's time.
    story.set("2026-03-18 12:00");
    story.sweep().await;
    story.sweep().await;
    let rungs: Vec<(u8, &str)> = story.obligation().await.rungs.iter().map(|rung| (rung.no, rung.state)).collect();
    assert_eq!(rungs, [(0, "fired"), (1, "skipped"), (2, "skipped"), (3, "skipped"), (4, "prepared"), (5, "planned")]);
    assert_eq!(story.inbox_types(SCHOOL).await, ["request.information", "control.reminder"]);
}

#[tokio::test]
async fn an_acknowledgement_has_an_end_and_never_stops_the_clock() {
    let story = Story::at("2026-03-02 10:00").await;
    story.submit(&request(new_id(), &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    story.set("2026-03-11 09:00");
    story.sweep().await;
    let id = story.obligation().await.id;
    let until = irkutsk("2026-03-12 09:00");
    let with = Acknowledgement {
        owner: "coordinator".into(), until, reason: "Позвонил, обещали завтра.".into()
    };
    let shown = story.gateway.acknowledge(id, with, coordinator()).await.unwrap();
    assert!(shown.overdue, "it is still late");
    story.set("2026-03-12 09:01");
    story.sweep().await;
    let json = serde_json::to_value(story.obligation().await).unwrap();
    assert_eq!(json["alert"]["state"], "open", "it has lapsed");
    story.set("2026-03-13 09:00");
    story.sweep().await;
    assert_eq!(story.obligation().await.alert.unwrap().rung, 3);
}

#[tokio::test]
async fn a_clock_set_back_re_sends_nothing() {
    let story = Story::at("2026-03-02 10:00").await;
    story.submit(&request(new_id(), &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    story.set("2026-03-11 09:00");
    story.sweep().await;
    let before = story.inbox(SCHOOL).await.len();
    story.set("2026-03-11 08:00");
    story.sweep().await;
    story.set("2026-03-04 08:00");
    story.sweep().await;
    story.set("2026-03-11 09:30");
    story.sweep().await;
    assert_eq!(story.inbox(SCHOOL).await.len(), before);
    assert_eq!(story.obligation().await.alert.unwrap().rung, 2);
}

#[tokio::test]
async fn a_clock_set_back_a_little_leaves_the_recorded_times_in_order() {
    let story = Story::at("2026-03-02 10:00").await;
    let first = story.submit(&request(new_id(), &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    story.set("2026-03-02 09:10");
    let second = story.submit(&request(new_id(), &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    let (before, after) = (first.accepted.received_at, second.accepted.received_at);
    assert!(after >= before, "what came second was received at {after}, before the first at {before}");
    let story = story.restart().await;
    let third = story.submit(&request(new_id(), &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    assert!(third.accepted.received_at >= after, "a restart forgets how late it was");
}

#[tokio::test]
async fn nothing_climbs_for_an_obligation_that_was_answered_in_time() {
    let story = Story::at("2026-03-02 10:00").await;
    let id = new_id();
    story.submit(&request(id, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    story.submit(&reply(id, SCHOOL, "2026-03-02 09:30")).await.unwrap();
    for day in ["2026-03-05 09:00", "2026-03-11 09:00", "2026-06-01 09:00"] {
        story.set(day);
        assert_eq!(story.sweep().await, 0, "{day}: nothing is due");
    }
    assert_eq!(story.inbox_types(SCHOOL).await, ["request.information"], "nobody was reminded of what is done");
    assert!(story.obligation().await.alert.is_none());
}

#[tokio::test]
async fn a_clock_that_runs_400_days_ahead_climbs_one_rung_accuses_nobody_by_itself_and_comes_back() {
    let story = Story::at("2026-03-02 10:00").await;
    let id = new_id();
    story.submit(&request(id, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    story.set("2027-04-06 10:00");
    story.sweep().await;
    story.sweep().await;
    let rungs = async || -> Vec<(u8, &str)> {
        story.obligation().await.rungs.iter().map(|rung| (rung.no, rung.state)).collect()
    };
    let ahead = rungs().await;
    let skipped = [(0, "skipped"), (1, "skipped"), (2, "skipped"), (3, "skipped"), (4, "skipped"), (5, "skipped")];
    assert_eq!((&ahead[..6], ahead[6]), (&skipped[..], (6, "prepared")), "one letter waits for a person");
    assert_eq!(story.inbox_types(SCHOOL).await, ["request.information"], "nothing went out by itself");
    // The clock is put right: nothing is taken back, nothing fires again, and the answer still comes through.
    story.set("2026-03-03 10:00");
    story.sweep().await;
    assert_eq!(rungs().await, ahead);
    story.submit(&reply(id, SCHOOL, "2026-03-03 09:30")).await.unwrap();
    let answered = story.obligation().await;
    assert_eq!((answered.state, answered.late_by_working_days), ("fulfilled", 0), "a clock that is right is believed");
    assert_eq!(answered.rungs.iter().filter(|rung| rung.state == "prepared").count(), 0, "no letter waits any more");
    assert_eq!(story.inbox_types(SCHOOL).await, ["request.information"]);
}
