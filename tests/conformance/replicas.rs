//! What only PostgreSQL has: several stores on one database at once, and connections that can be cut.
//!
//! Promises: two stores here are what two gateways are in earnest; a store that is dropped is one whose gateway has died
//! (nothing of it says goodbye to its leases). Never: waits for a time where something can be awaited.

use crate::given::{
    CENTRE, CLINIC, SCHOOL, at, code, exchange_id, message_id, obligation_id, receipt, receipt_id, request,
};
use crate::postgres_node::{Database, Postgres};
use crate::{load, save};
use mezhved::domain::ids::MessageId;
use mezhved::gateway::ports::decisions::{Attempt, AttemptResult, Claim, Claimed, Direction, Register, RouteKind};
use mezhved::gateway::ports::notices::{NoticeClaim, NoticeRow};
use mezhved::gateway::ports::{Accounts, Changes, Decisions, Keys, Notices, Reads, StoreError};
use mezhved::store::postgres::{OpenError, PostgresOptions, PostgresStore};
use sqlx::{Connection as _, PgConnection};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// The machine may be slow; what does not come by then does not come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// Those who hold locks in this database.
pub(crate) const HERE: &str = "locktype = 'advisory' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

pub(crate) async fn open(database: &Database<'_>) -> PostgresStore {
    PostgresStore::open(&database.url(), PostgresOptions::default()).await.unwrap()
}

pub(crate) async fn claim(store: &PostgresStore, limit: usize) -> Vec<Claimed> {
    let claim = Claim { now: at("12T10:00"), lease_until: at("12T11:00"), limit, route: RouteKind::Amqp };
    store.claim(claim).await.unwrap()
}

pub(crate) fn ids(letters: &[Claimed]) -> Vec<MessageId> {
    letters.iter().map(|letter| letter.message).collect()
}

pub(crate) async fn settle(store: &PostgresStore, message: MessageId, result: AttemptResult) {
    let attempt = Attempt { message, recipient: code(SCHOOL), at: at("12T10:05"), result };
    store.settle(vec![attempt], Vec::new()).await.unwrap();
}

/// Asks again and again until there is an answer.
pub(crate) async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asked = timeout(PATIENCE, async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    asked.await.expect("it came to nothing")
}

/// Who may not listen looks once a second; a try for a new connection takes five.
const LOOKED: Duration = Duration::from_secs(4);

/// The number of a store, as its lock shows it.
pub(crate) fn holders(database: &Database<'_>) -> Vec<String> {
    let held = database.sql(&format!("SELECT objid FROM pg_locks WHERE {HERE} AND objsubid = 2 ORDER BY objid"));
    held.lines().map(str::to_owned).collect()
}

/// Ends the connection on which the only store of a database listens.
pub(crate) fn cut_listener(database: &Database<'_>) {
    database.sql(&format!("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE {HERE} AND objsubid = 2"));
}

