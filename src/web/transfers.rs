//! Who may send or fetch a file now: a few at a time, and nobody takes every turn.
//!
//! Promises: uploads and downloads are bounded in number; one participant leaves turns to the others. Never: a turn that
//! outlives its transfer.

use crate::domain::ids::ParticipantCode;
use crate::web::limits::{DOWNLOADS_MAX, TRANSFER_WAIT, UPLOADS_IN_MAX, UPLOADS_OF_ONE_MAX};
use crate::web::problem::Problem;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The turns of files.
pub(super) struct Transfers {
    uploads: Arc<Semaphore>,
    downloads: Arc<Semaphore>,
    of_each: Arc<Mutex<HashMap<ParticipantCode, usize>>>,
}

/// A turn to send; it ends when it is dropped.
pub(super) struct UploadTurn {
    _permit: OwnedSemaphorePermit,
    _mine: Mine,
}

/// One of the uploads of a participant.
struct Mine {
    of_each: Arc<Mutex<HashMap<ParticipantCode, usize>>>,
    who: ParticipantCode,
}

impl Default for Transfers {
    fn default() -> Self {
        Self {
            uploads: Arc::new(Semaphore::new(UPLOADS_IN_MAX)),
            downloads: Arc::new(Semaphore::new(DOWNLOADS_MAX)),
            of_each: Arc::default(),
        }
    }
}

impl Transfers {
    /// A turn to send a file.
    ///
    /// # Errors
    /// `unavailable` (503): too many are under way, of this participant or of all.
    pub(super) async fn upload(&self, who: &ParticipantCode) -> Result<UploadTurn, Problem> {
        let mine = self.mine(who)?;
        let permit = turn(&self.uploads).await?;
        Ok(UploadTurn { _permit: permit, _mine: mine })
    }

    /// A turn to fetch a file.
    ///
    /// # Errors
    /// `unavailable` (503): too many are under way.
    pub(super) async fn download(&self) -> Result<OwnedSemaphorePermit, Problem> {
        turn(&self.downloads).await
    }

    fn mine(&self, who: &ParticipantCode) -> Result<Mine, Problem> {
        let mut of_each = self.of_each.lock().unwrap_or_else(PoisonError::into_inner);
        let under_way = of_each.entry(who.clone()).or_default();
        if *under_way >= UPLOADS_OF_ONE_MAX {
            let detail = format!("{UPLOADS_OF_ONE_MAX} attachments of yours are under way; send one after another");
            return Err(Problem::unavailable(&detail).closing());
        }
        *under_way += 1;
        Ok(Mine { of_each: Arc::clone(&self.of_each), who: who.clone() })
    }
}

impl Drop for Mine {
    fn drop(&mut self) {
        let mut of_each = self.of_each.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(under_way) = of_each.get_mut(&self.who) {
            *under_way -= 1;
            if *under_way == 0 {
                of_each.remove(&self.who);
            }
        }
    }
}

async fn turn(of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    match timeout(TRANSFER_WAIT, Arc::clone(of).acquire_owned()).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(Problem::unavailable("too many attachments are under way; try again").closing()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_participant_leaves_turns_to_the_others_and_gives_its_own_back() {
        let transfers = Transfers::default();
        let (one, other) = (ParticipantCode::new("school-1").unwrap(), ParticipantCode::new("school-2").unwrap());
        let mut turns = Vec::new();
        for _ in 0..UPLOADS_OF_ONE_MAX {
            turns.push(transfers.upload(&one).await.unwrap());
        }
        assert!(transfers.upload(&one).await.is_err(), "all of one participant's turns are taken");
        assert!(transfers.upload(&other).await.is_ok(), "the others have theirs");
        turns.pop();
        assert!(transfers.upload(&one).await.is_ok());
        drop(turns);
        assert!(transfers.of_each.lock().unwrap().is_empty(), "who sends nothing is forgotten");
    }
}
