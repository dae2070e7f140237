//! People are told: at once what is urgent, in the morning what is not, and never by what our own failure delays.

use crate::kit::{CENTRE, SCHOOL, Story, code, coordinator, irkutsk, new_id, reply, request};
use chrono::TimeDelta;
use mezhved::domain::notice::{Medium, Whom};
use mezhved::domain::participant::Participant;
use mezhved::gateway::act::RungDecision;
use mezhved::gateway::notices::Posting;
use mezhved::gateway::ports::notices::{ClaimedNotice, NoticeAttempt, NoticeClaim, NoticeResult};
use serde_json::{Value, json};

const BOARD: &str = "https://mezhved.example";

/// A story whose gateway has a mail server.
async fn story(instant: &str) -> Story {
    with_mail(Story::at(instant).await)
}

fn with_mail(story: Story) -> Story {
    story.gateway.set_posting(Posting { mail: true, board_url: BOARD.into() });
    story
}

/// Leases what is ready by now, and says that it was sent.
async fn send(story: &Story, medium: Medium) -> Vec<ClaimedNotice> {
    let now = story.gateway.now();
    let claim = NoticeClaim { medium, now, lease_until: now + TimeDelta::minutes(3), limit: 100 };
    let leased = story.gateway.claim_notices(claim).await.unwrap();
    let sent = |one: &ClaimedNotice| NoticeAttempt { id: one.id, at: now, result: NoticeResult::Sent };
    story.gateway.settle_notices(leased.iter().map(sent).collect(), Vec::new()).await.unwrap();
    leased
}

async fn mails(story: &Story) -> Vec<(String, Whom)> {
    send(story, Medium::Mail).await.iter().map(|one| (one.recipient.to_string(), one.whom)).collect()
}

fn of_level(level: &str) -> Value {
    let mut message = request(new_id(), &[SCHOOL], "2026-03-02 09:00");
    message["support"] = json!({"track": "difficult_situation", "level": level});
    message
}

/// The same participants, one of them changed.
async fn change(story: &Story, who: &str, change: impl FnOnce(&mut Participant)) {
    let mut one = (*story.gateway.participant(&code(who)).unwrap()).clone();
    change(&mut one);
    story.store.import_participants(vec![one]).await.unwrap();
    story.gateway.refresh_directory().await.unwrap();
}

#[tokio::test]
async fn what_is_urgent_is_told_at_once_and_each_mailbox_once() {
    let story = story("2026-03-02 10:00").await;
    change(&story, SCHOOL, |school| school.mail.registry = school.mail.executor.clone()).await;
    story.submit(&of_level("crisis")).await.unwrap();
    let due_on = story.obligation().await.due_on;
    let next = due_on.succ_opt().unwrap();
    story.set(&format!("{next} 20:30"));
    story.sweep().await;
    assert_eq!(mails(&story).await, [(SCHOOL.into(), Whom::Executor), (CENTRE.into(), Whom::Coordinator)]);
    story.sweep().await;
    assert!(mails(&story).await.is_empty(), "told once");
}

#[tokio::test]
async fn what_is_not_urgent_comes_in_one_mail_of_the_morning_also_over_a_restart() {
    let story = story("2026-03-02 10:00").await;
    for _ in 0..3 {
        story.submit(&of_level("basic")).await.unwrap();
    }
    // Due on Tuesday 10.03; the early warning and the digest of Thursday at the school's opening hour.
    story.set("2026-03-05 08:59");
    assert_eq!(story.gateway.digest_once().await.unwrap(), 0, "not before it opens");
    story.set("2026-03-05 09:00");
    story.sweep().await;
    assert_eq!(
        story.gateway.digest_once().await.unwrap(),
        2,
        "the school and the coordinator; for the director there is nothing"
    );
    let sent = send(&story, Medium::Mail).await;
    let school = sent.iter().find(|one| one.recipient == code(SCHOOL)).unwrap();
    assert_eq!(school.subject, "Сводка на 05.03.2026 (чт): скоро срок ответа: 3");
    assert_eq!(school.content.matches("срок 10.03.2026 (вт)").count(), 3, "{}", school.content);
    assert!(school.content.contains(&format!("{BOARD}/obligations/")));
    assert_eq!(sent.len(), 2, "one mail for each: {sent:?}");
    let story = with_mail(story.restart().await);
    story.set("2026-03-05 15:00");
    story.sweep().await;
    assert_eq!(story.gateway.digest_once().await.unwrap(), 0);
    story.set("2026-03-07 10:00");
    assert_eq!(story.gateway.digest_once().await.unwrap(), 0, "Saturday");
    story.set("2026-03-06 23:00");
    assert_eq!(story.gateway.digest_once().await.unwrap(), 0, "the clock was set back to a night");
}

