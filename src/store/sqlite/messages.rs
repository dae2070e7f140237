//! Messages as accepted, byte by byte, with what was said to their sender.
//!
//! Promises: an id is accepted once; a second row of it is refused by the database. Never: changes or deletes one.

use crate::domain::ids::{ExchangeId, MessageId};
use crate::domain::message::Format;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::{Seen, StoredMessage};
use crate::gateway::ports::reads::MessageLine;
use crate::store::sqlite::counters::{ACCEPTED_ADDRESSEES, Counters};
use crate::store::sqlite::fault::unwritable;
use crate::store::sqlite::refs::Refs;
use crate::store::sqlite::row::{Record, int, micros};
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Writes messages; each addressee is owed a delivery.
pub(super) fn save(
    connection: &Connection,
    messages: &[StoredMessage],
    (refs, counters): (&mut Refs<'_>, &mut Counters),
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO message (id, exchange, sender, recipients, in_reply_to, type_code, version, received_at, digest,
                              outcome, format, content)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    for message in messages {
        insert.execute(params![
            message.id.0.as_bytes(),
            refs.exchange_or_unseen(message.exchange)?,
            message.sender.as_str(),
            serde_json::to_string(&message.recipients).map_err(unwritable)?,
            message.in_reply_to.as_ref().map(|id| id.0.as_bytes()),
            message.type_code.as_str(),
            message.version,
            micros(message.received_at),
            &message.digest,
            serde_json::to_string(&message.outcome).map_err(unwritable)?,
            format_code(message.format),
            &message.content[..],
        ])?;
        counters.add(ACCEPTED_ADDRESSEES, int(message.recipients.len()));
    }
    Ok(())
}

/// The code of a format in the tables.
pub(super) fn format_code(format: Format) -> &'static str {
    match format {
        Format::Json => "json",
        Format::Xml => "xml",
    }
}

/// Whether a message was accepted before, and with what outcome.
pub(super) fn seen(connection: &Connection, id: MessageId) -> Result<Option<Seen>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id, sender, digest, outcome FROM message WHERE id = ?1")?;
    let read = |row: &Row<'_>| {
        let record = Record::new(row, "message");
        Ok(Seen {
            sender: record.participant("sender")?,
            digest: record.digest("digest")?,
            outcome: record.json("outcome")?,
        })
    };
    statement.query_and_then([id.0.as_bytes()], read)?.next().transpose()
}

/// The row of the exchange that a message belongs to.
pub(super) fn exchange_of(connection: &Connection, id: MessageId) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT exchange FROM message WHERE id = ?1")?;
    Ok(statement.query_row([id.0.as_bytes()], |row| row.get(0)).optional()?)
}

/// A message with its content.
pub(super) fn by_id(connection: &Connection, id: MessageId) -> Result<Option<StoredMessage>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT m.id, x.id AS exchange_id, sender, recipients, in_reply_to, type_code, version, received_at, digest,
                outcome, format, content
         FROM message m JOIN exchange x ON x.n = m.exchange WHERE m.id = ?1",
    )?;
    statement.query_and_then([id.0.as_bytes()], read)?.next().transpose()
}

fn read(row: &Row<'_>) -> Result<StoredMessage, StoreError> {
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
pub(super) fn of_exchange(connection: &Connection, exchange: i64) -> Result<Vec<MessageLine>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, type_code, sender, recipients, outcome FROM message WHERE exchange = ?1 ORDER BY n",
    )?;
    let read = |row: &Row<'_>| {
        let record = Record::new(row, "message");
        Ok(MessageLine {
            id: MessageId(record.uuid("id")?),
            type_code: record.type_code("type_code")?,
            sender: record.participant("sender")?,
            recipients: record.json("recipients")?,
            outcome: record.json("outcome")?,
        })
    };
    statement.query_and_then([exchange], read)?.collect()
}
