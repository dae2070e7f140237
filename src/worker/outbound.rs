//! The way out: leases what waits, gives it to a channel, writes down what became of it.
//!
//! Promises: a letter is marked as delivered only after its channel has confirmed it; a recipient that is slow or dead
//! delays nobody else; with the channel down no attempt is counted. Never: keeps the only record of anything (a lease
//! runs out by itself, and the letter goes out again under the same id); decides when a retry is due
//! (`domain::delivery` does).

mod attempt;
mod once;
mod seats;
mod unwritten;

pub use once::round_once;

use crate::clock::Clock;
use crate::domain::decision::Event;
use crate::gateway::Gateway;
use crate::gateway::passing::{Hands, Passed};
use crate::gateway::ports::Outlet;
use crate::gateway::ports::decisions::{Attempt, AttemptResult, Claim, Claimed, RouteKind};
use crate::gateway::ports::outlet::Letter;
use crate::gateway::rejection::Rejection;
use crate::limits::CLAIM_BYTES_MAX;
use crate::retry::Pace;
use async_trait::async_trait;
use attempt::Outcome;
use chrono::{DateTime, TimeDelta, Utc};
use seats::Seats;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use unwritten::Unwritten;

/// How long a leased letter is ours; longer than any attempt.
const LEASE: Duration = Duration::from_secs(60);
/// A letter whose lease ends sooner is not begun.
const LEASE_LEFT_MIN: Duration = Duration::from_secs(20);
/// Letters in hand over the broker: what two batches decide, and what is claimed beside it.
const AMQP_MAX: usize = 5 * CLAIM_MAX;
/// Bytes of letters in hand, with which nothing more is claimed: those of many recipients, of which each may have some
/// (seats.rs).
const IN_HAND_BYTES_MAX: usize = 4 * CLAIM_BYTES_MAX;
/// Bytes of letters in hand to one recipient over HTTPS.
const PUSH_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Rows leased in one transaction.
const CLAIM_MAX: usize = 256;
/// Without a wake-up the outbox is looked at so often: retries become due by themselves.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// … and not more often, however fast the gateway's time runs.
const LOOK_EVERY_MIN: Duration = Duration::from_millis(100);
/// How long letters wait that were given back because the channel was down.
const DOWN_WAIT: Duration = Duration::from_secs(1);
/// How long a stop waits for letters that are on their way.
const DRAIN: Duration = Duration::from_secs(8);
/// How often it looks meanwhile whether anything is still to come.
const DRAIN_LOOK: Duration = Duration::from_millis(50);

/// What the worker needs of the gateway.
#[async_trait]
pub trait Dispatch: Send + Sync + 'static {
    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, Rejection>;
    /// The row in its recipient's own format.
    fn letter(&self, claimed: &Claimed) -> Result<Letter, Rejection>;
    async fn settle(&self, attempts: Vec<Attempt>, events: Vec<Event>) -> Result<(), Rejection>;
    /// Where letters come in that were just decided.
    fn hands(&self, route: RouteKind) -> Hands;
    fn now(&self) -> DateTime<Utc>;
    /// Changes after every commit.
    fn changes(&self) -> watch::Receiver<u64>;
    /// How long to wait on the machine for so much of the gateway's time.
    fn clock(&self) -> &Clock;
}

#[async_trait]
impl Dispatch for Gateway {
    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, Rejection> {
        Gateway::claim(self, claim).await
    }

    fn letter(&self, claimed: &Claimed) -> Result<Letter, Rejection> {
        Gateway::letter(self, claimed)
    }

    async fn settle(&self, attempts: Vec<Attempt>, events: Vec<Event>) -> Result<(), Rejection> {
        Gateway::settle(self, attempts, events).await
    }

    fn hands(&self, route: RouteKind) -> Hands {
        Gateway::hands(self, route)
    }

    fn now(&self) -> DateTime<Utc> {
        Gateway::now(self)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        Gateway::changes(self)
    }

    fn clock(&self) -> &Clock {
        Gateway::clock(self)
    }
}

/// A route with its channel, and how much of it at once.
pub struct Way {
    pub route: RouteKind,
    pub outlet: Arc<dyn Outlet>,
    /// Letters in hand.
    pub in_hand_max: usize,
    /// Letters on their way to one recipient.
    pub per_recipient_max: usize,
    /// Bytes of letters in hand to one recipient, with which it gets no more.
    pub bytes_per_recipient_max: usize,
}

impl Way {
    /// Over the broker: all recipients share its fate.
    #[must_use]
    pub fn amqp(outlet: Arc<dyn Outlet>) -> Self {
        let bytes_per_recipient_max = IN_HAND_BYTES_MAX;
        Self {
            route: RouteKind::Amqp,
            outlet,
            in_hand_max: AMQP_MAX,
            per_recipient_max: AMQP_MAX,
            bytes_per_recipient_max,
        }
    }

