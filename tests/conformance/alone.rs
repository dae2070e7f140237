//! What the store does not take while it takes everything else: one row of it meets a fault that is not its own.
//!
//! Promises: the fault is the server's own, raised for that row only; who waits for a lock is asked of the server. Never:
//! waits for a time.

use crate::beside::gateway;
use crate::postgres_node::{Database, Postgres};
use crate::replicas::open;
use bytes::Bytes;
use mezhved::domain::ids::ParticipantCode;
use mezhved::domain::message::Format;
use mezhved::gateway::Gateway;
use mezhved::gateway::arrival::{Arrival, ChannelKind, Submitted};
use mezhved::gateway::ports::Decisions;
use mezhved::gateway::rejection::Rejection;
use sqlx::{Connection as _, PgConnection};
use std::sync::Arc;

/// The decision lock, as lock.rs has it.
const DECISION: i64 = 7_888_732_554_992_513_902;
const EXAMPLE: &str = include_str!("../../schemas/request.information/1/example.xml");
/// As the server says that it cannot read a block of its disk.
const DAMAGE: &str = "CREATE FUNCTION damage() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN RAISE EXCEPTION ''could not read block 7'' USING ERRCODE = ''58030''; END'";

/// The id of the n-th message.
fn id(n: u32) -> String {
    format!("0196aaaa-0000-7000-8000-{n:012}")
}

async fn submit(gateway: &Gateway, n: u32) -> Result<Submitted, Rejection> {
    let (before, rest) = EXAMPLE.split_once("<id>").unwrap();
    let (_, after) = rest.split_once("</id>").unwrap();
    let arrival = Arrival {
        sender: ParticipantCode::new("centre-vymysel").unwrap(),
        format: Format::Xml,
        content: Bytes::from(format!("{before}<id>{}</id>{after}", id(n))),
        channel: ChannelKind::Http,
        transport_id: None,
    };
    gateway.submit(arrival).await
}

fn damage(database: &Database<'_>, on: &str, when: &str) {
    database.sql(DAMAGE);
    database.sql(&format!("CREATE TRIGGER damage BEFORE {on} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION damage()"));
}

/// Somebody who has the decision lock.
async fn holds(database: &Database<'_>) -> PgConnection {
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    sqlx::query("SELECT pg_advisory_lock($1)").bind(DECISION).execute(&mut connection).await.unwrap();
    connection
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_which_the_store_does_not_take_one_is_taken_but_for_that_one() {
    let database = Postgres::shared().database();
    let store = Arc::new(open(&database).await);
    let gateway = gateway(&store).await;
    damage(&database, "INSERT ON message", &format!("new.id = '{}'", id(2)));
    let lock = holds(&database).await;
    // The first waits for the lock, and the others come together behind it.
    let asked: Vec<_> = (1..=4)
        .map(|n| {
            let gateway = gateway.clone();
            tokio::spawn(async move { submit(&gateway, n).await })
        })
        .collect();
    lock.close().await.unwrap();
    let mut codes = Vec::new();
    for asked in asked {
        codes.push(asked.await.unwrap().map_or_else(|refused| refused.code, |_| "taken"));
    }
    assert_eq!(codes, ["taken", "unavailable_for_this", "taken", "taken"]);
    assert_eq!(submit(&gateway, 2).await.unwrap_err().code, "unavailable_for_this", "alone too");
    database.sql("DROP TRIGGER damage ON message");
    assert!(!submit(&gateway, 2).await.unwrap().duplicate, "nothing of it was there");
    assert_eq!(database.sql("SELECT count(*) FROM handling"), "0", "what was asked of the store has left a row");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_takes_nothing_from_anybody_is_told_apart() {
    let database = Postgres::shared().database();
    let store = Arc::new(open(&database).await);
    let gateway = gateway(&store).await;
    let now = gateway.now();
    assert!(store.answers(now).await);
    let lock = holds(&database).await;
    assert!(!store.answers(now).await, "nothing can be decided");
    lock.close().await.unwrap();
    // Reads and locks answer, and nothing can be written.
    damage(&database, "INSERT ON handling", "true");
    database.sql("CREATE TRIGGER damage BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION damage()");
    assert!(!store.answers(now).await, "nothing can be written");
    assert_eq!(submit(&gateway, 1).await.unwrap_err().code, "unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_passes_over_an_obligation_that_the_store_does_not_take() {
    let database = Postgres::shared().database();
    let store = Arc::new(open(&database).await);
    let gateway = gateway(&store).await;
    for n in 1..=3 {
        submit(&gateway, n).await.unwrap();
    }
    let first = database.sql("SELECT min(n) FROM obligation");
    damage(&database, "UPDATE ON rung", &format!("new.obligation = {first}"));
    gateway.clock().set("2026-06-10T03:00:00Z".parse().unwrap());
    let swept = gateway.sweep_once().await.unwrap();
    assert_eq!((swept.looked_at, swept.failed), (3, 1));
    assert_eq!(database.sql("SELECT count(DISTINCT obligation) FROM rung WHERE at IS NOT NULL"), "2");
    database.sql("DROP TRIGGER damage ON rung");
    let swept = gateway.sweep_once().await.unwrap();
    assert_eq!((swept.looked_at, swept.failed), (1, 0), "the next sweep does what is left");
}
