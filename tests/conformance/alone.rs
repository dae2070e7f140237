//! What the store does not take while it takes everything else: one row of it meets a fault that is not its own.
//!
//! Promises: the fault is the server's own, raised for that row only; who waits for a lock is asked of the server. Never:
//! waits for a time, but for what nothing tells of.

use crate::beside::{DECISION, gateway, until_awaited};
use crate::postgres_node::{Database, Postgres};
use crate::replicas::open;
use crate::stores;
use bytes::Bytes;
use chrono::DateTime;
use mezhved::domain::ids::ParticipantCode;
use mezhved::domain::message::Format;
use mezhved::gateway::Gateway;
use mezhved::gateway::arrival::{Arrival, ChannelKind, Submitted};
use mezhved::gateway::ports::Decisions;
use mezhved::gateway::ports::decisions::PROBE;
use mezhved::gateway::rejection::Rejection;
use sqlx::{Connection as _, PgConnection};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

const EXAMPLE: &str = include_str!("../../schemas/request.information/1/example.xml");

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

/// Somebody who has the decision lock.
async fn holds(database: &Database<'_>) -> PgConnection {
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    sqlx::query("SELECT pg_advisory_lock($1)").bind(DECISION).execute(&mut connection).await.unwrap();
    connection
}

/// On a busy machine they may not come together at first.
const TRIES: u32 = 10;

/// One message stands before the decision lock, and the others come together behind it: how each ended, in their order.
async fn together(gateway: &Gateway, database: &Database<'_>, numbers: &[u32]) -> Vec<&'static str> {
    let lock = holds(database).await;
    let ask = |n: u32| {
        let gateway = gateway.clone();
        tokio::spawn(async move { submit(&gateway, n).await })
    };
    let (first, behind) = numbers.split_first().unwrap();
    let mut asked = vec![ask(*first)];
    until_awaited(database, "1").await;
    asked.extend(behind.iter().copied().map(ask));
    // Nothing tells from outside that they are handed in: whether they were one batch, the caller sees by what became of
    // them, and tries again.
    sleep(Duration::from_millis(300)).await;
    lock.close().await.unwrap();
    let mut ended = Vec::new();
    for asked in asked {
        ended.push(asked.await.unwrap().map_or_else(|refused| refused.code, |_| "taken"));
    }
    ended
}

/// In how many transactions these messages were written.
fn transactions(database: &Database<'_>, numbers: &[u32]) -> String {
    let ids: Vec<String> = numbers.iter().map(|n| format!("'{}'", id(*n))).collect();
    database.sql(&format!("SELECT count(DISTINCT xmin::text) FROM message WHERE id IN ({})", ids.join(", ")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_which_the_store_does_not_take_one_is_taken_but_for_that_one_which_spoils_no_other() {
    let database = Postgres::shared().database();
    let store = Arc::new(open(&database).await);
    let gateway = gateway(&store).await;
    database.damage("INSERT ON message", &format!("new.id = '{}'", id(3)));
    let ended = together(&gateway, &database, &[1, 2, 3, 4, 5]).await;
    assert_eq!(ended, ["taken", "taken", "unavailable_for_this", "taken", "taken"]);
    assert_eq!(transactions(&database, &[2, 4, 5]), "3", "they were no batch that had to be taken apart");
    let mut tries = 0;
    for n in (10..).step_by(10) {
        let ended = together(&gateway, &database, &[n, 3, n + 1, n + 2]).await;
        assert_eq!(ended, ["taken", "unavailable_for_this", "taken", "taken"]);
        if transactions(&database, &[n + 1, n + 2]) == "1" {
            break;
        }
        tries += 1;
        assert!(tries < TRIES, "it spoils every batch");
    }
    database.sql("DROP TRIGGER damage ON message");
    assert!(!submit(&gateway, 3).await.unwrap().duplicate, "nothing of it was there");
    assert_eq!(database.sql("SELECT count(*) FROM handling"), "0", "what was asked of the store has left a row");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_three_in_a_row_that_it_does_not_take_it_is_the_store() {
    let database = Postgres::shared().database();
    let store = Arc::new(open(&database).await);
    let gateway = gateway(&store).await;
    // As on a disk that has room for small rows, and for no message.
    database.damage("INSERT ON message", "true");
    let mut tries = 0;
    for n in (10..).step_by(10) {
        let ended = together(&gateway, &database, &[n, n + 1, n + 2, n + 3, n + 4, n + 5]).await;
        if ended[0] == "unavailable_for_this" && ended[1..].iter().all(|code| *code == "unavailable") {
            return;
        }
        tries += 1;
        assert!(tries < TRIES, "{ended:?}");
    }
}

#[tokio::test]
async fn every_store_answers_and_keeps_nothing_of_it() {
    for subject in stores().await {
        let now = "2026-03-10T03:00:00Z".parse().unwrap();
        assert!(subject.store.answers(now).await && subject.store.answers(now).await);
        let counts = subject.store.begin_handlings([PROBE, [1; 32]], now, DateTime::UNIX_EPOCH).await.unwrap();
        assert_eq!(counts, [1, 1], "a row was left");
    }
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
    database.damage("INSERT ON handling", "true");
    database.sql("CREATE TRIGGER damage BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION damage()");
    assert!(!store.answers(now).await, "nothing can be written");
    assert_eq!(submit(&gateway, 1).await.unwrap_err().code, "unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_passes_over_obligations_that_the_store_does_not_take_also_where_they_are_neighbours() {
    let database = Postgres::shared().database();
    let store = Arc::new(open(&database).await);
    let gateway = gateway(&store).await;
    for n in 1..=40 {
        submit(&gateway, n).await.unwrap();
    }
    // More neighbours than are tried in a row, and one apart from them.
    let first: i64 = database.sql("SELECT min(n) FROM obligation").parse().unwrap();
    let damaged: Vec<String> = (0..20).chain([30]).map(|after| (first + after).to_string()).collect();
    database.damage("UPDATE ON rung", &format!("new.obligation IN ({})", damaged.join(", ")));
    gateway.clock().set("2026-06-10T03:00:00Z".parse().unwrap());
    let mut sweeps = 0;
    while database.sql("SELECT count(DISTINCT obligation) FROM rung WHERE at IS NOT NULL") != "19" {
        sweeps += 1;
        assert!(sweeps <= 8, "the next sweeps know who they may be");
        let _ = gateway.sweep_once().await;
    }
    assert_eq!(gateway.sweep_once().await.unwrap().failed, 21);
    database.sql("DROP TRIGGER damage ON rung");
    let swept = gateway.sweep_once().await.unwrap();
    assert_eq!((swept.looked_at, swept.failed), (21, 0), "the next sweep does what is left");
}
