//! Exchanges: written whole, loaded whole.
//!
//! Promises: what is loaded is what was written. Never: deletes an obligation that a caller left out.

use crate::domain::exchange::{Duty, Exchange, Parked, Root};
use crate::domain::ids::ExchangeId;
use crate::gateway::ports::StoreError;
use crate::store::sqlite::fault::unwritable;
use crate::store::sqlite::refs::Refs;
use crate::store::sqlite::row::{Record, int};
use crate::store::sqlite::{alerts, obligations, rungs};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};

/// Writes exchanges with their obligations, rungs and alerts.
pub(super) fn save(connection: &Connection, exchanges: &[Exchange], refs: &mut Refs<'_>) -> Result<(), StoreError> {
    let mut root = connection.prepare_cached(
        "INSERT INTO exchange (id, root, parked, parked_count) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE SET
             root = excluded.root, parked = excluded.parked, parked_count = excluded.parked_count
         RETURNING n",
    )?;
    let mut duties = DutyWriter::new(connection)?;
    for exchange in exchanges {
        let n = save_root(&mut root, exchange)?;
        refs.wrote_exchange(exchange.id, n);
        for duty in &exchange.duties {
            let duty_n = duties.save(n, duty)?;
            refs.wrote_obligation(duty.obligation.id, duty_n);
        }
    }
    Ok(())
}

fn save_root(statement: &mut CachedStatement<'_>, exchange: &Exchange) -> Result<i64, StoreError> {
    let root = exchange.root.as_ref().map(serde_json::to_string).transpose().map_err(unwritable)?;
    let parked = serde_json::to_string(&exchange.parked).map_err(unwritable)?;
    let count = int(exchange.parked.len());
    Ok(statement.query_row(params![exchange.id.0.as_bytes(), root, parked, count], |row| row.get(0))?)
}

/// An obligation with what is decided together with it.
struct DutyWriter<'c> {
    obligation: obligations::Writer<'c>,
    rungs: rungs::Writer<'c>,
    alert: alerts::Writer<'c>,
}

impl<'c> DutyWriter<'c> {
    fn new(connection: &'c Connection) -> Result<Self, StoreError> {
        Ok(Self {
            obligation: obligations::Writer::new(connection)?,
            rungs: rungs::Writer::new(connection)?,
            alert: alerts::Writer::new(connection)?,
        })
    }

    fn save(&mut self, exchange: i64, duty: &Duty) -> Result<i64, StoreError> {
        let n = self.obligation.save(exchange, &duty.obligation)?;
        self.rungs.save(n, &duty.rungs)?;
        self.alert.save(n, duty.alert.as_ref())?;
        Ok(n)
    }
}

/// The exchange of that id.
pub(super) fn by_id(connection: &Connection, id: ExchangeId) -> Result<Option<Exchange>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT n, id, root, parked FROM exchange WHERE id = ?1")?;
    load(connection, statement.query_and_then([id.0.as_bytes()], head)?.next())
}

/// The exchange of that row.
pub(super) fn by_row(connection: &Connection, n: i64) -> Result<Option<Exchange>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT n, id, root, parked FROM exchange WHERE n = ?1")?;
    load(connection, statement.query_and_then([n], head)?.next())
}

/// The root of the exchange of that row.
pub(super) fn root(connection: &Connection, n: i64) -> Result<Option<Root>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT n, root FROM exchange WHERE n = ?1")?;
    let read = |row: &Row<'_>| Record::new(row, "exchange").opt_json("root");
    Ok(statement.query_and_then([n], read)?.next().transpose()?.flatten())
}

/// The id of the exchange of that row.
pub(super) fn id(connection: &Connection, n: i64) -> Result<Option<ExchangeId>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id FROM exchange WHERE n = ?1")?;
    let read = |row: &Row<'_>| Ok(Record::new(row, "exchange").uuid("id"));
    statement.query_row([n], read).optional()?.transpose().map(|id| id.map(ExchangeId))
}

struct Head {
    n: i64,
    id: ExchangeId,
    root: Option<Root>,
    parked: Vec<Parked>,
}

fn head(row: &Row<'_>) -> Result<Head, StoreError> {
    let record = Record::new(row, "exchange");
    Ok(Head {
        n: record.integer("n")?,
        id: ExchangeId(record.uuid("id")?),
        root: record.opt_json("root")?,
        parked: record.json("parked")?,
    })
}

fn load(connection: &Connection, head: Option<Result<Head, StoreError>>) -> Result<Option<Exchange>, StoreError> {
    let Some(Head { n, id, root, parked }) = head.transpose()? else { return Ok(None) };
    let mut duties = Vec::new();
    for found in obligations::of_exchange(connection, (n, id))? {
        duties.push(duty(connection, found)?);
    }
    Ok(Some(Exchange { id, root, duties, parked }))
}

/// An obligation completed with its rungs and its alert.
pub(super) fn duty(connection: &Connection, found: obligations::Found) -> Result<Duty, StoreError> {
    let alert = alerts::of(connection, found.n, found.obligation.id)?;
    Ok(Duty { rungs: rungs::of(connection, found.n)?, alert, obligation: found.obligation })
}
