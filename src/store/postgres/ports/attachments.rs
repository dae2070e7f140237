//! Attachments, answered from PostgreSQL.
//!
//! Promises: left-overs are claimed under the decision lock. Never: holds SQL.

use crate::domain::ids::ParticipantCode;
use crate::gateway::ports::attachments::{Access, Kept, Leftovers};
use crate::gateway::ports::objects::ObjectName;
use crate::gateway::ports::{Attachments, StoreError};
use crate::store::postgres::reader::Reader;
use crate::store::postgres::session::{Session, WRITE, within};
use crate::store::postgres::{PostgresStore, attachments, lock, unit};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

#[async_trait]
impl Attachments for PostgresStore {
    async fn expect_object(&self, name: &ObjectName, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let done = within(attachments::expect(reader.connection(), (name, at))).await;
        reader.answered(done)
    }

    async fn object_kept(&self, kept: Kept) -> Result<bool, StoreError> {
        let mut session = Session::begin(&self.pool, WRITE).await?;
        let done = within(attachments::kept(session.connection(), &kept)).await;
        unit::end(session, (done, None)).await
    }

    async fn access(&self, name: &ObjectName, who: &[ParticipantCode]) -> Result<Access, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let found = within(attachments::access(snapshot.connection(), (name, who))).await;
        unit::end(snapshot, (found, None)).await
    }

    async fn claim_leftovers(&self, leftovers: Leftovers) -> Result<Vec<ObjectName>, StoreError> {
        let mut session = Session::begin(&self.deciding, lock::BEGIN_DECISION).await?;
        let taken = within(attachments::claim(session.connection(), leftovers)).await;
        unit::end(session, (taken, None)).await
    }

    async fn object_removed(&self, name: &ObjectName) -> Result<(), StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let done = within(attachments::removed(reader.connection(), name)).await;
        reader.answered(done)
    }
}
