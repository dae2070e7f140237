//! Deliveries that are leased in the transaction that writes them, to whoever commits it.
//!
//! Promises: what is asserted of one store is asserted of both. Never: sends anything.

use crate::given::{CENTRE, SCHOOL, at, code, message_id, participant, receipt, receipt_id, request};
use crate::postgres_node::Postgres;
use crate::replicas::{PATIENCE, claim as claimed_by, cut_listener, holders, ids, open, until};
use crate::{save, stores};
use mezhved::domain::decision::{Event, EventKind};
use mezhved::domain::ids::{MessageId, ParticipantCode};
use mezhved::gateway::ports::decisions::{Attempt, AttemptResult, Claim, OutboxRow, RouteKind, Taking};
use mezhved::gateway::ports::{Changes, Decisions as _, Keys, Store};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const LEASED_UNTIL: &str = "12T11:00";

/// Saves, and would send all of it at once.
async fn take(store: &dyn Store, changes: Changes) -> BTreeSet<(MessageId, ParticipantCode)> {
    let letters = changes.outbox.iter().map(|row| (row.message, row.recipient.clone())).collect();
    let taking = Some(Taking { letters, lease_until: at(LEASED_UNTIL) });
    let (unit, _) = store.begin(Keys::default()).await.unwrap();
    unit.commit(Changes { taking, ..changes }).await.unwrap().into_iter().collect()
}

async fn claim(store: &dyn Store, now: &str) -> Vec<MessageId> {
    let now = at(now);
    let lease_until = now + chrono::Duration::minutes(1);
    ids(&store.claim(Claim { now, lease_until, limit: 10, route: RouteKind::Amqp }).await.unwrap())
}

/// One more letter of the first exchange to the centre.
fn further(n: u32) -> OutboxRow {
    OutboxRow { message: receipt_id(n), ..receipt(1) }
}

fn queued(rows: Vec<OutboxRow>) -> Changes {
    Changes { outbox: rows, ..Changes::default() }
}

async fn state(store: &dyn Store, message: MessageId, to: &str) -> String {
    store.delivery(message, &code(to)).await.unwrap().unwrap().state
}

#[tokio::test]
async fn what_is_taken_is_leased_as_it_is_written_and_is_nobody_elses_until_its_lease_has_run_out() {
    for subject in stores().await {
        let store = &*subject.store;
        assert_eq!(take(store, request(1).changes()).await, [(message_id(1), code(SCHOOL))].into());
        assert_eq!(state(store, message_id(1), SCHOOL).await, "sending");
        assert!(claim(store, "12T09:59").await.is_empty());
        assert_eq!(claim(store, LEASED_UNTIL).await, [message_id(1)]);
        assert!(take(store, Changes::default()).await.is_empty());
        let figures = store.figures().await.unwrap();
        assert_eq!(figures.deliveries_owed, 1, "{figures:?}");
    }
}

#[tokio::test]
async fn what_is_taken_ends_like_what_is_claimed() {
    for subject in stores().await {
        let store = &*subject.store;
        let settle = async |result| {
            let attempt = Attempt { message: message_id(1), recipient: code(SCHOOL), at: at("12T09:40"), result };
            store.settle(vec![attempt], Vec::new()).await.unwrap();
        };
        take(store, request(1).changes()).await;
        settle(AttemptResult::Postponed { next_at: at("12T09:45") }).await;
        assert!(claim(store, "12T09:44").await.is_empty());
        assert_eq!(claim(store, "12T09:45").await, [message_id(1)], "what was given back is not free");
        settle(AttemptResult::Delivered { content_sha256: "ab".repeat(32) }).await;
        assert_eq!(state(store, message_id(1), SCHOOL).await, "delivered");
        let figures = store.figures().await.unwrap();
        assert_eq!((figures.deliveries_owed, figures.deliveries_done), (0, 1), "{figures:?}");
    }
}

