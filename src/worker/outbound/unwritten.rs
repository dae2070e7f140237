//! What became of letters and is not written down yet.
//!
//! Promises: one transaction at a time writes down all that came before it; what it could not write is written first the
//! next time. Never: drops a record that the store has not taken (a panic excepted: then the leases run out, and the
//! letters go out again under the same ids).

use super::Dispatch;
use crate::domain::decision::Event;
use crate::gateway::ports::decisions::Attempt;
use crate::gateway::rejection::Rejection;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

/// While something waits for longer, nothing is claimed: an attempt that was begun in its time has some seconds of its
/// lease left when it ends.
const WAITS_MAX: Duration = Duration::from_secs(4);

/// What became of a letter, with what is told of it.
pub(super) type Record = (Attempt, Option<Event>);
/// How a transaction ended; what it could not write comes back.
pub(super) type Written = Result<Result<(), (Vec<Record>, Rejection)>, JoinError>;

/// The records that wait, and those that are being written.
#[derive(Default)]
pub(super) struct Unwritten {
    done: Vec<Record>,
    writing: JoinSet<Result<(), (Vec<Record>, Rejection)>>,
    in_writing: usize,
    /// Since when the oldest of each waits.
    done_since: Option<Instant>,
    writing_since: Option<Instant>,
    failed: bool,
}

impl Unwritten {
    pub fn add(&mut self, record: Record) {
        self.done_since.get_or_insert_with(Instant::now);
        self.done.push(record);
    }

    pub fn len(&self) -> usize {
        self.done.len() + self.in_writing
    }

    /// The last transaction could not write what it had.
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// Whether a lease of ours that has run out may be of a letter that has arrived.
    pub fn hides_arrivals(&self) -> bool {
        let oldest = self.writing_since.or(self.done_since);
        self.failed || oldest.is_some_and(|since| since.elapsed() >= WAITS_MAX)
    }

    /// Has it written down, unless that is under way already: then the next takes all that comes meanwhile.
    pub fn write<D: Dispatch>(&mut self, dispatch: &Arc<D>) {
        if self.done.is_empty() || !self.writing.is_empty() {
            return;
        }
        let (records, dispatch) = (std::mem::take(&mut self.done), Arc::clone(dispatch));
        self.in_writing = records.len();
        self.writing_since = self.done_since.take();
        self.writing.spawn(async move {
            let attempts = records.iter().map(|(attempt, _)| attempt.clone()).collect();
            let events = records.iter().filter_map(|(_, event)| event.clone()).collect();
            dispatch.settle(attempts, events).await.map_err(|fault| (records, fault))
        });
    }

    /// The end of the transaction that is under way; `None` while there is none. Nothing is lost when it is given up, and
    /// what it gives must go to [`Unwritten::ended`].
    pub async fn next(&mut self) -> Option<Written> {
        self.writing.join_next().await
    }

    /// Takes note of an end.
    ///
    /// # Errors
    /// Why nothing was written.
    pub fn ended(&mut self, written: Written) -> Result<(), Rejection> {
        self.in_writing = 0;
        let since = self.writing_since.take();
        self.failed = matches!(written, Ok(Err(_)));
        match written {
            Ok(Err((records, fault))) => {
                self.done.splice(0..0, records);
                self.done_since = since;
                Err(fault)
            }
            Ok(Ok(())) | Err(_) => Ok(()),
        }
    }
}
