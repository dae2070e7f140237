//! Letters that go from the decision straight into the hands of who sends them: what was just written need not be looked
//! for, leased and read again.
//!
//! Promises: a letter is passed on only after its commit, and only under a lease that this commit has written; no more
//! than the hands have asked for; one of an exchange at a time, and never past a letter of the same exchange that is on its
//! way (the store sees to that). What was
//! committed without an answer is given back as soon as the store can be reached. Never: the only record of anything:
//! a letter that is not passed on is claimed like any other.

use crate::domain::ids::{ExchangeId, MessageId, ParticipantCode};
use crate::domain::message::Format;
use crate::failpoint;
use crate::flaw::{self, Flaw};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::{Changes, Claimed, OutboxRow, RouteKind, Taking};
use crate::limits::PASSED_BYTES_MAX;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

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
    /// The end of the lease, in the gateway's time.
    pub lease_until: DateTime<Utc>,
    /// The commit had no answer: whether there is that lease is not known, and if so it is to be given back.
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
        let mut promise = Promise { passing: Arc::clone(self), letters: Vec::new(), lease_until: now };
        let mut lease = TimeDelta::MAX;
        {
            let mut lanes = self.lanes();
            if lanes.values().all(|lane| lane.room == 0) {
                return promise;
            }
            let contents = contents(changes);
            let proven: HashSet<Key> =
                changes.proofs.iter().map(|proof| (proof.message, proof.recipient.clone())).collect();
            let mut seen: HashSet<Key> = HashSet::new();
            let mut stays: HashSet<(&ParticipantCode, Option<ExchangeId>)> = HashSet::new();
            for row in &changes.outbox {
                // Said twice, it is one row.
                if !seen.insert((row.message, row.recipient.clone())) {
                    continue;
                }
                let content = row.content.as_ref().or_else(|| contents.get(&row.message));
                let lane = lanes.get_mut(&row.route).filter(|lane| lane.room > 0);
                let is_small = |(_, content): &&(Format, Bytes)| content.len() <= PASSED_BYTES_MAX;
                let content = content.filter(is_small);
                let may_go = !stays.contains(&(&row.recipient, row.exchange))
                    && !proven.contains(&(row.message, row.recipient.clone()));
                let (Some(content), Some(lane), true) = (content, lane, may_go) else {
                    // What follows it in its exchange must not go in front of it.
                    stays.insert((&row.recipient, row.exchange));
                    continue;
                };
                // One of an exchange at a time.
                if row.exchange.is_some() {
                    stays.insert((&row.recipient, row.exchange));
                }
                lane.room -= 1;
                lane.promised += 1;
                lease = lease.min(lane.lease);
                let read = changes.read.get(&row.message).map(Arc::clone);
                promise.letters.push((row.route, Claimed { read, ..letter(row, content) }));
            }
        }
        if !promise.letters.is_empty() {
            let longer = if flaw::is(Flaw::LeaseNeverEnds) { TimeDelta::hours(24) } else { TimeDelta::zero() };
            let letters = promise.letters.iter().map(|(_, letter)| key(letter)).collect();
            promise.lease_until = now + lease + longer;
            changes.taking = Some(Taking { letters, lease_until: promise.lease_until });
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
        read: None,
    }
}

fn key(letter: &Claimed) -> Key {
    (letter.message, letter.recipient.clone())
}

/// Letters that hands have made room for, until their commit.
pub(super) struct Promise {
    passing: Arc<Passing>,
    letters: Vec<(RouteKind, Claimed)>,
    lease_until: DateTime<Utc>,
}

