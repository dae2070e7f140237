//! Scans and whole documents take memory and a core: a few at a time, the others wait their turn.
//!
//! Promises: at most [`DOCUMENTS_MAX`] at the same time; who waits too long is told to try again. Never: a turn that
//! outlives its request.

use crate::web::limits::DOCUMENTS_MAX;
use crate::web::problem::Problem;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

/// The turns.
pub(super) struct Documents(Semaphore);

impl Default for Documents {
    fn default() -> Self {
        Self(Semaphore::new(DOCUMENTS_MAX))
    }
}

impl Documents {
    /// A turn; it ends when it is dropped.
    ///
    /// # Errors
    /// `unavailable` (503) after that long.
    pub(super) async fn turn(&self, patience: Duration) -> Result<SemaphorePermit<'_>, Problem> {
        match timeout(patience, self.0.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(Problem::unavailable("too many documents are being made; try again")),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_fifth_document_waits_until_one_of_four_is_made() {
        let documents = Documents::default();
        let mut turns = Vec::new();
        for _ in 0..4 {
            turns.push(documents.turn(Duration::from_secs(30)).await.unwrap());
        }
        assert!(documents.turn(Duration::ZERO).await.is_err(), "all four are taken");
        turns.pop();
        assert!(documents.turn(Duration::from_secs(30)).await.is_ok());
    }
}
