//! The store as decisions see it.
//!
//! Promises: each write is one transaction. Never: holds SQL.

use crate::domain::decision::Event;
use crate::domain::ids::ObligationId;
use crate::gateway::ports::decisions::{Attempt, Claim, Claimed, Unit};
use crate::gateway::ports::{Decisions, Keys, Loaded, StoreError};
use crate::store::postgres::reader::Reader;
use crate::store::postgres::session::{Session, WRITE_UNSYNCED, within};
use crate::store::postgres::views::figures;
use crate::store::postgres::{PostgresStore, handlings, rungs, unit};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

#[async_trait]
impl Decisions for PostgresStore {
    async fn begin(&self, keys: Keys) -> Result<(Box<dyn Unit>, Loaded), StoreError> {
        let (unit, loaded) = unit::begin(self, &keys).await?;
        Ok((Box::new(unit), loaded))
    }

    async fn due_obligations(&self, now: DateTime<Utc>, limit: usize) -> Result<Vec<ObligationId>, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(rungs::due(reader.connection(), now, limit)).await;
        reader.answered(found)
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        unit::claim(self, &claim).await
    }

    async fn settle(&self, attempts: Vec<Attempt>, events: Vec<Event>) -> Result<(), StoreError> {
        unit::settle(self, (&attempts, events)).await
    }

    async fn begin_handlings(
        &self,
        keys: [[u8; 32]; 2],
        at: DateTime<Utc>,
        forgotten: DateTime<Utc>,
    ) -> Result<[u32; 2], StoreError> {
        let mut session = Session::begin(&self.pool, WRITE_UNSYNCED).await?;
        let begun = within(handlings::begin(session.connection(), keys, (at, forgotten))).await;
        unit::end(session, (begun, None)).await
    }

    async fn end_handling(&self, key: [u8; 32]) -> Result<(), StoreError> {
        let mut session = Session::begin(&self.pool, WRITE_UNSYNCED).await?;
        let ended = within(handlings::end(session.connection(), key)).await;
        unit::end(session, (ended, None)).await
    }

    async fn answers(&self, at: DateTime<Utc>) -> bool {
        handlings::probe(&self.pool, at).await.is_ok()
    }

    async fn latest_instant(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(figures::latest_instant(reader.connection())).await;
        reader.answered(found)
    }
}
