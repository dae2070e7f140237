//! What the generator itself knows of every message: when it was due, what the gateway said, who has got it.
//!
//! Promises: latency counts from the instant at which a message was due, not from when it could be sent (no coordinated
//! omission). Never: takes the gateway's word for a delivery.

use super::mix::Written;
use crate::clock::Stopwatch;
use crate::domain::ids::{ExchangeId, MessageId};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// One that was due at an instant.
    Request,
    /// The answer to one, due as soon as it was read.
    Answer,
}

/// What has become of a message at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    /// Under way.
    Open,
    /// The broker has confirmed it; the receipt is awaited.
    Confirmed,
    Accepted,
    Refused,
    /// Whether the gateway has it is not known.
    Failed,
}

struct Entry {
    sort: Sort,
    due: Duration,
    exchange: ExchangeId,
    from: usize,
    door: Door,
    /// Recipients, and how often each has got it.
    to: Vec<(usize, u32)>,
}

/// What was counted of one sort.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub sent: u64,
    pub accepted: u64,
    pub delivered: u64,
    pub refused: BTreeMap<String, u64>,
    pub failed: BTreeMap<String, u64>,
    /// Microseconds from the due instant.
    pub receipt_us: Vec<u32>,
    pub delivery_us: Vec<u32>,
}

#[derive(Default)]
struct Record {
    entries: HashMap<MessageId, Entry>,
    tallies: [Tally; 2],
    duplicates: u64,
    others: u64,
    last_receipt: Duration,
    /// Counts everything that happens, so that a standstill is seen.
    moves: u64,
}

/// Whether a letter is one of ours, and whether it has come before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// For the first time; and the place of its sender.
    First {
        from: usize,
    },
    Again,
    /// A receipt, a reminder, or a letter of an earlier run.
    Other,
}

/// A letter that was accepted, or at least confirmed, and has not been seen at its recipient.
#[derive(Debug, Clone)]
pub(super) struct Missing {
    pub message: MessageId,
    pub exchange: ExchangeId,
    pub sort: Sort,
    pub from: usize,
    pub recipient: usize,
}

/// How things stand, for the progress.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Standing {
    /// Requests, without the answers.
    pub offered: u64,
    pub sent: u64,
    pub accepted: u64,
    pub refused: u64,
    pub failed: u64,
    pub delivered: u64,
    pub moves: u64,
}

/// The ledger of one run.
pub(super) struct Ledger {
    watch: Stopwatch,
    record: Mutex<Record>,
    /// Who takes no letters.
    silent: Vec<usize>,
}

impl Ledger {
    pub fn new(silent: Vec<usize>) -> Self {
        Self { watch: Stopwatch::start(), record: Mutex::default(), silent }
    }

