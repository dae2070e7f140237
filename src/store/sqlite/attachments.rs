//! Whose files are whose: rows of attachments, of who put them, and of the messages that name them.
//!
//! Promises: a file that a message names is no left-over, whichever came first. Never: the content of a file.

use crate::domain::ids::{MessageId, ParticipantCode};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::attachments::{Access, Held, Kept, Leftovers, NAMING_MESSAGES_MAX, Naming};
use crate::gateway::ports::objects::ObjectName;
use crate::store::sqlite::fault::unwritable;
use crate::store::sqlite::row::{Record, int, micros};
use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, Row, params};

/// After this a removal that was begun is taken up by another: whoever began it is gone.
const REMOVAL_LEASE_HOURS: i64 = 1;

/// Who has a file: whoever put it, and whom one of these has sent it to. With the media type that it was put as.
const REACH: &str = "WITH RECURSIVE reach (who, media_type) AS (
    SELECT o.participant, o.media_type FROM attachment_owner o JOIN attachment a ON a.sha256 = o.sha256
    WHERE o.sha256 = ?1 AND a.state = 'kept'
    UNION
    SELECT d.recipient, r.media_type
    FROM reach r JOIN message_attachment n ON n.sha256 = ?1
    JOIN message m ON m.id = n.message AND m.sender = r.who
    JOIN outbox d ON d.message = n.message
)";

/// Writes what the messages of a batch name.
pub(super) fn save(connection: &Connection, named: &[Naming]) -> Result<(), StoreError> {
    if named.is_empty() {
        return Ok(());
    }
    let mut insert = connection
        .prepare_cached("INSERT INTO message_attachment (message, sha256) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
    let mut mark = connection
        .prepare_cached("UPDATE attachment SET named = 1 WHERE sha256 = ?1 AND named = 0 AND state <> 'leaving'")?;
    for one in named {
        insert.execute(params![one.message.0.as_bytes(), one.name.as_str()])?;
        mark.execute([one.name.as_str()])?;
    }
    Ok(())
}

/// A file is about to come, unless one of its name is just going.
pub(super) fn expect(connection: &Connection, (name, at): (&ObjectName, DateTime<Utc>)) -> Result<bool, StoreError> {
    let mut upsert = connection.prepare_cached(
        "INSERT INTO attachment (sha256, state, named, touched_at)
         VALUES (?1, 'coming', EXISTS (SELECT 1 FROM message_attachment WHERE sha256 = ?1), ?2)
         ON CONFLICT (sha256) DO UPDATE SET touched_at = max(touched_at, excluded.touched_at) WHERE state <> 'leaving'",
    )?;
    Ok(upsert.execute(params![name.as_str(), micros(at)])? == 1)
}

/// A file has come; whether its owner had put it before.
pub(super) fn kept(connection: &Connection, kept: &Kept) -> Result<bool, StoreError> {
    let (sha256, at) = (kept.name.as_str(), micros(kept.at));
    let mut mark = connection.prepare_cached(
        "UPDATE attachment SET state = 'kept', bytes = ?2, touched_at = max(touched_at, ?3)
         WHERE sha256 = ?1 AND state <> 'leaving'",
    )?;
    if mark.execute(params![sha256, int(kept.bytes), at])? == 0 {
        let (row, problem) = (sha256.to_owned(), "the file that was expected has no row".to_owned());
        return Err(StoreError::Inconsistent { table: "attachment", column: "sha256", row, problem });
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO attachment_owner (sha256, participant, media_type, put_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO NOTHING",
    )?;
    Ok(insert.execute(params![sha256, kept.by.as_str(), kept.media_type, at])? == 0)
}

/// What these participants may have of a file.
pub(super) fn access(
    connection: &Connection,
    (name, who): (&ObjectName, &[ParticipantCode]),
) -> Result<Access, StoreError> {
    let who = serde_json::to_string(who).map_err(unwritable)?;
    let mut held = connection.prepare_cached(&format!(
        "{REACH} SELECT a.sha256, a.bytes, r.media_type FROM reach r JOIN attachment a ON a.sha256 = ?1
         WHERE r.who IN (SELECT value FROM json_each(?2)) LIMIT 1"
    ))?;
    let read = |row: &Row<'_>| {
        let record = Record::new(row, "attachment");
        Ok::<_, StoreError>(Held { media_type: record.string("media_type")?, bytes: record.integer("bytes")? })
    };
    let held = held.query_and_then(params![name.as_str(), who], read)?.next().transpose()?;
    let mut naming = connection.prepare_cached(
        "SELECT m.id FROM message_attachment n JOIN message m ON m.id = n.message
         WHERE n.sha256 = ?1
           AND (m.sender IN (SELECT value FROM json_each(?2))
                OR EXISTS (SELECT 1 FROM outbox d
                           WHERE d.message = m.id AND d.recipient IN (SELECT value FROM json_each(?2))))
         ORDER BY m.n DESC LIMIT ?3",
    )?;
    let read = |row: &Row<'_>| Ok(MessageId(Record::new(row, "message").uuid("id")?));
    let messages = naming.query_and_then(params![name.as_str(), who, int(NAMING_MESSAGES_MAX)], read)?;
    Ok(Access { held, messages: messages.collect::<Result<_, StoreError>>()? })
}

/// Takes files that are left over; from here on nobody has them.
pub(super) fn claim(connection: &Connection, leftovers: Leftovers) -> Result<Vec<ObjectName>, StoreError> {
    let lease = leftovers.now - TimeDelta::hours(REMOVAL_LEASE_HOURS);
    let mut take = connection.prepare_cached(
        "UPDATE attachment SET state = 'leaving', touched_at = ?3
         WHERE sha256 IN (SELECT sha256 FROM attachment a
                          WHERE named = 0 AND touched_at < max(?1, ?2)
                            AND touched_at < CASE state WHEN 'leaving' THEN ?2 ELSE ?1 END
                            AND NOT EXISTS (SELECT 1 FROM message_scan s WHERE s.sha256 = a.sha256)
                            AND (state = 'leaving'
                                 OR NOT EXISTS (SELECT 1 FROM message_attachment n WHERE n.sha256 = a.sha256))
                          ORDER BY touched_at LIMIT ?4)
         RETURNING sha256",
    )?;
    let (since, now) = (micros(leftovers.untouched_since), micros(leftovers.now));
    let read = |row: &Row<'_>| {
        let record = Record::new(row, "attachment");
        ObjectName::new(record.text("sha256")?).ok_or_else(|| record.fault("sha256", "not a digest"))
    };
    let taken = take.query_and_then(params![since, micros(lease), now, int(leftovers.limit)], read)?;
    let taken: Vec<ObjectName> = taken.collect::<Result<_, StoreError>>()?;
    let mut nobodys = connection.prepare_cached("DELETE FROM attachment_owner WHERE sha256 = ?1")?;
    for name in &taken {
        nobodys.execute([name.as_str()])?;
    }
    Ok(taken)
}

/// A file that was claimed is gone.
pub(super) fn removed(connection: &Connection, name: &ObjectName) -> Result<(), StoreError> {
    let mut delete = connection.prepare_cached("DELETE FROM attachment WHERE sha256 = ?1 AND state = 'leaving'")?;
    delete.execute([name.as_str()])?;
    Ok(())
}
