//! The readers: a few connections that see the last committed state while the writer writes.
//!
//! Promises: a read is one snapshot; at most [`READERS_MAX`] run at once. Never: blocks a thread of the async runtime.

use crate::gateway::ports::StoreError;
use crate::store::sqlite::fault::unavailable;
use crate::store::sqlite::{OpenError, open};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;
use tokio::task;

/// Connections that read at the same time.
const READERS_MAX: usize = 4;

/// The pool.
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    /// A pool with one connection open, so that a fault shows at the start.
    pub(super) fn open(path: &Path) -> Result<Arc<Self>, OpenError> {
        let idle = Mutex::new(vec![open::reader(path)?]);
        Ok(Arc::new(Self { path: path.to_owned(), idle, permits: Arc::new(Semaphore::new(READERS_MAX)) }))
    }

    /// Does some reading.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| gone())?;
        let pool = Arc::clone(self);
        let read = task::spawn_blocking(move || {
            let result = pool.read(work);
            drop(permit);
            result
        });
        read.await.map_err(|_| gone())?
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open::reader(&self.path).map_err(|error| StoreError::Unavailable(Box::new(error)))?,
        };
        let snapshot = connection.unchecked_transaction()?;
        let result = work(&snapshot);
        drop(snapshot);
        self.idle().push(connection);
        result
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gone() -> StoreError {
    unavailable("a reader of the store has ended")
}
