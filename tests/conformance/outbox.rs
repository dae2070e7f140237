//! Deliveries: leased, retried, proven, sent again.

use crate::given::{
    CENTRE, CLINIC, SCHOOL, at, code, exchange_id, message_id, obligation_id, participant, receipt, receipt_id, request,
};
use crate::{save, stores};
use chrono::{DateTime, Utc};
use mezhved::domain::decision::{Proof, ProofStage};
use mezhved::domain::ids::{MessageId, ParticipantCode};
use mezhved::domain::message::Format;
use mezhved::gateway::ports::decisions::{Attempt, AttemptResult, Claim, Claimed, OutboxRow, RouteKind};
use mezhved::gateway::ports::reads::{DeliveryRow, InboxPage};
use mezhved::gateway::ports::{Changes, Keys, Store};

pub async fn claim(store: &dyn Store, now: DateTime<Utc>) -> Vec<Claimed> {
    let lease_until = now + chrono::Duration::minutes(1);
    store.claim(Claim { now, lease_until, limit: 10, route: RouteKind::Amqp }).await.unwrap()
}

fn ids(letters: &[Claimed]) -> Vec<MessageId> {
    letters.iter().map(|letter| letter.message).collect()
}

pub async fn delivery(store: &dyn Store, n: u32) -> DeliveryRow {
    store.delivery(message_id(n), &code(SCHOOL)).await.unwrap().unwrap()
}

pub async fn settle(store: &dyn Store, (message, recipient): (MessageId, &str), result: AttemptResult) {
    let attempt = Attempt { message, recipient: code(recipient), at: at("12T10:00"), result };
    store.settle(vec![attempt], Vec::new()).await.unwrap();
}

pub fn delivered() -> AttemptResult {
    AttemptResult::Delivered { content_sha256: "ab".repeat(32) }
}

pub fn registered(number: &str, content_sha256: String) -> ProofStage {
    ProofStage::Registered { number: number.to_owned(), date: "2026-01-13".parse().unwrap(), content_sha256 }
}

pub async fn prove(store: &dyn Store, n: u32, stage: ProofStage) {
    let proof = Proof { message: message_id(n), recipient: code(SCHOOL), stage };
    let events = vec![request(n).events().remove(0)];
    save(store, Changes { proofs: vec![proof], events, ..Changes::default() }).await;
}

async fn inbox(store: &dyn Store, of: ParticipantCode, after: u64) -> Vec<(u64, MessageId)> {
    let items = store.inbox(InboxPage { recipient: of, after, limit: 10 }).await.unwrap();
    items.into_iter().map(|item| (item.seq, item.letter.message)).collect()
}

#[tokio::test]
async fn a_claim_of_large_letters_ends_with_the_one_that_reaches_its_bytes() {
    for subject in stores().await {
        let large = |n| {
            let content = Some((Format::Xml, vec![b' '; 12 * 1024 * 1024].into()));
            Changes { outbox: vec![OutboxRow { content, ..receipt(n) }], ..Changes::default() }
        };
        for n in 1..=4 {
            save(&*subject.store, large(n)).await;
        }
        let first = claim(&*subject.store, at("12T09:30")).await;
        assert_eq!(ids(&first), [1, 2, 3].map(receipt_id), "24 MiB have room for another, 36 have not");
        assert!(first.iter().all(|letter| letter.content.len() == 12 * 1024 * 1024));
        let second = claim(&*subject.store, at("12T09:30")).await;
        assert_eq!(ids(&second), [receipt_id(4)]);
    }
}

#[tokio::test]
async fn ready_rows_are_leased_oldest_first_with_what_they_deliver() {
    for subject in stores().await {
        save(&*subject.store, request(2).changes()).await;
        save(&*subject.store, request(1).changes()).await;
        save(&*subject.store, request(3).over(RouteKind::Push).changes()).await;
        save(&*subject.store, Changes { outbox: vec![receipt(4)], ..Changes::default() }).await;
        let letters = claim(&*subject.store, at("12T09:30")).await;
        assert_eq!(ids(&letters), [message_id(1), message_id(2), receipt_id(4)]);
        assert_eq!((&letters[0].content[..], letters[0].format), (&b"{\"request\":1}"[..], Format::Json));
        assert_eq!((&letters[2].content[..], letters[2].format), (&b"<receipt n=\"4\"/>"[..], Format::Xml));
        assert_eq!(letters[2].recipient, code(CENTRE));
        let exchanges: Vec<_> = letters.iter().map(|letter| letter.exchange).collect();
        // The receipt names an exchange that is not on record: it goes out as it was written all the same.
        assert_eq!(exchanges, [Some(exchange_id(1)), Some(exchange_id(2)), Some(exchange_id(4))]);
    }
}

