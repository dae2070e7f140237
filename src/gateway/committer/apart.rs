//! A batch that was not taken is taken apart: found out is which of its jobs is not taken, and the others are.
//!
//! Promises: of a store that is away nobody is blamed: a job is at fault only if others were taken, or would be; what was
//! found so is tried by itself from then on, and spoils no batch. Never: tries again what may be committed already and
//! would do more the second time; tries for long while the store takes nothing.

use super::{Fault, Job, guarded, unavailable, unwritable};
use crate::domain::decide::Command;
use crate::domain::ids::{MessageId, ObligationId};
use crate::gateway::Inner;
use crate::gateway::arrival::stopping;
use crate::gateway::committer::Decided;
use crate::gateway::ports::StoreError;
use crate::gateway::rejection::{Rejection, RejectionKind};
use std::collections::HashSet;
use std::sync::Arc;

/// So many jobs one after the other that are not taken: it is the store.
const IN_A_ROW: usize = 3;
/// So many suspects in a row, and the others are not tried this time, but first the next.
const SUSPECTS_IN_A_ROW: usize = 16;
/// Suspects that are remembered at most; who is forgotten spoils one more batch.
const SUSPECTS_MAX: usize = 1000;

/// What a job is about, if it may be decided twice: it does no more than once then, or no more than its delivery would
/// when it came again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Matter {
    Message(MessageId),
    Obligation(ObligationId),
    /// What could not be taken, under the id that it names.
    Refused(Option<MessageId>),
}

fn matter(job: &Job) -> Option<Matter> {
    match job {
        Job::Receive { received, .. } => Some(Matter::Message(received.message.envelope.id)),
        Job::Decide { obligation, command, .. } if matches!(**command, Command::Sweep { .. }) => {
            Some(Matter::Obligation(*obligation))
        }
        Job::Refuse { quarantine, .. } => Some(Matter::Refused(quarantine.message)),
        _ => None,
    }
}

/// What the store did not take while it took others.
#[derive(Default)]
pub(super) struct Suspects {
    matters: HashSet<Matter>,
    /// With whom the next round begins.
    turn: usize,
}

impl Suspects {
    /// Whether a job is to be tried by itself.
    pub fn has(&self, job: &Job) -> bool {
        !self.matters.is_empty() && matter(job).is_some_and(|matter| self.matters.contains(&matter))
    }

    /// Answers a job that was taken, or refused.
    pub fn settled(&mut self, job: Job, outcome: Decided) {
        if !self.matters.is_empty()
            && let Some(matter) = matter(&job)
        {
            self.matters.remove(&matter);
        }
        job.answer(outcome);
    }

    fn remember(&mut self, job: &Job) {
        if self.matters.len() >= SUSPECTS_MAX {
            self.matters.clear();
        }
        self.matters.extend(matter(job));
    }

    /// Answers a job that alone was not taken.
    fn not_taken(&mut self, job: Job) {
        self.remember(&job);
        tracing::error!("alarm: the store does not take this job, and takes others; it is tried again");
        let message = "the store does not take this now, though it takes others; nothing was taken; try again";
        job.answer(Err(Rejection::new(RejectionKind::Unavailable, "unavailable_for_this", message)));
    }
}

/// The store was not there for a batch: if it is now, what may be tried again is.
pub(super) async fn of_an_absent_store(inner: &Arc<Inner>, jobs: Vec<Job>, suspects: &mut Suspects) {
    let is_back = inner.store.answers(inner.now()).await;
    let (again, others): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(|job| is_back && matter(job).is_some());
    others.into_iter().for_each(|job| job.answer(Err(unavailable())));
    one_by_one(inner, again, suspects).await;
}

/// Each by itself, until the store takes nothing more: none of the rest was at fault then.
pub(super) async fn one_by_one(inner: &Arc<Inner>, jobs: Vec<Job>, suspects: &mut Suspects) {
    let (mut jobs, mut failed, mut stand) = (jobs.into_iter(), Vec::new(), Stand::Answers);
    while stand == Stand::Answers
        && let Some(job) = jobs.next()
    {
        match guarded(inner, std::slice::from_ref(&job)).await {
            Ok(mut decided) => {
                failed.drain(..).for_each(|job| suspects.not_taken(job));
                suspects.settled(job, decided.pop().unwrap_or_else(|| Err(stopping())));
            }
            Err(Fault::Store(StoreError::Unavailable(cause))) => {
                tracing::error!(%cause, "the store did not take a job of this batch");
                failed.push(job);
                stand = Stand::after(inner, failed.len()).await;
            }
            Err(fault) => suspects.settled(job, Err(unwritable(&fault))),
        }
    }
    for job in failed {
        match stand {
            Stand::Answers => suspects.not_taken(job),
            // It may be these all the same, neighbours in a block: then they stop no sweep the next time.
            Stand::TakesNothing => {
                suspects.remember(&job);
                job.answer(Err(unavailable()));
            }
            Stand::Away => job.answer(Err(unavailable())),
        }
    }
    for job in jobs {
        if stand == Stand::TakesNothing {
            suspects.remember(&job);
        }
        job.answer(Err(unavailable()));
    }
}

/// Those that were not taken before, each by itself and once, until the store is away or takes many in a row not.
pub(super) async fn each_suspect(inner: &Arc<Inner>, mut jobs: Vec<Job>, suspects: &mut Suspects) {
    let turn = suspects.turn.checked_rem(jobs.len()).unwrap_or_default();
    jobs.rotate_left(turn);
    let (mut stand, mut in_a_row) = (Stand::Answers, 0);
    for job in jobs {
        if stand == Stand::Away {
            job.answer(Err(unavailable()));
            continue;
        }
        if in_a_row >= SUSPECTS_IN_A_ROW {
            suspects.not_taken(job);
            continue;
        }
        metrics::histogram!("mezhved_commit_batch_jobs").record(1.0);
        match guarded(inner, std::slice::from_ref(&job)).await {
            Ok(mut decided) => {
                in_a_row = 0;
                suspects.settled(job, decided.pop().unwrap_or_else(|| Err(stopping())));
            }
            Err(Fault::Store(StoreError::Unavailable(cause))) => {
                tracing::error!(%cause, "the store did not take a job that it had not taken before");
                in_a_row += 1;
                suspects.turn = suspects.turn.wrapping_add(1);
                stand = Stand::after(inner, 0).await;
                if stand == Stand::Away { job.answer(Err(unavailable())) } else { suspects.not_taken(job) }
            }
            Err(fault) => suspects.settled(job, Err(unwritable(&fault))),
        }
    }
}

/// How the store stands to those that it did not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    /// It would decide, and write something small.
    Answers,
    /// It would, and took none of several.
    TakesNothing,
    Away,
}

impl Stand {
    /// After so many in a row that were not taken.
    async fn after(inner: &Arc<Inner>, in_a_row: usize) -> Self {
        match inner.store.answers(inner.now()).await {
            false => Self::Away,
            true if in_a_row >= IN_A_ROW => Self::TakesNothing,
            true => Self::Answers,
        }
    }
}
