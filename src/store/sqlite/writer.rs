//! The writer thread: it owns the one connection that writes.
//!
//! Promises: one transaction at a time, in the order asked for; while a unit is open everything else waits; a unit
//! that is dropped, or held too long, is rolled back. Never: confirms before the log is on disk.

use crate::domain::ids::{MessageId, ParticipantCode};
use crate::failpoint;
use crate::gateway::ports::decisions::{Register, Unit};
use crate::gateway::ports::{Changes, Keys, Loaded, StoreError};
use crate::store::sqlite::fault::unavailable;
use crate::store::sqlite::lock::Lock;
use crate::store::sqlite::{journal, load, save};
use async_trait::async_trait;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

/// A decision takes milliseconds; whoever holds a unit longer is stuck, and must not stop the gateway.
const UNIT_HELD_MAX: Duration = Duration::from_secs(30);
/// How long closing waits for the last transaction.
const CLOSING_MAX: Duration = Duration::from_secs(5);

/// The sending side.
pub(super) struct Writer {
    /// `None` once closing has begun.
    jobs: Option<Sender<Job>>,
    closed: Mutex<Receiver<()>>,
}

enum Job {
    Begin { keys: Box<Keys>, reply: Reply<(Loaded, Sender<Step>)> },
    Run(Box<dyn FnOnce(&mut Connection) + Send>),
}

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What is asked of an open unit.
enum Step {
    Registers { of: Vec<(ParticipantCode, i32)>, reply: Reply<HashMap<Register, u64>> },
    Commit { changes: Box<Changes>, reply: Reply<Vec<(MessageId, ParticipantCode)>> },
}

impl Writer {
    /// Starts the thread; it holds the lock until its connection is closed.
    pub(super) fn start(connection: Connection, lock: Option<Lock>) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let (closing, closed) = mpsc::channel();
        thread::Builder::new().name("store-writer".to_owned()).spawn(move || {
            work(connection, &queue);
            drop(lock);
            drop(closing);
        })?;
        Ok(Self { jobs: Some(jobs), closed: Mutex::new(closed) })
    }

    /// Opens a transaction and loads.
    pub(super) async fn begin(&self, keys: Keys) -> Result<(Box<dyn Unit>, Loaded), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Begin { keys: Box::new(keys), reply })?;
        let (loaded, steps) = answer.await.map_err(|_| gone())??;
        Ok((Box::new(SqliteUnit(steps)), loaded))
    }

    /// Does some work in a transaction of its own.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job = move |connection: &mut Connection| {
            // Nobody waiting any more is no fault: what was asked for is done all the same.
            let _ = reply.send(transact(connection, work));
        };
        self.send(Job::Run(Box::new(job)))?;
        answer.await.map_err(|_| gone())?
    }

    fn send(&self, job: Job) -> Result<(), StoreError> {
        self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).ok_or_else(gone)
    }
}

impl Drop for Writer {
    /// Waits until the file is closed, so that whoever opens it next finds it free.
    fn drop(&mut self) {
        self.jobs = None;
        if let Ok(closed) = self.closed.lock() {
            let _ = closed.recv_timeout(CLOSING_MAX);
        }
    }
}

fn gone() -> StoreError {
    unavailable("the writer of the store has ended, or had to give the transaction up")
}

fn work(mut connection: Connection, queue: &Receiver<Job>) {
    for job in queue {
        match job {
            Job::Begin { keys, reply } => unit(&mut connection, &keys, reply),
            Job::Run(run) => run(&mut connection),
        }
    }
}

fn transact<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let result = work(&transaction)?;
    transaction.commit()?;
    Ok(result)
}

/// One unit from its beginning to its end. Leaving early drops the transaction, which rolls it back.
fn unit(connection: &mut Connection, keys: &Keys, reply: Reply<(Loaded, Sender<Step>)>) {
    let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::from);
    let loaded = begun.and_then(|transaction| Ok((load::load(&transaction, keys)?, transaction)));
    let (transaction, loaded) = match loaded {
        Ok((loaded, transaction)) => (transaction, loaded),
        Err(error) => {
            let _ = reply.send(Err(error));
            return;
        }
    };
    let (steps, asked) = mpsc::channel();
    if reply.send(Ok((loaded, steps))).is_err() {
        return;
    }
    while let Ok(step) = asked.recv_timeout(UNIT_HELD_MAX) {
        match step {
            Step::Registers { of, reply } => {
                let _ = reply.send(journal::registers(&transaction, &of));
            }
            Step::Commit { changes, reply } => {
                let saved = save::save(&transaction, &changes).and_then(|leased| {
                    failpoint::reach("before-commit");
                    transaction.commit()?;
                    Ok(leased)
                });
                let _ = reply.send(saved);
                return;
            }
        }
    }
}

/// The caller's end of an open transaction.
struct SqliteUnit(Sender<Step>);

#[async_trait]
impl Unit for SqliteUnit {
    async fn registers(&mut self, of: Vec<(ParticipantCode, i32)>) -> Result<HashMap<Register, u64>, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Step::Registers { of, reply }).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    async fn commit(self: Box<Self>, changes: Changes) -> Result<Vec<(MessageId, ParticipantCode)>, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Step::Commit { changes: Box::new(changes), reply }).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}