#[tokio::test]
async fn no_more_rows_are_leased_than_asked_for() {
    for subject in stores().await {
        save(&*subject.store, request(1).changes()).await;
        save(&*subject.store, request(2).changes()).await;
        let now = at("12T09:30");
        let one = Claim { now, lease_until: now, limit: 1, route: RouteKind::Amqp };
        assert_eq!(ids(&subject.store.claim(one).await.unwrap()), [message_id(1)]);
    }
}

#[tokio::test]
async fn a_leased_row_is_nobody_elses_until_its_lease_has_run_out() {
    for subject in stores().await {
        save(&*subject.store, request(1).changes()).await;
        assert_eq!(claim(&*subject.store, at("12T10:00")).await.len(), 1);
        assert_eq!(delivery(&*subject.store, 1).await.state, "sending");
        assert!(claim(&*subject.store, at("12T10:00")).await.is_empty());
        assert_eq!(ids(&claim(&*subject.store, at("12T10:01")).await), [message_id(1)]);
    }
}

#[tokio::test]
async fn a_failed_attempt_waits_for_its_time_and_is_counted() {
    for subject in stores().await {
        save(&*subject.store, request(1).changes()).await;
        claim(&*subject.store, at("12T10:00")).await;
        let retry = AttemptResult::Retry { next_at: at("12T11:00"), error: "connection refused".to_owned() };
        settle(&*subject.store, (message_id(1), SCHOOL), retry).await;
        let row = delivery(&*subject.store, 1).await;
        assert_eq!((row.state.as_str(), row.attempts, row.next_at), ("waiting_retry", 1, Some(at("12T11:00"))));
        assert_eq!(row.error.as_deref(), Some("connection refused"));
        assert!(claim(&*subject.store, at("12T10:59")).await.is_empty());
        let letters = claim(&*subject.store, at("12T11:00")).await;
        assert_eq!((ids(&letters), letters[0].attempts), (vec![message_id(1)], 1));
        settle(&*subject.store, (message_id(1), SCHOOL), delivered()).await;
        let row = delivery(&*subject.store, 1).await;
        assert_eq!((row.state.as_str(), row.attempts, row.error), ("delivered", 2, None));
        assert_eq!((row.delivered_at, row.content_sha256), (Some(at("12T10:00")), Some("ab".repeat(32))));
    }
}

#[tokio::test]
async fn an_undeliverable_row_is_never_leased_again() {
    for subject in stores().await {
        save(&*subject.store, request(1).changes()).await;
        claim(&*subject.store, at("12T10:00")).await;
        let stop = AttemptResult::Undeliverable { error: "410 Gone".to_owned() };
        settle(&*subject.store, (message_id(1), SCHOOL), stop).await;
        assert_eq!(delivery(&*subject.store, 1).await.state, "undeliverable");
        assert!(claim(&*subject.store, at("30T10:00")).await.is_empty());
        prove(&*subject.store, 1, ProofStage::Received).await;
        let row = delivery(&*subject.store, 1).await;
        assert_eq!(row.state, "delivered", "the addressee has it after all");
    }
}

#[tokio::test]
async fn a_receipt_written_again_is_sent_again_unless_it_is_on_its_way() {
    for subject in stores().await {
        let again = || Changes { outbox: vec![receipt(1)], ..Changes::default() };
        save(&*subject.store, again()).await;
        save(&*subject.store, again()).await;
        assert_eq!(claim(&*subject.store, at("12T10:00")).await.len(), 1, "two rows for one receipt");
        save(&*subject.store, again()).await;
        assert!(claim(&*subject.store, at("12T10:00")).await.is_empty(), "it was under way");
        settle(&*subject.store, (receipt_id(1), CENTRE), delivered()).await;
        assert!(claim(&*subject.store, at("12T12:00")).await.is_empty());
        save(&*subject.store, again()).await;
        let letters = claim(&*subject.store, at("12T12:00")).await;
        assert_eq!((letters.len(), letters[0].attempts), (1, 0));
        assert_eq!(&letters[0].content[..], b"<receipt n=\"1\"/>", "the very same receipt");
    }
}

