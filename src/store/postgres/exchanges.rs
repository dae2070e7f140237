//! Exchanges: written whole, loaded whole, many at once.
//!
//! Promises: what is loaded is what was written; a batch costs the same few queries however many exchanges it has.
//! Never: deletes an obligation that a caller left out.

use crate::domain::escalation::Rungs;
use crate::domain::exchange::{Duty, Exchange, Parked, Root};
use crate::domain::ids::ExchangeId;
use crate::gateway::ports::StoreError;
use crate::store::postgres::counters::Counters;
use crate::store::postgres::fault::unwritable;
use crate::store::postgres::obligations::ToWrite;
use crate::store::postgres::refs::Refs;
use crate::store::postgres::row::Record;
use crate::store::postgres::{alerts, obligations, rungs};
use sqlx::PgConnection;
use sqlx::postgres::{PgBindIterExt, PgRow};
use std::collections::HashMap;
use uuid::Uuid;

/// Writes exchanges with their obligations, rungs and alerts. Each id comes once.
pub(super) async fn save(
    connection: &mut PgConnection,
    exchanges: &[&Exchange],
    (refs, counters): (&mut Refs, &mut Counters),
) -> Result<(), StoreError> {
    save_heads(connection, exchanges, refs).await?;
    let mut duties: Vec<&Duty> = Vec::new();
    let mut to_write = Vec::new();
    for exchange in exchanges {
        let n = refs.exchange(exchange.id).ok_or_else(unknown)?;
        duties.extend(&exchange.duties);
        to_write.extend(exchange.duties.iter().map(|duty| ToWrite { exchange: n, one: &duty.obligation }));
    }
    let written = obligations::save(connection, &to_write, (refs.known_obligations(), counters)).await?;
    refs.wrote_obligations(written);
    // What was neither on record in its exchange nor written now is on record in another one.
    let row = |duty: &Duty| refs.obligation(duty.obligation.id).ok_or_else(obligations::elsewhere);
    let rows: Vec<i64> = duties.iter().map(|duty| row(duty)).collect::<Result<_, StoreError>>()?;
    let known = duties.iter().filter_map(|duty| refs.known_obligations().get(&duty.obligation.id));
    let on_record: Vec<i64> = known.map(|known| known.n).collect();
    let ladders = duties.iter().map(|duty| &duty.rungs);
    rungs::save(connection, (&rows.iter().copied().zip(ladders).collect::<Vec<_>>(), &on_record)).await?;
    let raised = duties.iter().map(|duty| duty.alert.as_ref());
    alerts::save(connection, (&rows.iter().copied().zip(raised).collect::<Vec<_>>(), &on_record)).await
}

fn unknown() -> StoreError {
    StoreError::Inconsistent {
        table: "exchange",
        column: "n",
        row: String::new(),
        problem: "no row after it was written".to_owned(),
    }
}

/// Writes the exchanges themselves: their roots and what is parked. Those that were looked for and not found are new, and
/// cost no look for what they might meet.
async fn save_heads(connection: &mut PgConnection, exchanges: &[&Exchange], refs: &mut Refs) -> Result<(), StoreError> {
    const INSERT: &str = "INSERT INTO exchange (id, root, parked, parked_count)
         SELECT id, root::json, parked::json, parked_count
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::integer[]) AS new (id, root, parked, parked_count)
         RETURNING id, n";
    const SAVE: &str = "INSERT INTO exchange (id, root, parked, parked_count)
         SELECT id, root::json, parked::json, parked_count
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::integer[]) AS new (id, root, parked, parked_count)
         ON CONFLICT (id) DO UPDATE SET root = excluded.root, parked = excluded.parked,
             parked_count = excluded.parked_count
         WHERE (exchange.root::text, exchange.parked::text) IS DISTINCT FROM (excluded.root::text, excluded.parked::text)
         RETURNING id, n";
    let (new, others): (Vec<&Exchange>, Vec<&Exchange>) =
        exchanges.iter().partition(|one| refs.was_looked_for(one.id) && refs.exchange(one.id).is_none());
    write_heads(connection, (INSERT, &new), refs).await?;
    write_heads(connection, (SAVE, &others), refs).await
}