/// Registers a message of the centre under the next number of its register, as the gateway does.
async fn register(store: &PostgresStore, n: u32) {
    let register = Register { participant: code(CENTRE), year: 2026, direction: Direction::Outgoing };
    let (unit, loaded) = store.begin(Keys { registers: vec![(code(CENTRE), 2026)], ..Keys::default() }).await.unwrap();
    let number = loaded.registers.get(&register).copied().unwrap_or(0) + 1;
    let mut changes = request(n).changes();
    changes.journal.truncate(1);
    changes.journal[0].number = number;
    changes.registers = vec![(register, number)];
    unit.commit(changes).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_give_out_numbers_without_a_gap_and_cursors_in_the_order_of_commits() {
    const EACH: u32 = 16;
    let database = Postgres::shared().database();
    let stores = [Arc::new(open(&database).await), Arc::new(open(&database).await)];
    // Whoever reads by cursor while others commit misses nothing: no number comes after a higher one was seen.
    let reader = Arc::clone(&stores[1]);
    let follower = tokio::spawn(timeout(PATIENCE, async move {
        let mut seen: Vec<u64> = Vec::new();
        while seen.len() < 4 * EACH as usize {
            let last = seen.last().copied().unwrap_or(0);
            seen.extend(reader.events_after(last, 1000).await.unwrap().into_iter().map(|(seq, _)| seq));
            tokio::task::yield_now().await;
        }
    }));
    let mut writers = tokio::task::JoinSet::new();
    for n in 1..=2 * EACH {
        let store = Arc::clone(&stores[(n % 2) as usize]);
        writers.spawn(async move { register(&store, n).await });
    }
    while let Some(written) = writers.join_next().await {
        written.unwrap();
    }
    let numbers = database.sql("SELECT number FROM journal ORDER BY number");
    let numbers: Vec<u32> = numbers.lines().map(|number| number.parse().unwrap()).collect();
    assert_eq!(numbers, (1..=2 * EACH).collect::<Vec<_>>());
    follower.await.unwrap().expect("it has missed an event");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_waits_for_that_of_another_gateway_and_sees_what_it_committed() {
    let database = Postgres::shared().database();
    let (first, second) = (open(&database).await, Arc::new(open(&database).await));
    let (unit, _) = first.begin(Keys::default()).await.unwrap();
    let other = Arc::clone(&second);
    let next = tokio::spawn(async move {
        let (_unit, loaded) = other.begin(Keys { messages: vec![message_id(1)], ..Keys::default() }).await.unwrap();
        loaded.seen.len()
    });
    // It stands in the line.
    until(async || {
        let waiting = database.sql(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        );
        (waiting == "1").then_some(())
    })
    .await;
    assert!(!next.is_finished());
    unit.commit(request(1).changes()).await.unwrap();
    assert_eq!(timeout(PATIENCE, next).await.unwrap().unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cut_between_begin_and_commit_leaves_no_trace() {
    let database = Postgres::shared().database();
    let store = open(&database).await;
    let (unit, _) = store.begin(Keys::default()).await.unwrap();
    let cut = format!("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE {HERE} AND objsubid = 1");
    assert_eq!(database.sql(&cut), "t");
    let fault = unit.commit(request(1).changes()).await;
    assert!(matches!(fault, Err(StoreError::Unavailable(_))), "{fault:?}");
    assert!(store.message(message_id(1)).await.unwrap().is_none());
    save(&store, request(1).changes()).await;
    assert!(load(&store, exchange_id(1)).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_claimers_lease_different_letters() {
    let database = Postgres::shared().database();
    let (first, second) = (open(&database).await, open(&database).await);
    for n in 1..=40 {
        save(&first, request(n).changes()).await;
    }
    let mut leased = Vec::new();
    loop {
        let (mine, yours) = tokio::join!(claim(&first, 7), claim(&second, 7));
        if mine.is_empty() && yours.is_empty() {
            break;
        }
        leased.extend(ids(&mine));
        leased.extend(ids(&yours));
    }
    assert_eq!(leased.len(), 40, "a letter was leased twice, or not at all");
    assert_eq!(leased.into_iter().collect::<BTreeSet<_>>().len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_waits_for_an_earlier_one_of_its_exchange_that_another_gateway_is_sending() {
    let database = Postgres::shared().database();
    let (first, second) = (open(&database).await, open(&database).await);
    save(&first, request(1).changes()).await;
    let mut later = receipt(500);
    (later.recipient, later.exchange) = (code(SCHOOL), Some(exchange_id(1)));
    save(&first, Changes { outbox: vec![later], ..Changes::default() }).await;
    assert_eq!(ids(&claim(&first, 1).await), [message_id(1)]);
    assert!(claim(&second, 10).await.is_empty(), "it would overtake the letter before it");
    save(&first, request(2).changes()).await;
    assert_eq!(ids(&claim(&second, 10).await), [message_id(2)], "another exchange waits for nobody");
    settle(&first, message_id(1), AttemptResult::Delivered { content_sha256: "ab".repeat(32) }).await;
    assert_eq!(ids(&claim(&second, 10).await), [receipt_id(500)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_gone_gives_its_leases_back_long_before_they_run_out() {
    let database = Postgres::shared().database();
    let (first, second) = (open(&database).await, open(&database).await);
    save(&first, request(1).changes()).await;
    let notice = NoticeRow {
        id: message_id(9).0,
        medium: mezhved::domain::notice::Medium::Mail,
        recipient: code(CLINIC),
        whom: mezhved::domain::notice::Whom::Executor,
        obligation: Some(obligation_id(1)),
        day: None,
        queued_at: at("12T09:00"),
        ready_at: at("12T09:00"),
        words: Some(("Тема".to_owned(), "Слова".to_owned())),
    };
    save(&first, Changes { notices: vec![notice], ..Changes::default() }).await;
    let mails = NoticeClaim {
        medium: mezhved::domain::notice::Medium::Mail,
        now: at("12T10:00"),
        lease_until: at("12T11:00"),
        limit: 10,
    };
    assert_eq!(claim(&first, 10).await.len(), 1);
    assert_eq!(first.claim_notices(mails).await.unwrap().len(), 1);
    assert!(claim(&second, 10).await.is_empty());
    drop(first);
    let letters = until(async || Some(claim(&second, 10).await).filter(|letters| !letters.is_empty())).await;
    assert_eq!(ids(&letters), [message_id(1)]);
    let told = until(async || Some(second.claim_notices(mails).await.unwrap()).filter(|rows| !rows.is_empty())).await;
    assert_eq!(told.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_whose_connection_broke_keeps_its_leases_under_a_new_number() {
    let database = Postgres::shared().database();
    let first = open(&database).await;
    save(&first, request(1).changes()).await;
    assert_eq!(claim(&first, 10).await.len(), 1);
    let before = holders(&database);
    assert_eq!(before.len(), 1);
    cut_listener(&database);
    let leased_by = "SELECT holder FROM outbox WHERE state = 'sending'";
    let now = until(async || Some(holders(&database)).filter(|now| now.len() == 1 && *now != before)).await;
    until(async || (database.sql(leased_by) == now[0]).then_some(())).await;
    // What it says of its letter counts still.
    settle(&first, message_id(1), AttemptResult::Postponed { next_at: at("12T10:30") }).await;
    assert_eq!(database.sql("SELECT state, holder FROM outbox"), "queued|");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_says_nothing_of_a_letter_that_another_gateway_has_leased_since() {
    let database = Postgres::shared().database();
    let (first, second) = (open(&database).await, open(&database).await);
    save(&first, request(1).changes()).await;
    assert_eq!(claim(&first, 10).await.len(), 1);
    let later = Claim { now: at("12T12:00"), lease_until: at("12T13:00"), limit: 10, route: RouteKind::Amqp };
    assert_eq!(second.claim(later).await.unwrap().len(), 1, "the lease had run out");
    settle(&first, message_id(1), AttemptResult::Postponed { next_at: at("12T10:30") }).await;
    assert_eq!(database.sql("SELECT state FROM outbox"), "sending");
    settle(&first, message_id(1), AttemptResult::Delivered { content_sha256: "ab".repeat(32) }).await;
    assert_eq!(
        database.sql("SELECT state FROM outbox"),
        "delivered",
        "what was confirmed has arrived, whoever sent it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_gateway_commits_is_told_to_the_others_and_not_to_itself() {
    let database = Postgres::shared().database();
    let (first, second) = (open(&database).await, open(&database).await);
    let (own, mut elsewhere) = (first.changes_elsewhere().unwrap(), second.changes_elsewhere().unwrap());
    save(&first, request(1).changes()).await;
    timeout(PATIENCE, elsewhere.changed()).await.expect("nobody was told").unwrap();
    assert_eq!(second.last_event().await.unwrap(), 2, "told before it could be seen");
    save(&second, request(2).changes()).await;
    let mut own_later = own.clone();
    timeout(PATIENCE, own_later.changed()).await.expect("nobody was told").unwrap();
    assert_eq!(*own_later.borrow(), 1, "told of its own commit too");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_cannot_listen_a_gateway_looks_for_events_by_itself() {
    let node = Postgres::start();
    let database = node.database();
    let (first, second) = (open(&database).await, open(&database).await);
    let mut elsewhere = second.changes_elsewhere().unwrap();
    node.stop();
    node.restart();
    until(async || {
        let (unit, _) = first.begin(Keys::default()).await.ok()?;
        unit.commit(request(1).changes()).await.ok()
    })
    .await;
    timeout(PATIENCE, elsewhere.changed()).await.expect("the restart has made it deaf").unwrap();
    until(async || (holders(&database).len() == 2).then_some(())).await;
    elsewhere.mark_unchanged();
    save(&first, request(2).changes()).await;
    timeout(PATIENCE, elsewhere.changed()).await.expect("it does not listen again").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_let_in_to_listen_no_more_hears_of_others_by_looking() {
    let node = Postgres::start();
    let database = node.database();
    let (first, second) = (open(&database).await, open(&database).await);
    let mut elsewhere = second.changes_elsewhere().unwrap();
    database.sql(&format!("ALTER DATABASE {} CONNECTION LIMIT 0", database.name()));
    cut_listener(&database);
    until(async || holders(&database).is_empty().then_some(())).await;
    // A server that is full lets one wait: one look stands behind no try for a connection.
    for n in 1..=3 {
        save(&first, request(n).changes()).await;
        timeout(LOOKED, elsewhere.changed()).await.expect("it does not look").unwrap();
    }
    assert!(holders(&database).is_empty(), "it listens again");
}

#[tokio::test]
async fn a_newer_database_and_one_of_another_program_are_refused_untouched() {
    let database = Postgres::shared().database();
    drop(open(&database).await);
    database.sql("INSERT INTO schema_version (program, version) VALUES ('mezhved', 99)");
    let look = "SELECT count(*), max(oid) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    let before = database.sql(look);
    let refused = PostgresStore::open(&database.url(), PostgresOptions::default()).await.err();
    assert!(matches!(refused, Some(OpenError::Newer { found: 99, .. })), "{refused:?}");
    assert_eq!(database.sql(look), before);

    let foreign = Postgres::shared().database();
    foreign.sql("CREATE TABLE schema_version (version integer); INSERT INTO schema_version VALUES (1)");
    let before = foreign.sql(look);
    let refused = PostgresStore::open(&foreign.url(), PostgresOptions::default()).await.err();
    assert!(matches!(refused, Some(OpenError::Foreign)), "{refused:?}");
    assert_eq!(foreign.sql(look), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_gateways_that_open_an_empty_database_at_once_make_its_tables_once() {
    let database = Postgres::shared().database();
    let opened = tokio::join!(open(&database), open(&database), open(&database));
    assert_eq!(database.sql("SELECT count(*) = max(version) FROM schema_version"), "t", "each migration once");
    assert_eq!(holders(&database).len(), 3);
    drop(opened);
}

#[tokio::test]
async fn a_server_that_does_not_sync_is_refused() {
    let node = Postgres::start();
    let database = node.database();
    for name in ["fsync", "full_page_writes"] {
        database.sql(&format!("ALTER SYSTEM SET {name} = off"));
        database.sql("SELECT pg_reload_conf()");
        until(async || (database.sql(&format!("SHOW {name}")) == "off").then_some(())).await;
        let refused = PostgresStore::open(&database.url(), PostgresOptions::default()).await.err();
        let expected = matches!(&refused, Some(OpenError::Unsafe { name: found, .. }) if *found == name);
        assert!(expected, "{refused:?}");
        database.sql(&format!("ALTER SYSTEM RESET {name}"));
        database.sql("SELECT pg_reload_conf()");
        until(async || (database.sql(&format!("SHOW {name}")) == "on").then_some(())).await;
    }
    // What the database says of its own accord does not weaken a commit either.
    database.sql(&format!("ALTER DATABASE {} SET synchronous_commit = off", database.name()));
    open(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_look_a_decision_does_not_wait_for_them() {
    let database = Postgres::shared().database();
    let options = PostgresOptions { connections_max: 4 };
    let store = Arc::new(PostgresStore::open(&database.url(), options).await.unwrap());
    // Whoever asks for a key waits for this connection.
    let mut holder = PgConnection::connect(&database.url()).await.unwrap();
    sqlx::raw_sql("BEGIN; LOCK TABLE api_key IN ACCESS EXCLUSIVE MODE").execute(&mut holder).await.unwrap();
    let looking: Vec<_> = (0..8)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.key_owner([n; 32], at("12T09:00")).await })
        })
        .collect();
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until(async || (database.sql(waiting) == "3").then_some(())).await;
    timeout(PATIENCE / 10, save(&*store, request(1).changes())).await.expect("a decision stood behind those who look");
    assert_eq!(timeout(PATIENCE / 10, claim(&store, 10)).await.expect("a claim stood behind them").len(), 1);
    sqlx::raw_sql("COMMIT").execute(&mut holder).await.unwrap();
    for looked in looking {
        assert_eq!(looked.await.unwrap().unwrap(), None);
    }
}
