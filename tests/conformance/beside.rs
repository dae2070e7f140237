//! What became of letters is written down beside decisions, on PostgreSQL.
//!
//! Promises: who stands in whose way is asked of the server's own table of locks. Never: waits for a time.

use crate::given::{SCHOOL, at, code, message_id, participant, request};
use crate::postgres_node::{Database, Postgres};
use crate::replicas::{claim, holders, open, until};
use crate::save;
use bytes::Bytes;
use mezhved::catalogue::{Catalogue, calendars};
use mezhved::clock::Clock;
use mezhved::config::participants;
use mezhved::domain::decision::{Event, EventKind, Proof, ProofStage};
use mezhved::domain::ids::ParticipantCode;
use mezhved::domain::message::Format;
use mezhved::gateway::arrival::{Arrival, ChannelKind};
use mezhved::gateway::ports::decisions::{Attempt, AttemptResult};
use mezhved::gateway::ports::reads::InboxPage;
use mezhved::gateway::ports::{Accounts, Changes, Decisions, Keys, Reads, Store, StoreError};
use mezhved::gateway::{Gateway, Parts};
use mezhved::store::objects::ObjectFolder;
use mezhved::store::postgres::PostgresStore;
use mezhved::telemetry;
use sqlx::{Connection as _, PgConnection};
use std::sync::Arc;

/// The lock of letters, as lock.rs has it.
const LETTERS: i64 = 7_888_732_555_127_846_002;
/// The decision lock.
pub(crate) const DECISION: i64 = 7_888_732_554_992_513_902;
/// Which locks of this database somebody waits for.
const AWAITED: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
/// How many letters nobody writes at this moment.
const FREE: &str = "SELECT count(*) FROM (SELECT 1 FROM outbox FOR UPDATE SKIP LOCKED) AS free";

pub(crate) async fn until_awaited(database: &Database<'_>, by: &str) {
    until(async || (database.sql(AWAITED) == by).then_some(())).await;
}

/// The first letter has arrived, and that is told.
async fn arrived(store: Arc<PostgresStore>) {
    let result = AttemptResult::Delivered { content_sha256: "ab".repeat(32) };
    let attempt = Attempt { message: message_id(1), recipient: code(SCHOOL), at: at("12T10:05"), result };
    let told = Event { kind: EventKind::Delivered, obligation: None, ..request(1).events().remove(0) };
    store.settle(vec![attempt], vec![told]).await.unwrap();
}

fn registered() -> Changes {
    let stage = ProofStage::Registered {
        number: "17".to_owned(),
        date: "2026-01-13".parse().unwrap(),
        content_sha256: "ab".repeat(32),
    };
    Changes { proofs: vec![Proof { message: message_id(1), recipient: code(SCHOOL), stage }], ..Changes::default() }
}

async fn state(store: &PostgresStore) -> String {
    store.delivery(message_id(1), &code(SCHOOL)).await.unwrap().unwrap().state
}

