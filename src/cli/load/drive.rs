//! The run: an open loop that offers the stated rate, the drain, and the judgement on what is not at its recipient.
//!
//! Promises: messages are due at fixed instants and bounded in flight; when the generator itself did not keep up, the
//! report says so. Never: sends faster to catch up than the bound lets it.

use super::http::HttpDoor;
use super::keys::{self, KeyFile};
use super::ledger::{Ledger, Missing, Sort};
use super::mix::{Mix, Written};
use super::peer::Peer;
use super::report::{Flow, Generator, Report, Spread};
use super::{RunArgs, progress};
use crate::channel::amqp::AmqpAddress;
use crate::domain::ids::ExchangeId;
use crate::domain::participant::{Participant, Route};
use crate::simulation::dice::Dice;
use anyhow::{Context as _, ensure};
use futures_util::StreamExt as _;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// So many participants need a moment to reach the broker.
const CONNECT: Duration = Duration::from_secs(60);
/// How often the drain looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Exchanges that are asked about at once.
const ASKED_AT_ONCE: usize = 16;
/// A generator that is later than this on its own account does not offer the stated rate.
const LATE_MS: f64 = 20.0;

/// What the participants of a run share.
pub(super) struct Scene {
    pub bodies: Arc<Vec<Participant>>,
    pub peers: Vec<Peer>,
    pub silent: Vec<usize>,
    pub ledger: Arc<Ledger>,
    pub http: Option<HttpDoor>,
    pub by_amqp: bool,
    pub slots: Semaphore,
    pub poll: Duration,
    answered: f64,
    dice: Mutex<Dice>,
    fetches_failed: AtomicU64,
}

impl Scene {
    fn set(args: &RunArgs, keys: KeyFile) -> anyhow::Result<Self> {
        let silent = silent(args, &keys)?;
        let http = args.url.as_deref().map(HttpDoor::new).transpose()?;
        let (mut bodies, mut peers) = (Vec::new(), Vec::new());
        for (place, one) in keys.peers.into_iter().enumerate() {
            let code = &one.body.code;
            ensure!(one.amqp.is_some() || !args.amqp, "`{code}` has no broker's address in the key file");
            ensure!(one.body.route != Route::Inbox || http.is_some(), "`{code}` takes its letters by HTTP: give --url");
            let address = one.amqp.as_deref().map(AmqpAddress::parse).transpose();
            let address = address.with_context(|| format!("the broker's address of `{code}`"))?;
            ensure!(one.body.route != Route::Amqp || address.is_some(), "`{code}` has a queue, but no address for it");
            peers.push(Peer::new(place, one.key, address));
            bodies.push(one.body);
        }
        Ok(Self {
            bodies: Arc::new(bodies),
            peers,
            ledger: Arc::new(Ledger::new(silent.clone())),
            silent,
            http,
            by_amqp: args.amqp,
            slots: Semaphore::new(usize::try_from(args.in_flight)?),
            poll: Duration::from_millis(args.poll_ms),
            answered: args.answered,
            dice: Mutex::new(Dice(args.seed)),
            fetches_failed: AtomicU64::new(0),
        })
    }

    /// Whether the next letter that demands an answer gets one.
    pub fn answers(&self) -> bool {
        const PARTS: u64 = 10_000;
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        (dice.below(PARTS) as f64) < self.answered * PARTS as f64
    }

    pub fn fetch_failed(&self, fault: &anyhow::Error) {
        self.fetches_failed.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(%fault, "an inbox could not be emptied");
    }
}

fn silent(args: &RunArgs, keys: &KeyFile) -> anyhow::Result<Vec<usize>> {
    let place = |code: &String| {
        let found = keys.peers.iter().position(|one| one.body.code.as_str() == code);
        found.with_context(|| format!("--silent: `{code}` is not in the key file"))
    };
    args.silent.iter().map(place).collect()
}

/// Drives the gateway and reports.
///
/// # Errors
/// What hinders the run before it begins; what goes wrong after that is in the report.
pub(super) async fn drive(args: &RunArgs) -> anyhow::Result<Report> {
    let scene = Arc::new(Scene::set(args, keys::read(&args.keys)?)?);
    let mix = Mix::parse(&args.mix, &scene.bodies, (args.seed, &scene.silent))?;
    if let (Some(door), Some(peer)) = (&scene.http, scene.peers.first()) {
        door.greet(&peer.key).await?;
    }
    let mut living = JoinSet::new();
    for place in 0..scene.peers.len() {
        let scene = Arc::clone(&scene);
        living.spawn(async move { scene.peers[place].live(&scene).await });
    }
    let reached = futures_util::future::join_all(scene.peers.iter().map(Peer::connected));
    tokio::time::timeout(CONNECT, reached)
        .await
        .ok()
        .context("the broker is not reached with the key file's addresses")?;
    let total = (args.rate * args.seconds).ceil() as u64;
    living.spawn(progress::show(Arc::clone(&scene.ledger), total));
    let begun = scene.ledger.now();
    let generator = offer(&scene, mix, (args, total)).await?;
    let offered = scene.ledger.now();
    drain(&scene, Duration::from_secs(args.drain_s)).await;
    let drained = scene.ledger.now();
    living.shutdown().await;
    let places = judge(&scene).await;
    let closed = scene.ledger.close();
    let span = |until: Duration| until.saturating_sub(begun).as_secs_f64();
    let spans = (span(offered), span(closed.last_receipt.max(offered)));
    let mut report = Report {
        door: if scene.by_amqp { "amqp" } else { "http" },
        participants: scene.bodies.len(),
        mix: args.mix.clone(),
        rate_per_s: args.rate,
        seconds: args.seconds,
        requests: Flow::of(closed.requests, spans),
        answers: Flow::of(closed.answers, spans),
        receipts_missing: closed.receipts_missing,
        duplicates: closed.duplicates,
        other_letters: closed.others,
        fetches_failed: scene.fetches_failed.load(Ordering::Relaxed),
        generator,
        drained_s: drained.saturating_sub(offered).as_secs_f64(),
    };
    for (sort, place) in places {
        let flow = if sort == Sort::Request { &mut report.requests } else { &mut report.answers };
        match place {
            Place::Waiting => flow.waiting += 1,
            Place::Delivered => flow.delivered += 1,
            Place::Nowhere => flow.lost += 1,
        }
    }
    Ok(report)
}

