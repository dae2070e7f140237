//! Messages as accepted, as shown: byte by byte, or as a line of a chronology.
//!
//! Promises: the bytes are those that came. Never: changes one.

use crate::domain::ids::{ExchangeId, MessageId};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::StoredMessage;
use crate::gateway::ports::reads::MessageLine;
use crate::store::postgres::row::Record;
use bytes::Bytes;
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

/// A message with its content.
pub(in crate::store::postgres) async fn by_id(
    connection: &mut PgConnection,
    id: MessageId,
) -> Result<Option<StoredMessage>, StoreError> {
    const SQL: &str =
        "SELECT m.id, x.id AS exchange_id, sender, recipients, in_reply_to, type_code, version, received_at,
                              digest, outcome, format, content
         FROM message m JOIN exchange x ON x.n = m.exchange WHERE m.id = $1";
    sqlx::query(SQL).bind(id.0).fetch_optional(connection).await?.as_ref().map(message).transpose()
}

fn message(row: &PgRow) -> Result<StoredMessage, StoreError> {
    let record = Record::new(row, "message");
    Ok(StoredMessage {
        id: MessageId(record.uuid("id")?),
        sender: record.participant("sender")?,
        recipients: record.json("recipients")?,
        exchange: ExchangeId(record.uuid("exchange_id")?),
        in_reply_to: record.opt_uuid("in_reply_to")?.map(MessageId),
        type_code: record.type_code("type_code")?,
        version: record.integer("version")?,
        format: record.one_of("format")?,
        content: Bytes::copy_from_slice(record.blob("content")?),
        digest: record.digest("digest")?,
        received_at: record.instant("received_at")?,
        outcome: record.json("outcome")?,
    })
}

/// The messages of an exchange in the order in which they were accepted, without content.
pub(in crate::store::postgres) async fn of_exchange(
    connection: &mut PgConnection,
    exchange: i64,
) -> Result<Vec<MessageLine>, StoreError> {
    const SQL: &str = "SELECT id, type_code, sender, recipients, outcome FROM message WHERE exchange = $1 ORDER BY n";
    sqlx::query(SQL).bind(exchange).fetch_all(connection).await?.iter().map(line).collect()
}

fn line(row: &PgRow) -> Result<MessageLine, StoreError> {
    let record = Record::new(row, "message");
    Ok(MessageLine {
        id: MessageId(record.uuid("id")?),
        type_code: record.type_code("type_code")?,
        sender: record.participant("sender")?,
        recipients: record.json("recipients")?,
        outcome: record.json("outcome")?,
    })
}
