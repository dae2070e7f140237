//! Obligations: one row each, with the columns that queries ask for beside the record as a whole.
//!
//! Promises: the columns are computed from the facts at every write, so that they cannot drift from them; what did not
//! change is not written again. Never: reads a state from a column; the state is a function of the facts.

use crate::domain::ids::{ExchangeId, ObligationId};
use crate::domain::obligation::{Fact, Obligation, State};
use crate::gateway::ports::StoreError;
use crate::store::obligation_text::{self, Whole, urgency_code};
use crate::store::postgres::counters::{Counters, OBLIGATIONS_OPEN};
use crate::store::postgres::fault::unwritable;
use crate::store::postgres::row::Record;
use sqlx::PgConnection;
use sqlx::postgres::{PgBindIterExt, PgRow};
use std::collections::HashMap;
use uuid::Uuid;

/// A row that is on record.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) n: i64,
    exchange: i64,
    state: State,
}

/// The rows of these obligations that are on record.
pub(super) async fn known(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<HashMap<ObligationId, Known>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let query = sqlx::query("SELECT id, n, exchange, state FROM obligation WHERE id = ANY($1)").bind(ids);
    let read = |row: &PgRow| {
        let record = Record::new(row, "obligation");
        let (n, exchange) = (record.integer("n")?, record.integer("exchange")?);
        Ok((ObligationId(record.uuid("id")?), Known { n, exchange, state: record.one_of("state")? }))
    };
    query.fetch_all(connection).await?.iter().map(read).collect()
}

/// An obligation to be written, with the row of its exchange.
#[derive(Clone, Copy)]
pub(super) struct ToWrite<'a> {
    pub(super) exchange: i64,
    pub(super) one: &'a Obligation,
}

/// Writes obligations; gives the rows of those that were new.
pub(super) async fn save(
    connection: &mut PgConnection,
    obligations: &[ToWrite<'_>],
    (known, counters): (&HashMap<ObligationId, Known>, &mut Counters),
) -> Result<HashMap<ObligationId, i64>, StoreError> {
    for ToWrite { exchange, one } in obligations {
        count(one, *exchange, (known.get(&one.id), &mut *counters))?;
    }
    let (on_record, new): (Vec<ToWrite<'_>>, Vec<ToWrite<'_>>) =
        obligations.iter().copied().partition(|write| known.contains_key(&write.one.id));
    // What is new and yet on record is another exchange's, and refused.
    let mut written = write(connection, (INSERT, &new)).await?;
    written.extend(write(connection, (UPSERT, &on_record)).await?);
    Ok(written)
}

/// New ones, without a look for what they might meet.
const INSERT: &str = "INSERT INTO obligation (id, exchange, performer, controller, request_type, urgency, case_no,
             opened_at, state, due_on, due_at, interim, closed_at, renews_at, record)
         SELECT id, exchange, performer, controller, request_type, urgency, case_no, opened_at, state, due_on, due_at,
             interim, closed_at, renews_at, record::json
         FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                 $8::timestamptz[], $9::text[], $10::date[], $11::timestamptz[], $12::boolean[], $13::timestamptz[],
                 $14::timestamptz[], $15::text[])
             WITH ORDINALITY AS new (id, exchange, performer, controller, request_type, urgency, case_no, opened_at,
                 state, due_on, due_at, interim, closed_at, renews_at, record, place)
         ORDER BY place
         RETURNING id, n";

/// Those on record; the same columns.
const UPSERT: &str = "INSERT INTO obligation (id, exchange, performer, controller, request_type, urgency, case_no,
             opened_at, state, due_on, due_at, interim, closed_at, renews_at, record)
         SELECT id, exchange, performer, controller, request_type, urgency, case_no, opened_at, state, due_on, due_at,
             interim, closed_at, renews_at, record::json
         FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                 $8::timestamptz[], $9::text[], $10::date[], $11::timestamptz[], $12::boolean[], $13::timestamptz[],
                 $14::timestamptz[], $15::text[])
             WITH ORDINALITY AS new (id, exchange, performer, controller, request_type, urgency, case_no, opened_at,
                 state, due_on, due_at, interim, closed_at, renews_at, record, place)
         ORDER BY place
         ON CONFLICT (id) DO UPDATE SET performer = excluded.performer, controller = excluded.controller,
             request_type = excluded.request_type, urgency = excluded.urgency, case_no = excluded.case_no,
             opened_at = excluded.opened_at, state = excluded.state, due_on = excluded.due_on,
             due_at = excluded.due_at, interim = excluded.interim, closed_at = excluded.closed_at,
             renews_at = excluded.renews_at, record = excluded.record
         WHERE obligation.exchange = excluded.exchange
             AND (obligation.record::text, obligation.performer, obligation.controller, obligation.request_type,
                 obligation.urgency, obligation.case_no, obligation.opened_at, obligation.state, obligation.due_on,
                 obligation.due_at, obligation.closed_at, obligation.renews_at)
             IS DISTINCT FROM (excluded.record::text, excluded.performer, excluded.controller, excluded.request_type,
                 excluded.urgency, excluded.case_no, excluded.opened_at, excluded.state, excluded.due_on,
                 excluded.due_at, excluded.closed_at, excluded.renews_at)
         RETURNING id, n";

