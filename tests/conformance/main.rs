//! What every store promises, as tests against the ports.
//!
//! Promises: each test runs against every store of [`stores`]; what only SQLite has (its file, its lock, its
//! migrations) stands apart in `sqlite`. Never: looks into a table, except where the database itself is the subject.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

mod access;
mod attachments;
mod cases;
mod due;
mod figures;
mod given;
mod outbox;
mod round_trip;
mod search;
mod shown;
mod sqlite;
mod units;

use mezhved::domain::exchange::Exchange;
use mezhved::domain::ids::ExchangeId;
use mezhved::gateway::ports::{Changes, Keys, Store, StoreError};
use mezhved::store::sqlite::SqliteStore;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A store under test; its folder goes when it does.
struct Subject {
    store: Arc<dyn Store>,
    #[expect(dead_code, reason = "held until the store is closed")]
    folder: Folder,
}

/// Every store there is, empty.
fn stores() -> Vec<Subject> {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.file("mezhved.db")).unwrap();
    vec![Subject { store: Arc::new(store), folder }]
}

/// A folder of its own for one test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("mezhved-conformance-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn save(store: &dyn Store, changes: Changes) {
    try_save(store, changes).await.unwrap();
}

async fn try_save(store: &dyn Store, changes: Changes) -> Result<(), StoreError> {
    let (unit, _) = store.begin(Keys::default()).await?;
    unit.commit(changes).await
}

async fn load(store: &dyn Store, id: ExchangeId) -> Option<Exchange> {
    let keys = Keys { exchanges: vec![id], ..Keys::default() };
    let (_unit, mut loaded) = store.begin(keys).await.unwrap();
    loaded.exchanges.remove(&id)
}
