//! Letters that go from their decision straight into the hands of who sends them.

use crate::kit::{SCHOOL, Story, code, new_id, request};
use chrono::TimeDelta;
use mezhved::domain::ids::MessageId;
use mezhved::domain::participant::Route;
use mezhved::gateway::ports::decisions::{Claim, RouteKind};

const NOW: &str = "2026-03-02 10:00";

async fn ask(story: &Story) -> MessageId {
    let id = new_id();
    story.submit(&request(id, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    id
}

async fn claimed(story: &Story) -> Vec<MessageId> {
    let now = story.clock.now();
    let claim = Claim { now, lease_until: now + TimeDelta::minutes(1), limit: 10, route: RouteKind::Amqp };
    story.gateway.claim(claim).await.unwrap().into_iter().map(|letter| letter.message).collect()
}

#[tokio::test]
async fn a_letter_comes_into_the_hands_that_are_free_and_the_next_one_waits_to_be_claimed() {
    let story = Story::at(NOW).await;
    let mut all = story.store.participants().await.unwrap();
    all.iter_mut().find(|one| one.code == code(SCHOOL)).unwrap().route = Route::Amqp;
    story.store.import_participants(all).await.unwrap();
    story.gateway.refresh_directory().await.unwrap();
    let mut hands = story.gateway.hands(RouteKind::Amqp);
    hands.ask(1, TimeDelta::seconds(60));
    let first = ask(&story).await;
    let second = ask(&story).await;
    let passed = hands.next().await;
    assert_eq!(passed.letters.iter().map(|letter| letter.message).collect::<Vec<_>>(), [first]);
    let stands = async |id| story.store.delivery(id, &code(SCHOOL)).await.unwrap().unwrap().state;
    assert_eq!((stands(first).await.as_str(), stands(second).await.as_str()), ("sending", "queued"));
    let letter = story.gateway.letter(&passed.letters[0]).unwrap();
    let read = story.gateway.letter(&story.store.inbox_letter(first, &code(SCHOOL)).await.unwrap().unwrap()).unwrap();
    assert_eq!(letter.content, read.content, "what is passed on is not what is on record");
    assert_eq!(claimed(&story).await, [second]);
    story.clock.set(story.clock.now() + TimeDelta::seconds(60));
    assert_eq!(claimed(&story).await, [first, second], "what was not sent in its time goes out again");
}
