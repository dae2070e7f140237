//! The sweep: asks which rungs are due and lets each climb.
//!
//! Promises: `sweep_once` does all that is due at its instant; an obligation that cannot be decided does not hold up
//! the others. Never: keeps a timer in memory (the rows are the timers).

use crate::domain::decide::Command;
use crate::domain::ids::ObligationId;
use crate::failpoint;
use crate::gateway::Gateway;
use crate::gateway::committer::Job;
use crate::gateway::rejection::Rejection;
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;

/// Obligations asked for at once.
const PAGE_MAX: usize = 512;
/// Obligations decided in one go. Messages that come meanwhile stand behind no more than these.
const PORTION: usize = 128;

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Obligations that were looked at.
    pub looked_at: usize,
    /// Obligations that could not be decided; each was logged.
    pub failed: usize,
}

impl Gateway {
    /// Fires every rung that is due now, and reopens alerts whose acknowledgement has run out.
    ///
    /// # Errors
    /// `Unavailable` when the store is; the next sweep does what is left.
    pub async fn sweep_once(&self) -> Result<Swept, Rejection> {
        let now = self.now();
        let mut swept = Swept::default();
        // What was decided is due no more; what is due all the same comes first in the next page, and would for ever.
        let (mut stuck, mut last): (HashSet<ObligationId>, HashSet<ObligationId>) = Default::default();
        loop {
            let page = self.0.store.due_obligations(now, PAGE_MAX + stuck.len()).await?;
            stuck.extend(page.iter().filter(|id| last.contains(id)));
            let fresh: Vec<ObligationId> = page.into_iter().filter(|id| !stuck.contains(id)).collect();
            if fresh.is_empty() {
                break;
            }
            swept.looked_at += fresh.len();
            for portion in fresh.chunks(PORTION) {
                swept.failed += self.climb_all(portion).await?;
            }
            last = fresh.into_iter().collect();
        }
        self.0.swept_us.store(self.now().timestamp_micros(), Ordering::Release);
        Ok(swept)
    }

    /// How many of these could not be decided; each is logged.
    async fn climb_all(&self, due: &[ObligationId]) -> Result<usize, Rejection> {
        let mut asked = Vec::with_capacity(due.len());
        for obligation in due.iter().copied() {
            let (answer, answered) = oneshot::channel();
            // Whether the opening message was delivered is known only when the batch has loaded it.
            let command = Box::new(Command::Sweep { obligation, delivered: true });
            self.0.hand_in(Job::Decide { obligation, command, answer }).await?;
            asked.push((obligation, answered));
        }
        failpoint::reach("sweep-asked");
        let mut failed = 0;
        for (obligation, answered) in asked {
            let outcome = answered.await.unwrap_or_else(|_| Err(super::arrival::stopping()));
            if let Err(passing) = &outcome
                && passing.is_passing()
                && passing.code == "unavailable"
            {
                return Err(passing.clone());
            }
            if let Err(fault) = outcome {
                tracing::error!(%obligation, %fault, "alarm: an obligation cannot be swept");
                failed += 1;
            }
        }
        failpoint::reach("sweep-decided");
        Ok(failed)
    }

    /// When the last whole sweep ended, by the gateway's clock.
    #[must_use]
    pub fn swept_at(&self) -> Option<DateTime<Utc>> {
        match self.0.swept_us.load(Ordering::Acquire) {
            0 => None,
            at => DateTime::from_timestamp_micros(at),
        }
    }

    /// Milliseconds since then.
    #[must_use]
    pub fn sweep_age_ms(&self) -> Option<u64> {
        let age = self.0.clock.now() - self.swept_at()?;
        u64::try_from(age.num_milliseconds()).ok().or(Some(0))
    }
}
