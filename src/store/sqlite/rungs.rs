//! Rungs of the ladder, and when something of an obligation is due.
//!
//! Promises: one planned rung per obligation, held by the database too; the search for what is due reads only planned
//! rungs and acknowledged alerts, in order of time. Never: judges whether a rung fires.

use crate::domain::escalation::{Rung, RungState, Rungs};
use crate::domain::ids::ObligationId;
use crate::gateway::ports::StoreError;
use crate::store::rung_facts::facts;
use crate::store::sqlite::row::{Record, int, micros};
use chrono::{DateTime, Utc};
use rusqlite::{CachedStatement, Connection, Row, params};
use std::collections::HashSet;

/// Writes the rungs of obligations.
pub(super) struct Writer<'c> {
    clear: CachedStatement<'c>,
    insert: CachedStatement<'c>,
}

impl<'c> Writer<'c> {
    pub(super) fn new(connection: &'c Connection) -> Result<Self, StoreError> {
        Ok(Self {
            clear: connection.prepare_cached("DELETE FROM rung WHERE obligation = ?1")?,
            insert: connection.prepare_cached(
                "INSERT INTO rung (obligation, no, planned_at, state, at, by_whom, reason)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?,
        })
    }

    /// Takes off the rungs of an obligation.
    pub(super) fn clear(&mut self, obligation: i64) -> Result<(), StoreError> {
        self.clear.execute([obligation])?;
        Ok(())
    }

    /// Writes the rungs of an obligation that has none on record.
    pub(super) fn add(&mut self, obligation: i64, rungs: &Rungs) -> Result<(), StoreError> {
        for rung in &rungs.rows {
            let (at, by, reason) = facts(&rung.state);
            let planned_at = micros(rung.planned_at);
            self.insert.execute(params![
                obligation,
                rung.no,
                planned_at,
                rung.state.code(),
                at.map(micros),
                by,
                reason
            ])?;
        }
        Ok(())
    }
}

/// The rungs of an obligation, lowest first.
pub(super) fn of(connection: &Connection, obligation: i64) -> Result<Rungs, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT obligation, no, planned_at, state, at, by_whom, reason FROM rung WHERE obligation = ?1 ORDER BY no",
    )?;
    let rows = statement.query_and_then([obligation], read)?.collect::<Result<_, _>>()?;
    Ok(Rungs { rows })
}

fn read(row: &Row<'_>) -> Result<Rung, StoreError> {
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
pub(super) fn due(connection: &Connection, now: DateTime<Utc>, limit: usize) -> Result<Vec<ObligationId>, StoreError> {
    const RUNGS: &str = "SELECT o.id, o.n, r.planned_at AS at FROM rung r CROSS JOIN obligation o ON o.n = r.obligation
         WHERE r.state = 'planned' AND r.planned_at <= ?1 ORDER BY r.planned_at, r.obligation LIMIT ?2";
    const ACKNOWLEDGEMENTS: &str =
        "SELECT o.id, o.n, a.until AS at FROM alert a CROSS JOIN obligation o ON o.n = a.obligation
         WHERE a.state = 'acknowledged' AND a.until <= ?1 ORDER BY a.until LIMIT ?2";
    const RENEWALS: &str = "SELECT id, n, renews_at AS at FROM obligation
         WHERE renews_at IS NOT NULL AND renews_at <= ?1 ORDER BY renews_at LIMIT ?2";
    // Of what is due at one instant, obligations of one exchange stand together: they are loaded together.
    let mut found: Vec<(i64, i64, ObligationId)> = Vec::new();
    for sql in [RUNGS, ACKNOWLEDGEMENTS, RENEWALS] {
        let mut statement = connection.prepare_cached(sql)?;
        for row in statement.query_and_then(params![micros(now), int(limit)], due_row)? {
            found.push(row?);
        }
    }
    found.sort_unstable();
    let mut seen = HashSet::new();
    Ok(found.into_iter().map(|(_, _, id)| id).filter(|id| seen.insert(*id)).take(limit).collect())
}

fn due_row(row: &Row<'_>) -> Result<(i64, i64, ObligationId), StoreError> {
    let record = Record::new(row, "obligation");
    Ok((record.integer("at")?, record.integer("n")?, ObligationId(record.uuid("id")?)))
}
