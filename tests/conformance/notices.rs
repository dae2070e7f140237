//! Notices: leased, settled, told again; digests once for each person and day.

use crate::given::{CLINIC, SCHOOL, at, code, exchange_id, obligation_id, request};
use crate::{save, stores};
use chrono::{DateTime, Utc};
use mezhved::domain::notice::{Medium, Whom};
use mezhved::gateway::ports::notices::{NoticeAttempt, NoticeClaim, NoticeFigures, NoticeResult, NoticeRow};
use mezhved::gateway::ports::{Changes, Store};
use uuid::Uuid;

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// A mail of a rung, ready `n` minutes after midnight of 13 January.
pub fn mail(n: u32) -> NoticeRow {
    NoticeRow {
        id: id(n.into()),
        medium: Medium::Mail,
        recipient: code(SCHOOL),
        whom: Whom::Head,
        obligation: Some(obligation_id(1)),
        day: None,
        queued_at: at("13T00:00"),
        ready_at: at("13T00:00") + chrono::Duration::minutes(n.into()),
        words: Some(("Тема".to_owned(), format!("Текст {n}"))),
    }
}

async fn queue(store: &dyn Store, notices: Vec<NoticeRow>) {
    save(store, Changes { notices, ..Changes::default() }).await;
}

async fn claim(store: &dyn Store, now: DateTime<Utc>) -> Vec<u128> {
    let lease_until = now + chrono::Duration::minutes(1);
    let claim = NoticeClaim { medium: Medium::Mail, now, lease_until, limit: 2 };
    store.claim_notices(claim).await.unwrap().iter().map(|notice| notice.id.as_u128()).collect()
}

async fn settle(store: &dyn Store, n: u128, result: NoticeResult) {
    let attempt = NoticeAttempt { id: id(n), at: at("13T02:00"), result };
    store.settle_notices(vec![attempt], vec![request(1).events().remove(0)]).await.unwrap();
}

#[tokio::test]
async fn notices_are_leased_oldest_first_with_what_they_tell_of_and_lapse() {
    for subject in stores().await {
        let store = &*subject.store;
        save(store, request(1).changes()).await;
        let webhook = NoticeRow { medium: Medium::Webhook, ..mail(9) };
        queue(store, vec![mail(5), mail(1), mail(2), webhook]).await;
        assert!(claim(store, at("13T00:00")).await.is_empty(), "none is ready yet");
        let request = NoticeClaim { medium: Medium::Mail, now: at("13T00:01"), lease_until: at("13T00:02"), limit: 2 };
        let leased = store.claim_notices(request).await.unwrap();
        assert_eq!(leased.len(), 1);
        assert_eq!(leased[0].obligation, Some((exchange_id(1), obligation_id(1))));
        assert_eq!((leased[0].subject.as_str(), leased[0].content.as_str()), ("Тема", "Текст 1"));
        assert_eq!((leased[0].attempts, leased[0].queued_at), (0, at("13T00:00")));
        assert_eq!((&leased[0].recipient, leased[0].whom), (&code(SCHOOL), Whom::Head));
        // The lease of the first runs out at the moment when the second is ready.
        assert_eq!(claim(store, at("13T00:02")).await, [1, 2]);
        assert!(claim(store, at("13T00:02")).await.is_empty(), "both are under a lease");
        assert_eq!(claim(store, at("13T00:05")).await, [1, 2], "two at most, the oldest first");
        assert_eq!(claim(store, at("13T00:05")).await, [5]);
    }
}

