//! Rungs of the ladder, and when something of an obligation is due.
//!
//! Promises: one planned rung per obligation, held by the database too; the search for what is due reads only planned
//! rungs, acknowledged alerts and duties that renew, in order of time. Never: judges whether a rung fires.

use crate::domain::escalation::{Rung, RungState, Rungs};
use crate::domain::ids::ObligationId;
use crate::gateway::ports::StoreError;
use crate::store::postgres::row::{Record, int};
use crate::store::rung_facts::facts;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::postgres::{PgBindIterExt, PgRow};
use std::collections::{HashMap, HashSet};

/// Writes the rungs of obligations whole: what is no longer there goes, what is the same is left alone. What ceases to
/// be planned is written before what becomes so, because the table allows one. `on_record` are the obligations that may
/// have rungs already.
pub(super) async fn save(
    connection: &mut PgConnection,
    (of, on_record): (&[(i64, &Rungs)], &[i64]),
) -> Result<(), StoreError> {
    const CLEAR: &str = "DELETE FROM rung WHERE obligation = ANY($1) AND NOT EXISTS (
             SELECT 1 FROM unnest($2::bigint[], $3::smallint[]) AS new (obligation, no)
             WHERE new.obligation = rung.obligation AND new.no = rung.no)";
    const SAVE: &str = "INSERT INTO rung (obligation, no, planned_at, state, at, by_whom, reason)
         SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::timestamptz[], $4::text[], $5::timestamptz[],
                 $6::text[], $7::text[]) AS new (obligation, no, planned_at, state, at, by_whom, reason)
         ORDER BY state = 'planned', obligation, no
         ON CONFLICT (obligation, no) DO UPDATE SET planned_at = excluded.planned_at, state = excluded.state,
             at = excluded.at, by_whom = excluded.by_whom, reason = excluded.reason
         WHERE (rung.planned_at, rung.state, rung.at, rung.by_whom, rung.reason) IS DISTINCT FROM
             (excluded.planned_at, excluded.state, excluded.at, excluded.by_whom, excluded.reason)";
    let rows = || of.iter().flat_map(|(obligation, rungs)| rungs.rows.iter().map(|rung| (*obligation, rung)));
    if !on_record.is_empty() {
        sqlx::query(CLEAR)
            .bind(on_record)
            .bind(rows().map(|(obligation, _)| obligation).bind_iter())
            .bind(rows().map(|(_, rung)| i16::from(rung.no)).bind_iter())
            .execute(&mut *connection)
            .await?;
    }
    if rows().next().is_none() {
        return Ok(());
    }
    sqlx::query(SAVE)
        .bind(rows().map(|(obligation, _)| obligation).bind_iter())
        .bind(rows().map(|(_, rung)| i16::from(rung.no)).bind_iter())
        .bind(rows().map(|(_, rung)| rung.planned_at).bind_iter())
        .bind(rows().map(|(_, rung)| rung.state.code()).bind_iter())
        .bind(rows().map(|(_, rung)| facts(&rung.state).0).bind_iter())
        .bind(rows().map(|(_, rung)| facts(&rung.state).1).bind_iter())
        .bind(rows().map(|(_, rung)| facts(&rung.state).2).bind_iter())
        .execute(connection)
        .await?;
    Ok(())
}

/// The rungs of these obligations by their rows, lowest first.
pub(super) async fn of(connection: &mut PgConnection, rows: &[i64]) -> Result<HashMap<i64, Rungs>, StoreError> {
    const OF: &str = "SELECT obligation, no, planned_at, state, at, by_whom, reason FROM rung
         WHERE obligation = ANY($1) ORDER BY obligation, no";
    let mut found: HashMap<i64, Rungs> = HashMap::new();
    if rows.is_empty() {
        return Ok(found);
    }
    for row in &sqlx::query(OF).bind(rows).fetch_all(connection).await? {
        let obligation = Record::new(row, "rung").integer("obligation")?;
        found.entry(obligation).or_insert_with(|| Rungs { rows: Vec::new() }).rows.push(read(row)?);
    }
    Ok(found)
}

fn read(row: &PgRow) -> Result<Rung, StoreError> {
    let record = Record::new(row, "rung");
    let at = || record.instant("at");
    let by = || record.string("by_whom");
    let state = match record.text("state")? {
        "planned" => RungState::Planned,
        "fired" => RungState::Fired { at: at()? },
        "skipped" => RungState::Skipped { at: at()? },
        "prepared" => RungState::Prepared { at: at()? },
        "approved" => RungState::Approved { at: at()?, by: by()? },
        "declined" => RungState::Declined { at: at()?, by: by()?, reason: record.string("reason")? },
        "cancelled" => RungState::Cancelled { at: at()? },
        _ => return Err(record.fault("state", "not one of the codes")),
    };
    Ok(Rung { no: record.integer("no")?, planned_at: record.instant("planned_at")?, state })
}

/// Obligations with a rung, the end of an acknowledgement or a next period due by then, oldest first.
pub(super) async fn due(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<ObligationId>, StoreError> {
    // Each part walks its own index in order of time and stops at the limit, however many obligations are open.
    // Of what is due at one instant, obligations of one exchange stand together: they are loaded together.
    const DUE: &str = "SELECT id FROM (
             (SELECT o.id, o.n, r.planned_at AS at FROM rung r JOIN obligation o ON o.n = r.obligation
              WHERE r.state = 'planned' AND r.planned_at <= $1 ORDER BY r.planned_at, r.obligation LIMIT $2)
             UNION ALL
             (SELECT o.id, o.n, a.until FROM alert a JOIN obligation o ON o.n = a.obligation
              WHERE a.state = 'acknowledged' AND a.until <= $1 ORDER BY a.until LIMIT $2)
             UNION ALL
             (SELECT id, n, renews_at FROM obligation
              WHERE renews_at IS NOT NULL AND renews_at <= $1 ORDER BY renews_at LIMIT $2)) AS due
         ORDER BY at, n";
    let rows = sqlx::query(DUE).bind(now).bind(int(limit)).fetch_all(connection).await?;
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for row in &rows {
        let id = ObligationId(Record::new(row, "obligation").uuid("id")?);
        if seen.insert(id) && found.len() < limit {
            found.push(id);
        }
    }
    Ok(found)
}