impl Promise {
    /// The commit has come to an end: it has leased these. Passes them on; the others wait to be claimed.
    pub fn keep(mut self, committed: &Result<Vec<Key>, StoreError>) {
        let leased: HashSet<&Key> = match committed {
            Ok(leased) => leased.iter().collect(),
            Err(StoreError::Rejected(_) | StoreError::Inconsistent { .. } | StoreError::LettersHeld) => HashSet::new(),
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
            let _ = lane.to.send(Passed { promised: letters.len(), letters, lease_until: self.lease_until, doubtful });
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;
    use uuid::Uuid;

    const AT: DateTime<Utc> = DateTime::UNIX_EPOCH;
    const LEASE: TimeDelta = TimeDelta::seconds(60);

    fn row(route: RouteKind, exchange: Option<u128>) -> OutboxRow {
        OutboxRow {
            message: MessageId(Uuid::new_v4()),
            recipient: ParticipantCode::new("school-test").unwrap(),
            route,
            exchange: exchange.map(|n| ExchangeId(Uuid::from_u128(n))),
            content: Some((Format::Json, Bytes::from_static(b"{}"))),
            queued_at: AT,
        }
    }

    fn batch(rows: &[(RouteKind, Option<u128>)]) -> Changes {
        Changes { outbox: rows.iter().map(|(route, exchange)| row(*route, *exchange)).collect(), ..Changes::default() }
    }

    fn wanted(changes: &Changes) -> Vec<bool> {
        let key = |row: &OutboxRow| (row.message, row.recipient.clone());
        let taken = |row: &OutboxRow| changes.taking.as_ref().is_some_and(|taking| taking.letters.contains(&key(row)));
        changes.outbox.iter().map(taken).collect()
    }

    #[tokio::test]
    async fn no_more_is_promised_than_was_asked_for_and_nothing_past_a_letter_of_its_exchange_that_stays() {
        use RouteKind::{Amqp, Inbox, Push};
        let passing = Arc::<Passing>::default();
        let hands = passing.hands(Amqp);
        let mut changes = batch(&[(Amqp, Some(1))]);
        drop(passing.promise(&mut changes, AT));
        assert_eq!(wanted(&changes), [false], "nobody has asked");
        hands.ask(3, LEASE);
        let mut changes = batch(&[(Push, Some(1)), (Amqp, Some(1)), (Inbox, None), (Amqp, Some(2)), (Amqp, Some(3))]);
        let promise = passing.promise(&mut changes, AT);
        assert_eq!(wanted(&changes), [false, false, false, true, true]);
        assert_eq!(changes.taking.as_ref().unwrap().lease_until, AT + LEASE);
        let mut later = batch(&[(Amqp, Some(4)), (Amqp, Some(5)), (Amqp, Some(6)), (Amqp, Some(5))]);
        let second = passing.promise(&mut later, AT);
        assert_eq!(wanted(&later), [true, false, false, false], "one hand was left");
        hands.ask(3, LEASE);
        assert_eq!(wanted_now(&passing), 0, "what is promised takes the room");
        drop((promise, second));
        hands.ask(3, LEASE);
        assert_eq!(wanted_now(&passing), 3, "what is not kept is room again");
        let mut changes = batch(&[(Amqp, Some(7)), (Amqp, Some(7)), (Amqp, Some(8)), (Amqp, None), (Amqp, None)]);
        hands.ask(5, LEASE);
        drop(passing.promise(&mut changes, AT));
        assert_eq!(wanted(&changes), [true, false, true, true, true], "one of an exchange at a time");
        let mut changes = batch(&[(Amqp, Some(9)), (Amqp, Some(9)), (Amqp, Some(10))]);
        changes.outbox[0].content = Some((Format::Json, vec![b' '; PASSED_BYTES_MAX + 1].into()));
        hands.ask(5, LEASE);
        drop(passing.promise(&mut changes, AT));
        assert_eq!(wanted(&changes), [false, false, true], "a large one waits, and what follows it");
    }

    /// How many of many would be promised now; gives them back.
    fn wanted_now(passing: &Arc<Passing>) -> usize {
        let mut changes = batch(&[(RouteKind::Amqp, None); 8]);
        changes.outbox.iter_mut().zip(10..).for_each(|(row, n)| row.exchange = Some(ExchangeId(Uuid::from_u128(n))));
        drop(passing.promise(&mut changes, AT));
        wanted(&changes).into_iter().filter(|taken| *taken).count()
    }

    #[tokio::test]
    async fn what_the_commit_has_leased_is_passed_on_and_what_it_did_not_say_is_given_back() {
        let passing = Arc::<Passing>::default();
        let mut hands = passing.hands(RouteKind::Amqp);
        hands.ask(4, LEASE);
        let mut changes = batch(&[(RouteKind::Amqp, Some(1)), (RouteKind::Amqp, Some(2))]);
        let promise = passing.promise(&mut changes, AT);
        let first = &changes.outbox[0];
        promise.keep(&Ok(vec![(first.message, first.recipient.clone())]));
        let passed = hands.next().await;
        assert!(!passed.doubtful);
        assert_eq!(passed.letters.iter().map(|letter| letter.message).collect::<Vec<_>>(), [first.message]);
        assert!(!hands.is_promised());

        let promise = passing.promise(&mut changes, AT);
        promise.keep(&Err(StoreError::Rejected("нет".into())));
        assert!(!hands.is_promised());
        assert!(timeout(Duration::from_millis(50), hands.next()).await.is_err(), "what was refused was passed on");

        hands.ask(4, LEASE);
        let promise = passing.promise(&mut changes, AT);
        promise.keep(&Err(StoreError::Unavailable("нет ответа".into())));
        let passed = hands.next().await;
        assert!(passed.doubtful && passed.letters.len() == 2, "whether it is leased is not known");
    }
}