/// More of them than a page of the store has.
#[tokio::test]
async fn a_digest_counts_all_and_what_is_late_hides_nothing_that_is_soon() {
    let story = story("2026-03-02 10:00").await;
    for _ in 0..203 {
        story.submit(&of_level("basic")).await.unwrap();
    }
    story.set("2026-03-05 10:00");
    for _ in 0..2 {
        let mut message = of_level("basic");
        message["created_at"] = json!("2026-03-05T09:30:00+08:00");
        story.submit(&message).await.unwrap();
    }
    story.set("2026-03-11 09:00");
    story.gateway.digest_once().await.unwrap();
    let sent = send(&story, Medium::Mail).await;
    let school = sent.iter().find(|one| one.recipient == code(SCHOOL)).unwrap();
    assert_eq!(school.subject, "Сводка на 11.03.2026 (ср): не отвечено в срок: 203, скоро срок ответа: 2");
    assert!(school.content.contains("… и ещё 153; все — в системе"), "{}", school.content);
    assert_eq!(school.content.matches("срок 13.03.2026 (пт)").count(), 2, "{}", school.content);
}

#[tokio::test]
async fn there_is_no_digest_when_there_is_nothing_to_say_and_it_is_not_made_up_later_that_day() {
    let story = story("2026-03-02 09:00").await;
    assert_eq!(story.gateway.digest_once().await.unwrap(), 0);
    story.submit(&of_level("emergency")).await.unwrap();
    story.set("2026-03-02 16:00");
    assert_eq!(story.gateway.digest_once().await.unwrap(), 0);
    assert!(mails(&story).await.is_empty());
}

#[tokio::test]
async fn a_letter_that_a_person_sends_in_the_evening_is_told_at_the_addressees_opening_hour() {
    let story = story("2026-03-02 10:00").await;
    story.submit(&of_level("basic")).await.unwrap();
    story.set("2026-03-17 09:00");
    story.sweep().await;
    story.gateway.digest_once().await.unwrap();
    let morning = send(&story, Medium::Mail).await;
    let ours = morning.iter().find(|one| one.recipient == code(CENTRE)).unwrap();
    assert!(ours.subject.contains("писем ждут решения: 1"), "{}", ours.subject);
    assert!(
        morning.iter().all(|one| one.recipient != code("commission-test")),
        "nobody outside is told before a person has decided"
    );
    // Friday evening.
    story.set("2026-03-20 19:10");
    let id = story.obligation().await.id;
    story.gateway.decide_rung((id, 4), RungDecision::Send, coordinator()).await.unwrap();
    assert!(mails(&story).await.is_empty(), "not after hours");
    story.set("2026-03-22 12:00");
    assert!(mails(&story).await.is_empty(), "not on Sunday");
    story.set("2026-03-23 08:59");
    assert!(mails(&story).await.is_empty());
    story.set("2026-03-23 09:00");
    assert_eq!(mails(&story).await, [("commission-test".into(), Whom::Addressee)]);
}