#[tokio::test]
async fn what_became_of_a_notice_is_written_down_and_what_was_sent_stays_sent() {
    for subject in stores().await {
        let store = &*subject.store;
        save(store, request(1).changes()).await;
        queue(store, (1..=4).map(mail).collect()).await;
        assert_eq!(claim(store, at("13T01:00")).await, [1, 2]);
        assert_eq!(claim(store, at("13T01:00")).await, [3, 4]);
        let seen = store.last_event().await.unwrap();
        settle(store, 1, NoticeResult::Sent).await;
        assert_eq!(store.last_event().await.unwrap(), seen + 1, "its event is of the same transaction");
        settle(store, 1, NoticeResult::Retry { next_at: at("13T02:30"), error: "450".to_owned() }).await;
        settle(store, 2, NoticeResult::Retry { next_at: at("13T03:00"), error: "451".to_owned() }).await;
        settle(store, 3, NoticeResult::Postponed { next_at: at("13T03:00") }).await;
        settle(store, 4, NoticeResult::Undeliverable { error: "550".to_owned() }).await;
        let waiting = NoticeFigures { waiting: 2, undeliverable: 1, oldest_ready_at: Some(at("13T03:00")) };
        assert_eq!(store.notice_figures().await.unwrap(), waiting);
        assert!(claim(store, at("13T02:59")).await.is_empty());
        let request = NoticeClaim { medium: Medium::Mail, now: at("13T03:00"), lease_until: at("13T04:00"), limit: 9 };
        let again = store.claim_notices(request).await.unwrap();
        assert_eq!(again.iter().map(|one| (one.id, one.attempts)).collect::<Vec<_>>(), [(id(2), 1), (id(3), 0)]);
    }
}

#[tokio::test]
async fn what_was_given_up_is_shown_and_goes_out_again_when_a_person_says_so() {
    for subject in stores().await {
        let store = &*subject.store;
        save(store, request(1).changes()).await;
        queue(store, vec![mail(1), mail(2)]).await;
        assert_eq!(claim(store, at("13T01:00")).await, [1, 2]);
        for n in [1, 2] {
            settle(store, n, NoticeResult::Undeliverable { error: "550".to_owned() }).await;
        }
        let shown = store.undeliverable_notices(9).await.unwrap();
        assert_eq!(shown.iter().map(|one| one.id).collect::<Vec<_>>(), [id(2), id(1)], "the latest first");
        assert_eq!((shown[0].error.as_str(), shown[0].attempts, shown[0].medium), ("550", 1, Medium::Mail));
        assert!(store.notice_again(id(1), at("13T05:00")).await.unwrap());
        assert!(!store.notice_again(id(1), at("13T05:00")).await.unwrap(), "it waits already");
        assert!(!store.notice_again(id(7), at("13T05:00")).await.unwrap(), "there is none");
        assert_eq!(claim(store, at("13T05:00")).await, [1]);
    }
}

#[tokio::test]
async fn a_digest_is_written_once_for_each_person_and_day_also_when_it_is_empty() {
    for subject in stores().await {
        let store = &*subject.store;
        let digest = |n: u32, recipient: &str, day: &str, words: bool| NoticeRow {
            recipient: code(recipient),
            obligation: None,
            day: Some(day.parse().unwrap()),
            words: words.then(|| ("Сводка".to_owned(), format!("Сводка {n}"))),
            ..mail(n)
        };
        let (monday, tuesday) = ("2026-01-12", "2026-01-13");
        queue(store, vec![digest(1, SCHOOL, monday, true), digest(2, SCHOOL, monday, true)]).await;
        queue(store, vec![digest(3, SCHOOL, tuesday, false), digest(4, CLINIC, tuesday, true)]).await;
        queue(store, vec![digest(5, SCHOOL, tuesday, true)]).await;
        let mut since = store.digests_since(tuesday.parse().unwrap()).await.unwrap();
        since.sort();
        let on = tuesday.parse().unwrap();
        assert_eq!(since, [(code(CLINIC), Whom::Head, on), (code(SCHOOL), Whom::Head, on)]);
        assert_eq!(store.digests_since(monday.parse().unwrap()).await.unwrap().len(), 3);
        assert_eq!(claim(store, at("13T01:00")).await, [1, 4], "an empty one tells nobody");
    }
}
