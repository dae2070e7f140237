//! Letters that go from the decision straight into the hands of who sends them: what was just written need not be looked
//! for, leased and read again.
//!
//! Promises: a letter is passed on only after its commit, and only under a lease that this commit has written; no more
//! than the hands have asked for; never past a letter of the same exchange that waits (the store sees to it). What was
//! committed without an answer is given back as soon as the store can be reached. Never: the only record of anything:
//! a letter that is not passed on is claimed like any other.

use crate::domain::ids::{ExchangeId, MessageId, ParticipantCode};
use crate::domain::message::Format;
use crate::failpoint;
use crate::flaw::{self, Flaw};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::{Changes, Claimed, OutboxRow, RouteKind, Taking};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// A delivery's key.
type Key = (MessageId, ParticipantCode);

/// Who sends on each route, and how much he would take.
#[derive(Default)]
pub struct Passing(Mutex<HashMap<RouteKind, Lane>>);

struct Lane {
    /// So many more may be promised.
    room: usize,
    /// Promised, and not taken in yet.
    promised: usize,
    /// How long a lease lasts, in the gateway's time.
    lease: TimeDelta,
    to: mpsc::UnboundedSender<Passed>,
}

/// What is passed on.
pub struct Passed {
    /// How many were promised for it.
    promised: usize,
    pub letters: Vec<Claimed>,
    /// When the decision began; the lease counts from then.
    pub since: Instant,
    /// The commit had no answer: whether there is a lease is not known, and if so it is to be given back.
    pub doubtful: bool,
}

/// The end at which one worker takes letters of one route.
pub struct Hands {
    route: RouteKind,
    passing: Arc<Passing>,
    from: mpsc::UnboundedReceiver<Passed>,
}

impl Passing {
    /// The hands of a route; who had them before gets nothing more.
    #[must_use]
    pub fn hands(self: &Arc<Self>, route: RouteKind) -> Hands {
        let (to, from) = mpsc::unbounded_channel();
        self.lanes().insert(route, Lane { room: 0, promised: 0, lease: TimeDelta::zero(), to });
        Hands { route, passing: Arc::clone(self), from }
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<RouteKind, Lane>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Promises the hands as many of a batch's letters as they would take, in their order, and says so in the changes.
    pub(super) fn promise(self: &Arc<Self>, changes: &mut Changes, now: DateTime<Utc>) -> Promise {
        let mut promise = Promise { passing: Arc::clone(self), letters: Vec::new(), since: Instant::now() };
        let mut lease = TimeDelta::MAX;
        {
            let mut lanes = self.lanes();
            if lanes.values().all(|lane| lane.room == 0) {
                return promise;
            }
            let contents = contents(changes);
            let proven: HashSet<Key> =
                changes.proofs.iter().map(|proof| (proof.message, proof.recipient.clone())).collect();
            let mut stays: HashSet<(&ParticipantCode, Option<ExchangeId>)> = HashSet::new();
            for row in &changes.outbox {
                let content = row.content.as_ref().or_else(|| contents.get(&row.message));
                let lane = lanes.get_mut(&row.route).filter(|lane| lane.room > 0);
                let may_go = !stays.contains(&(&row.recipient, row.exchange))
                    && !proven.contains(&(row.message, row.recipient.clone()));
                let (Some(content), Some(lane), true) = (content, lane, may_go) else {
                    // What follows it in its exchange must not go in front of it.
                    stays.insert((&row.recipient, row.exchange));
                    continue;
                };
                lane.room -= 1;
                lane.promised += 1;
                lease = lease.min(lane.lease);
                promise.letters.push((row.route, letter(row, content)));
            }
        }
        if !promise.letters.is_empty() {
            let longer = if flaw::is(Flaw::LeaseNeverEnds) { TimeDelta::hours(24) } else { TimeDelta::zero() };
            let letters = promise.letters.iter().map(|(_, letter)| key(letter)).collect();
            changes.taking = Some(Taking { letters, lease_until: now + lease + longer });
        }
        promise
    }
}

/// The content of the messages of a batch.
fn contents(changes: &Changes) -> HashMap<MessageId, (Format, Bytes)> {
    changes.messages.iter().map(|message| (message.id, (message.format, message.content.clone()))).collect()
}

fn letter(row: &OutboxRow, (format, content): &(Format, Bytes)) -> Claimed {
    Claimed {
        message: row.message,
        recipient: row.recipient.clone(),
        exchange: row.exchange,
        format: *format,
        content: content.clone(),
        attempts: 0,
        queued_at: row.queued_at,
    }
}

fn key(letter: &Claimed) -> Key {
    (letter.message, letter.recipient.clone())
}

/// Letters that hands have made room for, until their commit.
pub(super) struct Promise {
    passing: Arc<Passing>,
    letters: Vec<(RouteKind, Claimed)>,
    since: Instant,
}

impl Promise {
    /// The commit has come to an end: it has leased these. Passes them on; the others wait to be claimed.
    pub fn keep(mut self, committed: &Result<Vec<Key>, StoreError>) {
        let leased: HashSet<&Key> = match committed {
            Ok(leased) => leased.iter().collect(),
            Err(StoreError::Rejected(_) | StoreError::Inconsistent { .. }) => HashSet::new(),
            Err(StoreError::Unavailable(_)) => {
                let letters = std::mem::take(&mut self.letters);
                return self.pass(letters, true);
            }
        };
        let (passed, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.letters).into_iter().partition(|(_, letter)| leased.contains(&key(letter)));
        self.letters = others;
        if !passed.is_empty() {
            failpoint::reach("after-claim");
        }
        self.pass(passed, false);
    }

    fn pass(&self, letters: Vec<(RouteKind, Claimed)>, doubtful: bool) {
        let mut by_route: HashMap<RouteKind, Vec<Claimed>> = HashMap::new();
        letters.into_iter().for_each(|(route, letter)| by_route.entry(route).or_default().push(letter));
        let lanes = self.passing.lanes();
        for (route, letters) in by_route {
            let Some(lane) = lanes.get(&route) else { continue };
            metrics::counter!("mezhved_letters_passed_total", "route" => route.code()).increment(letters.len() as u64);
            // Who sent has stopped: the leases end with this gateway.
            let _ = lane.to.send(Passed { promised: letters.len(), letters, since: self.since, doubtful });
        }
    }
}

impl Drop for Promise {
    /// What was promised and is not passed on is room again, at the next asking.
    fn drop(&mut self) {
        let mut lanes = self.passing.lanes();
        for (route, _) in &self.letters {
            if let Some(lane) = lanes.get_mut(route) {
                lane.promised = lane.promised.saturating_sub(1);
            }
        }
    }
}

impl Hands {
    /// So many letters would be taken now, with what is promised already, under leases so long.
    pub fn ask(&self, room: usize, lease: TimeDelta) {
        if let Some(lane) = self.passing.lanes().get_mut(&self.route) {
            lane.room = room.saturating_sub(lane.promised);
            lane.lease = lease;
        }
    }

    /// The next letters that are passed on. Nothing is lost when it is given up.
    pub async fn next(&mut self) -> Passed {
        match self.from.recv().await {
            Some(passed) => {
                if let Some(lane) = self.passing.lanes().get_mut(&self.route) {
                    lane.promised = lane.promised.saturating_sub(passed.promised);
                }
                passed
            }
            // Other hands have this route.
            None => std::future::pending().await,
        }
    }

    /// Whether something is promised that has not come yet.
    #[must_use]
    pub fn is_promised(&self) -> bool {
        self.passing.lanes().get(&self.route).is_some_and(|lane| lane.promised > 0)
    }
}