#[tokio::test]
async fn no_mail_and_no_webhook_repeats_a_word_of_the_childs_data() {
    let story = story("2026-03-02 10:00").await;
    change(&story, CENTRE, |centre| centre.alerts_url = Some("https://alerts.vymysel.example/hook".into())).await;
    for level in ["basic", "crisis", "emergency"] {
        story.submit(&of_level(level)).await.unwrap();
    }
    let mut told = Vec::new();
    for day in 3..=27 {
        story.set(&format!("2026-03-{day:02} 12:00"));
        story.sweep().await;
        story.gateway.digest_once().await.unwrap();
        told.extend(send(&story, Medium::Mail).await);
        told.extend(send(&story, Medium::Webhook).await);
    }
    assert!(told.len() > 20, "{}", told.len());
    for one in &told {
        let text = format!("{} {}", one.subject, one.content);
        for word in ["Пример", "Посещает", "2014", "СЛ-2026", "занятост", "эскалац"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
    }
}

#[tokio::test]
async fn an_alert_is_told_by_webhook_when_it_begins_and_once_when_it_is_over() {
    let story = story("2026-03-02 10:00").await;
    change(&story, CENTRE, |centre| centre.alerts_url = Some("https://alerts.vymysel.example/hook".into())).await;
    let root = of_level("basic");
    story.submit(&root).await.unwrap();
    story.set("2026-03-11 09:00");
    story.sweep().await;
    let begun = send(&story, Medium::Webhook).await;
    assert_eq!(begun.len(), 1);
    let event: Value = serde_json::from_str(&begun[0].content).unwrap();
    assert_eq!((&event["type"], &event["data"]["rung"]), (&json!("mezhved.alert.raised"), &json!(2)));
    assert_eq!(event["id"], json!(begun[0].id));
    let id = serde_json::from_value(root["id"].clone()).unwrap();
    story.submit(&reply(id, SCHOOL, "2026-03-11 10:00")).await.unwrap();
    let over = send(&story, Medium::Webhook).await;
    assert_eq!(over.len(), 1);
    assert_eq!(over[0].subject, "alert.resolved");
    assert!(send(&story, Medium::Webhook).await.is_empty());
}

#[tokio::test]
async fn a_mail_that_cannot_go_out_delays_nobody_and_ends_with_a_person() {
    let story = story("2026-03-02 10:00").await;
    story.submit(&of_level("crisis")).await.unwrap();
    story.set("2026-03-20 12:00");
    story.sweep().await;
    let rungs = story.obligation().await.rungs;
    assert!(rungs.iter().any(|rung| rung.state == "prepared"), "the ladder does not wait for mail");
    let now = irkutsk("2026-03-20 12:00");
    let claim = NoticeClaim { medium: Medium::Mail, now, lease_until: now + TimeDelta::minutes(3), limit: 100 };
    let leased = story.gateway.claim_notices(claim).await.unwrap();
    assert!(!leased.is_empty());
    assert!(story.gateway.claim_notices(claim).await.unwrap().is_empty(), "a lease is nobody else's");
    let failed = |one: &ClaimedNotice| NoticeAttempt {
        id: one.id,
        at: now,
        result: NoticeResult::Undeliverable { error: "550 no such user".into() },
    };
    story.gateway.settle_notices(leased.iter().map(failed).collect(), Vec::new()).await.unwrap();
    let given_up = story.gateway.undeliverable_notices(100).await.unwrap();
    assert_eq!(given_up.len(), leased.len());
    story.gateway.notice_again(given_up[0].id, &coordinator()).await.unwrap();
    let again = story.gateway.claim_notices(claim).await.unwrap();
    assert_eq!(again.iter().map(|one| one.id).collect::<Vec<_>>(), [given_up[0].id], "under its own id");
}

#[tokio::test]
async fn a_lease_whose_holder_died_ends_and_the_mail_goes_out_again_under_its_id() {
    let story = story("2026-03-02 10:00").await;
    story.submit(&of_level("crisis")).await.unwrap();
    story.set("2026-03-11 12:00");
    story.sweep().await;
    let now = irkutsk("2026-03-11 12:00");
    let claim = NoticeClaim { medium: Medium::Mail, now, lease_until: now + TimeDelta::minutes(3), limit: 100 };
    let mut first: Vec<_> = story.gateway.claim_notices(claim).await.unwrap().iter().map(|one| one.id).collect();
    let story = with_mail(story.restart().await);
    let mut second: Vec<_> = story.gateway.claim_notices(claim).await.unwrap().iter().map(|one| one.id).collect();
    first.sort_unstable();
    second.sort_unstable();
    assert_eq!(first, second);
    assert!(!first.is_empty());
}

#[tokio::test]
async fn without_a_mail_server_no_mail_is_ever_queued() {
    let story = Story::at("2026-03-02 10:00").await;
    story.submit(&of_level("emergency")).await.unwrap();
    story.set("2026-03-11 12:00");
    story.sweep().await;
    assert_eq!(story.gateway.digest_once().await.unwrap(), 0);
    assert_eq!(story.gateway.notice_figures().await.unwrap().waiting, 0);
}
