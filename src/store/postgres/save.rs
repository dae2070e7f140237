//! Saving: everything that one transaction writes, with the counters that it moves.
//!
//! Promises: all or nothing; a bounded number of statements whatever the batch size; counters last. Never: commits; that
//! is the unit's.

use crate::domain::exchange::Exchange;
use crate::domain::ids::ExchangeId;
use crate::gateway::ports::{Changes, StoreError};
use crate::store::postgres::counters::Counters;
use crate::store::postgres::outbox::Key;
use crate::store::postgres::refs::{Refs, Wanted};
use crate::store::postgres::unit::Hold;
use crate::store::postgres::{
    attachments, by_hand, cases, endings, events, exchanges, journal, messages, notices, outbox,
};
use sqlx::PgConnection;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// Writes the changes. Exchanges come first, because everything else refers to them. `refs` knows what this transaction
/// has loaded. Gives the deliveries that it has leased to the bearer.
pub(super) async fn save(
    connection: &mut PgConnection,
    changes: &Changes,
    (mut refs, hold): (Refs, &Hold),
) -> Result<Vec<Key>, StoreError> {
    refs.find(connection, wanted(changes, &refs)).await?;
    let mut counters = Counters::default();
    exchanges::save(connection, &last_of_each(&changes.exchanges), (&mut refs, &mut counters)).await?;
    endings::save(connection, &changes.endings).await?;
    messages::save(connection, &changes.messages, (&mut refs, &mut counters)).await?;
    attachments::save(connection, &changes.attachments).await?;
    by_hand::save(connection, changes).await?;
    let leased = outbox::queue_and_prove(connection, (changes, hold), (&refs, &mut counters)).await?;
    journal::save(connection, (&changes.journal, &changes.registers)).await?;
    cases::save(connection, &changes.cases).await?;
    events::save_disclosures(connection, &changes.disclosures).await?;
    events::save_quarantine(connection, &changes.quarantine, &mut counters).await?;
    notices::queue(connection, &changes.notices, &refs).await?;
    events::save(connection, &changes.events, (&refs, counters)).await?;
    Ok(leased)
}

/// Whether other gateways have something to look at.
pub(super) fn is_news(changes: &Changes) -> bool {
    !changes.events.is_empty() || !changes.outbox.is_empty() || !changes.notices.is_empty()
}

/// Every id that the rows refer to. Of an exchange that was looked for all obligations on record are known; others of it
/// are new.
fn wanted(changes: &Changes, refs: &Refs) -> Wanted {
    let mut wanted = Wanted::default();
    let exchanges = changes.exchanges.iter().map(|one| one.id).chain(changes.messages.iter().map(|one| one.exchange));
    let named = changes.outbox.iter().filter_map(|row| row.exchange);
    let told = changes.events.iter().filter_map(|event| event.exchange);
    wanted.exchanges.extend(exchanges.chain(named).chain(told).map(|id| id.0));
    let (loaded, others): (Vec<&Exchange>, _) = changes.exchanges.iter().partition(|one| refs.was_looked_for(one.id));
    let ids = |exchanges: Vec<&Exchange>| -> BTreeSet<Uuid> {
        exchanges.iter().flat_map(|one| &one.duties).map(|duty| duty.obligation.id.0).collect()
    };
    wanted.obligations = ids(others);
    let noticed = changes.notices.iter().filter_map(|row| row.obligation);
    let told = changes.events.iter().filter_map(|event| event.obligation);
    wanted.obligations.extend(noticed.chain(told).map(|id| id.0));
    wanted.obligations = wanted.obligations.difference(&ids(loaded)).copied().collect();
    wanted
}

/// An exchange that was changed twice is written as it is in the end.
fn last_of_each(exchanges: &[Exchange]) -> Vec<&Exchange> {
    let last: HashMap<ExchangeId, usize> = exchanges.iter().enumerate().map(|(place, one)| (one.id, place)).collect();
    exchanges.iter().enumerate().filter(|(place, one)| last.get(&one.id) == Some(place)).map(|(_, one)| one).collect()
}