async fn write_heads(
    connection: &mut PgConnection,
    (sql, exchanges): (&'static str, &[&Exchange]),
    refs: &mut Refs,
) -> Result<(), StoreError> {
    if exchanges.is_empty() {
        return Ok(());
    }
    let root = |one: &&Exchange| one.root.as_ref().map(serde_json::to_string).transpose();
    let roots: Vec<Option<String>> = exchanges.iter().map(root).collect::<Result<_, _>>().map_err(unwritable)?;
    let parked = |one: &&Exchange| serde_json::to_string(&one.parked);
    let parked: Vec<String> = exchanges.iter().map(parked).collect::<Result<_, _>>().map_err(unwritable)?;
    let query = sqlx::query(sql)
        .bind(exchanges.iter().map(|one| one.id.0).bind_iter())
        .bind(roots)
        .bind(parked)
        .bind(exchanges.iter().map(|one| i32::try_from(one.parked.len()).unwrap_or(i32::MAX)).bind_iter());
    refs.wrote_exchanges(&query.fetch_all(connection).await?)
}

/// Exchanges that messages name and of which nothing is on record begin as unseen.
pub(super) async fn begin_unseen(
    connection: &mut PgConnection,
    ids: &[Uuid],
    refs: &mut Refs,
) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let query = sqlx::query("INSERT INTO exchange (id) SELECT * FROM unnest($1::uuid[]) RETURNING id, n").bind(ids);
    refs.wrote_exchanges(&query.fetch_all(connection).await?)
}

/// The exchanges of these ids that are on record; `refs` remembers what was looked for and what was found.
pub(super) async fn by_ids(
    connection: &mut PgConnection,
    ids: &[Uuid],
    refs: &mut Refs,
) -> Result<HashMap<ExchangeId, Exchange>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let query = sqlx::query("SELECT n, id, root, parked FROM exchange WHERE id = ANY($1)").bind(ids);
    let heads = query.fetch_all(&mut *connection).await?.iter().map(head).collect::<Result<Vec<_>, _>>()?;
    refs.loaded_exchanges(ids, heads.iter().map(|(n, exchange)| (exchange.id, *n)));
    let rows: Vec<i64> = heads.iter().map(|(n, _)| *n).collect();
    let mut found: HashMap<i64, Exchange> = heads.into_iter().collect();
    let obligations = obligations::of_exchanges(connection, &rows).await?;
    refs.loaded_obligations(&obligations);
    for (exchange, duty) in duties(connection, obligations).await? {
        found.entry(exchange).and_modify(|one| one.duties.push(duty));
    }
    Ok(found.into_values().map(|one| (one.id, one)).collect())
}

fn head(row: &PgRow) -> Result<(i64, Exchange), StoreError> {
    let record = Record::new(row, "exchange");
    let (root, parked): (Option<Root>, Vec<Parked>) = (record.opt_json("root")?, record.json("parked")?);
    let id = ExchangeId(record.uuid("id")?);
    Ok((record.integer("n")?, Exchange { id, root, duties: Vec::new(), parked }))
}

/// Obligations completed with their rungs and alerts, in the order given, each with the row of its exchange.
pub(super) async fn duties(
    connection: &mut PgConnection,
    found: Vec<obligations::Found>,
) -> Result<Vec<(i64, Duty)>, StoreError> {
    let rows: Vec<i64> = found.iter().map(|one| one.n).collect();
    let mut ladders = rungs::of(connection, &rows).await?;
    let mut raised = alerts::of(connection, &rows).await?;
    let complete = |one: obligations::Found| {
        let rungs = ladders.remove(&one.n).unwrap_or(Rungs { rows: Vec::new() });
        let alert = raised.remove(&one.n);
        (one.exchange_n, Duty { obligation: one.obligation, rungs, alert })
    };
    Ok(found.into_iter().map(complete).collect())
}
