//! How fast the embedded store is: batches of decisions, and what is asked of a million open obligations.
//!
//! `cargo bench --bench store [-- OBLIGATIONS [FOLDER]]`; with a folder in memory the figures are without the disk's
//! sync. Promises: real ids (scattered), real rows, the ports only. Never: judges; it prints.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement may fail loudly, prints what it found, and uses a part of the builders"
)]

#[path = "../tests/conformance/given.rs"]
mod given;

use bytes::Bytes;
use chrono::Duration as Days;
use given::{Request, at, code, exchange_id, message_id, receipt, request};
use mezhved::domain::ids::ParticipantCode;
use mezhved::gateway::ports::decisions::{Attempt, AttemptResult, Claim, RouteKind};
use mezhved::gateway::ports::reads::{DutyFilter, InboxPage, TallyAt};
use mezhved::gateway::ports::{Changes, Decisions, Keys, Reads};
use mezhved::store::sqlite::SqliteStore;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const BATCH: u32 = 256;
const CONTENT_BYTES: usize = 1500;
const BODIES: u32 = 200;

fn main() {
    given::SCATTERED.store(true, Ordering::Relaxed);
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let obligations: u32 = arguments.next().map_or(1_000_000, |count| count.parse().unwrap());
    let folder = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let path = folder.join(format!("mezhved-bench-{}.db", std::process::id()));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open_exclusive(&path).unwrap();
        batches(&store).await;
        fill(&store, obligations).await;
        questions(&store).await;
        batch_of(&store, obligations + 100_000).await;
        deliveries(&store).await;
    });
    drop(runtime);
    for tail in ["", "-wal", "-shm", ".lock"] {
        let mut name = path.clone().into_os_string();
        name.push(tail);
        if let Ok(size) = std::fs::metadata(&name) {
            println!("{:>12} bytes of file{tail}", size.len());
        }
        let _ = std::fs::remove_file(name);
    }
}

/// Names that live as long as the program: the builders take them so.
fn body(n: u32) -> &'static str {
    static NAMES: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();
    let names = NAMES.get_or_init(|| (0..BODIES).map(|n| format!("body-{n:03}")).collect());
    &names[(n % BODIES) as usize]
}

/// Request number `n`: to one of many bodies, due at the end of one of sixty days, a third of them past.
fn a_request(n: u32) -> Request {
    let due_at = at("01T21:00") + Days::days(i64::from(n * 7 % 60));
    request(n).between(given::CENTRE, body(n)).due(due_at)
}

fn add(changes: &mut Changes, n: u32, content: &Bytes) {
    let mut one = a_request(n).changes();
    one.messages[0].content = content.clone();
    one.events.push(one.events[1].clone());
    changes.messages.append(&mut one.messages);
    changes.exchanges.append(&mut one.exchanges);
    changes.outbox.append(&mut one.outbox);
    changes.outbox.push(receipt(n));
    changes.journal.append(&mut one.journal);
    changes.registers.append(&mut one.registers);
    changes.events.append(&mut one.events);
}

fn keys(from: u32) -> Keys {
    let codes = (0..BODIES).map(|n| code(body(n))).chain([code(given::CENTRE)]);
    Keys {
        messages: (from..from + BATCH).map(message_id).collect(),
        exchanges: (from..from + BATCH).map(exchange_id).collect(),
        registers: codes.map(|code| (code, 2026)).collect(),
        ..Keys::default()
    }
}

/// One batch of fresh requests; how long loading and saving took.
async fn batch(store: &SqliteStore, from: u32, content: &Bytes) -> (Duration, Duration) {
    let mut changes = Changes::default();
    (from..from + BATCH).for_each(|n| add(&mut changes, n, content));
    let start = Instant::now();
    let (unit, loaded) = store.begin(keys(from)).await.unwrap();
    assert!(loaded.seen.is_empty());
    let begun = start.elapsed();
    unit.commit(changes).await.unwrap();
    (begun, start.elapsed() - begun)
}

async fn batches(store: &SqliteStore) {
    let content = Bytes::from(vec![b'x'; CONTENT_BYTES]);
    let (mut begun, mut committed) = (Vec::new(), Vec::new());
    for round in 0..40 {
        let (begin, commit) = batch(store, 1 + round * BATCH, &content).await;
        begun.push(begin);
        committed.push(commit);
    }
    print_batches("empty database", begun, committed);
}

