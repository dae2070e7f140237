//! How cost grows with open obligations on PostgreSQL: the idle sweep, the board's and the journal's first pages, and so
//! many obligations due at once while other traffic runs beside.
//!
//! `cargo bench --bench scale -- OPEN [DUE]` (obligations: 10000, 100000, 1000000, 10000000), on a private node, or in the
//! empty database of `MEZHVED_SCALE_URL`; when that was measured before, only what is due at once is written anew.
//! Promises: what fills the store is what the gateway wrote for messages of the same kinds, with other ids; the verbs and
//! pages that are measured are the real ones. Never: judges; it prints.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement may fail loudly and prints what it found"
)]

#[path = "scale/constraints.rs"]
mod constraints;
#[path = "scale/copies.rs"]
mod copies;
#[path = "scale/lines.rs"]
mod lines;
#[path = "scale/pages.rs"]
mod pages;
#[path = "scale/seeds.rs"]
mod seeds;
#[path = "../tests/support/mod.rs"]
mod support;
#[path = "scale/traffic.rs"]
mod traffic;

use chrono::{DateTime, Utc};
use mezhved::clock::Clock;
use mezhved::gateway::Gateway;
use mezhved::gateway::ports::Store;
use mezhved::store::postgres::{PostgresOptions, PostgresStore};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::postgres::Postgres;

/// One measuring: when it begins and everything is written; when what is due becomes due, on the second working day
/// before its date at the opening hour; and that date.
struct When {
    written_at: &'static str,
    due_from: &'static str,
    due_on: &'static str,
}

const FIRST: When =
    When { written_at: "2026-03-02T10:00:00+08:00", due_from: "2026-03-05T09:00:00+08:00", due_on: "2026-03-10" };
/// In a database that was measured before.
const AGAIN: When =
    When { written_at: "2026-03-05T18:00:00+08:00", due_from: "2026-03-06T09:00:00+08:00", due_on: "2026-03-11" };

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let open: usize = numbers.next().unwrap_or(10_000);
    let due: usize = numbers.next().unwrap_or((open / 10).min(100_000));
    assert!(open.is_multiple_of(seeds::COUNT) && due.is_multiple_of(seeds::COUNT) && due > 0 && due < open);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    match std::env::var("MEZHVED_SCALE_URL") {
        Ok(url) => runtime.block_on(measure(&url, (open, due))),
        Err(_) => {
            let node = Postgres::start();
            let database = node.database();
            runtime.block_on(measure(&database.url(), (open, due)));
        }
    }
}

async fn measure(url: &str, (open, due): (usize, usize)) {
    let store = Arc::new(PostgresStore::open(url, PostgresOptions::default()).await.unwrap());
    let is_first = copies::Mark::take(url).await.is_empty();
    let when = if is_first { FIRST } else { AGAIN };
    let clock = Clock::frozen(at(when.written_at));
    let gateway = seeds::gateway(Arc::clone(&store) as Arc<dyn Store>, clock.clone()).await;
    let begun = Instant::now();
    if is_first {
        // Half a year and more away, on 125 different days.
        fill(url, &gateway, ("2026-06-01", 180), open - due).await;
    }
    if copies::planned_until(url, at(when.due_from)).await == 0 {
        fill(url, &gateway, (when.due_on, 1), due).await;
    }
    copies::settle(url).await;
    let size = copies::size_bytes(url).await as f64;
    println!(
        "{open} open obligations written in {:.0?}; the database takes {:.2} GB, {:.1} KB for each",
        begun.elapsed(),
        size / 1e9,
        size / 1e3 / open as f64
    );
    idle(&gateway).await;
    pages::measure(&gateway, &store).await;
    escalate(&gateway, &clock, (at(when.due_from), due)).await;
    let figures = gateway.figures().await.unwrap();
    println!("conservation gap {}", figures.conservation_gap());
}

/// The gateway writes the seeds; the rest is copied from what it wrote.
async fn fill(url: &str, gateway: &Gateway, (from, days): (&str, u64), count: usize) {
    let before = copies::Mark::take(url).await;
    seeds::write(gateway, (from, days)).await;
    let group = copies::Group::since(url, &before).await;
    group.multiply(url, count / seeds::COUNT - 1).await;
}

async fn idle(gateway: &Gateway) {
    let mut idle = Vec::new();
    for _ in 0..200 {
        let begun = Instant::now();
        assert_eq!(gateway.sweep_once().await.unwrap().looked_at, 0);
        idle.push(begun.elapsed());
    }
    println!("idle sweep: {}", spread(idle));
}

/// Everything that is due climbs its first rung, while requests keep coming.
async fn escalate(gateway: &Gateway, clock: &Clock, (due_from, due): (DateTime<Utc>, usize)) {
    let before = traffic::for_a_while(gateway, Duration::from_secs(5)).await;
    println!("a message beside nothing: {}", spread(before));
    clock.set(due_from);
    let beside = traffic::Beside::begin(gateway);
    let begun = Instant::now();
    let swept = gateway.sweep_once().await.unwrap();
    let took = begun.elapsed();
    let during = beside.end().await;
    assert_eq!((swept.looked_at, swept.failed), (due, 0));
    println!("{due} due at once: escalated in {took:.2?} ({:.0}/s)", due as f64 / took.as_secs_f64());
    println!("a message beside that: {}", spread(during));
}

fn spread(mut all: Vec<Duration>) -> String {
    all.sort();
    // Nearest rank.
    let rank = |percent: usize| all.get((all.len() * percent).div_ceil(100).saturating_sub(1)).copied();
    let ms = |of: Option<Duration>| of.unwrap_or_default().as_secs_f64() * 1000.0;
    format!("p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms of {}", ms(rank(50)), ms(rank(99)), ms(rank(100)), all.len())
}
