//! The committer: everything that is decided goes through it, many jobs to one transaction.
//!
//! Promises: nobody is answered before the commit; a job that the store cannot write is found by taking the batch
//! apart, and the others do not feel it; likewise one that is refused when a part of it was done, that panics, or that
//! alone finds the store away. Never: waits for more jobs (a batch is what has come meanwhile); blames a job for a store
//! that is away.

mod apart;

use crate::domain::decide::Command;
use crate::domain::decision::Refusal;
use crate::domain::ids::{ExchangeId, MessageId, ObligationId, ParticipantCode};
use crate::failpoint;
use crate::flaw::{self, Flaw};
use crate::gateway::Inner;
use crate::gateway::act::RegistrationNotice;
use crate::gateway::arrival::{Received, Submitted, stopping};
use crate::gateway::cases::{CaseCommand, Disclosing, Reader};
use crate::gateway::commands;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::{Changes, Keys, OutboxRow, QuarantineRow, Unit};
use crate::gateway::ports::notices::NoticeRow;
use crate::gateway::ports::scans::Handover;
use crate::gateway::rejection::{Rejection, RejectionKind};
use crate::gateway::working_set::WorkingSet;
use crate::limits::BATCH_BYTES_MAX;
use apart::Suspects;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Weak};
use tokio::sync::{mpsc, oneshot};

/// Jobs of one transaction at most.
const BATCH_MAX: usize = 256;

type Answer<T> = oneshot::Sender<Result<T, Rejection>>;

/// Something to be decided, with the way back to who asked.
pub(super) enum Job {
    Receive {
        received: Box<Received>,
        answer: Answer<Submitted>,
    },
    /// A command about one obligation.
    Decide {
        obligation: ObligationId,
        command: Box<Command>,
        answer: Answer<()>,
    },
    /// A person of the centre has closed the case: its duties end.
    EndDuties {
        case: String,
        centre: ParticipantCode,
        by: String,
        answer: Answer<()>,
    },
    /// What could not be taken, kept for a person, and the refusal to its sender.
    Refuse {
        quarantine: Box<QuarantineRow>,
        receipt: Option<Box<OutboxRow>>,
        /// Nothing is done if its message is on record by now.
        unless_taken: bool,
        answer: Answer<()>,
    },
    /// Digests that are due.
    Notify {
        rows: Vec<NoticeRow>,
        answer: Answer<()>,
    },
    /// A letter that was given up goes out once more.
    SendAgain {
        message: MessageId,
        recipient: ParticipantCode,
        exchange: Option<ExchangeId>,
        answer: Answer<()>,
    },
    /// Something of a case is about to be given to somebody.
    Disclose {
        what: Disclosing,
        reader: Reader,
        answer: Answer<()>,
    },
    /// A decision about a case.
    Case {
        command: Box<CaseCommand>,
        answer: Answer<()>,
    },
    /// People have handed a letter over.
    HandOver {
        handover: Box<Handover>,
        exchange: Option<ExchangeId>,
        answer: Answer<()>,
    },
    /// A recipient registers a letter of its inbox.
    Register {
        message: MessageId,
        recipient: ParticipantCode,
        exchange: Option<ExchangeId>,
        notice: Box<RegistrationNotice>,
        answer: Answer<()>,
    },
}

/// What a job's answer will be once the batch is committed.
pub(super) enum Outcome {
    Submitted(Submitted),
    Done,
}

type Decided = Result<Outcome, Rejection>;

/// Why a batch was not committed.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A job of several was refused when a part of it was done already: what it did cannot be told from the rest.
    #[error("a job was refused when a part of it was done")]
    HalfDone,
    /// A fault of ours; the transaction is rolled back, and the committer lives on.
    #[error("a decision panicked")]
    Panicked,
}

/// Runs until every gateway handle is gone.
pub(super) async fn run(inner: Weak<Inner>, mut waiting: mpsc::Receiver<Job>) {
    let (mut batch, mut suspects) = (Vec::with_capacity(BATCH_MAX), Suspects::default());
    while waiting.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let Some(inner) = inner.upgrade() else { return };
        let (alone, mut left): (Vec<Job>, Vec<Job>) = batch.drain(..).partition(|job| suspects.has(job));
        while !left.is_empty() {
            let rest = left.split_off(fitting(&left));
            commit_batch(&inner, left, &mut suspects).await;
            left = rest;
        }
        apart::each_suspect(&inner, alone, &mut suspects).await;
    }
}

