//! From the ids of the domain to the small row numbers by which tables refer to each other.
//!
//! Promises: an id is looked up once per transaction. Never: outlives its transaction.

use crate::domain::ids::{ExchangeId, ObligationId};
use crate::gateway::ports::StoreError;
use rusqlite::{CachedStatement, Connection, OptionalExtension};
use std::collections::HashMap;

/// What one transaction has looked up or written.
pub(super) struct Refs<'c> {
    find_exchange: CachedStatement<'c>,
    begin_exchange: CachedStatement<'c>,
    find_obligation: CachedStatement<'c>,
    exchanges: HashMap<ExchangeId, i64>,
    obligations: HashMap<ObligationId, i64>,
}

impl<'c> Refs<'c> {
    pub(super) fn new(connection: &'c Connection) -> Result<Self, StoreError> {
        Ok(Self {
            find_exchange: connection.prepare_cached("SELECT n FROM exchange WHERE id = ?1")?,
            begin_exchange: connection.prepare_cached("INSERT INTO exchange (id) VALUES (?1)")?,
            find_obligation: connection.prepare_cached("SELECT n FROM obligation WHERE id = ?1")?,
            exchanges: HashMap::new(),
            obligations: HashMap::new(),
        })
    }

    /// Remembers the row of an exchange that was just written.
    pub(super) fn wrote_exchange(&mut self, id: ExchangeId, n: i64) {
        self.exchanges.insert(id, n);
    }

    /// Remembers the row of an obligation that was just written.
    pub(super) fn wrote_obligation(&mut self, id: ObligationId, n: i64) {
        self.obligations.insert(id, n);
    }

    /// The row of an exchange, if it is on record.
    pub(super) fn exchange(&mut self, id: ExchangeId) -> Result<Option<i64>, StoreError> {
        if let Some(n) = self.exchanges.get(&id) {
            return Ok(Some(*n));
        }
        let found: Option<i64> = self.find_exchange.query_row([id.0.as_bytes()], |row| row.get(0)).optional()?;
        self.exchanges.extend(found.map(|n| (id, n)));
        Ok(found)
    }

    /// The row of an exchange; one that is not on record begins as unseen.
    pub(super) fn exchange_or_unseen(&mut self, id: ExchangeId) -> Result<i64, StoreError> {
        if let Some(n) = self.exchange(id)? {
            return Ok(n);
        }
        let n = self.begin_exchange.insert([id.0.as_bytes()])?;
        self.exchanges.insert(id, n);
        Ok(n)
    }

    /// The row of an obligation, if it is on record.
    pub(super) fn obligation(&mut self, id: ObligationId) -> Result<Option<i64>, StoreError> {
        if let Some(n) = self.obligations.get(&id) {
            return Ok(Some(*n));
        }
        let found: Option<i64> = self.find_obligation.query_row([id.0.as_bytes()], |row| row.get(0)).optional()?;
        self.obligations.extend(found.map(|n| (id, n)));
        Ok(found)
    }
}