#[tokio::test]
async fn a_letter_is_not_taken_past_another_of_its_exchange_that_waits() {
    for subject in stores().await {
        let store = &*subject.store;
        save(store, request(1).changes()).await;
        save(store, queued(vec![further(11)])).await;
        assert!(take(store, queued(vec![further(12)])).await.is_empty());
        let other = OutboxRow { recipient: code(SCHOOL), ..further(13) };
        assert!(take(store, queued(vec![other])).await.is_empty(), "the request itself waits");
        assert_eq!(claim(store, "12T09:30").await, [message_id(1), receipt_id(11)], "one to each");
        assert!(take(store, queued(vec![further(14)])).await.is_empty(), "those before it have not arrived");
        for n in [11, 12] {
            settle(store, n, AttemptResult::Delivered { content_sha256: "ab".repeat(32) }).await;
            assert_eq!(claim(store, "12T09:30").await, [receipt_id(if n == 11 { 12 } else { 14 })]);
        }
        // Of an exchange that is not on record nothing is known.
        assert!(take(store, queued(vec![receipt(2)])).await.is_empty());
        let without = OutboxRow { exchange: None, ..receipt(3) };
        assert_eq!(take(store, queued(vec![without])).await, [(receipt_id(3), code(CENTRE))].into());
    }
}

/// What became of a receipt.
async fn settle(store: &dyn Store, n: u32, result: AttemptResult) {
    let attempt = Attempt { message: receipt_id(n), recipient: code(CENTRE), at: at("12T09:40"), result };
    store.settle(vec![attempt], Vec::new()).await.unwrap();
}

#[tokio::test]
async fn a_letter_waits_for_an_earlier_one_of_its_exchange_that_was_put_off_until_it_has_arrived_or_is_given_up() {
    for subject in stores().await {
        let store = &*subject.store;
        save(store, Changes { outbox: vec![further(11), further(12)], ..request(1).changes() }).await;
        assert_eq!(claim(store, "12T09:30").await, [receipt_id(11)]);
        let retry = |next_at| AttemptResult::Retry { next_at, error: "гудок".to_owned() };
        settle(store, 11, retry(at("12T09:50"))).await;
        assert!(claim(store, "12T09:49").await.is_empty(), "the later one went past it");
        assert_eq!(claim(store, "12T09:50").await, [receipt_id(11)], "both are due: the earlier goes first");
        settle(store, 11, AttemptResult::Postponed { next_at: at("12T09:55") }).await;
        assert!(claim(store, "12T09:54").await.is_empty(), "the later one went past it");
        assert_eq!(claim(store, "12T09:55").await, [receipt_id(11)]);
        settle(store, 11, AttemptResult::Undeliverable { error: "гудок".to_owned() }).await;
        assert_eq!(claim(store, "12T09:56").await, [receipt_id(12)], "what was given up holds up nobody");
    }
}

#[tokio::test]
async fn that_a_letter_was_given_up_is_told_only_by_who_has_its_lease() {
    for subject in stores().await {
        let store = &*subject.store;
        take(store, request(1).changes()).await;
        let of_it = Event { participant: Some(code(SCHOOL)), ..request(1).events().remove(0) };
        let told = |kind| Event { kind, ..of_it.clone() };
        let attempt = |result| Attempt { message: message_id(1), recipient: code(SCHOOL), at: at("12T09:40"), result };
        let arrived = attempt(AttemptResult::Delivered { content_sha256: "ab".repeat(32) });
        store.settle(vec![arrived], vec![told(EventKind::Delivered)]).await.unwrap();
        let given_up = attempt(AttemptResult::Undeliverable { error: "гудок".to_owned() });
        let before = store.last_event().await.unwrap();
        store.settle(vec![given_up.clone()], vec![told(EventKind::Undeliverable)]).await.unwrap();
        assert_eq!(store.last_event().await.unwrap(), before, "the chronology says that what arrived was given up");
        take(store, request(2).changes()).await;
        let (attempt, before) = (Attempt { message: message_id(2), ..given_up }, store.last_event().await.unwrap());
        store.settle(vec![attempt], vec![told(EventKind::Undeliverable)]).await.unwrap();
        assert_eq!(store.last_event().await.unwrap(), before + 1);
    }
}