#[tokio::test]
async fn an_inbox_holds_what_its_owner_has_not_registered_after_a_cursor() {
    for subject in stores().await {
        for n in 1..=3 {
            save(&*subject.store, request(n).over(RouteKind::Inbox).changes()).await;
        }
        save(&*subject.store, request(4).over(RouteKind::Inbox).between(CENTRE, CLINIC).changes()).await;
        let store = &*subject.store;
        let all = inbox(store, code(SCHOOL), 0).await;
        assert_eq!(all.iter().map(|(_, id)| *id).collect::<Vec<_>>(), [message_id(1), message_id(2), message_id(3)]);
        assert_eq!(inbox(store, code(SCHOOL), all[1].0).await, all[2..]);
        assert!(claim(store, at("30T10:00")).await.is_empty(), "an inbox is never leased");

        prove(store, 2, registered("вх. 7", "ab".repeat(32))).await;
        assert_eq!(inbox(store, code(SCHOOL), 0).await, [all[0], all[2]]);
        let letter = store.inbox_letter(message_id(2), &code(SCHOOL)).await.unwrap().unwrap();
        assert_eq!(&letter.content[..], b"{\"request\":2}", "also one that was registered before");
        assert!(store.inbox_letter(message_id(2), &code(CLINIC)).await.unwrap().is_none(), "never another's");

        // Sent again: it comes after every cursor.
        let again = vec![request(2).over(RouteKind::Inbox).delivery()];
        save(store, Changes { outbox: again, ..Changes::default() }).await;
        assert_eq!(inbox(store, code(SCHOOL), all[2].0).await.len(), 1);
        prove(store, 2, registered("вх. 8", "ab".repeat(32))).await;
        assert_eq!(inbox(store, code(SCHOOL), 0).await, [all[0], all[2]]);
    }
}

#[tokio::test]
async fn a_letter_that_is_queued_by_who_has_not_heard_of_an_import_goes_the_new_way_too() {
    for subject in stores().await {
        let store = &*subject.store;
        store.import_participants(vec![participant(SCHOOL, "inbox")]).await.unwrap();
        save(store, request(1).over(RouteKind::Amqp).changes()).await;
        assert!(claim(store, at("12T09:30")).await.is_empty());
        assert_eq!(inbox(store, code(SCHOOL), 0).await.len(), 1);
        prove(store, 1, registered("7", "ab".repeat(32))).await;
        store.import_participants(vec![participant(SCHOOL, "amqp")]).await.unwrap();
        let again = request(1).over(RouteKind::Inbox).changes().outbox;
        save(store, Changes { outbox: again, ..Changes::default() }).await;
        assert_eq!(ids(&claim(store, at("12T09:30")).await), [message_id(1)]);
    }
}

#[tokio::test]
async fn an_import_sends_what_waits_the_new_way() {
    for subject in stores().await {
        let store = &*subject.store;
        for n in 1..=4 {
            save(store, request(n).changes()).await;
        }
        store.import_participants(vec![participant(SCHOOL, "amqp")]).await.unwrap();
        let now = at("12T10:00");
        let two = Claim { now, lease_until: at("12T11:00"), limit: 2, route: RouteKind::Amqp };
        assert_eq!(store.claim(two).await.unwrap().len(), 2);
        settle(store, (message_id(1), SCHOOL), delivered()).await;
        store.import_participants(vec![participant(SCHOOL, "inbox"), participant(CLINIC, "amqp")]).await.unwrap();

        let waiting: Vec<_> = inbox(store, code(SCHOOL), 0).await.into_iter().map(|(_, id)| id).collect();
        assert_eq!(waiting, [message_id(2), message_id(3), message_id(4)], "what was under way waits there too");
        assert_eq!(delivery(store, 1).await.state, "delivered");
        // The attempt that was under way comes to its end: a failure changes nothing, a success counts.
        let retry = AttemptResult::Retry { next_at: now, error: "timeout".to_owned() };
        settle(store, (message_id(2), SCHOOL), retry).await;
        assert_eq!(delivery(store, 2).await.state, "queued");
        settle(store, (message_id(2), SCHOOL), delivered()).await;
        assert_eq!(delivery(store, 2).await.state, "delivered");

        store.import_participants(vec![participant(SCHOOL, "push")]).await.unwrap();
        assert!(inbox(store, code(SCHOOL), 0).await.is_empty());
        let push = Claim { now, lease_until: now, limit: 10, route: RouteKind::Push };
        assert_eq!(ids(&store.claim(push).await.unwrap()), [message_id(3), message_id(4)]);
    }
}

