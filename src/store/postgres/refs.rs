//! From the ids of the domain to the small row numbers by which tables refer to each other.
//!
//! Promises: the ids of a whole batch are looked up in two queries. Never: outlives its transaction.

use crate::domain::ids::{ExchangeId, ObligationId};
use crate::gateway::ports::StoreError;
use crate::store::postgres::obligations::{self, Known};
use crate::store::postgres::row::Record;
use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// The ids that a batch will ask for.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) exchanges: BTreeSet<Uuid>,
    pub(super) obligations: BTreeSet<Uuid>,
}

/// What one transaction has looked up or written.
pub(super) struct Refs {
    exchanges: HashMap<ExchangeId, i64>,
    known: HashMap<ObligationId, Known>,
    new: HashMap<ObligationId, i64>,
}

impl Refs {
    /// Looks up what is on record.
    pub(super) async fn find(connection: &mut PgConnection, wanted: Wanted) -> Result<Self, StoreError> {
        let mut refs = Self { exchanges: HashMap::new(), known: HashMap::new(), new: HashMap::new() };
        if !wanted.exchanges.is_empty() {
            let ids: Vec<Uuid> = wanted.exchanges.into_iter().collect();
            let query = sqlx::query("SELECT id, n FROM exchange WHERE id = ANY($1)").bind(ids);
            refs.wrote_exchanges(&query.fetch_all(&mut *connection).await?)?;
        }
        let ids: Vec<Uuid> = wanted.obligations.into_iter().collect();
        refs.known = obligations::known(connection, &ids).await?;
        Ok(refs)
    }

    /// Remembers the rows (`id`, `n`) of exchanges that were found or written.
    pub(super) fn wrote_exchanges(&mut self, rows: &[PgRow]) -> Result<(), StoreError> {
        for row in rows {
            let record = Record::new(row, "exchange");
            self.exchanges.insert(ExchangeId(record.uuid("id")?), record.integer("n")?);
        }
        Ok(())
    }

    /// Remembers the rows of obligations that were just written.
    pub(super) fn wrote_obligations(&mut self, rows: HashMap<ObligationId, i64>) {
        self.new.extend(rows);
    }

    /// Obligations as they stood before this transaction.
    pub(super) fn known_obligations(&self) -> &HashMap<ObligationId, Known> {
        &self.known
    }

    /// The row of an exchange, if it is on record.
    pub(super) fn exchange(&self, id: ExchangeId) -> Option<i64> {
        self.exchanges.get(&id).copied()
    }

    /// The row of an obligation, if it is on record.
    pub(super) fn obligation(&self, id: ObligationId) -> Option<i64> {
        self.known.get(&id).map(|known| known.n).or_else(|| self.new.get(&id).copied())
    }
}
