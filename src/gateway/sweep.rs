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
use std::collections::HashSet;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;

/// Obligations asked for at once.
const PAGE_MAX: usize = 512;

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
        let mut stuck: HashSet<ObligationId> = HashSet::new();
        loop {
            let page = self.0.store.due_obligations(now, PAGE_MAX + stuck.len()).await?;
            let fresh: Vec<ObligationId> = page.into_iter().filter(|id| !stuck.contains(id)).collect();
            if fresh.is_empty() {
                break;
            }
            swept.looked_at += fresh.len();
            for (id, outcome) in self.climb_all(fresh).await? {
                // What was decided is due no more; what was not would come back in the next page for ever.
                stuck.insert(id);
                if let Err(fault) = outcome {
                    tracing::error!(obligation = %id, %fault, "alarm: an obligation cannot be swept");
                    swept.failed += 1;
                }
            }
        }
        self.0.swept_us.store(self.now().timestamp_micros(), Ordering::Release);
        Ok(swept)
    }

    async fn climb_all(&self, due: Vec<ObligationId>) -> Result<Vec<(ObligationId, Result<(), Rejection>)>, Rejection> {
        let mut asked = Vec::with_capacity(due.len());
        for obligation in due {
            let (answer, answered) = oneshot::channel();
            // Whether the opening message was delivered is known only when the batch has loaded it.
            let command = Box::new(Command::Sweep { obligation, delivered: true });
            self.0.hand_in(Job::Decide { obligation, command, answer }).await?;
            asked.push((obligation, answered));
        }
        failpoint::reach("sweep-asked");
        let mut outcomes = Vec::with_capacity(asked.len());
        for (obligation, answered) in asked {
            let outcome = answered.await.unwrap_or_else(|_| Err(super::arrival::stopping()));
            if let Err(passing) = &outcome
                && passing.is_passing()
                && passing.code == "unavailable"
            {
                return Err(passing.clone());
            }
            outcomes.push((obligation, outcome));
        }
        failpoint::reach("sweep-decided");
        Ok(outcomes)
    }

    /// Milliseconds since the last whole sweep, by the gateway's clock.
    #[must_use]
    pub fn sweep_age_ms(&self) -> Option<u64> {
        match self.0.swept_us.load(Ordering::Acquire) {
            0 => None,
            at => u64::try_from((self.0.clock.now().timestamp_micros() - at) / 1000).ok().or(Some(0)),
        }
    }
}
