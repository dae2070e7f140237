//! The desk's notes of messages, the proofs of what was handed over, and whose scans are whose, as shown.
//!
//! Promises: a note comes with its scans. Never: holds the content of a scan.

use crate::domain::ids::{MessageId, ParticipantCode};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::scans::{ByHand, Handover, ScanRecord, ScanRow};
use crate::store::postgres::row::Record;
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

/// The notes of an exchange's messages.
pub(in crate::store::postgres) async fn of_exchange(
    connection: &mut PgConnection,
    exchange: i64,
) -> Result<Vec<ByHand>, StoreError> {
    const SQL: &str = "SELECT b.message, b.channel, b.at, b.recorded_at, b.by_whom, b.dictated_by, b.taken_by,
                              s.annex, f.sha256, f.media_type, f.bytes
         FROM message m JOIN by_hand b ON b.message = m.id
              LEFT JOIN message_scan s ON s.message = b.message LEFT JOIN scan f ON f.sha256 = s.sha256
         WHERE m.exchange = $1 ORDER BY m.n, s.annex";
    let rows = sqlx::query(SQL).bind(exchange).fetch_all(connection).await?;
    let mut notes: Vec<ByHand> = Vec::new();
    for row in &rows {
        let (mut note, scan) = (note(row)?, scan_row(row)?);
        match notes.last_mut().filter(|last| last.message == note.message) {
            Some(last) => last.scans.extend(scan),
            None => {
                note.scans.extend(scan);
                notes.push(note);
            }
        }
    }
    Ok(notes)
}

fn note(row: &PgRow) -> Result<ByHand, StoreError> {
    let record = Record::new(row, "by_hand");
    Ok(ByHand {
        message: MessageId(record.uuid("message")?),
        channel: record.one_of("channel")?,
        at: record.instant("at")?,
        recorded_at: record.instant("recorded_at")?,
        by_whom: record.string("by_whom")?,
        dictated_by: record.opt_string("dictated_by")?,
        taken_by: record.opt_string("taken_by")?,
        scans: Vec::new(),
    })
}

/// The scan of a row, where the note has one.
fn scan_row(row: &PgRow) -> Result<Option<ScanRow>, StoreError> {
    let record = Record::new(row, "scan");
    let Some(sha256) = record.opt_string("sha256")? else { return Ok(None) };
    Ok(Some(ScanRow {
        annex: record.integer("annex")?,
        sha256,
        media_type: record.string("media_type")?,
        bytes: record.integer("bytes")?,
    }))
}

/// What was handed over of an exchange's messages.
pub(in crate::store::postgres) async fn handed_over(
    connection: &mut PgConnection,
    exchange: i64,
) -> Result<Vec<Handover>, StoreError> {
    const SQL: &str =
        "SELECT h.message, h.recipient, h.way, h.at, h.taken_by, h.number, h.date, h.by_whom, h.recorded_at
         FROM message m JOIN handover h ON h.message = m.id WHERE m.exchange = $1 ORDER BY m.n, h.recipient";
    let read = |row: PgRow| {
        let record = Record::new(&row, "handover");
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
    sqlx::query(SQL).bind(exchange).fetch_all(connection).await?.into_iter().map(read).collect()
}

/// A scan, and every message that it belongs to, with its parties.
pub(in crate::store::postgres) async fn scan(
    connection: &mut PgConnection,
    sha256: &str,
) -> Result<Option<ScanRecord>, StoreError> {
    // A message may bear the same file as two annexes.
    const SQL: &str = "SELECT f.sha256, f.media_type, f.bytes, m.id, m.sender, m.recipients
         FROM scan f JOIN message m ON m.id IN (SELECT message FROM message_scan WHERE sha256 = f.sha256)
         WHERE f.sha256 = $1 ORDER BY m.n";
    let mut found: Option<ScanRecord> = None;
    for row in sqlx::query(SQL).bind(sha256).fetch_all(connection).await? {
        let record = Record::new(&row, "scan");
        let mut parties: Vec<ParticipantCode> = record.json("recipients")?;
        parties.push(record.participant("sender")?);
        let (media_type, bytes) = (record.string("media_type")?, record.integer("bytes")?);
        let scan = found.get_or_insert_with(|| ScanRecord { media_type, bytes, messages: Vec::new() });
        scan.messages.push((MessageId(record.uuid("id")?), parties));
    }
    Ok(found)
}
