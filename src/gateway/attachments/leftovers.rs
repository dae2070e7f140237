//! Files that nobody names: put, and never sent with a message.
//!
//! Promises: a file that a message names is never removed; its row goes after the file, so that none is forgotten.
//! Never: a list of what lies in the folder or the bucket; the rows say it.

use crate::gateway::Gateway;
use crate::gateway::ports::attachments::Leftovers;
use crate::gateway::rejection::Rejection;
use chrono::TimeDelta;
use std::time::Duration;

/// Files that are removed at a time.
const BATCH: usize = 100;

impl Gateway {
    /// Removes files that no message names and nobody has put again for that long; how many.
    ///
    /// # Errors
    /// `Unavailable`; what was not removed is taken up an hour later.
    pub async fn remove_leftover_attachments(&self, older_than: TimeDelta) -> Result<usize, Rejection> {
        let mut removed = 0;
        loop {
            let now = self.now();
            let leftovers = Leftovers { untouched_since: now - older_than, now, limit: BATCH };
            let names = self.0.store.claim_leftovers(leftovers).await?;
            for name in &names {
                self.0.objects.remove(name).await?;
                self.0.store.object_removed(name).await?;
                removed += 1;
            }
            metrics::counter!("mezhved_attachments_removed_total").increment(names.len() as u64);
            if names.len() < BATCH {
                return Ok(removed);
            }
        }
    }

    /// Removes what was begun that long ago and never ended; how many.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn remove_unfinished_attachments(&self, older_than: Duration) -> Result<usize, Rejection> {
        Ok(self.0.objects.remove_unfinished(older_than).await?)
    }

    /// Whether files can be kept and read; the reason why not.
    pub async fn attachments_fault(&self) -> Option<String> {
        let fault = self.0.objects.check().await.err();
        metrics::gauge!("mezhved_attachments_up").set(if fault.is_none() { 1.0 } else { 0.0 });
        fault.map(|fault| format!("attachments: {fault}"))
    }
}