/// How many of these one transaction takes: those whose contents reach its limit together, one at least.
fn fitting(jobs: &[Job]) -> usize {
    let mut bytes = 0;
    let below = |job: &&Job| {
        let takes = bytes < BATCH_BYTES_MAX;
        bytes += job.bytes();
        takes
    };
    jobs.iter().take_while(below).count()
}

/// Answers every one of the jobs.
async fn commit_batch(inner: &Arc<Inner>, jobs: Vec<Job>, suspects: &mut Suspects) {
    metrics::histogram!("mezhved_commit_batch_jobs").record(jobs.len() as f64);
    match guarded(inner, &jobs).await {
        Ok(decided) => {
            jobs.into_iter().zip(decided).for_each(|(job, outcome)| suspects.settled(job, outcome));
            failpoint::reach("after-answer");
        }
        Err(Fault::Store(StoreError::Unavailable(cause))) => {
            tracing::error!(%cause, jobs = jobs.len(), "the store is not available; nothing of this batch was taken");
            apart::of_an_absent_store(inner, jobs, suspects).await;
        }
        Err(fault) if jobs.len() == 1 => {
            tracing::error!(%fault, "a job cannot be written");
            jobs.into_iter().for_each(|job| suspects.settled(job, Err(unwritable(&fault))));
        }
        Err(fault) => {
            tracing::warn!(%fault, jobs = jobs.len(), "a batch cannot be written; its jobs are tried one by one");
            apart::one_by_one(inner, jobs, suspects).await;
        }
    }
}

/// A panic ends nothing but what it was met in.
async fn guarded(inner: &Arc<Inner>, jobs: &[Job]) -> Result<Vec<Decided>, Fault> {
    let done = AssertUnwindSafe(decide_and_commit(inner, jobs)).catch_unwind().await;
    done.unwrap_or(Err(Fault::Panicked))
}

fn unavailable() -> Rejection {
    Rejection::new(
        RejectionKind::Unavailable,
        "unavailable",
        "the store is not available; nothing was taken; try again",
    )
}

/// Our own record or constraint says no: not the sender's fault, and trying again will not help until an operator has
/// looked; the sender keeps the message, and we answer that it was not taken.
fn unwritable(fault: &Fault) -> Rejection {
    tracing::error!(%fault, "alarm: a job cannot be written even alone");
    Rejection::new(RejectionKind::Unavailable, "internal", "the message could not be written; the operator is told")
}

async fn decide_and_commit(inner: &Arc<Inner>, jobs: &[Job]) -> Result<Vec<Decided>, Fault> {
    match attempt(inner, jobs, Keys::default()).await {
        // What became of letters may have changed meanwhile: it is decided anew.
        Err(Fault::Store(StoreError::LettersHeld)) => {
            metrics::counter!("mezhved_commits_begun_again_total").increment(1);
            attempt(inner, jobs, Keys { letters: true, ..Keys::default() }).await
        }
        done => done,
    }
}

/// Decides and commits a batch; `keys` is what is known of it before its jobs are asked.
async fn attempt(inner: &Arc<Inner>, jobs: &[Job], mut keys: Keys) -> Result<Vec<Decided>, Fault> {
    let directory = inner.directory();
    // One instant for the whole batch: what is loaded for it and what is decided in it agree, also at New Year's midnight.
    let now = inner.now();
    let ctx = inner.context(&directory, now);
    jobs.iter().for_each(|job| commands::keys(job, |code| inner.year_at(code, now), &mut keys));
    failpoint::reach("before-begin");
    let (mut unit, loaded) = inner.store.begin(keys).await?;
    failpoint::reach("after-load");
    let mut work = WorkingSet::new(inner, ctx, loaded);
    load_named_registers(&mut *unit, jobs, &mut work).await?;
    let (decided, is_half_done) = decide_all(jobs, &mut work);
    if is_half_done {
        // Alone, it is dropped whole with all that it did; among others, each is tried by itself.
        return if jobs.len() == 1 { Ok(decided) } else { Err(Fault::HalfDone) };
    }
    let changes = work.into_changes();
    if has_something(&changes) {
        failpoint::reach("after-decide");
        if flaw::is(Flaw::ReceiptBeforeCommit) {
            tokio::spawn(commit(Arc::clone(inner), unit, changes));
            return Ok(decided);
        }
        commit(Arc::clone(inner), unit, changes).await?;
        inner.changes.send_modify(|count| *count += 1);
    }
    Ok(decided)
}

