//! Saving: everything that one batch of decisions writes, inside the transaction of its unit.
//!
//! Promises: all or nothing. Never: commits; that is the writer's.

use crate::gateway::ports::{Changes, StoreError};
use crate::store::sqlite::refs::Refs;
use crate::store::sqlite::row::int;
use crate::store::sqlite::{events, exchanges, figures, journal, messages, outbox, quarantine};
use chrono::{DateTime, Utc};
use rusqlite::Connection;

/// Writes the changes. Exchanges come first, because everything else refers to them.
pub(super) fn save(connection: &Connection, changes: &Changes) -> Result<(), StoreError> {
    let mut refs = Refs::new(connection)?;
    exchanges::save(connection, &changes.exchanges, &mut refs)?;
    messages::save(connection, &changes.messages, &mut refs)?;
    let beyond = outbox::queue(connection, changes, &mut refs)?;
    outbox::prove(connection, &changes.proofs, instant_of(changes))?;
    journal::save(connection, &changes.journal)?;
    journal::save_registers(connection, &changes.registers)?;
    quarantine::save(connection, &changes.quarantine)?;
    events::save(connection, &changes.events, &mut refs)?;
    figures::accepted(connection, addressees(changes) + beyond)
}

/// The addressees of the accepted messages: each is owed a delivery.
fn addressees(changes: &Changes) -> i64 {
    int(changes.messages.iter().map(|message| message.recipients.len()).sum::<usize>())
}

/// The instant of a batch, for what bears none of its own.
fn instant_of(changes: &Changes) -> Option<DateTime<Utc>> {
    let events = changes.events.iter().map(|event| event.at);
    events.chain(changes.messages.iter().map(|message| message.received_at)).max()
}
