//! What decisions add to the logs: events, disclosures, the quarantine.
//!
//! Promises: numbered in the order of commits (lock.rs), without a number used twice. Never: changes or deletes a line.

use crate::domain::case::disclosure::Disclosure;
use crate::domain::decision::{Event, EventKind};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::QuarantineRow;
use crate::store::postgres::counters::{self, CONFLICTS, Counters, QUARANTINED};
use crate::store::postgres::fault::unwritable;
use crate::store::postgres::refs::Refs;
use crate::store::postgres::row::int;
use sqlx::PgConnection;
use sqlx::postgres::PgBindIterExt;

/// Writes events with the latest instant of all, and the counters: the last statement of a transaction.
pub(super) async fn save(
    connection: &mut PgConnection,
    events: &[Event],
    (refs, mut counters): (&Refs, Counters),
) -> Result<(), StoreError> {
    // A counter's row is locked in the order of names before the first is written (counters.rs).
    const SAVE: &str = "WITH told AS (
             INSERT INTO event (at, kind, exchange, obligation, message, participant, detail, exchange_n, obligation_n)
             SELECT at, kind, exchange, obligation, message, participant, detail, exchange_n, obligation_n
             FROM unnest($1::timestamptz[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[],
                     $8::bigint[], $9::bigint[])
                 WITH ORDINALITY AS new (at, kind, exchange, obligation, message, participant, detail, exchange_n,
                     obligation_n, place)
             ORDER BY place),
         saw AS (
             INSERT INTO figure (name, value) VALUES ('latest_instant_us', $10)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE excluded.value > figure.value),
         held AS (SELECT name FROM figure WHERE name = ANY($11::text[]) ORDER BY name FOR UPDATE)
         UPDATE figure SET value = value + new.by
         FROM unnest($11::text[], $12::bigint[]) AS new (name, by) JOIN held ON held.name = new.name
         WHERE figure.name = new.name";
    let Some(latest) = events.iter().map(|event| event.at).max() else {
        return counters::write(&counters, connection).await;
    };
    let conflicts = events.iter().filter(|event| event.kind == EventKind::MessageConflict).count();
    counters.add(CONFLICTS, int(conflicts));
    sqlx::query(SAVE)
        .bind(events.iter().map(|event| event.at).bind_iter())
        .bind(events.iter().map(|event| event.kind.code()).bind_iter())
        .bind(events.iter().map(|event| event.exchange.map(|id| id.0)).bind_iter())
        .bind(events.iter().map(|event| event.obligation.map(|id| id.0)).bind_iter())
        .bind(events.iter().map(|event| event.message.map(|id| id.0)).bind_iter())
        .bind(events.iter().map(|event| event.participant.as_ref().map(|code| code.as_str())).bind_iter())
        .bind(events.iter().map(|event| event.detail.as_deref()).bind_iter())
        .bind(events.iter().map(|event| event.exchange.and_then(|id| refs.exchange(id))).bind_iter())
        .bind(events.iter().map(|event| event.obligation.and_then(|id| refs.obligation(id))).bind_iter())
        .bind(latest.timestamp_micros())
        .bind(counters.sums().map(|(name, _)| name).bind_iter())
        .bind(counters.sums().map(|(_, by)| by).bind_iter())
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes lines of the log of disclosures.
pub(super) async fn save_disclosures(connection: &mut PgConnection, lines: &[Disclosure]) -> Result<(), StoreError> {
    const SAVE: &str = "INSERT INTO disclosure (centre, case_no, at, kind, what, message, exchange, by_whom, to_whom,
             ground)
         SELECT centre, case_no, at, kind, what, message, exchange, by_whom, to_whom, ground::json
         FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::uuid[], $7::uuid[],
                 $8::text[], $9::text[], $10::text[])
             WITH ORDINALITY AS new (centre, case_no, at, kind, what, message, exchange, by_whom, to_whom, ground,
                 place)
         ORDER BY place";
    if lines.is_empty() {
        return Ok(());
    }
    let ground = |line: &Disclosure| serde_json::to_string(&line.ground);
    let grounds: Vec<String> = lines.iter().map(ground).collect::<Result<_, _>>().map_err(unwritable)?;
    sqlx::query(SAVE)
        .bind(lines.iter().map(|line| line.case.centre.as_str()).bind_iter())
        .bind(lines.iter().map(|line| line.case.number.as_str()).bind_iter())
        .bind(lines.iter().map(|line| line.at).bind_iter())
        .bind(lines.iter().map(|line| line.kind.code()).bind_iter())
        .bind(lines.iter().map(|line| line.what.as_str()).bind_iter())
        .bind(lines.iter().map(|line| line.message.map(|id| id.0)).bind_iter())
        .bind(lines.iter().map(|line| line.exchange.map(|id| id.0)).bind_iter())
        .bind(lines.iter().map(|line| line.by.as_str()).bind_iter())
        .bind(lines.iter().map(|line| line.to.as_str()).bind_iter())
        .bind(grounds)
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes quarantined things.
pub(super) async fn save_quarantine(
    connection: &mut PgConnection,
    rows: &[QuarantineRow],
    counters: &mut Counters,
) -> Result<(), StoreError> {
    const SAVE: &str = "INSERT INTO quarantine (at, source, participant, message, code, reason, content_type, content)
         SELECT at, source, participant, message, code, reason, content_type, content
         FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[],
                 $8::bytea[])
             WITH ORDINALITY AS new (at, source, participant, message, code, reason, content_type, content, place)
         ORDER BY place";
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(SAVE)
        .bind(rows.iter().map(|row| row.at).bind_iter())
        .bind(rows.iter().map(|row| row.source).bind_iter())
        .bind(rows.iter().map(|row| row.participant.as_ref().map(|code| code.as_str())).bind_iter())
        .bind(rows.iter().map(|row| row.message.map(|id| id.0)).bind_iter())
        .bind(rows.iter().map(|row| row.code.as_str()).bind_iter())
        .bind(rows.iter().map(|row| row.reason.as_str()).bind_iter())
        .bind(rows.iter().map(|row| row.content_type.as_str()).bind_iter())
        .bind(rows.iter().map(|row| &row.content[..]).bind_iter())
        .execute(connection)
        .await?;
    counters.add(QUARANTINED, int(rows.len()));
    Ok(())
}
