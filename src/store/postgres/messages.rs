//! Messages as accepted, byte by byte, with what was said to their sender.
//!
//! Promises: an id is accepted once; a second row of it is refused by the database. Never: changes or deletes one.

use crate::domain::ids::{ExchangeId, MessageId, ParticipantCode};
use crate::domain::message::Format;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::{Seen, StoredMessage};
use crate::store::postgres::counters::{ACCEPTED_ADDRESSEES, Counters};
use crate::store::postgres::exchanges;
use crate::store::postgres::fault::unwritable;
use crate::store::postgres::refs::Refs;
use crate::store::postgres::row::{Record, int};
use sqlx::PgConnection;
use sqlx::postgres::{PgBindIterExt, PgRow};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// Writes messages; each addressee is owed a delivery.
pub(super) async fn save(
    connection: &mut PgConnection,
    messages: &[StoredMessage],
    (refs, counters): (&mut Refs, &mut Counters),
) -> Result<(), StoreError> {
    const SAVE: &str = "INSERT INTO message (id, exchange, sender, recipients, in_reply_to, type_code, version,
             received_at, digest, outcome, format, content)
         SELECT id, exchange, sender, recipients::json, in_reply_to, type_code, version, received_at, digest,
             outcome::json, format, content
         FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::bigint[],
                 $8::timestamptz[], $9::bytea[], $10::text[], $11::text[], $12::bytea[])
             WITH ORDINALITY AS new (id, exchange, sender, recipients, in_reply_to, type_code, version, received_at,
                 digest, outcome, format, content, place)
         ORDER BY place";
    if messages.is_empty() {
        return Ok(());
    }
    let unseen = messages.iter().map(|message| message.exchange).filter(|id| refs.exchange(*id).is_none());
    let unseen: BTreeSet<Uuid> = unseen.map(|id| id.0).collect();
    exchanges::begin_unseen(connection, &unseen.into_iter().collect::<Vec<_>>(), refs).await?;
    let recipients = |one: &StoredMessage| serde_json::to_string(&one.recipients);
    let recipients: Vec<String> = messages.iter().map(recipients).collect::<Result<_, _>>().map_err(unwritable)?;
    let outcome = |one: &StoredMessage| serde_json::to_string(&one.outcome);
    let outcomes: Vec<String> = messages.iter().map(outcome).collect::<Result<_, _>>().map_err(unwritable)?;
    sqlx::query(SAVE)
        .bind(messages.iter().map(|one| one.id.0).bind_iter())
        .bind(messages.iter().map(|one| refs.exchange(one.exchange)).bind_iter())
        .bind(messages.iter().map(|one| one.sender.as_str()).bind_iter())
        .bind(recipients)
        .bind(messages.iter().map(|one| one.in_reply_to.map(|id| id.0)).bind_iter())
        .bind(messages.iter().map(|one| one.type_code.as_str()).bind_iter())
        .bind(messages.iter().map(|one| i64::from(one.version)).bind_iter())
        .bind(messages.iter().map(|one| one.received_at).bind_iter())
        .bind(messages.iter().map(|one| &one.digest[..]).bind_iter())
        .bind(outcomes)
        .bind(messages.iter().map(|one| format_code(one.format)).bind_iter())
        .bind(messages.iter().map(|one| &one.content[..]).bind_iter())
        .execute(connection)
        .await?;
    counters.add(ACCEPTED_ADDRESSEES, messages.iter().map(|one| int(one.recipients.len())).sum());
    Ok(())
}

/// The code of a format in the tables.
pub(super) fn format_code(format: Format) -> &'static str {
    match format {
        Format::Json => "json",
        Format::Xml => "xml",
    }
}

/// Which messages were accepted before, and with what outcome.
pub(super) async fn seen(
    connection: &mut PgConnection,
    ids: &[MessageId],
) -> Result<HashMap<MessageId, Seen>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let query = sqlx::query("SELECT id, sender, digest, outcome FROM message WHERE id = ANY($1)")
        .bind(ids.iter().map(|id| id.0).bind_iter());
    let read = |row: &PgRow| {
        let record = Record::new(row, "message");
        let (sender, digest) = (record.participant("sender")?, record.digest("digest")?);
        Ok((MessageId(record.uuid("id")?), Seen { sender, digest, outcome: record.json("outcome")? }))
    };
    query.fetch_all(connection).await?.iter().map(read).collect()
}

/// The exchanges that messages belong to.
pub(super) async fn exchanges_of(
    connection: &mut PgConnection,
    ids: &[MessageId],
) -> Result<HashMap<MessageId, ExchangeId>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    const OF: &str =
        "SELECT m.id, x.id AS exchange_id FROM message m JOIN exchange x ON x.n = m.exchange WHERE m.id = ANY($1)";
    let query = sqlx::query(OF).bind(ids.iter().map(|id| id.0).bind_iter());
    let read = |row: &PgRow| {
        let record = Record::new(row, "message");
        Ok((MessageId(record.uuid("id")?), ExchangeId(record.uuid("exchange_id")?)))
    };
    query.fetch_all(connection).await?.iter().map(read).collect()
}

/// To whom messages were addressed.
pub(super) async fn recipients(
    connection: &mut PgConnection,
    ids: &[MessageId],
) -> Result<HashMap<MessageId, Vec<ParticipantCode>>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let query = sqlx::query("SELECT id, recipients FROM message WHERE id = ANY($1)")
        .bind(ids.iter().map(|id| id.0).bind_iter());
    let read = |row: &PgRow| {
        let record = Record::new(row, "message");
        Ok((MessageId(record.uuid("id")?), record.json("recipients")?))
    };
    query.fetch_all(connection).await?.iter().map(read).collect()
}
