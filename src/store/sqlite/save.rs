//! Saving: everything that one transaction writes, with the counters that it moves.
//!
//! Promises: all or nothing. Never: commits; that is the writer's.

use crate::domain::decision::Event;
use crate::domain::ids::{MessageId, ParticipantCode};
use crate::gateway::ports::decisions::{Attempt, Claim, Claimed};
use crate::gateway::ports::notices::NoticeAttempt;
use crate::gateway::ports::{Changes, StoreError};
use crate::store::sqlite::counters::{self, Counters};
use crate::store::sqlite::refs::Refs;
use crate::store::sqlite::{
    attachments, by_hand, cases, disclosures, endings, events, exchanges, journal, messages, notices, outbox,
    quarantine,
};
use chrono::{DateTime, Utc};
use rusqlite::Connection;

/// Writes the changes. Exchanges come first, because everything else refers to them. Gives the deliveries that it has
/// leased.
pub(super) fn save(
    connection: &Connection,
    changes: &Changes,
) -> Result<Vec<(MessageId, ParticipantCode)>, StoreError> {
    let mut refs = Refs::new(connection)?;
    let mut counters = Counters::default();
    exchanges::save(connection, &changes.exchanges, (&mut refs, &mut counters))?;
    endings::save(connection, &changes.endings)?;
    messages::save(connection, &changes.messages, (&mut refs, &mut counters))?;
    attachments::save(connection, &changes.attachments)?;
    by_hand::save(connection, changes)?;
    let leased = outbox::queue(connection, changes, (&mut refs, &mut counters))?;
    outbox::prove(connection, (&changes.proofs, instant_of(changes)), &mut counters)?;
    journal::save(connection, &changes.journal)?;
    journal::save_registers(connection, &changes.registers)?;
    cases::save(connection, &changes.cases)?;
    disclosures::save(connection, &changes.disclosures)?;
    quarantine::save(connection, &changes.quarantine, &mut counters)?;
    notices::queue(connection, &changes.notices, &mut refs)?;
    events::save(connection, &changes.events, (&mut refs, &mut counters))?;
    counters::write(&counters, connection)?;
    Ok(leased)
}

/// Writes what became of deliveries.
pub(super) fn settle(connection: &Connection, attempts: &[Attempt], mut events: Vec<Event>) -> Result<(), StoreError> {
    let mut counters = Counters::default();
    let ignored = outbox::settle(connection, attempts, &mut counters)?;
    events.retain(|event| event.gives_up().is_none_or(|delivery| !ignored.contains(&delivery)));
    events::save(connection, &events, (&mut Refs::new(connection)?, &mut counters))?;
    counters::write(&counters, connection)
}

/// Writes down what became of notices.
pub(super) fn settle_notices(
    connection: &Connection,
    attempts: &[NoticeAttempt],
    events: &[Event],
) -> Result<(), StoreError> {
    let mut counters = Counters::default();
    notices::settle(connection, attempts)?;
    events::save(connection, events, (&mut Refs::new(connection)?, &mut counters))?;
    counters::write(&counters, connection)
}

/// Leases deliveries.
pub(super) fn claim(connection: &Connection, claim: &Claim) -> Result<Vec<Claimed>, StoreError> {
    let mut counters = Counters::default();
    let leased = outbox::claim(connection, claim, &mut counters)?;
    counters::write(&counters, connection)?;
    Ok(leased)
}

/// The instant of a batch, for what bears none of its own.
fn instant_of(changes: &Changes) -> Option<DateTime<Utc>> {
    let events = changes.events.iter().map(|event| event.at);
    events.chain(changes.messages.iter().map(|message| message.received_at)).max()
}