/// Gives the rows that were written.
async fn write(
    connection: &mut PgConnection,
    (sql, obligations): (&'static str, &[ToWrite<'_>]),
) -> Result<HashMap<ObligationId, i64>, StoreError> {
    if obligations.is_empty() {
        return Ok(HashMap::new());
    }
    let ones = || obligations.iter().map(|write| write.one);
    let texts: Vec<String> = ones().map(obligation_text::write).collect::<Result<_, _>>().map_err(unwritable)?;
    let query = sqlx::query(sql)
        .bind(ones().map(|one| one.id.0).bind_iter())
        .bind(obligations.iter().map(|write| write.exchange).bind_iter())
        .bind(ones().map(|one| one.performer.as_str()).bind_iter())
        .bind(ones().map(|one| one.controller.as_str()).bind_iter())
        .bind(ones().map(|one| one.request_type.as_str()).bind_iter())
        .bind(ones().map(|one| urgency_code(one.urgency)).bind_iter())
        .bind(ones().map(|one| one.case.as_deref()).bind_iter())
        .bind(ones().map(|one| one.opened_at).bind_iter())
        .bind(ones().map(|one| one.state().code()).bind_iter())
        .bind(ones().map(Obligation::due_on).bind_iter())
        .bind(ones().map(Obligation::due_at).bind_iter())
        .bind(ones().map(has_interim).bind_iter())
        .bind(ones().map(Obligation::closed_at).bind_iter())
        .bind(ones().map(|one| one.recurs.as_ref().and_then(|recurs| recurs.renews_at)).bind_iter())
        .bind(texts);
    let read = |row: &PgRow| {
        let record = Record::new(row, "obligation");
        Ok((ObligationId(record.uuid("id")?), record.integer("n")?))
    };
    query.fetch_all(connection).await?.iter().map(read).collect()
}

fn has_interim(one: &Obligation) -> bool {
    one.facts.iter().any(|fact| matches!(fact, Fact::Interim { .. }))
}

/// An obligation stays in its exchange.
pub(super) fn elsewhere() -> StoreError {
    StoreError::Rejected("an obligation of another exchange bears this id".into())
}

/// Counts the step of one obligation from its state on record.
fn count(
    one: &Obligation,
    exchange: i64,
    (known, counters): (Option<&Known>, &mut Counters),
) -> Result<(), StoreError> {
    if known.is_some_and(|known| known.exchange != exchange) {
        return Err(elsewhere());
    }
    let was_open = known.is_some_and(|known| known.state.is_open());
    counters.add(OBLIGATIONS_OPEN, i64::from(one.state().is_open()) - i64::from(was_open));
    Ok(())
}

/// An obligation with its row and the row of its exchange.
pub(super) struct Found {
    pub(super) n: i64,
    pub(super) exchange_n: i64,
    pub(super) obligation: Obligation,
}

impl Found {
    /// As a row that is on record.
    pub(super) fn known(&self) -> Known {
        Known { n: self.n, exchange: self.exchange_n, state: self.obligation.state() }
    }
}

/// The obligations of these exchanges, in the order in which they were opened.
pub(super) async fn of_exchanges(connection: &mut PgConnection, exchanges: &[i64]) -> Result<Vec<Found>, StoreError> {
    const OF: &str = "SELECT o.n, o.id, o.exchange, performer, controller, request_type, urgency, case_no, opened_at,
             record, x.id AS exchange_id
         FROM obligation o JOIN exchange x ON x.n = o.exchange WHERE o.exchange = ANY($1) ORDER BY o.n";
    if exchanges.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query(OF).bind(exchanges).fetch_all(connection).await?.iter().map(read).collect()
}

/// The obligations of these rows, in the order of their rows.
pub(super) async fn by_rows(connection: &mut PgConnection, rows: &[i64]) -> Result<Vec<Found>, StoreError> {
    const OF: &str = "SELECT o.n, o.id, o.exchange, performer, controller, request_type, urgency, case_no, opened_at,
             record, x.id AS exchange_id
         FROM obligation o JOIN exchange x ON x.n = o.exchange WHERE o.n = ANY($1) ORDER BY o.n";
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query(OF).bind(rows).fetch_all(connection).await?.iter().map(read).collect()
}

fn read(row: &PgRow) -> Result<Found, StoreError> {
    let record = Record::new(row, "obligation");
    let whole: Whole = record.json("record")?;
    let obligation = Obligation {
        id: ObligationId(record.uuid("id")?),
        exchange: ExchangeId(record.uuid("exchange_id")?),
        item: whole.item,
        performer: record.participant("performer")?,
        controller: record.participant("controller")?,
        request_type: record.type_code("request_type")?,
        answer_types: whole.answer_types,
        release: whole.release,
        urgency: record.one_of("urgency")?,
        case: record.opt_string("case_no")?,
        opened_at: record.instant("opened_at")?,
        due: whole.due,
        extension_days_max: whole.extension_days_max,
        suspensions_max: whole.suspensions_max,
        pauses: whole.pauses,
        recurs: whole.recurs,
        facts: whole.facts,
    };
    Ok(Found { n: record.integer("n")?, exchange_n: record.integer("exchange")?, obligation })
}
