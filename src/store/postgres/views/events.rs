//! Events, as shown: the chronology of an exchange and the live stream.
//!
//! Promises: in the order of commits. Never: changes or deletes one.

use crate::domain::decision::Event;
use crate::domain::ids::{ExchangeId, MessageId, ObligationId};
use crate::gateway::ports::StoreError;
use crate::store::postgres::row::{Record, int};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use std::collections::HashMap;

/// Events after a number, with their numbers.
pub(in crate::store::postgres) async fn after(
    connection: &mut PgConnection,
    seq: u64,
    limit: usize,
) -> Result<Vec<(u64, Event)>, StoreError> {
    const SQL: &str = "SELECT seq, at, kind, exchange, obligation, message, participant, detail
         FROM event WHERE seq > $1 ORDER BY seq LIMIT $2";
    let rows = sqlx::query(SQL).bind(int(seq)).bind(int(limit)).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((Record::new(row, "event").integer("seq")?, read(row)?))).collect()
}

/// The number of the last event; 0 before the first.
pub(in crate::store::postgres) async fn last(connection: &mut PgConnection) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT coalesce(max(seq), 0) AS seq FROM event").fetch_one(connection).await?;
    Record::new(&row, "event").integer("seq")
}

/// The events of an exchange, oldest first.
pub(in crate::store::postgres) async fn of_exchange(
    connection: &mut PgConnection,
    exchange: i64,
) -> Result<Vec<Event>, StoreError> {
    const SQL: &str = "SELECT seq, at, kind, exchange, obligation, message, participant, detail
         FROM event WHERE exchange_n = $1 ORDER BY seq";
    sqlx::query(SQL).bind(exchange).fetch_all(connection).await?.iter().map(read).collect()
}

/// The latest thing that happened to each of these obligations; that somebody has read of it is none.
pub(in crate::store::postgres) async fn latest_of_obligations(
    connection: &mut PgConnection,
    obligations: &[i64],
) -> Result<HashMap<i64, Event>, StoreError> {
    const SQL: &str = "SELECT e.seq, e.at, e.kind, e.exchange, e.obligation, e.message, e.participant, e.detail, o.n
         FROM unnest($1::bigint[]) AS o (n) CROSS JOIN LATERAL (
             SELECT * FROM event WHERE obligation_n = o.n AND kind <> 'disclosure.evidence' ORDER BY seq DESC LIMIT 1) e";
    if obligations.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(SQL).bind(obligations).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((Record::new(row, "event").integer("n")?, read(row)?))).collect()
}

fn read(row: &PgRow) -> Result<Event, StoreError> {
    let record = Record::new(row, "event");
    Ok(Event {
        at: record.instant("at")?,
        kind: record.one_of("kind")?,
        exchange: record.opt_uuid("exchange")?.map(ExchangeId),
        obligation: record.opt_uuid("obligation")?.map(ObligationId),
        message: record.opt_uuid("message")?.map(MessageId),
        participant: record.opt_participant("participant")?,
        detail: record.opt_string("detail")?,
    })
}