#[tokio::test]
async fn what_goes_another_way_now_or_is_sent_again_is_not_taken() {
    for subject in stores().await {
        let store = &*subject.store;
        store.import_participants(vec![participant(SCHOOL, "inbox"), participant(CENTRE, "amqp")]).await.unwrap();
        assert!(take(store, request(1).changes()).await.is_empty(), "it was to go over the broker");
        assert_eq!(state(store, message_id(1), SCHOOL).await, "queued");
        assert_eq!(take(store, queued(vec![further(11)])).await.len(), 1);
        let result = AttemptResult::Undeliverable { error: "гудок".to_owned() };
        let attempt = Attempt { message: receipt_id(11), recipient: code(CENTRE), at: at("12T09:40"), result };
        store.settle(vec![attempt], Vec::new()).await.unwrap();
        assert!(take(store, queued(vec![further(11)])).await.is_empty());
        assert_eq!(claim(store, "12T09:45").await, [receipt_id(11)], "it is not sent again");
    }
}

#[tokio::test]
async fn a_batch_that_is_refused_leases_nothing() {
    for subject in stores().await {
        let store = &*subject.store;
        let bad = OutboxRow { content: None, ..further(11) };
        let letters = [(receipt_id(10), code(CENTRE)), (receipt_id(11), code(CENTRE))].into();
        let taking = Some(Taking { letters, lease_until: at(LEASED_UNTIL) });
        let (unit, _) = store.begin(Keys::default()).await.unwrap();
        let rows = vec![OutboxRow { exchange: None, ..further(10) }, bad];
        assert!(unit.commit(Changes { taking, ..queued(rows) }).await.is_err());
        assert!(store.delivery(receipt_id(10), &code(CENTRE)).await.unwrap().is_none());
        assert!(claim(store, LEASED_UNTIL).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_not_taken_past_one_that_another_gateway_sends() {
    let database = Postgres::shared().database();
    let (first, second) = (open(&database).await, open(&database).await);
    save(&first, request(1).changes()).await;
    assert_eq!(take(&first, queued(vec![further(11)])).await.len(), 1);
    assert!(take(&second, queued(vec![further(12)])).await.is_empty());
    assert_eq!(take(&first, queued(vec![further(13)])).await.len(), 0, "the one before it waits");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_gateway_has_taken_is_given_back_when_it_dies() {
    let database = Postgres::shared().database();
    let (first, second) = (open(&database).await, open(&database).await);
    take(&first, request(1).changes()).await;
    assert!(claimed_by(&second, 10).await.is_empty());
    drop(first);
    let begun = Instant::now();
    loop {
        let found = claimed_by(&second, 10).await;
        if !found.is_empty() {
            return assert_eq!(ids(&found), [message_id(1)]);
        }
        assert!(begun.elapsed() < PATIENCE, "nobody has it");
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_commit_without_an_answer_gives_back_its_own_lease_and_no_other() {
    for subject in stores().await {
        let store = &*subject.store;
        let unsure = async |until| {
            let (message, result) = (message_id(1), AttemptResult::Unsure { lease_until: at(until) });
            let attempt = Attempt { message, recipient: code(SCHOOL), at: at("12T09:40"), result };
            store.settle(vec![attempt], Vec::new()).await.unwrap();
        };
        unsure(LEASED_UNTIL).await;
        take(store, request(1).changes()).await;
        unsure("12T10:59").await;
        assert!(claim(store, "12T09:45").await.is_empty(), "the lease of another commit was ended");
        unsure(LEASED_UNTIL).await;
        assert_eq!(claim(store, "12T09:45").await, [message_id(1)]);
        let figures = store.figures().await.unwrap();
        assert_eq!(figures.deliveries_owed, 1, "{figures:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_gateway_cannot_show_that_it_is_alive_its_decisions_lease_nothing() {
    let database = Postgres::shared().database();
    let store = open(&database).await;
    let before = holders(&database);
    let (unit, _) = store.begin(Keys::default()).await.unwrap();
    cut_listener(&database);
    // It has a number again, and waits for this decision before its leases may bear it.
    until(async || {
        let now = holders(&database);
        (!now.is_empty() && now != before).then_some(())
    })
    .await;
    let letters = [(message_id(1), code(SCHOOL))].into();
    let taking = Some(Taking { letters, lease_until: at(LEASED_UNTIL) });
    sleep(Duration::from_millis(300)).await;
    assert!(unit.commit(Changes { taking, ..request(1).changes() }).await.unwrap().is_empty());
    assert_eq!(claimed_by(&store, 10).await.len(), 1);
}
