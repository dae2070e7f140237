//! The sweep over a million open obligations: with nothing due, and with ten thousand due at once.
//!
//! `cargo bench --bench sweep [-- OBLIGATIONS [DUE]]`. Promises: the real verbs over the real store; every obligation
//! was opened by a message. Never: judges; it prints.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement may fail loudly and prints what it found")]

use chrono::{DateTime, Utc};
use mezhved::app::builtin_ladders;
use mezhved::catalogue::{Catalogue, calendars};
use mezhved::clock::Clock;
use mezhved::config::participants;
use mezhved::domain::ids::ParticipantCode;
use mezhved::domain::message::Format;
use mezhved::gateway::arrival::{Arrival, ChannelKind};
use mezhved::gateway::ports::Store;
use mezhved::gateway::{Gateway, Parts};
use mezhved::store::sqlite::SqliteStore;
use std::sync::Arc;
use std::time::Instant;
use uuid::Uuid;

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let (open, due): (usize, usize) = (numbers.next().unwrap_or(1_000_000), numbers.next().unwrap_or(10_000));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(measure(open, due));
}

async fn measure(open: usize, due: usize) {
    let folder = std::env::temp_dir().join(format!("mezhved-sweep-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let clock = Clock::frozen(at("2026-03-02T10:00:00+08:00"));
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open_exclusive(&folder.join("mezhved.db")).unwrap());
    let text = include_str!("../config/examples/participants.toml");
    store.import_participants(participants::from_toml(text).unwrap()).await.unwrap();
    let parts = Parts {
        store,
        objects: Arc::new(mezhved::store::objects::ObjectFolder::new(folder.join("attachments"))),
        catalogue: Arc::clone(Catalogue::builtin()),
        calendars: Arc::new(calendars::embedded().unwrap()),
        ladders: Arc::new(builtin_ladders().unwrap()),
        clock: clock.clone(),
        sweep_age_max_s: 60,
    };
    let gateway = Gateway::start(parts).await.unwrap();
    let begun = Instant::now();
    fill(&gateway, open - due, "2027-06-01").await;
    fill(&gateway, due, "2026-03-10").await;
    println!(
        "{open} obligations opened in {:.1?} ({:.0}/s)",
        begun.elapsed(),
        open as f64 / begun.elapsed().as_secs_f64()
    );
    let mut idle = Vec::new();
    for _ in 0..100 {
        let begun = Instant::now();
        assert_eq!(gateway.sweep_once().await.unwrap().looked_at, 0);
        idle.push(begun.elapsed());
    }
    idle.sort();
    println!("a sweep with nothing due: median {:.2?}, worst {:.2?}", idle[50], idle[99]);
    clock.set(at("2026-03-05T09:00:00+08:00"));
    let begun = Instant::now();
    let swept = gateway.sweep_once().await.unwrap();
    let took = begun.elapsed();
    println!(
        "{} due at once: {took:.2?} ({:.0}/s), each a reminder",
        swept.looked_at,
        swept.looked_at as f64 / took.as_secs_f64()
    );
    assert_eq!((swept.looked_at, swept.failed), (due, 0));
    drop(gateway);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Opens that many obligations with a stated date, many at once, as the queue would.
async fn fill(gateway: &Gateway, count: usize, due_on: &str) {
    let text = include_str!("../schemas/request.information/1/example.xml");
    let text = text
        .replace("guardianship-test", "school-test-17")
        .replace("2026-03-10</requested_due>", &format!("{due_on}</requested_due>"));
    let mut left = count;
    while left > 0 {
        let wave = left.min(1024);
        left -= wave;
        let submits = (0..wave).map(|_| {
            let content = text.replace("5e4d0a10-7c3b-4f6e-9a51-000000000001", &Uuid::new_v4().to_string());
            gateway.submit(Arrival {
                sender: ParticipantCode::new("centre-vymysel").unwrap(),
                format: Format::Xml,
                content: content.into_bytes().into(),
                channel: ChannelKind::Http,
                transport_id: None,
            })
        });
        for submitted in futures_util::future::join_all(submits).await {
            assert_eq!(submitted.unwrap().accepted.obligations[0].due_on.to_string(), due_on);
        }
    }
}
