//! Exchanges: written whole, loaded whole.
//!
//! Promises: what is loaded is what was written. Never: deletes an obligation that a caller left out.

use crate::domain::exchange::{Duty, Exchange, Parked, Root};
use crate::domain::ids::ExchangeId;
use crate::gateway::ports::StoreError;
use crate::store::sqlite::counters::Counters;
use crate::store::sqlite::fault::unwritable;
use crate::store::sqlite::refs::Refs;
use crate::store::sqlite::row::{Record, int};
use crate::store::sqlite::{alerts, obligations, rungs};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};

/// Writes exchanges with their obligations, rungs and alerts.
pub(super) fn save(
    connection: &Connection,
    exchanges: &[Exchange],
    (refs, counters): (&mut Refs<'_>, &mut Counters),
) -> Result<(), StoreError> {
    let mut roots = RootWriter::new(connection)?;
    let mut duties = DutyWriter::new(connection)?;
    for exchange in exchanges {
        let n = roots.save(refs.exchange(exchange.id)?, exchange)?;
        refs.wrote_exchange(exchange.id, n);
        for duty in &exchange.duties {
            let duty_n = duties.save(n, duty, counters)?;
            refs.wrote_obligation(duty.obligation.id, duty_n);
        }
    }
    Ok(())
}

/// Writes the exchange itself: its root and what is parked. An upsert that returns the row would be one statement
/// instead of two, and cost a temporary table each time.
struct RootWriter<'c> {
    insert: CachedStatement<'c>,
    update: CachedStatement<'c>,
}

impl<'c> RootWriter<'c> {
    fn new(connection: &'c Connection) -> Result<Self, StoreError> {
        Ok(Self {
            insert: connection
                .prepare_cached("INSERT INTO exchange (id, root, parked, parked_count) VALUES (?1, ?2, ?3, ?4)")?,
            update: connection
                .prepare_cached("UPDATE exchange SET root = ?2, parked = ?3, parked_count = ?4 WHERE n = ?1")?,
        })
    }

    fn save(&mut self, known: Option<i64>, exchange: &Exchange) -> Result<i64, StoreError> {
        let root = exchange.root.as_ref().map(serde_json::to_string).transpose().map_err(unwritable)?;
        let parked = serde_json::to_string(&exchange.parked).map_err(unwritable)?;
        let count = int(exchange.parked.len());
        let Some(n) = known else {
            return Ok(self.insert.insert(params![exchange.id.0.as_bytes(), root, parked, count])?);
        };
        self.update.execute(params![n, root, parked, count])?;
        Ok(n)
    }
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

    fn save(&mut self, exchange: i64, duty: &Duty, counters: &mut Counters) -> Result<i64, StoreError> {
        let (n, is_new) = self.obligation.save(exchange, &duty.obligation, counters)?;
        if !is_new {
            self.rungs.clear(n)?;
            self.alert.clear(n)?;
        }
        self.rungs.add(n, &duty.rungs)?;
        if let Some(alert) = &duty.alert {
            self.alert.add(n, alert)?;
        }
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