async fn commit(inner: Arc<Inner>, unit: Box<dyn Unit>, mut changes: Changes) -> Result<(), StoreError> {
    let outside = flaw::is(Flaw::OutboxOutsideTransaction).then(|| std::mem::take(&mut changes.outbox));
    let promise = inner.passing.promise(&mut changes, inner.now());
    let committed = unit.commit(changes).await;
    if committed.is_ok() {
        failpoint::reach("after-commit");
    }
    promise.keep(&committed);
    committed?;
    let Some(outbox) = outside.filter(|outbox| !outbox.is_empty()) else { return Ok(()) };
    let (unit, _) = inner.store.begin(Keys::default()).await?;
    unit.commit(Changes { outbox, ..Changes::default() }).await.map(drop)
}

/// The outcome of each job, and whether one was refused that had changed something before.
fn decide_all(jobs: &[Job], work: &mut WorkingSet<'_>) -> (Vec<Decided>, bool) {
    let mut is_half_done = false;
    let decide = |job: &Job| {
        work.touched = false;
        let decided = commands::run(job, work);
        is_half_done |= decided.is_err() && work.touched;
        decided
    };
    (jobs.iter().map(decide).collect(), is_half_done)
}

/// Commands about obligations write letters between parties that only the loaded exchanges name.
async fn load_named_registers(unit: &mut dyn Unit, jobs: &[Job], work: &mut WorkingSet<'_>) -> Result<(), StoreError> {
    if !jobs.iter().any(|job| matches!(job, Job::Decide { .. })) {
        return Ok(());
    }
    let named = commands::named_registers(work);
    let registers = unit.registers(named).await?;
    work.loaded.registers.extend(registers);
    Ok(())
}

fn has_something(changes: &Changes) -> bool {
    !(changes.messages.is_empty()
        && changes.exchanges.is_empty()
        && changes.endings.is_empty()
        && changes.outbox.is_empty()
        && changes.proofs.is_empty()
        && changes.quarantine.is_empty()
        && changes.notices.is_empty()
        && changes.disclosures.is_empty()
        && changes.events.is_empty())
}

impl Job {
    /// What it brings to be written, as far as that can be much.
    fn bytes(&self) -> usize {
        match self {
            Self::Receive { received, .. } => received.content.len(),
            Self::Refuse { quarantine, .. } => quarantine.content.len(),
            _ => 0,
        }
    }

    fn answer(self, outcome: Decided) {
        // Who asked may have gone away; what was decided stands all the same.
        match (self, outcome) {
            (Self::Receive { answer, .. }, Ok(Outcome::Submitted(submitted))) => {
                // Here and not where it is decided: what is decided anew is answered once.
                metrics::counter!("mezhved_messages_repeated_total").increment(u64::from(submitted.duplicate));
                drop(answer.send(Ok(submitted)));
            }
            (Self::Receive { answer, .. }, Ok(Outcome::Done)) => drop(answer.send(Err(stopping()))),
            (Self::Receive { received, answer }, Err(rejection)) => {
                commands::alarm(&received, &rejection);
                drop(answer.send(Err(rejection)));
            }
            (
                Self::Decide { answer, .. }
                | Self::EndDuties { answer, .. }
                | Self::Refuse { answer, .. }
                | Self::Notify { answer, .. }
                | Self::SendAgain { answer, .. }
                | Self::Disclose { answer, .. }
                | Self::Case { answer, .. }
                | Self::HandOver { answer, .. }
                | Self::Register { answer, .. },
                outcome,
            ) => drop(answer.send(outcome.map(|_| ()))),
        }
    }
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        let kind = match &refusal {
            Refusal::NotYourObligation(_) => RejectionKind::Forbidden,
            Refusal::UnknownObligation | Refusal::UnknownAlert => RejectionKind::NotFound,
            Refusal::ObligationClosed(_) | Refusal::RungNotPrepared(_) | Refusal::RungWithoutAddressee(..) => {
                RejectionKind::Conflict
            }
            _ => RejectionKind::Invalid,
        };
        Self::new(kind, refusal.code(), refusal.to_string())
    }
}
