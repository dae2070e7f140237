//! Other traffic: requests that come at a steady pace, and how long each waits for its receipt.

use crate::seeds;
use mezhved::gateway::Gateway;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// One every so often: fifty a second.
const EVERY: Duration = Duration::from_millis(20);
/// So far away that it is no part of what is due at once.
const DUE_ON: &str = "2026-09-01";

/// Traffic that runs beside something.
pub struct Beside {
    stop: watch::Sender<bool>,
    running: JoinHandle<Vec<Duration>>,
}

impl Beside {
    pub fn begin(gateway: &Gateway) -> Self {
        let (stop, stopped) = watch::channel(false);
        Self { stop, running: tokio::spawn(run(gateway.clone(), stopped)) }
    }

    /// Ends it: how long each message waited, from the instant at which it was due.
    pub async fn end(self) -> Vec<Duration> {
        self.stop.send_replace(true);
        self.running.await.unwrap()
    }
}

/// The same for a while, beside nothing.
pub async fn for_a_while(gateway: &Gateway, span: Duration) -> Vec<Duration> {
    let beside = Beside::begin(gateway);
    tokio::time::sleep(span).await;
    beside.end().await
}

/// One request, on record.
pub async fn one(gateway: &Gateway, number: usize) {
    let to = vec![format!("school-{}", number % 200)];
    gateway.submit(seeds::request(number, to, DUE_ON)).await.unwrap();
}

async fn run(gateway: Gateway, stopped: watch::Receiver<bool>) -> Vec<Duration> {
    let (begun, mut number, mut waiting) = (Instant::now(), 0_usize, Vec::new());
    while !*stopped.borrow() {
        let due = begun + EVERY * u32::try_from(number).unwrap();
        tokio::time::sleep_until(due.into()).await;
        let gateway = gateway.clone();
        waiting.push(tokio::spawn(async move {
            one(&gateway, number).await;
            due.elapsed()
        }));
        number += 1;
    }
    let mut waits = Vec::with_capacity(waiting.len());
    for one in waiting {
        waits.push(one.await.unwrap());
    }
    waits
}
