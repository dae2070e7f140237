//! Mail over SMTP: short notices and digests to people, with numbers, dates and a link.
//!
//! Promises: `Ok` only after the server has taken the mail; the same Message-ID over all retries; over TLS, except to
//! this very machine. Never: a child's data; a second recipient; the client library outside this folder.

mod outlet;
mod verdict;

pub use outlet::{MailConfig, MailFault, MailOutlet, Security};
