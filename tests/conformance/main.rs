//! What every store promises, as tests against the ports.
//!
//! Promises: each test runs against every store of [`stores`], and a failure is told under the name of its store; what
//! only SQLite has (its file, its lock, its migrations) stands apart in `sqlite`. Never: looks into a table, except where
//! the database itself is the subject.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

mod access;
mod alone;
mod attachments;
mod beside;
mod cases;
mod copy;
mod desk;
mod due;
mod figures;
mod given;
mod gone;
mod handlings;
mod node;
mod notices;
mod outbox;
mod proofs;
mod replicas;
mod round_trip;
mod search;
mod shown;
mod sqlite;
mod taking;
mod units;

#[path = "../support/postgres.rs"]
#[allow(dead_code, reason = "each test program uses only some of the parts")]
mod postgres_node;

use mezhved::domain::exchange::Exchange;
use mezhved::domain::ids::ExchangeId;
use mezhved::gateway::ports::{Changes, Keys, Store, StoreError};
use mezhved::store::postgres::{PostgresOptions, PostgresStore};
use mezhved::store::sqlite::SqliteStore;
use postgres_node::{Database, Postgres};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A store under test; its place goes when it does.
struct Subject {
    store: Arc<dyn Store>,
    place: Place,
}

/// Where a store keeps its records.
enum Place {
    Folder(Folder),
    Database(Database<'static>),
}

impl Subject {
    /// What the database itself says to a statement that does not come from us.
    fn raw(&self, sql: &str) -> Result<(), String> {
        match &self.place {
            Place::Folder(folder) => {
                let connection = rusqlite::Connection::open(folder.file("mezhved.db")).unwrap();
                connection.execute_batch(sql).map_err(|refusal| refusal.to_string())
            }
            Place::Database(database) => database.try_sql(sql).map(|_| ()),
        }
    }
}

/// Every store there is, empty.
async fn stores() -> Stores {
    let folder = Folder::new();
    let sqlite = SqliteStore::open(&folder.file("mezhved.db")).unwrap();
    let sqlite = Subject { store: Arc::new(sqlite), place: Place::Folder(folder) };
    let database = Postgres::shared().database();
    let postgres = PostgresStore::open(&database.url(), PostgresOptions::default()).await.unwrap();
    let postgres = Subject { store: Arc::new(postgres), place: Place::Database(database) };
    Stores(vec![postgres, sqlite])
}

/// The stores one by one, each told when its turn comes: what a failed test printed last is where it failed.
struct Stores(Vec<Subject>);

impl Iterator for Stores {
    type Item = Subject;

    fn next(&mut self) -> Option<Subject> {
        let subject = self.0.pop()?;
        match &subject.place {
            Place::Folder(_) => println!("on SQLite"),
            Place::Database(database) => println!("on PostgreSQL ({})", database.name()),
        }
        Some(subject)
    }
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

/// As the gateway does: what is changed was loaded.
async fn try_save(store: &dyn Store, changes: Changes) -> Result<(), StoreError> {
    let exchanges = changes.exchanges.iter().map(|one| one.id).collect();
    let (unit, _) = store.begin(Keys { exchanges, ..Keys::default() }).await?;
    unit.commit(changes).await.map(drop)
}

/// The same of a unit that has loaded nothing.
async fn try_save_unloaded(store: &dyn Store, changes: Changes) -> Result<(), StoreError> {
    let (unit, _) = store.begin(Keys::default()).await?;
    unit.commit(changes).await.map(drop)
}

async fn load(store: &dyn Store, id: ExchangeId) -> Option<Exchange> {
    let keys = Keys { exchanges: vec![id], ..Keys::default() };
    let (_unit, mut loaded) = store.begin(keys).await.unwrap();
    loaded.exchanges.remove(&id)
}
