//! Obligations: one row each, with the columns that queries ask for beside the record as a whole.
//!
//! Promises: the columns are computed from the facts at every write, so that they cannot drift from them.
//! Never: reads a state from a column; the state is a function of the facts.

use crate::domain::ids::{ExchangeId, ObligationId};
use crate::domain::obligation::{Fact, Obligation, State};
use crate::gateway::ports::StoreError;
use crate::store::obligation_text::{self, Whole, urgency_code};
use crate::store::sqlite::counters::{Counters, OBLIGATIONS_OPEN};
use crate::store::sqlite::fault::unwritable;
use crate::store::sqlite::row::{Record, micros};
use rusqlite::{CachedStatement, Connection, Row, params};

/// Writes obligations.
pub(super) struct Writer<'c> {
    find: CachedStatement<'c>,
    insert: CachedStatement<'c>,
    update: CachedStatement<'c>,
}

impl<'c> Writer<'c> {
    pub(super) fn new(connection: &'c Connection) -> Result<Self, StoreError> {
        Ok(Self {
            find: connection.prepare_cached("SELECT n, exchange, state FROM obligation WHERE id = ?1")?,
            insert: connection.prepare_cached(
                "INSERT INTO obligation (id, exchange, performer, controller, request_type, urgency, case_no, opened_at,
                                         state, due_on, due_at, interim, closed_at, record, renews_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            )?,
            update: connection.prepare_cached(
                "UPDATE obligation SET performer = ?3, controller = ?4, request_type = ?5, urgency = ?6, case_no = ?7,
                     opened_at = ?8, state = ?9, due_on = ?10, due_at = ?11, interim = ?12, closed_at = ?13,
                     record = ?14, renews_at = ?15
                 WHERE id = ?1 AND exchange = ?2",
            )?,
        })
    }

    /// Writes one; gives its row, and whether it is new.
    pub(super) fn save(
        &mut self,
        exchange: i64,
        one: &Obligation,
        counters: &mut Counters,
    ) -> Result<(i64, bool), StoreError> {
        let state = one.state();
        let known = self.find(one.id)?;
        if known.as_ref().is_some_and(|known| known.exchange != exchange) {
            return Err(StoreError::Rejected("an obligation of another exchange bears this id".into()));
        }
        let was_open = known.as_ref().is_some_and(|known| known.state.is_open());
        counters.add(OBLIGATIONS_OPEN, i64::from(state.is_open()) - i64::from(was_open));
        let record = obligation_text::write(one).map_err(unwritable)?;
        let values = params![
            one.id.0.as_bytes(),
            exchange,
            one.performer.as_str(),
            one.controller.as_str(),
            one.request_type.as_str(),
            urgency_code(one.urgency),
            one.case,
            micros(one.opened_at),
            state.code(),
            one.due_on().to_string(),
            micros(one.due_at()),
            one.facts.iter().any(|fact| matches!(fact, Fact::Interim { .. })),
            one.closed_at().map(micros),
            record,
            one.recurs.as_ref().and_then(|recurs| recurs.renews_at).map(micros),
        ];
        let Some(known) = known else { return Ok((self.insert.insert(values)?, true)) };
        self.update.execute(values)?;
        Ok((known.n, false))
    }

    fn find(&mut self, id: ObligationId) -> Result<Option<Known>, StoreError> {
        let read = |row: &Row<'_>| {
            let record = Record::new(row, "obligation");
            let (n, exchange) = (record.integer("n")?, record.integer("exchange")?);
            Ok(Known { n, exchange, state: record.one_of("state")? })
        };
        self.find.query_and_then([id.0.as_bytes()], read)?.next().transpose()
    }
}

/// A row that is on record.
struct Known {
    n: i64,
    exchange: i64,
    state: State,
}

/// An obligation with its row and the row of its exchange.
pub(super) struct Found {
    pub(super) n: i64,
    pub(super) exchange_n: i64,
    pub(super) obligation: Obligation,
}

/// The obligations of an exchange, in the order in which they were opened.
pub(super) fn of_exchange(
    connection: &Connection,
    (exchange_n, exchange): (i64, ExchangeId),
) -> Result<Vec<Found>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT n, id, exchange, performer, controller, request_type, urgency, case_no, opened_at, record
         FROM obligation WHERE exchange = ?1 ORDER BY n",
    )?;
    statement.query_and_then([exchange_n], |row| read(row, exchange))?.collect()
}

/// The obligation of that row; the caller has found the row in the same snapshot.
pub(super) fn by_row(connection: &Connection, n: i64) -> Result<Found, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT o.n, o.id, exchange, performer, controller, request_type, urgency, case_no, opened_at, record,
                x.id AS exchange_id
         FROM obligation o JOIN exchange x ON x.n = o.exchange WHERE o.n = ?1",
    )?;
    let read = |row: &Row<'_>| {
        let exchange = ExchangeId(Record::new(row, "obligation").uuid("exchange_id")?);
        read(row, exchange)
    };
    let missing = || StoreError::Inconsistent {
        table: "obligation",
        column: "n",
        row: n.to_string(),
        problem: "the row has gone, or its exchange".to_owned(),
    };
    statement.query_and_then([n], read)?.next().ok_or_else(missing)?
}

fn read(row: &Row<'_>, exchange: ExchangeId) -> Result<Found, StoreError> {
    let record = Record::new(row, "obligation");
    let whole: Whole = record.json("record")?;
    let obligation = Obligation {
        id: ObligationId(record.uuid("id")?),
        exchange,
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
