//! Notices as decisions queue them: mails and webhooks owed, and the digests of the days.
//!
//! Promises: one row for each id, and one digest for each person and day. Never: sends.

use crate::gateway::ports::StoreError;
use crate::gateway::ports::notices::NoticeRow;
use crate::store::postgres::refs::Refs;
use sqlx::PgConnection;
use sqlx::postgres::PgBindIterExt;

/// Writes notices; one that is on record stands.
pub(super) async fn queue(connection: &mut PgConnection, rows: &[NoticeRow], refs: &Refs) -> Result<(), StoreError> {
    const QUEUE: &str =
        "INSERT INTO notice (id, medium, recipient, whom, obligation_n, day, state, queued_at, ready_at,
             subject, content)
         SELECT id, medium, recipient, whom, obligation_n, day, state, queued_at, ready_at, subject, content
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::date[], $7::text[],
                 $8::timestamptz[], $9::timestamptz[], $10::text[], $11::text[])
             WITH ORDINALITY AS new (id, medium, recipient, whom, obligation_n, day, state, queued_at, ready_at,
                 subject, content, place)
         ORDER BY place
         ON CONFLICT DO NOTHING";
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(QUEUE)
        .bind(rows.iter().map(|row| row.id).bind_iter())
        .bind(rows.iter().map(|row| row.medium.code()).bind_iter())
        .bind(rows.iter().map(|row| row.recipient.as_str()).bind_iter())
        .bind(rows.iter().map(|row| row.whom.code()).bind_iter())
        .bind(rows.iter().map(|row| row.obligation.and_then(|id| refs.obligation(id))).bind_iter())
        .bind(rows.iter().map(|row| row.day).bind_iter())
        .bind(rows.iter().map(|row| if row.words.is_some() { "queued" } else { "empty" }).bind_iter())
        .bind(rows.iter().map(|row| row.queued_at).bind_iter())
        .bind(rows.iter().map(|row| row.words.as_ref().map(|_| row.ready_at)).bind_iter())
        .bind(rows.iter().map(|row| words(row).0).bind_iter())
        .bind(rows.iter().map(|row| words(row).1).bind_iter())
        .execute(connection)
        .await?;
    Ok(())
}

fn words(row: &NoticeRow) -> (&str, &str) {
    row.words.as_ref().map_or(("", ""), |(subject, content)| (subject, content))
}
