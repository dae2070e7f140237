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
pub(super) struct Suspects(HashSet<Matter>);

impl Suspects {
    /// Whether a job is to be tried by itself.
    pub fn has(&self, job: &Job) -> bool {
        !self.0.is_empty() && matter(job).is_some_and(|matter| self.0.contains(&matter))
    }

    /// Answers a job that was taken, or refused.
    pub fn settled(&mut self, job: Job, outcome: Decided) {
        if !self.0.is_empty()
            && let Some(matter) = matter(&job)
        {
            self.0.remove(&matter);
        }
        job.answer(outcome);
    }

    /// Answers a job that alone was not taken.
    fn not_taken(&mut self, job: Job) {
        if self.0.len() >= SUSPECTS_MAX {
            self.0.clear();
        }
        self.0.extend(matter(&job));
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
    let (known, again): (Vec<Job>, Vec<Job>) = again.into_iter().partition(|job| suspects.has(job));
    known.into_iter().for_each(|job| suspects.not_taken(job));
    one_by_one(inner, again, suspects).await;
}

/// Each by itself, until the store takes nothing more: none of the rest was at fault then.
pub(super) async fn one_by_one(inner: &Arc<Inner>, jobs: Vec<Job>, suspects: &mut Suspects) {
    let (mut jobs, mut failed, mut away) = (jobs.into_iter(), Vec::new(), false);
    while !away && let Some(job) = jobs.next() {
        match guarded(inner, std::slice::from_ref(&job)).await {
            Ok(mut decided) => {
                failed.drain(..).for_each(|job| suspects.not_taken(job));
                suspects.settled(job, decided.pop().unwrap_or_else(|| Err(stopping())));
            }
            Err(Fault::Store(StoreError::Unavailable(cause))) => {
                tracing::error!(%cause, "the store did not take a job of this batch");
                failed.push(job);
                away = failed.len() >= IN_A_ROW || !inner.store.answers(inner.now()).await;
            }
            Err(fault) => suspects.settled(job, Err(unwritable(&fault))),
        }
    }
    for job in failed {
        if away { job.answer(Err(unavailable())) } else { suspects.not_taken(job) }
    }
    jobs.for_each(|job| job.answer(Err(unavailable())));
}