#[tokio::test]
async fn an_obligation_is_undelivered_until_its_request_has_reached_the_performer() {
    for subject in stores().await {
        let store = &*subject.store;
        save(store, request(1).changes()).await;
        save(store, request(2).over(RouteKind::Inbox).changes()).await;
        let undelivered = async || {
            let keys = Keys { obligations: vec![obligation_id(1), obligation_id(2)], ..Keys::default() };
            let (_unit, loaded) = store.begin(keys).await.unwrap();
            loaded.undelivered.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(undelivered().await, [obligation_id(1)], "what lies in an inbox has reached it");
        claim(store, at("12T10:00")).await;
        assert_eq!(undelivered().await, [obligation_id(1)]);
        settle(store, (message_id(1), SCHOOL), delivered()).await;
        assert!(undelivered().await.is_empty());
        save(store, Changes { outbox: vec![request(1).delivery()], ..Changes::default() }).await;
        assert!(undelivered().await.is_empty(), "sending it once more does not undo that it was delivered");
    }
}

#[tokio::test]
async fn settling_writes_its_events() {
    for subject in stores().await {
        let store = &*subject.store;
        save(store, request(1).changes()).await;
        let before = store.last_event().await.unwrap();
        store.settle(Vec::new(), request(1).events()).await.unwrap();
        let events = store.events_after(before, 10).await.unwrap();
        let seqs: Vec<u64> = events.iter().map(|(seq, _)| *seq).collect();
        assert_eq!(seqs, [before + 1, before + 2]);
        assert_eq!(events[0].1, request(1).events()[0]);
    }
}

#[tokio::test]
async fn what_is_told_of_a_delivery_stands_in_the_chronology_of_its_exchange() {
    for subject in stores().await {
        let store = &*subject.store;
        save(store, request(1).changes()).await;
        claim(store, at("12T10:00")).await;
        let told = || async { store.exchange(exchange_id(1)).await.unwrap().unwrap().events.len() };
        let before = told().await;
        let attempt =
            Attempt { message: message_id(1), recipient: code(SCHOOL), at: at("12T10:00"), result: delivered() };
        let event = request(1).events().remove(0);
        store.settle(vec![attempt], vec![event]).await.unwrap();
        assert_eq!(told().await, before + 1);
        assert_eq!(delivery(store, 1).await.state, "delivered");
    }
}

#[tokio::test]
async fn one_settlement_may_hold_every_kind_of_end_and_two_of_one_letter() {
    for subject in stores().await {
        let store = &*subject.store;
        for n in 1..=5 {
            save(store, request(n).changes()).await;
        }
        assert_eq!(claim(store, at("12T10:00")).await.len(), 5);
        prove(store, 3, registered("вх-3", "ab".repeat(32))).await;
        let later = || AttemptResult::Retry { next_at: at("12T11:00"), error: "занято".to_owned() };
        let given_up = AttemptResult::Undeliverable { error: "нет такого".to_owned() };
        let ends = [(1, delivered()), (2, later()), (3, delivered()), (4, later()), (4, delivered()), (5, given_up)];
        let attempt =
            |(n, result)| Attempt { message: message_id(n), recipient: code(SCHOOL), at: at("12T10:00"), result };
        store.settle(ends.into_iter().map(attempt).collect(), Vec::new()).await.unwrap();
        let mut found = Vec::new();
        for n in 1..=5 {
            let row = delivery(store, n).await;
            found.push((row.state, row.attempts, row.error.is_some(), row.content_sha256.is_some()));
        }
        let row = |state: &str, attempts, error, digest| (state.to_owned(), attempts, error, digest);
        assert_eq!(
            found,
            [
                row("delivered", 1, false, true),
                row("waiting_retry", 1, true, false),
                row("registered", 1, false, true),
                row("delivered", 2, false, true),
                row("undeliverable", 1, true, false),
            ],
        );
        assert_eq!(store.figures().await.unwrap().conservation_gap(), 0);
    }
}

#[tokio::test]
async fn a_letter_that_cannot_be_read_is_shown_to_people_and_holds_nobody_up() {
    for subject in stores().await {
        let store = &*subject.store;
        save(store, request(1).changes()).await;
        save(store, Changes { outbox: vec![receipt(4)], ..Changes::default() }).await;
        subject.raw("UPDATE outbox SET format = NULL, content = NULL WHERE content IS NOT NULL").unwrap();
        assert_eq!(ids(&claim(store, at("12T10:00")).await), [message_id(1)]);
        let row = store.delivery(receipt_id(4), &code(CENTRE)).await.unwrap().unwrap();
        assert_eq!(row.state, "undeliverable");
        assert_eq!(store.figures().await.unwrap().conservation_gap(), 0);
    }
}
