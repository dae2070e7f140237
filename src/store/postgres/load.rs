//! Loading: what the commands of one batch touch, inside the transaction of its unit.
//!
//! Promises: a handful of queries whatever the batch size; an exchange is loaded once, however many keys lead to it.
//! Never: loads what no key names.

use crate::domain::exchange::Exchange;
use crate::domain::ids::{ExchangeId, ObligationId};
use crate::gateway::ports::{Keys, Loaded, StoreError};
use crate::store::postgres::outbox::{self, Key};
use crate::store::postgres::refs::Refs;
use crate::store::postgres::row::Record;
use crate::store::postgres::{cases, endings, exchanges, journal, messages};
use sqlx::PgConnection;
use sqlx::postgres::{PgBindIterExt, PgRow};
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// Finds what the keys name, and remembers the rows of what it found.
pub(super) async fn load(connection: &mut PgConnection, keys: &Keys) -> Result<(Loaded, Refs), StoreError> {
    let mut refs = Refs::default();
    let mut loaded = Loaded {
        registers: journal::registers(connection, &keys.registers).await?,
        seen: messages::seen(connection, &keys.messages).await?,
        exchange_of: messages::exchanges_of(connection, &keys.answered).await?,
        exchange_of_obligation: exchanges_of_obligations(connection, &keys.obligations).await?,
        ..Loaded::default()
    };
    let named = keys.exchanges.iter().chain(loaded.exchange_of.values()).chain(loaded.exchange_of_obligation.values());
    let named: BTreeSet<Uuid> = named.map(|id| id.0).collect();
    loaded.exchanges = exchanges::by_ids(connection, &named.into_iter().collect::<Vec<_>>(), &mut refs).await?;
    duties_of_cases(connection, keys, (&mut loaded, &mut refs)).await?;
    deliveries(connection, keys, &mut loaded).await?;
    let of_roots = loaded.exchanges.values().filter_map(case_of_root);
    let numbers: BTreeSet<String> = keys.cases.iter().cloned().chain(of_roots).collect();
    loaded.cases = cases::by_numbers(connection, &numbers.into_iter().collect::<Vec<_>>()).await?;
    Ok((loaded, refs))
}

fn case_of_root(exchange: &Exchange) -> Option<String> {
    exchange.root.as_ref()?.case.clone()
}

async fn exchanges_of_obligations(
    connection: &mut PgConnection,
    ids: &[ObligationId],
) -> Result<HashMap<ObligationId, ExchangeId>, StoreError> {
    const OF: &str = "SELECT o.id, x.id AS exchange_id FROM obligation o JOIN exchange x ON x.n = o.exchange
         WHERE o.id = ANY($1)";
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let query = sqlx::query(OF).bind(ids.iter().map(|id| id.0).bind_iter());
    let read = |row: &PgRow| {
        let record = Record::new(row, "obligation");
        Ok((ObligationId(record.uuid("id")?), ExchangeId(record.uuid("exchange_id")?)))
    };
    query.fetch_all(connection).await?.iter().map(read).collect()
}

/// The ends of the cases concerned, and the exchanges that hold duties of them.
async fn duties_of_cases(
    connection: &mut PgConnection,
    keys: &Keys,
    (loaded, refs): (&mut Loaded, &mut Refs),
) -> Result<(), StoreError> {
    let mut concerned: BTreeSet<String> = keys.duties_of_case.iter().cloned().collect();
    if keys.duties_of_roots {
        concerned.extend(loaded.exchanges.values().filter_map(case_of_root));
    }
    let concerned: Vec<String> = concerned.into_iter().collect();
    loaded.endings = endings::of_cases(connection, &concerned).await?;
    let with_duties = endings::exchanges_with_duties(connection, &concerned).await?;
    let further: Vec<Uuid> =
        with_duties.into_iter().filter(|id| !loaded.exchanges.contains_key(&ExchangeId(*id))).collect();
    loaded.exchanges.extend(exchanges::by_ids(connection, &further, refs).await?);
    Ok(())
}

/// Where deliveries stand: those asked for, and those of the messages that opened the obligations asked for.
async fn deliveries(connection: &mut PgConnection, keys: &Keys, loaded: &mut Loaded) -> Result<(), StoreError> {
    let opening: Vec<(ObligationId, Key)> =
        keys.obligations.iter().filter_map(|id| Some((*id, opening(*id, loaded)?))).collect();
    let wanted: HashSet<Key> =
        keys.given_up.iter().chain(&keys.waiting).chain(opening.iter().map(|(_, key)| key)).cloned().collect();
    let standing = outbox::standings(connection, &wanted).await?;
    let holds = |key: &Key, what: fn(&outbox::Standing) -> bool| standing.get(key).is_some_and(what);
    loaded.given_up = keys.given_up.iter().filter(|key| holds(key, outbox::Standing::is_given_up)).cloned().collect();
    loaded.waiting = keys.waiting.iter().filter(|key| holds(key, outbox::Standing::is_waiting)).cloned().collect();
    let undelivered = opening.iter().filter(|(_, key)| holds(key, outbox::Standing::is_under_way));
    loaded.undelivered = undelivered.map(|(id, _)| *id).collect();
    Ok(())
}

/// The delivery of the message that opened an obligation, the root, to its performer.
fn opening(id: ObligationId, loaded: &Loaded) -> Option<Key> {
    let exchange = loaded.exchanges.get(loaded.exchange_of_obligation.get(&id)?)?;
    let duty = exchange.duty(id)?;
    Some((exchange.root.as_ref()?.message, duty.obligation.performer.clone()))
}
