//! The journal of incoming and outgoing documents (S3 §6), as shown.
//!
//! Promises: pages by date and row; a line has the same place in every page. Never: renumbers.

use crate::domain::ids::{ExchangeId, MessageId};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::{JournalRow, Register};
use crate::gateway::ports::reads::{JournalFilter, JournalPlace};
use crate::store::postgres::row::{Record, int};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder};

/// Lines of a participant's journal, in the order of registration, each with its place.
pub(in crate::store::postgres) async fn list(
    connection: &mut PgConnection,
    filter: &JournalFilter,
    after: Option<JournalPlace>,
) -> Result<Vec<(JournalPlace, JournalRow)>, StoreError> {
    let mut query = query(filter, after);
    query.build().fetch_all(connection).await?.iter().map(read).collect()
}

fn query(filter: &JournalFilter, after: Option<JournalPlace>) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "SELECT j.n, participant, year, direction, number, date, j.message, type_code, exchange, counterparty, case_no,
                annexes, summary, channel
         FROM journal j LEFT JOIN by_hand b ON b.message = j.message WHERE participant = ",
    );
    query.push_bind(filter.participant.as_str());
    if !filter.in_house {
        query.push(" AND counterparty <> participant");
    }
    if let Some(case) = &filter.case {
        query.push(" AND case_no = ").push_bind(case.as_str());
    }
    if let Some(from) = filter.from {
        query.push(" AND date >= ").push_bind(from);
    }
    if let Some(to) = filter.to {
        query.push(" AND date <= ").push_bind(to);
    }
    if let Some(place) = after {
        query.push(" AND (date, j.n) > (").push_bind(place.date).push(", ").push_bind(place.n).push(")");
    }
    query.push(" ORDER BY date, j.n LIMIT ").push_bind(int(filter.limit));
    query
}

fn read(row: &PgRow) -> Result<(JournalPlace, JournalRow), StoreError> {
    let record = Record::new(row, "journal");
    let date = record.date("date")?;
    let place = JournalPlace { date, n: record.integer("n")? };
    let channel = record.opt_text("channel")?.map(|_| record.one_of("channel")).transpose()?;
    let line = JournalRow {
        register: Register {
            participant: record.participant("participant")?,
            year: record.integer("year")?,
            direction: record.one_of("direction")?,
        },
        number: record.integer("number")?,
        date,
        message: MessageId(record.uuid("message")?),
        type_code: record.type_code("type_code")?,
        exchange: ExchangeId(record.uuid("exchange")?),
        counterparty: record.participant("counterparty")?,
        case: record.opt_string("case_no")?,
        annexes: record.string("annexes")?,
        summary: record.string("summary")?,
        channel,
    };
    Ok((place, line))
}
