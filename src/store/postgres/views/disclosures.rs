//! The log of disclosures of a case, as shown.
//!
//! Promises: pages by the number of the line. Never: what was disclosed itself.

use crate::domain::case::CaseKey;
use crate::domain::case::disclosure::Disclosure;
use crate::domain::ids::{ExchangeId, MessageId};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::cases::{DisclosureFilter, DisclosureRow};
use crate::store::postgres::row::{Record, int};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

/// Lines of a case, the newest first.
pub(in crate::store::postgres) async fn list(
    connection: &mut PgConnection,
    filter: &DisclosureFilter,
) -> Result<Vec<DisclosureRow>, StoreError> {
    const SQL: &str = "SELECT seq, centre, case_no, at, kind, what, message, exchange, by_whom, to_whom, ground
         FROM disclosure WHERE centre = $1 AND case_no = $2 AND seq < $3 ORDER BY seq DESC LIMIT $4";
    let query = sqlx::query(SQL).bind(filter.case.centre.as_str()).bind(&filter.case.number);
    let query = query.bind(filter.before.map_or(i64::MAX, int)).bind(int(filter.limit));
    query.fetch_all(connection).await?.iter().map(line).collect()
}

fn line(row: &PgRow) -> Result<DisclosureRow, StoreError> {
    let record = Record::new(row, "disclosure");
    Ok(DisclosureRow {
        seq: record.integer("seq")?,
        line: Disclosure {
            case: CaseKey { centre: record.participant("centre")?, number: record.string("case_no")? },
            at: record.instant("at")?,
            kind: record.one_of("kind")?,
            what: record.string("what")?,
            message: record.opt_uuid("message")?.map(MessageId),
            exchange: record.opt_uuid("exchange")?.map(ExchangeId),
            by: record.string("by_whom")?,
            to: record.string("to_whom")?,
            ground: record.json("ground")?,
        },
    })
}
