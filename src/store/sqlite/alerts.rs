//! Alerts: at most one row per obligation.
//!
//! Promises: an acknowledgement is stored with owner, reason and end, or not at all. Never: resolves one.

use crate::domain::alert::{Alert, AlertState};
use crate::domain::ids::ObligationId;
use crate::gateway::ports::StoreError;
use crate::store::sqlite::row::{Record, micros};
use rusqlite::{CachedStatement, Connection, Row, params};

/// Writes the alerts of obligations.
pub(super) struct Writer<'c> {
    clear: CachedStatement<'c>,
    insert: CachedStatement<'c>,
}

impl<'c> Writer<'c> {
    pub(super) fn new(connection: &'c Connection) -> Result<Self, StoreError> {
        Ok(Self {
            clear: connection.prepare_cached("DELETE FROM alert WHERE obligation = ?1")?,
            insert: connection.prepare_cached(
                "INSERT INTO alert (obligation, raised_at, rung, state, at, owner, until, reason)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?,
        })
    }

    /// Takes off the alert of an obligation.
    pub(super) fn clear(&mut self, obligation: i64) -> Result<(), StoreError> {
        self.clear.execute([obligation])?;
        Ok(())
    }

    /// Writes the alert of an obligation that has none on record.
    pub(super) fn add(&mut self, obligation: i64, alert: &Alert) -> Result<(), StoreError> {
        let (at, owner, until, reason) = match &alert.state {
            AlertState::Open => (None, None, None, None),
            AlertState::Acknowledged { owner, until, reason, at } => {
                (Some(*at), Some(owner), Some(*until), Some(reason))
            }
            AlertState::Resolved { at } => (Some(*at), None, None, None),
        };
        let (raised_at, at, until) = (micros(alert.raised_at), at.map(micros), until.map(micros));
        self.insert.execute(params![obligation, raised_at, alert.rung, alert.code(), at, owner, until, reason])?;
        Ok(())
    }
}

/// The alert of an obligation.
pub(super) fn of(connection: &Connection, n: i64, obligation: ObligationId) -> Result<Option<Alert>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT obligation, raised_at, rung, state, at, owner, until, reason FROM alert WHERE obligation = ?1",
    )?;
    statement.query_and_then([n], |row| read(row, obligation))?.next().transpose()
}

fn read(row: &Row<'_>, obligation: ObligationId) -> Result<Alert, StoreError> {
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
    Ok(Alert { obligation, raised_at: record.instant("raised_at")?, rung: record.integer("rung")?, state })
}
