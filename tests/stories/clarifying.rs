//! A body asks back: the clock stands until it is answered, over the store and a restart.

use crate::kit::{CENTRE, SCHOOL, Story, control, new_id, reply, request};
use serde_json::json;

#[tokio::test]
async fn a_school_that_asks_back_on_day_three_of_five_and_is_answered_on_day_eight_has_two_working_days_left() {
    let story = Story::at("2026-03-16 10:00").await;
    let id = new_id();
    story.submit(&request(id, &[SCHOOL], "2026-03-16 09:00")).await.unwrap();
    assert_eq!(story.obligation().await.due_on.to_string(), "2026-03-23");
    story.set("2026-03-19 08:00");
    let asked = json!({"questions": ["За какой период нужны сведения?"]});
    let question = control("control.clarification-request", id, (SCHOOL, CENTRE), asked);
    story.submit(&question).await.unwrap();
    let shown = story.obligation().await;
    assert_eq!((shown.state, shown.left_working_days), ("suspended", Some(2)));
    story.set("2026-03-25 12:00");
    assert_eq!(story.sweep().await, 0, "nothing is due while the clock stands");
    assert!(!story.obligation().await.overdue);
    let story = story.restart().await;
    story.set("2026-03-26 10:00");
    let told = json!({"answers": [{"answer": "За первое полугодие."}]});
    let mut clarification = control("control.clarification", id, (CENTRE, SCHOOL), told);
    clarification["in_reply_to"] = question["id"].clone();
    story.submit(&clarification).await.unwrap();
    let story = story.restart().await;
    let shown = story.obligation().await;
    assert_eq!((shown.state, shown.due_on.to_string().as_str()), ("running", "2026-03-30"));
    assert_eq!(shown.left_working_days, Some(2));
    assert!(story.inbox_types(SCHOOL).await.contains(&"control.clarification".to_owned()));
    story.set("2026-03-30 16:00");
    assert_eq!(story.sweep().await, 1, "the ladder goes on from the new due date");
    story.submit(&reply(id, SCHOOL, "2026-03-30 15:00")).await.unwrap();
    assert_eq!(story.obligation().await.state, "fulfilled");
}
