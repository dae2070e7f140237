//! Loading: what the commands of one batch touch, inside the transaction of its unit.
//!
//! Promises: an exchange is loaded once, however many keys lead to it. Never: loads what no key names.

use crate::domain::exchange::Exchange;
use crate::domain::ids::ObligationId;
use crate::gateway::ports::{Keys, Loaded, StoreError};
use crate::store::sqlite::{cases, endings, exchanges, journal, messages, outbox};
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeSet;

/// Finds what the keys name.
pub(super) fn load(connection: &Connection, keys: &Keys) -> Result<Loaded, StoreError> {
    let registers = journal::registers(connection, &keys.registers)?;
    let mut loaded = Loaded { registers, ..Loaded::default() };
    for id in &keys.messages {
        loaded.seen.extend(messages::seen(connection, *id)?.map(|seen| (*id, seen)));
    }
    for id in &keys.exchanges {
        if !loaded.exchanges.contains_key(id) {
            loaded.exchanges.extend(exchanges::by_id(connection, *id)?.map(|exchange| (*id, exchange)));
        }
    }
    for id in &keys.answered {
        let Some(row) = messages::exchange_of(connection, *id)? else { continue };
        let exchange = exchange_of_row(connection, row, &mut loaded)?.map(|exchange| exchange.id);
        loaded.exchange_of.extend(exchange.map(|exchange| (*id, exchange)));
    }
    for id in &keys.obligations {
        obligation(connection, *id, &mut loaded)?;
    }
    let mut concerned: BTreeSet<String> = keys.duties_of_case.iter().cloned().collect();
    if keys.duties_of_roots {
        concerned.extend(loaded.exchanges.values().filter_map(|exchange| exchange.root.as_ref()?.case.clone()));
    }
    for case in &concerned {
        loaded.endings.insert(case.clone(), endings::of_case(connection, case)?);
        for row in endings::exchanges_with_duties(connection, case)? {
            exchange_of_row(connection, row, &mut loaded)?;
        }
    }
    for (message, recipient) in &keys.given_up {
        if outbox::is_given_up(connection, *message, recipient)? {
            loaded.given_up.insert((*message, recipient.clone()));
        }
    }
    for (message, recipient) in &keys.waiting {
        if outbox::is_waiting(connection, *message, recipient)? {
            loaded.waiting.insert((*message, recipient.clone()));
        }
    }
    let of_roots = loaded.exchanges.values().filter_map(|exchange| exchange.root.as_ref()?.case.as_deref());
    let numbers: BTreeSet<&str> = keys.cases.iter().map(String::as_str).chain(of_roots).collect();
    for number in numbers {
        cases::by_number(connection, number, &mut loaded.cases)?;
    }
    Ok(loaded)
}

fn exchange_of_row<'l>(
    connection: &Connection,
    row: i64,
    loaded: &'l mut Loaded,
) -> Result<Option<&'l Exchange>, StoreError> {
    let Some(id) = exchanges::id(connection, row)? else { return Ok(None) };
    if !loaded.exchanges.contains_key(&id) {
        loaded.exchanges.extend(exchanges::by_row(connection, row)?.map(|exchange| (id, exchange)));
    }
    Ok(loaded.exchanges.get(&id))
}

/// The exchange of an obligation, and whether the message that opened it, the root, is still under way.
fn obligation(connection: &Connection, id: ObligationId, loaded: &mut Loaded) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached("SELECT exchange FROM obligation WHERE id = ?1")?;
    let row: Option<i64> = statement.query_row([id.0.as_bytes()], |row| row.get(0)).optional()?;
    let Some(row) = row else { return Ok(()) };
    let Some(exchange) = exchange_of_row(connection, row, loaded)? else { return Ok(()) };
    let opening = exchange.root.as_ref().zip(exchange.duty(id));
    let undelivered = match opening {
        Some((root, duty)) => outbox::is_under_way(connection, root.message, &duty.obligation.performer)?,
        None => false,
    };
    let exchange = exchange.id;
    loaded.exchange_of_obligation.insert(id, exchange);
    if undelivered {
        loaded.undelivered.insert(id);
    }
    Ok(())
}