    /// Over HTTPS: each recipient is as slow as it is.
    #[must_use]
    pub fn push(outlet: Arc<dyn Outlet>) -> Self {
        let bytes_per_recipient_max = PUSH_BYTES_MAX;
        Self {
            route: RouteKind::Push,
            outlet,
            in_hand_max: 2 * CLAIM_MAX,
            per_recipient_max: 4,
            bytes_per_recipient_max,
        }
    }
}

/// Sends what waits on one route, until the stop; then ends what is on its way.
pub async fn run<D: Dispatch>(dispatch: Arc<D>, way: Way, stop: &CancellationToken) {
    let mut outbound = Outbound {
        seats: Seats::new(way.per_recipient_max, way.bytes_per_recipient_max),
        changes: dispatch.changes(),
        hands: dispatch.hands(way.route),
        look_every: dispatch.clock().scaled(LOOK_EVERY).max(LOOK_EVERY_MIN),
        dispatch,
        way,
        on_way: JoinSet::new(),
        unwritten: Unwritten::default(),
        pace: Pace::local(),
        more: true,
        caught_up: false,
        ready: false,
    };
    while !stop.is_cancelled() {
        outbound.round(stop).await;
    }
    outbound.drain().await;
}

struct Outbound<D> {
    dispatch: Arc<D>,
    way: Way,
    seats: Seats,
    changes: watch::Receiver<u64>,
    hands: Hands,
    look_every: Duration,
    /// Tasks of their own: they go on while the store is waited for.
    on_way: JoinSet<Outcome>,
    unwritten: Unwritten,
    pace: Pace,
    /// There may be more to lease.
    more: bool,
    /// The last look left nothing that is ready: who is decided now stands in front of nobody.
    caught_up: bool,
    /// The channel is up, as far as we know.
    ready: bool,
}

impl<D: Dispatch> Outbound<D> {
    /// Leases, begins, has written down, and waits for the next thing to happen.
    async fn round(&mut self, stop: &CancellationToken) {
        if let Err(fault) = self.take_more().await {
            return self.wait_out(&fault, stop).await;
        }
        self.begin();
        self.unwritten.write(&self.dispatch);
        self.ask();
        if self.more && self.may_claim() {
            return;
        }
        let outlet = Arc::clone(&self.way.outlet);
        tokio::select! {
            () = stop.cancelled() => {}
            Some(ended) = self.on_way.join_next() => self.end_all(ended),
            passed = self.hands.next() => self.take_in(passed),
            Some(written) = self.unwritten.next() => match self.unwritten.ended(written) {
                Ok(()) => self.pace.succeeded(),
                Err(fault) => self.wait_out(&fault, stop).await,
            },
            changed = self.changes.changed() => {
                self.more = true;
                // Without the gateway there are no more wake-ups; the looks go on until the stop.
                if changed.is_err() { sleep(self.look_every).await; }
            }
            () = outlet.ready(), if !self.ready => self.ready = true,
            () = sleep(self.look_every) => self.more = true,
        }
    }

    /// The store is away for a while.
    async fn wait_out(&mut self, fault: &Rejection, stop: &CancellationToken) {
        let wait = self.pace.next_wait();
        tracing::warn!(route = self.way.route.code(), %fault, wait_ms = wait.as_millis(), "the outbox waits");
        self.hands.ask(0, TimeDelta::zero());
        let _ = timeout(wait, stop.cancelled()).await;
    }

    async fn take_more(&mut self) -> Result<(), Rejection> {
        // Half of the hands free: few transactions, and never empty hands while one runs.
        if !self.more || !self.may_claim() {
            return Ok(());
        }
        let begun = Instant::now();
        let now = self.dispatch.now();
        let lease_until = now + self.stretched(LEASE);
        let claim = Claim { now, lease_until, limit: CLAIM_MAX, route: self.way.route };
        let claimed = self.dispatch.claim(claim).await?;
        self.pace.succeeded();
        let bytes: usize = claimed.iter().map(|letter| letter.content.len()).sum();
        self.more = claimed.len() == CLAIM_MAX || bytes >= CLAIM_BYTES_MAX;
        self.caught_up = !self.more;
        self.seat(claimed, begun + LEASE);
        Ok(())
    }

    /// Whether letters may be leased now.
    fn may_claim(&self) -> bool {
        let is_room = self.room() >= CLAIM_MAX && self.seats.bytes() < IN_HAND_BYTES_MAX;
        self.ready && !self.unwritten.hides_arrivals() && is_room
    }

    /// Asks for letters as they are decided. Room for a claim stays free, so that nothing that waits is left behind for
    /// ever.
    fn ask(&self) {
        let room = if self.ready && self.caught_up && !self.unwritten.has_failed() {
            self.room().saturating_sub(CLAIM_MAX)
        } else {
            0
        };
        self.hands.ask(room, self.stretched(LEASE));
    }

