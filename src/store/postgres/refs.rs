//! From the ids of the domain to the small row numbers by which tables refer to each other.
//!
//! Promises: the ids of a whole batch are looked up in two queries, and what was loaded in none. Never: outlives its
//! transaction.

use crate::domain::ids::{ExchangeId, ObligationId};
use crate::gateway::ports::StoreError;
use crate::store::postgres::obligations::{self, Found, Known};
use crate::store::postgres::row::Record;
use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// The ids that a batch will ask for.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) exchanges: BTreeSet<Uuid>,
    pub(super) obligations: BTreeSet<Uuid>,
}

/// What one transaction has looked up or written.
#[derive(Default)]
pub(super) struct Refs {
    /// Looked for, found or not.
    looked_for: HashSet<ExchangeId>,
    exchanges: HashMap<ExchangeId, i64>,
    known: HashMap<ObligationId, Known>,
    new: HashMap<ObligationId, i64>,
}

impl Refs {
    /// Looks up what is on record of ids that have not been looked for.
    pub(super) async fn find(&mut self, connection: &mut PgConnection, wanted: Wanted) -> Result<(), StoreError> {
        let ids: Vec<Uuid> = wanted.exchanges.into_iter().filter(|id| self.is_open(ExchangeId(*id))).collect();
        if !ids.is_empty() {
            let query = sqlx::query("SELECT id, n FROM exchange WHERE id = ANY($1)").bind(ids);
            self.wrote_exchanges(&query.fetch_all(&mut *connection).await?)?;
        }
        let is_known = |id: &Uuid| self.known.contains_key(&ObligationId(*id));
        let ids: Vec<Uuid> = wanted.obligations.into_iter().filter(|id| !is_known(id)).collect();
        self.known.extend(obligations::known(connection, &ids).await?);
        Ok(())
    }

    /// Whether nothing is known of an exchange, not even that it is not on record.
    fn is_open(&self, id: ExchangeId) -> bool {
        !self.was_looked_for(id) && !self.exchanges.contains_key(&id)
    }

    /// Whether all that is on record of an exchange was looked for.
    pub(super) fn was_looked_for(&self, id: ExchangeId) -> bool {
        self.looked_for.contains(&id)
    }

    /// Remembers exchanges that were looked for, and the rows of those that were found.
    pub(super) fn loaded_exchanges(&mut self, ids: &[Uuid], found: impl Iterator<Item = (ExchangeId, i64)>) {
        self.looked_for.extend(ids.iter().map(|id| ExchangeId(*id)));
        self.exchanges.extend(found);
    }

    /// Remembers the row of an exchange; whoever has it need not look for it.
    pub(super) fn saw_exchange(&mut self, id: ExchangeId, n: i64) {
        self.exchanges.insert(id, n);
    }

    /// Remembers all obligations of the exchanges that were loaded.
    pub(super) fn loaded_obligations(&mut self, found: &[Found]) {
        self.known.extend(found.iter().map(|one| (one.obligation.id, one.known())));
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
