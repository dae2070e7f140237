//! Deliveries as shown: an inbox, and where each delivery stands.
//!
//! Promises: an inbox holds what its owner has not yet taken note of, oldest first. Never: changes a row.

use crate::domain::ids::{MessageId, ParticipantCode};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::Claimed;
use crate::gateway::ports::reads::{DeliveryRow, InboxItem, InboxPage};
use crate::store::postgres::outbox::letter;
use crate::store::postgres::row::{Record, int};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder};

/// A page of an inbox.
pub(in crate::store::postgres) async fn inbox(
    connection: &mut PgConnection,
    page: &InboxPage,
) -> Result<Vec<InboxItem>, StoreError> {
    const SQL: &str = "SELECT o.seq, o.message, o.recipient, o.attempts, o.queued_at, o.exchange,
                              coalesce(o.format, m.format) AS format, coalesce(o.content, m.content) AS content
         FROM outbox o LEFT JOIN message m ON m.id = o.message
         WHERE o.recipient = $1 AND o.route = 'inbox' AND o.state = 'queued' AND o.seq > $2
         ORDER BY o.seq LIMIT $3";
    let query = sqlx::query(SQL).bind(page.recipient.as_str()).bind(int(page.after)).bind(int(page.limit));
    let item = |row: &PgRow| Ok(InboxItem { seq: Record::new(row, "outbox").integer("seq")?, letter: letter(row)? });
    query.fetch_all(connection).await?.iter().map(item).collect()
}

/// What was given, or is to be given, to one recipient.
pub(in crate::store::postgres) async fn inbox_letter(
    connection: &mut PgConnection,
    message: MessageId,
    to: &ParticipantCode,
) -> Result<Option<Claimed>, StoreError> {
    const SQL: &str = "SELECT o.seq, o.message, o.recipient, o.attempts, o.queued_at, o.exchange,
                              coalesce(o.format, m.format) AS format, coalesce(o.content, m.content) AS content
         FROM outbox o LEFT JOIN message m ON m.id = o.message WHERE o.message = $1 AND o.recipient = $2";
    let row = sqlx::query(SQL).bind(message.0).bind(to.as_str()).fetch_optional(connection).await?;
    row.as_ref().map(letter).transpose()
}

/// One delivery.
pub(in crate::store::postgres) async fn one(
    connection: &mut PgConnection,
    message: MessageId,
    to: &ParticipantCode,
) -> Result<Option<DeliveryRow>, StoreError> {
    let mut query = deliveries();
    query.push("message = ").push_bind(message.0).push(" AND recipient = ").push_bind(to.as_str());
    query.build().fetch_optional(connection).await?.as_ref().map(delivery).transpose()
}

/// The deliveries that were given up, the latest first.
pub(in crate::store::postgres) async fn undeliverable(
    connection: &mut PgConnection,
    limit: usize,
) -> Result<Vec<DeliveryRow>, StoreError> {
    let mut query = deliveries();
    query.push("state = 'undeliverable' ORDER BY seq DESC LIMIT ").push_bind(int(limit));
    query.build().fetch_all(connection).await?.iter().map(delivery).collect()
}

/// The deliveries of an exchange, receipts included, oldest first.
pub(in crate::store::postgres) async fn of_exchange(
    connection: &mut PgConnection,
    exchange: i64,
) -> Result<Vec<DeliveryRow>, StoreError> {
    let mut query = deliveries();
    query.push("exchange_n = ").push_bind(exchange).push(" ORDER BY seq");
    query.build().fetch_all(connection).await?.iter().map(delivery).collect()
}

/// The query that [`delivery`] reads, up to its condition.
fn deliveries() -> QueryBuilder<Postgres> {
    QueryBuilder::new(
        "SELECT seq, message, recipient, attempts, queued_at, ready_at, delivered_at, content_sha256, number,
                registered_on, error,
                CASE WHEN state = 'delivered' AND EXISTS (
                    SELECT 1 FROM handover h WHERE h.message = outbox.message AND h.recipient = outbox.recipient
                ) THEN 'handled_manually' ELSE state END AS stage
         FROM outbox WHERE ",
    )
}

fn delivery(row: &PgRow) -> Result<DeliveryRow, StoreError> {
    let record = Record::new(row, "outbox");
    let state = record.string("stage")?;
    let next_at = if state == "waiting_retry" { record.opt_instant("ready_at")? } else { None };
    Ok(DeliveryRow {
        message: MessageId(record.uuid("message")?),
        recipient: record.participant("recipient")?,
        state,
        attempts: record.integer("attempts")?,
        queued_at: record.instant("queued_at")?,
        next_at,
        delivered_at: record.opt_instant("delivered_at")?,
        content_sha256: record.opt_string("content_sha256")?,
        registration: record.opt_string("number")?.zip(record.opt_date("registered_on")?),
        error: record.opt_string("error")?,
    })
}
