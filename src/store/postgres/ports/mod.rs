//! The ports of the gateway, answered from PostgreSQL.
//!
//! Promises: every write is one transaction, every reading of several queries one snapshot. Never: holds SQL; that
//! stands with its table.

mod accounts;
mod decisions;
mod notices;
mod reads;