    fn take_in(&mut self, passed: Passed) {
        match passed.doubtful {
            true => {
                let result = AttemptResult::Unsure { lease_until: passed.lease_until };
                passed.letters.iter().for_each(|letter| self.give_back(letter, result.clone()));
            }
            false => {
                // A commit may have waited for its turn.
                let (left, all) = (passed.lease_until - self.dispatch.now(), self.stretched(LEASE));
                let part = left.as_seconds_f64() / all.as_seconds_f64();
                self.seat(passed.letters, Instant::now() + LEASE.mul_f64(part.clamp(0.0, 1.0)));
            }
        }
    }

    fn seat(&mut self, letters: Vec<Claimed>, leased_until: Instant) {
        for letter in letters {
            if let Some((letter, wait)) = self.seats.offer(letter, leased_until) {
                self.postpone(&letter, wait);
            }
        }
    }

    /// Sends off every letter that may go now.
    fn begin(&mut self) {
        let worn = Instant::now() + LEASE_LEFT_MIN;
        for seated in self.seats.next() {
            if seated.leased_until < worn {
                self.seats.left(&seated.letter, None);
                self.postpone(&seated.letter, Duration::ZERO);
                continue;
            }
            let (dispatch, outlet) = (Arc::clone(&self.dispatch), Arc::clone(&self.way.outlet));
            self.on_way.spawn(async move { attempt::make(&*dispatch, &*outlet, seated.letter).await });
        }
        metrics::gauge!("mezhved_outbound_in_hand", "route" => self.way.route.code()).set(self.seats.len() as f64);
    }

    /// Takes in one that has ended, and all others that have too: they are written down together.
    fn end_all(&mut self, first: Result<Outcome, JoinError>) {
        let mut next = Some(first);
        while let Some(ended) = next {
            // An attempt catches its own panics; what is cancelled with the runtime needs no record.
            if let Ok(outcome) = ended {
                self.end(outcome);
            }
            next = self.on_way.try_join_next();
        }
    }

    fn end(&mut self, outcome: Outcome) {
        self.seats.left(&outcome.letter, outcome.took());
        metrics::counter!(
            "mezhved_deliveries_total", "route" => self.way.route.code(), "result" => outcome.word()
        )
        .increment(1);
        match attempt::record(&outcome, self.dispatch.now()) {
            Some(record) => self.unwritten.add(record),
            None => {
                self.ready = false;
                self.postpone(&outcome.letter, DOWN_WAIT);
            }
        }
    }

    fn postpone(&mut self, letter: &Claimed, wait: Duration) {
        let next_at = self.dispatch.now() + TimeDelta::from_std(wait).unwrap_or_default();
        self.give_back(letter, AttemptResult::Postponed { next_at });
    }

    fn give_back(&mut self, letter: &Claimed, result: AttemptResult) {
        let (message, recipient, at) = (letter.message, letter.recipient.clone(), self.dispatch.now());
        self.unwritten.add((Attempt { message, recipient, at, result }, None));
    }

    /// How many more letters may come into hand; none while much waits to be written down.
    fn room(&self) -> usize {
        let beyond = self.unwritten.len().saturating_sub(self.way.in_hand_max);
        self.way.in_hand_max.saturating_sub(self.seats.len() + beyond)
    }

    /// So much of the machine's time in the gateway's time, which may run faster.
    fn stretched(&self, span: Duration) -> TimeDelta {
        let scaled = self.dispatch.clock().scaled(span).as_secs_f64();
        let factor = span.as_secs_f64() / scaled.max(0.001);
        TimeDelta::from_std(span.mul_f64(factor.max(1.0))).unwrap_or(TimeDelta::MAX)
    }

    /// Gives back what was not begun, waits for what is on its way, and writes all of it down.
    async fn drain(&mut self) {
        self.hands.ask(0, TimeDelta::zero());
        for letter in self.seats.clear() {
            self.postpone(&letter, Duration::ZERO);
        }
        let deadline = Instant::now() + DRAIN;
        while Instant::now() < deadline && (!self.on_way.is_empty() || self.hands.is_promised()) {
            if !self.unwritten.has_failed() {
                self.unwritten.write(&self.dispatch);
            }
            tokio::select! {
                Some(ended) = self.on_way.join_next() => self.end_all(ended),
                Some(written) = self.unwritten.next() => {
                    if let Err(fault) = self.unwritten.ended(written) {
                        tracing::warn!(%fault, "what became of letters could not be written down");
                    }
                }
                passed = self.hands.next() => {
                    passed.letters.iter().for_each(|letter| self.postpone(letter, Duration::ZERO));
                }
                // What was promised may be taken back without a word.
                () = sleep(DRAIN_LOOK) => {}
            }
        }
        if !self.on_way.is_empty() {
            tracing::warn!(route = self.way.route.code(), left = self.on_way.len(), "letters were still on their way");
        }
        while self.unwritten.len() > 0 {
            self.unwritten.write(&self.dispatch);
            let Some(written) = self.unwritten.next().await else { return };
            if let Err(fault) = self.unwritten.ended(written) {
                tracing::warn!(%fault, "what became of the last letters is not written down; they go out again");
                return;
            }
        }
    }
}