/// A store with one letter that is being sent.
async fn sending(database: &Database<'_>) -> Arc<PostgresStore> {
    let store = Arc::new(open(database).await);
    save(&*store, request(1).changes()).await;
    assert_eq!(claim(&store, 10).await.len(), 1);
    store
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_settled_beside_an_open_decision_and_told_of_after_it() {
    let database = Postgres::shared().database();
    let store = sending(&database).await;
    let (unit, _) = store.begin(Keys::default()).await.unwrap();
    let settling = tokio::spawn(arrived(Arc::clone(&store)));
    until_awaited(&database, "1").await;
    assert_eq!(database.sql(FREE), "0", "the letter waits for the decision to be written");
    assert_eq!(state(&store).await, "sending");
    unit.commit(request(2).changes()).await.unwrap();
    settling.await.unwrap();
    assert_eq!(state(&store).await, "delivered");
    let last = database.sql("SELECT kind FROM event ORDER BY seq DESC LIMIT 1");
    assert_eq!(last, EventKind::Delivered.code(), "what is committed later is told of under an earlier number");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_decides_about_letters_that_are_being_settled_begins_again_after_them() {
    let database = Postgres::shared().database();
    let store = sending(&database).await;
    let (unit, _) = store.begin(Keys::default()).await.unwrap();
    let settling = tokio::spawn(arrived(Arc::clone(&store)));
    until_awaited(&database, "1").await;
    let refused = unit.commit(Changes { proofs: registered().proofs, ..request(2).changes() }).await;
    assert!(matches!(refused, Err(StoreError::LettersHeld)), "{refused:?}");
    settling.await.unwrap();
    assert_eq!(state(&store).await, "delivered");
    assert_eq!(database.sql("SELECT count(*) FROM message"), "1", "a part of what was refused is there");
    let (unit, _) = store.begin(Keys { letters: true, ..Keys::default() }).await.unwrap();
    unit.commit(registered()).await.unwrap();
    assert_eq!(state(&store).await, "registered");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knows_that_he_decides_about_letters_waits_for_who_settles_and_an_import_does_too() {
    let database = Postgres::shared().database();
    let store = sending(&database).await;
    let (unit, _) = store.begin(Keys::default()).await.unwrap();
    let settling = tokio::spawn(arrived(Arc::clone(&store)));
    until_awaited(&database, "1").await;
    let deciding = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            let (unit, _) = store.begin(Keys { letters: true, ..Keys::default() }).await.unwrap();
            unit.commit(registered()).await.unwrap();
        }
    });
    until_awaited(&database, "2").await;
    let importing = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.import_participants(vec![participant(SCHOOL, "inbox")]).await.unwrap() }
    });
    until_awaited(&database, "3").await;
    // Nobody who waits has the decision lock: who has it ends in peace.
    unit.commit(request(2).changes()).await.unwrap();
    settling.await.unwrap();
    deciding.await.unwrap();
    importing.await.unwrap();
    assert_eq!(state(&store).await, "registered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_whose_commit_is_still_under_way_is_given_back_when_it_has_come_to_its_end() {
    let database = Postgres::shared().database();
    let store = Arc::new(open(&database).await);
    let holder = holders(&database).remove(0);
    // The end of the connection is lost, and the server is still at work on the commit.
    let mut server = PgConnection::connect(&database.url()).await.unwrap();
    sqlx::raw_sql("BEGIN").execute(&mut server).await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(DECISION).execute(&mut server).await.unwrap();
    let lease = "INSERT INTO outbox (message, recipient, route, state, queued_at, ready_at, holder, format, content)
        VALUES ($1, $2, 'amqp', 'sending', $3, $4, $5, 'json', '{}')";
    let lease = sqlx::query(lease).bind(message_id(1).0).bind(SCHOOL).bind(at("12T09:00")).bind(at("12T11:00"));
    lease.bind(holder.parse::<i32>().unwrap()).execute(&mut server).await.unwrap();
    let settling = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            let result = AttemptResult::Unsure { lease_until: at("12T11:00") };
            let attempt = Attempt { message: message_id(1), recipient: code(SCHOOL), at: at("12T10:05"), result };
            store.settle(vec![attempt], Vec::new()).await.unwrap();
        }
    });
    until_awaited(&database, "1").await;
    sqlx::raw_sql("COMMIT").execute(&mut server).await.unwrap();
    settling.await.unwrap();
    assert_eq!(state(&store).await, "queued", "the lease stands until its time is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_of_an_exchange_that_began_meanwhile_refers_to_it() {
    let database = Postgres::shared().database();
    let store = Arc::new(open(&database).await);
    let exchange = request(1).events().remove(0).exchange.unwrap();
    let mut other = PgConnection::connect(&database.url()).await.unwrap();
    sqlx::raw_sql("BEGIN").execute(&mut other).await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(DECISION).execute(&mut other).await.unwrap();
    let settling = tokio::spawn(arrived(Arc::clone(&store)));
    until_awaited(&database, "1").await;
    sqlx::query("INSERT INTO exchange (id) VALUES ($1)").bind(exchange.0).execute(&mut other).await.unwrap();
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    settling.await.unwrap();
    let of_it = "SELECT count(*) FROM event JOIN exchange ON exchange_n = exchange.n AND event.exchange = exchange.id";
    assert_eq!(database.sql(of_it), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_a_letter_again_that_is_being_settled_does_not_wait_with_the_decision_lock() {
    let database = Postgres::shared().database();
    let store = sending(&database).await;
    let (unit, _) = store.begin(Keys::default()).await.unwrap();
    let settling = tokio::spawn(arrived(Arc::clone(&store)));
    until_awaited(&database, "1").await;
    let again = || Changes { outbox: vec![request(1).delivery()], ..Changes::default() };
    let refused = unit.commit(again()).await;
    assert!(matches!(refused, Err(StoreError::LettersHeld)), "{refused:?}");
    settling.await.unwrap();
    let (unit, _) = store.begin(Keys { letters: true, ..Keys::default() }).await.unwrap();
    unit.commit(again()).await.unwrap();
    assert_eq!(state(&store).await, "queued");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_commit_refuses_is_no_fault_of_the_rows() {
    let database = Postgres::shared().database();
    let store = open(&database).await;
    let late = |deferred: &str| {
        database.sql(&format!(
            "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON message {deferred} FOR EACH ROW EXECUTE FUNCTION record_stays()"
        ))
    };
    let refused = async || {
        let (unit, _) = store.begin(Keys::default()).await.unwrap();
        unit.commit(request(1).changes()).await
    };
    late("DEFERRABLE INITIALLY DEFERRED");
    let fault = refused().await;
    assert!(matches!(fault, Err(StoreError::Unavailable(_))), "{fault:?}");
    database.sql("DROP TRIGGER late ON message");
    late("NOT DEFERRABLE");
    let fault = refused().await;
    assert!(matches!(fault, Err(StoreError::Rejected(_))), "{fault:?}");
    assert_eq!(database.sql("SELECT count(*) FROM message"), "0");
}

/// A gateway on that store, with the participants of the example file, its clock in the middle of a working day.
pub(crate) async fn gateway(store: &Arc<PostgresStore>) -> Gateway {
    let text = include_str!("../../config/examples/participants.toml");
    store.import_participants(participants::from_toml(text).unwrap()).await.unwrap();
    let parts = Parts {
        store: Arc::clone(store) as Arc<dyn Store>,
        objects: Arc::new(ObjectFolder::new(std::env::temp_dir().join("mezhved-beside-no-files"))),
        catalogue: Arc::clone(Catalogue::builtin()),
        calendars: Arc::new(calendars::embedded().unwrap()),
        ladders: Arc::new(mezhved::app::builtin_ladders().unwrap()),
        clock: Clock::frozen("2026-03-10T03:00:00Z".parse().unwrap()),
        sweep_age_max_s: 60,
    };
    Gateway::start(parts).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_whose_receipt_must_go_out_again_waits_for_who_settles_and_then_does() {
    let (database, figures) = (Postgres::shared().database(), telemetry::figures());
    let store = Arc::new(open(&database).await);
    let gateway = gateway(&store).await;
    let sender = ParticipantCode::new("centre-vymysel").unwrap();
    let arrival = || Arrival {
        sender: sender.clone(),
        format: Format::Xml,
        content: Bytes::from_static(include_bytes!("../../schemas/request.information/1/example.xml")),
        channel: ChannelKind::Amqp,
        transport_id: None,
    };
    assert!(!gateway.submit(arrival()).await.unwrap().duplicate);
    let receipts = async || {
        let page = InboxPage { recipient: sender.clone(), after: 0, limit: 10 };
        store.inbox(page).await.unwrap().into_iter().map(|item| item.seq).collect::<Vec<_>>()
    };
    let before = receipts().await;
    assert_eq!(before.len(), 1);
    database.sql("UPDATE outbox SET state = 'delivered', ready_at = NULL, delivered_at = queued_at");
    let mut settling = PgConnection::connect(&database.url()).await.unwrap();
    sqlx::query("SELECT pg_advisory_lock($1)").bind(LETTERS).execute(&mut settling).await.unwrap();
    let repeated = tokio::spawn({
        let (gateway, arrival) = (gateway.clone(), arrival());
        async move { gateway.submit(arrival).await }
    });
    until_awaited(&database, "1").await;
    assert!(!repeated.is_finished(), "it was answered before it was written");
    settling.close().await.unwrap();
    assert!(repeated.await.unwrap().unwrap().duplicate);
    let after = receipts().await;
    assert!(after.len() == 1 && after > before, "{before:?}, {after:?}");
    let page = figures.render();
    let figure = |name: &str| page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    assert_eq!(figure("mezhved_commits_begun_again_total"), Some("1"));
    assert_eq!(figure("mezhved_messages_repeated_total"), Some("1"), "decided twice, it was one repeat");
}