/// Sends each message at its instant, or as soon after it as the bound lets it.
async fn offer(scene: &Arc<Scene>, mut mix: Mix, (args, total): (&RunArgs, u64)) -> anyhow::Result<Generator> {
    let begun = scene.ledger.now();
    let (mut late_us, mut held, mut waited) = (Vec::new(), 0, Duration::ZERO);
    let mut sending = JoinSet::new();
    for number in 0..total {
        // Made before its instant, so that the making is no part of the latency.
        let message = mix.next()?;
        let due = begun + Duration::from_secs_f64(number as f64 / args.rate);
        if let Some(early) = due.checked_sub(scene.ledger.now()) {
            tokio::time::sleep(early).await;
        }
        let now = scene.ledger.now();
        let late = now.saturating_sub(due).saturating_sub(waited);
        late_us.push(u32::try_from(late.as_micros()).unwrap_or(u32::MAX));
        let slot = match scene.slots.try_acquire() {
            Ok(slot) => slot,
            Err(_) => {
                held += 1;
                scene.slots.acquire().await?
            }
        };
        // What is still owed to the bound is not the generator's own lateness.
        waited = scene.ledger.now().saturating_sub(due).saturating_sub(late);
        slot.forget();
        scene.ledger.sends(&message, Sort::Request, due);
        sending.spawn(send(Arc::clone(scene), message));
        while sending.try_join_next().is_some() {}
    }
    while sending.join_next().await.is_some() {}
    let late_ms = Spread::of(late_us);
    // Lateness by the bound or by the generator: the load that was stated was not the load that was offered.
    let kept_up = late_ms.p99 <= LATE_MS && held * 100 <= total;
    Ok(Generator { late_ms, held, in_flight_max: args.in_flight, kept_up })
}

async fn send(scene: Arc<Scene>, message: Written) {
    scene.peers[message.from].send(&scene, message).await;
    scene.slots.add_permits(1);
}

/// Waits until nothing is under way, or nothing has moved for so long.
async fn drain(scene: &Scene, patience: Duration) {
    let (mut moves, mut since) = (scene.ledger.standing().moves, scene.ledger.now());
    while scene.ledger.open() > 0 && scene.ledger.now().saturating_sub(since) < patience {
        tokio::time::sleep(LOOK_EVERY).await;
        let moved = scene.ledger.standing().moves;
        if moved != moves {
            (moves, since) = (moved, scene.ledger.now());
        }
    }
}

/// Where a letter is that its recipient has not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Waiting,
    /// Registered, though the answer to the registration was lost.
    Delivered,
    Nowhere,
}

/// Asks the gateway about every letter that is missing; one that it cannot account for is lost.
async fn judge(scene: &Arc<Scene>) -> Vec<(Sort, Place)> {
    let mut by_exchange: BTreeMap<ExchangeId, Vec<Missing>> = BTreeMap::new();
    for missing in scene.ledger.missing() {
        by_exchange.entry(missing.exchange).or_default().push(missing);
    }
    let asked = futures_util::stream::iter(by_exchange).map(|(exchange, missing)| async move {
        let asker = missing.first().map_or(0, |one| one.from);
        let deliveries = match &scene.http {
            Some(door) => door.deliveries(&scene.peers[asker].key, exchange).await.unwrap_or_default(),
            None => Vec::new(),
        };
        let place = |one: &Missing| {
            let (code, silent) = (scene.bodies[one.recipient].code.as_str(), scene.silent.contains(&one.recipient));
            let told = deliveries.iter().find(|told| told.message == one.message && told.recipient == code);
            (one.sort, told.map_or(Place::Nowhere, |told| by_state(&told.state, silent)))
        };
        missing.iter().map(place).collect::<Vec<_>>()
    });
    asked.buffer_unordered(ASKED_AT_ONCE).collect::<Vec<_>>().await.concat()
}

/// What the gateway's word for a delivery means to who waits for it.
fn by_state(state: &str, silent: bool) -> Place {
    match state {
        "queued" | "sending" | "waiting_retry" | "undeliverable" => Place::Waiting,
        // It lies in a queue from which nobody reads.
        "delivered" if silent => Place::Waiting,
        "registered" => Place::Delivered,
        _ => Place::Nowhere,
    }
}
