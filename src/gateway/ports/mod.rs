//! The ports: what the gateway needs of a store and of a channel, in the gateway's own words.
//!
//! Promises: no word of SQL, of a broker or of HTTP. A store is one transaction per batch of decisions; what it has
//! confirmed is on disk. Never: a port for something that has only one implementation in sight.

pub mod accounts;
pub mod attachments;
pub mod cases;
pub mod decisions;
pub mod inbound;
pub mod notices;
pub mod objects;
pub mod outlet;
pub mod reads;
pub mod scans;

pub use accounts::Accounts;
pub use attachments::Attachments;
pub use decisions::{Changes, Decisions, Keys, Loaded, Unit};
pub use inbound::Inbound;
pub use notices::{Notices, Teller};
pub use objects::Objects;
pub use outlet::Outlet;
pub use reads::Reads;

/// The whole store, as the composition root hands it around.
pub trait Store: Decisions + Reads + Accounts + Notices + Attachments {}

impl<T: Decisions + Reads + Accounts + Notices + Attachments> Store for T {}

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The world is down: retried with backoff. Nothing was changed, or it is not known whether it was.
    #[error("the store is not available: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Our own record is impossible: that exchange stops, an alarm is raised.
    #[error("the record {table}.{column} of {row} cannot be read: {problem}")]
    Inconsistent { table: &'static str, column: &'static str, row: String, problem: String },
    /// The unit is to change letters on record, and somebody writes down just now what became of such. Nothing was
    /// changed: begin again with [`decisions::Keys::letters`].
    #[error("letters on record are being settled")]
    LettersHeld,
    /// A constraint of the database said no; the batch must be taken apart to find the one that it means.
    #[error("the store refuses what was to be written: {0}")]
    Rejected(#[source] Box<dyn std::error::Error + Send + Sync>),
}
