//! Alerts: at most one row per obligation.
//!
//! Promises: an acknowledgement is stored with owner, reason and end, or not at all. Never: resolves one.

use crate::domain::alert::{Alert, AlertState};
use crate::domain::ids::ObligationId;
use crate::gateway::ports::StoreError;
use crate::store::postgres::row::Record;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::postgres::{PgBindIterExt, PgRow};
use std::collections::HashMap;

/// Writes the alerts of obligations whole: one that is no longer there goes, one that is the same is left alone.
/// `on_record` are the obligations that may have an alert already.
pub(super) async fn save(
    connection: &mut PgConnection,
    (of, on_record): (&[(i64, Option<&Alert>)], &[i64]),
) -> Result<(), StoreError> {
    const CLEAR: &str = "DELETE FROM alert WHERE obligation = ANY($1) AND obligation <> ALL($2)";
    const SAVE: &str = "INSERT INTO alert (obligation, raised_at, rung, state, at, owner, until, reason)
         SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::smallint[], $4::text[], $5::timestamptz[],
                 $6::text[], $7::timestamptz[], $8::text[])
         ON CONFLICT (obligation) DO UPDATE SET raised_at = excluded.raised_at, rung = excluded.rung,
             state = excluded.state, at = excluded.at, owner = excluded.owner, until = excluded.until,
             reason = excluded.reason
         WHERE (alert.raised_at, alert.rung, alert.state, alert.at, alert.owner, alert.until, alert.reason)
             IS DISTINCT FROM (excluded.raised_at, excluded.rung, excluded.state, excluded.at, excluded.owner,
                 excluded.until, excluded.reason)";
    let rows = || of.iter().filter_map(|(obligation, alert)| Some((*obligation, (*alert)?)));
    if !on_record.is_empty() {
        let clear = sqlx::query(CLEAR).bind(on_record).bind(rows().map(|(obligation, _)| obligation).bind_iter());
        clear.execute(&mut *connection).await?;
    }
    if rows().next().is_none() {
        return Ok(());
    }
    sqlx::query(SAVE)
        .bind(rows().map(|(obligation, _)| obligation).bind_iter())
        .bind(rows().map(|(_, alert)| alert.raised_at).bind_iter())
        .bind(rows().map(|(_, alert)| i16::from(alert.rung)).bind_iter())
        .bind(rows().map(|(_, alert)| alert.code()).bind_iter())
        .bind(rows().map(|(_, alert)| Facts::of(alert).at).bind_iter())
        .bind(rows().map(|(_, alert)| Facts::of(alert).owner).bind_iter())
        .bind(rows().map(|(_, alert)| Facts::of(alert).until).bind_iter())
        .bind(rows().map(|(_, alert)| Facts::of(alert).reason).bind_iter())
        .execute(connection)
        .await?;
    Ok(())
}

/// What a state bears.
#[derive(Default)]
struct Facts<'a> {
    at: Option<DateTime<Utc>>,
    owner: Option<&'a str>,
    until: Option<DateTime<Utc>>,
    reason: Option<&'a str>,
}

impl<'a> Facts<'a> {
    fn of(alert: &'a Alert) -> Self {
        match &alert.state {
            AlertState::Open => Self::default(),
            AlertState::Acknowledged { owner, until, reason, at } => {
                Self { at: Some(*at), owner: Some(owner), until: Some(*until), reason: Some(reason) }
            }
            AlertState::Resolved { at } => Self { at: Some(*at), ..Self::default() },
        }
    }
}

/// The alerts of these obligations by their rows.
pub(super) async fn of(connection: &mut PgConnection, rows: &[i64]) -> Result<HashMap<i64, Alert>, StoreError> {
    const OF: &str = "SELECT a.obligation, o.id, a.raised_at, a.rung, a.state, a.at, a.owner, a.until, a.reason
         FROM alert a JOIN obligation o ON o.n = a.obligation WHERE a.obligation = ANY($1)";
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(OF).bind(rows).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((Record::new(row, "alert").integer("obligation")?, read(row)?))).collect()
}

fn read(row: &PgRow) -> Result<Alert, StoreError> {
    let record = Record::new(row, "alert");
    let state = match record.text("state")? {
        "open" => AlertState::Open,
        "acknowledged" => AlertState::Acknowledged {
            owner: record.string("owner")?,
            until: record.instant("until")?,
            reason: record.string("reason")?,
            at: record.instant("at")?,
        },
        "resolved" => AlertState::Resolved { at: record.instant("at")? },
        _ => return Err(record.fault("state", "not one of the codes")),
    };
    let obligation = ObligationId(record.uuid("id")?);
    Ok(Alert { obligation, raised_at: record.instant("raised_at")?, rung: record.integer("rung")?, state })
}