fn print_batches(what: &str, mut begun: Vec<Duration>, mut committed: Vec<Duration>) {
    begun.sort();
    committed.sort();
    let (begin, commit) = (begun[begun.len() / 2], committed[committed.len() / 2]);
    let per_second = f64::from(BATCH) / (begin + commit).as_secs_f64();
    println!(
        "{what}: a batch of {BATCH}: begin {begin:.1?}, commit {commit:.1?} (worst {:.1?}), {per_second:.0} messages/s",
        committed[committed.len() - 1]
    );
}

async fn batch_of(store: &SqliteStore, from: u32) {
    let content = Bytes::from(vec![b'x'; CONTENT_BYTES]);
    let (mut begun, mut committed) = (Vec::new(), Vec::new());
    for round in 0..20 {
        let (begin, commit) = batch(store, from + round * BATCH, &content).await;
        begun.push(begin);
        committed.push(commit);
    }
    print_batches("full database", begun, committed);
}

async fn fill(store: &SqliteStore, obligations: u32) {
    let content = Bytes::from_static(b"{}");
    let start = Instant::now();
    let from = 20_000;
    let mut n = from;
    while n < from + obligations {
        let mut changes = Changes::default();
        let until = (n + 2048).min(from + obligations);
        (n..until).for_each(|n| add(&mut changes, n, &content));
        let (unit, _) = store.begin(Keys::default()).await.unwrap();
        unit.commit(changes).await.unwrap();
        n = until;
    }
    println!("filled with {obligations} open obligations in {:.1?}", start.elapsed());
}

/// The median of a few askings, and the first, which finds the caches cold.
async fn time<F: Future<Output = usize>>(what: &str, mut ask: impl FnMut() -> F) {
    let mut took = Vec::new();
    let mut found = 0;
    for _ in 0..15 {
        let start = Instant::now();
        found = ask().await;
        took.push(start.elapsed());
    }
    let first = took[0];
    took.sort();
    println!("{what}: {:.2?} (first {first:.2?}), {found} found", took[took.len() / 2]);
}

async fn questions(store: &SqliteStore) {
    let now = at("20T10:00");
    let days = |n| now + Days::days(n);
    let tally = TallyAt { now, today_until: at("20T21:00"), soon_until: days(3), week_until: days(6) };
    let early = at("01T00:00") - Days::days(30);
    time("due_obligations, idle", async || store.due_obligations(early, 256).await.unwrap().len()).await;
    time("due_obligations, 256 of many", async || store.due_obligations(now, 256).await.unwrap().len()).await;
    let overdue = DutyFilter { overdue_at: Some(now), limit: 50, ..DutyFilter::default() };
    time("duties: first overdue page of 50", async || store.duties(overdue.clone()).await.unwrap().len()).await;
    let last = store.duties(overdue.clone()).await.unwrap().pop().unwrap().duty.obligation;
    let next = DutyFilter { after: Some((last.due_at(), last.id)), ..overdue.clone() };
    time("duties: second overdue page", async || store.duties(next.clone()).await.unwrap().len()).await;
    let all = DutyFilter { limit: 50, ..DutyFilter::default() };
    time("duties: all states", async || store.duties(all.clone()).await.unwrap().len()).await;
    let viewer = DutyFilter { viewer: Some(code(body(7))), ..all.clone() };
    time("duties: one body's", async || store.duties(viewer.clone()).await.unwrap().len()).await;
    let alerted = DutyFilter { alerted: true, ..all.clone() };
    time("duties: alerted (none are)", async || store.duties(alerted.clone()).await.unwrap().len()).await;
    time("tally", async || store.tally(tally).await.unwrap().overdue as usize).await;
    time("figures", async || store.figures().await.unwrap().open as usize).await;
    let page = InboxPage { recipient: code(body(7)), after: 0, limit: 50 };
    time("inbox, empty", async || store.inbox(page.clone()).await.unwrap().len()).await;
}

async fn deliveries(store: &SqliteStore) {
    let now = at("20T10:00");
    let claim = Claim { now, lease_until: now + Days::minutes(1), limit: 256, route: RouteKind::Amqp };
    let (mut claimed, mut settled) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let start = Instant::now();
        let letters = store.claim(claim).await.unwrap();
        claimed.push(start.elapsed());
        let attempt = |(message, recipient): (_, ParticipantCode)| Attempt {
            message,
            recipient,
            at: now,
            result: AttemptResult::Delivered { content_sha256: "ab".repeat(32) },
        };
        let attempts = letters.into_iter().map(|letter| attempt((letter.message, letter.recipient))).collect();
        let start = Instant::now();
        store.settle(attempts, Vec::new()).await.unwrap();
        settled.push(start.elapsed());
    }
    claimed.sort();
    settled.sort();
    println!("outbox: claim of 256 {:.1?}, settle of 256 {:.1?}", claimed[10], settled[10]);
}
