//! The quarantine, as shown.
//!
//! Promises: pages by the number of the row. Never: shows content in a list.

use crate::domain::ids::MessageId;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::reads::QuarantineView;
use crate::store::postgres::row::{Record, int};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

/// Quarantined things before a number (the newest without one), the newest first, without content.
pub(in crate::store::postgres) async fn before(
    connection: &mut PgConnection,
    seq: Option<u64>,
    limit: usize,
) -> Result<Vec<QuarantineView>, StoreError> {
    const SQL: &str = "SELECT seq, at, source, participant, message, code, reason
         FROM quarantine WHERE seq < $1 ORDER BY seq DESC LIMIT $2";
    let query = sqlx::query(SQL).bind(seq.map_or(i64::MAX, int)).bind(int(limit));
    query.fetch_all(connection).await?.iter().map(view).collect()
}

fn view(row: &PgRow) -> Result<QuarantineView, StoreError> {
    let record = Record::new(row, "quarantine");
    Ok(QuarantineView {
        seq: record.integer("seq")?,
        at: record.instant("at")?,
        source: record.string("source")?,
        participant: record.opt_participant("participant")?,
        message: record.opt_uuid("message")?.map(MessageId),
        code: record.string("code")?,
        reason: record.string("reason")?,
    })
}
