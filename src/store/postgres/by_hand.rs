//! The desk's notes of messages, the proofs of what was handed over, and whose scans are whose, as decisions write them.
//!
//! Promises: a note is written in the transaction of its message. Never: changes one; holds the content of a scan.

use crate::gateway::ports::scans::{ByHand, Handover, ScanRow};
use crate::gateway::ports::{Changes, StoreError};
use crate::store::postgres::row::int;
use sqlx::PgConnection;
use sqlx::postgres::PgBindIterExt;

/// Writes the notes, the proofs and the scans of a batch.
pub(super) async fn save(connection: &mut PgConnection, changes: &Changes) -> Result<(), StoreError> {
    save_notes(connection, &changes.by_hand).await?;
    save_scans(connection, &changes.by_hand).await?;
    save_handovers(connection, &changes.handovers).await
}

async fn save_notes(connection: &mut PgConnection, notes: &[ByHand]) -> Result<(), StoreError> {
    const SAVE: &str = "INSERT INTO by_hand (message, channel, at, recorded_at, by_whom, dictated_by, taken_by)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[],
             $7::text[])";
    if notes.is_empty() {
        return Ok(());
    }
    sqlx::query(SAVE)
        .bind(notes.iter().map(|one| one.message.0).bind_iter())
        .bind(notes.iter().map(|one| one.channel.code()).bind_iter())
        .bind(notes.iter().map(|one| one.at).bind_iter())
        .bind(notes.iter().map(|one| one.recorded_at).bind_iter())
        .bind(notes.iter().map(|one| one.by_whom.as_str()).bind_iter())
        .bind(notes.iter().map(|one| one.dictated_by.as_deref()).bind_iter())
        .bind(notes.iter().map(|one| one.taken_by.as_deref()).bind_iter())
        .execute(connection)
        .await?;
    Ok(())
}

async fn save_scans(connection: &mut PgConnection, notes: &[ByHand]) -> Result<(), StoreError> {
    const FILES: &str = "INSERT INTO scan (sha256, media_type, bytes)
         SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) ON CONFLICT (sha256) DO NOTHING";
    const BELONG: &str = "INSERT INTO message_scan (message, annex, sha256)
         SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[])";
    let scans: Vec<(&ByHand, &ScanRow)> =
        notes.iter().flat_map(|note| note.scans.iter().map(move |scan| (note, scan))).collect();
    if scans.is_empty() {
        return Ok(());
    }
    sqlx::query(FILES)
        .bind(scans.iter().map(|(_, scan)| scan.sha256.as_str()).bind_iter())
        .bind(scans.iter().map(|(_, scan)| scan.media_type.as_str()).bind_iter())
        .bind(scans.iter().map(|(_, scan)| int(scan.bytes)).bind_iter())
        .execute(&mut *connection)
        .await?;
    sqlx::query(BELONG)
        .bind(scans.iter().map(|(note, _)| note.message.0).bind_iter())
        .bind(scans.iter().map(|(_, scan)| i64::from(scan.annex)).bind_iter())
        .bind(scans.iter().map(|(_, scan)| scan.sha256.as_str()).bind_iter())
        .execute(connection)
        .await?;
    Ok(())
}

async fn save_handovers(connection: &mut PgConnection, handovers: &[Handover]) -> Result<(), StoreError> {
    const SAVE: &str =
        "INSERT INTO handover (message, recipient, way, at, taken_by, number, date, by_whom, recorded_at)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[],
             $7::date[], $8::text[], $9::timestamptz[])";
    if handovers.is_empty() {
        return Ok(());
    }
    sqlx::query(SAVE)
        .bind(handovers.iter().map(|one| one.message.0).bind_iter())
        .bind(handovers.iter().map(|one| one.recipient.as_str()).bind_iter())
        .bind(handovers.iter().map(|one| one.way.code()).bind_iter())
        .bind(handovers.iter().map(|one| one.at).bind_iter())
        .bind(handovers.iter().map(|one| one.taken_by.as_str()).bind_iter())
        .bind(handovers.iter().map(|one| one.number.as_deref()).bind_iter())
        .bind(handovers.iter().map(|one| one.date).bind_iter())
        .bind(handovers.iter().map(|one| one.by_whom.as_str()).bind_iter())
        .bind(handovers.iter().map(|one| one.recorded_at).bind_iter())
        .execute(connection)
        .await?;
    Ok(())
}