    /// Since the run began.
    pub fn now(&self) -> Duration {
        self.watch.elapsed()
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        // Counters are whole after every line; a panic elsewhere does not spoil them.
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message is about to be sent.
    pub fn sends(&self, message: &Written, sort: Sort, due: Duration) {
        let to = message.to.iter().map(|place| (*place, 0)).collect();
        let (exchange, from) = (message.exchange, message.from);
        let mut record = self.record();
        record.entries.insert(message.id, Entry { sort, due, exchange, from, door: Door::Open, to });
        record.tallies[sort as usize].sent += 1;
        record.moves += 1;
    }

    /// The broker has confirmed it.
    pub fn confirmed(&self, id: MessageId) {
        let record = &mut *self.record();
        if let Some(entry) = record.entries.get_mut(&id).filter(|entry| entry.door == Door::Open) {
            entry.door = Door::Confirmed;
            record.moves += 1;
        }
    }

    /// The receipt is here; a second one changes nothing.
    pub fn accepted(&self, id: MessageId) {
        let now = self.now();
        let record = &mut *self.record();
        if let Some(entry) = record.entries.get_mut(&id).filter(|entry| entry.door != Door::Accepted) {
            entry.door = Door::Accepted;
            let tally = &mut record.tallies[entry.sort as usize];
            tally.accepted += 1;
            tally.receipt_us.push(micros(now.saturating_sub(entry.due)));
            (record.last_receipt, record.moves) = (now, record.moves + 1);
        }
    }

    /// The gateway has said no, with a stable code.
    pub fn refused(&self, id: MessageId, code: &str) {
        self.ended(id, Door::Refused, code);
    }

    /// Nobody can say whether the gateway has it.
    pub fn failed(&self, id: MessageId, why: &str) {
        self.ended(id, Door::Failed, why);
    }

    fn ended(&self, id: MessageId, door: Door, why: &str) {
        let record = &mut *self.record();
        let open = |entry: &&mut Entry| matches!(entry.door, Door::Open | Door::Confirmed);
        if let Some(entry) = record.entries.get_mut(&id).filter(open) {
            entry.door = door;
            let tally = &mut record.tallies[entry.sort as usize];
            let of = if door == Door::Refused { &mut tally.refused } else { &mut tally.failed };
            *of.entry(why.to_owned()).or_default() += 1;
            record.moves += 1;
        }
    }

    /// A letter is at a recipient.
    pub fn came(&self, recipient: usize, id: MessageId) -> Came {
        let now = self.now();
        let record = &mut *self.record();
        record.moves += 1;
        let known = record.entries.get_mut(&id).and_then(|entry| {
            let seen = entry.to.iter_mut().find(|(place, _)| *place == recipient)?;
            seen.1 += 1;
            Some((seen.1, entry.from, entry.sort, entry.due))
        });
        match known {
            None => {
                record.others += 1;
                Came::Other
            }
            Some((1, from, sort, due)) => {
                let tally = &mut record.tallies[sort as usize];
                tally.delivered += 1;
                tally.delivery_us.push(micros(now.saturating_sub(due)));
                Came::First { from }
            }
            Some(_) => {
                record.duplicates += 1;
                Came::Again
            }
        }
    }

    /// How things stand.
    pub fn standing(&self) -> Standing {
        let record = self.record();
        let [requests, answers] = &record.tallies;
        let both = |of: fn(&Tally) -> u64| of(requests) + of(answers);
        Standing {
            offered: requests.sent,
            sent: both(|tally| tally.sent),
            accepted: both(|tally| tally.accepted),
            refused: both(|tally| tally.refused.values().sum()),
            failed: both(|tally| tally.failed.values().sum()),
            delivered: both(|tally| tally.delivered),
            moves: record.moves,
        }
    }

    /// Messages at the door, or on the way to a recipient who takes letters.
    pub fn open(&self) -> usize {
        self.record().entries.values().filter(|entry| self.is_open(entry)).count()
    }

    fn is_open(&self, entry: &Entry) -> bool {
        match entry.door {
            Door::Open | Door::Confirmed => true,
            Door::Accepted => entry.to.iter().any(|(place, seen)| *seen == 0 && !self.silent.contains(place)),
            Door::Refused | Door::Failed => false,
        }
    }

    /// What was accepted or confirmed and not seen at its recipient.
    pub fn missing(&self) -> Vec<Missing> {
        let record = self.record();
        let taken = record.entries.iter().filter(|(_, entry)| matches!(entry.door, Door::Accepted | Door::Confirmed));
        let missing = taken.flat_map(|(id, entry)| {
            let unseen = entry.to.iter().filter(|(_, seen)| *seen == 0);
            unseen.map(|(place, _)| Missing {
                message: *id,
                exchange: entry.exchange,
                sort: entry.sort,
                from: entry.from,
                recipient: *place,
            })
        });
        missing.collect()
    }

    /// The end: what was counted of requests and of answers, and the rest.
    pub fn close(&self) -> Closed {
        let mut record = self.record();
        let receipts_missing = record.entries.values().filter(|entry| entry.door == Door::Confirmed).count() as u64;
        let [requests, answers] = std::mem::take(&mut record.tallies);
        let (duplicates, others, last_receipt) = (record.duplicates, record.others, record.last_receipt);
        Closed { requests, answers, receipts_missing, duplicates, others, last_receipt }
    }
}

/// What a run has counted.
pub(super) struct Closed {
    pub requests: Tally,
    pub answers: Tally,
    pub receipts_missing: u64,
    pub duplicates: u64,
    pub others: u64,
    pub last_receipt: Duration,
}

fn micros(span: Duration) -> u32 {
    u32::try_from(span.as_micros()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;
    use crate::domain::ids::TypeCode;
    use crate::domain::message::Format;
    use uuid::Uuid;

    fn written(to: usize) -> Written {
        let id = Uuid::new_v4();
        Written {
            id: MessageId(id),
            exchange: ExchangeId(id),
            type_code: TypeCode::new("request.information").unwrap(),
            format: Format::Json,
            content: bytes::Bytes::new(),
            from: 0,
            to: vec![to],
        }
    }

    #[test]
    fn a_message_is_missing_from_its_acceptance_until_its_recipient_has_it() {
        let ledger = Ledger::new(vec![2]);
        let [seen, lost, silent, refused] = [1, 1, 2, 1].map(written);
        for one in [&seen, &lost, &silent, &refused] {
            ledger.sends(one, Sort::Request, Duration::ZERO);
        }
        assert_eq!((ledger.open(), ledger.missing().len()), (4, 0));
        [&seen, &lost, &silent].iter().for_each(|one| ledger.accepted(one.id));
        ledger.refused(refused.id, "wrong");
        assert_eq!(ledger.came(1, seen.id), Came::First { from: 0 });
        assert_eq!(ledger.came(1, seen.id), Came::Again);
        assert_eq!(ledger.came(2, seen.id), Came::Other);
        let mut missing: Vec<MessageId> = ledger.missing().iter().map(|one| one.message).collect();
        let mut expected = vec![lost.id, silent.id];
        missing.sort();
        expected.sort();
        assert_eq!(missing, expected);
        assert_eq!(ledger.open(), 1, "who is silent is not waited for");
        let closed = ledger.close();
        assert_eq!((closed.duplicates, closed.others, closed.receipts_missing), (1, 1, 0));
        assert_eq!((closed.requests.accepted, closed.requests.delivered), (3, 1));
    }

    #[test]
    fn a_latency_counts_from_the_instant_at_which_the_message_was_due() {
        let ledger = Ledger::new(Vec::new());
        let message = written(1);
        while ledger.now() < Duration::from_millis(20) {
            std::thread::yield_now();
        }
        // Due at the beginning, sent late: the lateness is part of it.
        ledger.sends(&message, Sort::Request, Duration::ZERO);
        ledger.accepted(message.id);
        assert!(ledger.close().requests.receipt_us[0] >= 20_000);
    }

    #[test]
    fn what_the_broker_has_confirmed_and_nobody_has_receipted_is_told() {
        let ledger = Ledger::new(Vec::new());
        let message = written(1);
        ledger.sends(&message, Sort::Request, Duration::ZERO);
        ledger.confirmed(message.id);
        assert_eq!((ledger.missing().len(), ledger.open()), (1, 1));
        ledger.came(1, message.id);
        assert_eq!((ledger.missing().len(), ledger.close().receipts_missing), (0, 1));
    }
}
