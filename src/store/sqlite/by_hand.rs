//! The desk's notes of messages, the proofs of what was handed over, and whose scans are whose.
//!
//! Promises: a note is written in the transaction of its message. Never: changes one; holds the content of a scan.

use crate::domain::ids::{MessageId, ParticipantCode};
use crate::gateway::ports::scans::{ByHand, Handover, ScanRecord, ScanRow};
use crate::gateway::ports::{Changes, StoreError};
use crate::store::sqlite::row::{Record, int, micros};
use rusqlite::{Connection, Row, params};

/// Writes the notes, the proofs and the scans of a batch.
pub(super) fn save(connection: &Connection, changes: &Changes) -> Result<(), StoreError> {
    for one in &changes.by_hand {
        note(connection, one)?;
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO handover (message, recipient, way, at, taken_by, number, date, by_whom, recorded_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for one in &changes.handovers {
        insert.execute(params![
            one.message.0.as_bytes(),
            one.recipient.as_str(),
            one.way.code(),
            micros(one.at),
            one.taken_by,
            one.number,
            one.date.map(|date| date.to_string()),
            one.by_whom,
            micros(one.recorded_at),
        ])?;
    }
    Ok(())
}

fn note(connection: &Connection, one: &ByHand) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO by_hand (message, channel, at, recorded_at, by_whom, dictated_by, taken_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    insert.execute(params![
        one.message.0.as_bytes(),
        one.channel.code(),
        micros(one.at),
        micros(one.recorded_at),
        one.by_whom,
        one.dictated_by,
        one.taken_by,
    ])?;
    let mut file = connection
        .prepare_cached("INSERT INTO scan (sha256, media_type, bytes) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?;
    let mut belongs =
        connection.prepare_cached("INSERT INTO message_scan (message, annex, sha256) VALUES (?1, ?2, ?3)")?;
    for scan in &one.scans {
        file.execute(params![scan.sha256, scan.media_type, int(scan.bytes)])?;
        belongs.execute(params![one.message.0.as_bytes(), scan.annex, scan.sha256])?;
    }
    Ok(())
}

/// The notes of an exchange's messages.
pub(super) fn of_exchange(connection: &Connection, exchange: i64) -> Result<Vec<ByHand>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT b.message, b.channel, b.at, b.recorded_at, b.by_whom, b.dictated_by, b.taken_by
         FROM message m JOIN by_hand b ON b.message = m.id WHERE m.exchange = ?1 ORDER BY m.n",
    )?;
    let read = |row: &Row<'_>| {
        let record = Record::new(row, "by_hand");
        let message = MessageId(record.uuid("message")?);
        Ok(ByHand {
            message,
            channel: record.one_of("channel")?,
            at: record.instant("at")?,
            recorded_at: record.instant("recorded_at")?,
            by_whom: record.string("by_whom")?,
            dictated_by: record.opt_string("dictated_by")?,
            taken_by: record.opt_string("taken_by")?,
            scans: scans_of(connection, message)?,
        })
    };
    statement.query_and_then([exchange], read)?.collect()
}

fn scans_of(connection: &Connection, message: MessageId) -> Result<Vec<ScanRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT s.sha256, s.media_type, s.bytes, b.annex FROM message_scan b JOIN scan s ON s.sha256 = b.sha256
         WHERE b.message = ?1 ORDER BY b.annex",
    )?;
    let read = |row: &Row<'_>| {
        let record = Record::new(row, "scan");
        Ok(ScanRow {
            annex: record.integer("annex")?,
            sha256: record.string("sha256")?,
            media_type: record.string("media_type")?,
            bytes: record.integer("bytes")?,
        })
    };
    statement.query_and_then([message.0.as_bytes()], read)?.collect()
}

/// What was handed over of an exchange's messages.
pub(super) fn handed_over(connection: &Connection, exchange: i64) -> Result<Vec<Handover>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT h.message, h.recipient, h.way, h.at, h.taken_by, h.number, h.date, h.by_whom, h.recorded_at
         FROM message m JOIN handover h ON h.message = m.id WHERE m.exchange = ?1 ORDER BY m.n",
    )?;
    let read = |row: &Row<'_>| {
        let record = Record::new(row, "handover");
        Ok(Handover {
            message: MessageId(record.uuid("message")?),
            recipient: record.participant("recipient")?,
            way: record.one_of("way")?,
            at: record.instant("at")?,
            taken_by: record.string("taken_by")?,
            number: record.opt_string("number")?,
            date: record.opt_date("date")?,
            by_whom: record.string("by_whom")?,
            recorded_at: record.instant("recorded_at")?,
        })
    };
    statement.query_and_then([exchange], read)?.collect()
}

/// A scan, and every message that it belongs to, with its parties.
pub(super) fn scan(connection: &Connection, sha256: &str) -> Result<Option<ScanRecord>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT s.media_type, s.bytes, m.id, m.sender, m.recipients
         FROM scan s JOIN message_scan b ON b.sha256 = s.sha256 JOIN message m ON m.id = b.message
         WHERE s.sha256 = ?1 ORDER BY m.n",
    )?;
    let read = |row: &Row<'_>| {
        let record = Record::new(row, "scan");
        let mut parties: Vec<ParticipantCode> = record.json("recipients")?;
        parties.push(record.participant("sender")?);
        Ok::<_, StoreError>(ScanRecord {
            media_type: record.string("media_type")?,
            bytes: record.integer("bytes")?,
            messages: vec![(MessageId(record.uuid("id")?), parties)],
        })
    };
    let found: Vec<ScanRecord> = statement.query_and_then([sha256], read)?.collect::<Result<_, _>>()?;
    let messages = found.iter().flat_map(|one| one.messages.clone()).collect();
    Ok(found.into_iter().next().map(|one| ScanRecord { messages, ..one }))
}
