//! Notices, answered from PostgreSQL.
//!
//! Promises: claims take no decision lock, only that of claims; what writes events takes it. Never:
//! holds SQL.

use crate::domain::decision::Event;
use crate::domain::delivery::notice_waits_until_max;
use crate::domain::ids::ParticipantCode;
use crate::domain::notice::Whom;
use crate::gateway::ports::notices::{ClaimedNotice, NoticeAttempt, NoticeClaim, NoticeFigures, NoticeView};
use crate::gateway::ports::{Notices, StoreError};
use crate::store::postgres::reader::Reader;
use crate::store::postgres::session::{Session, WRITE, within};
use crate::store::postgres::{PostgresStore, lock, telling, unit};
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

#[async_trait]
impl Notices for PostgresStore {
    async fn claim_notices(&self, claim: NoticeClaim) -> Result<Vec<ClaimedNotice>, StoreError> {
        let Some(mut session) = unit::begin_claim(
            self,
            (telling::WAITS, claim.medium.code()),
            (claim.now, notice_waits_until_max(claim.now)),
        )
        .await?
        else {
            return Ok(Vec::new());
        };
        let leased = within(telling::claim(session.connection(), &claim, self.presence.holder()));
        let leased = leased.await;
        unit::end(session, (leased, None)).await
    }

    async fn settle_notices(&self, attempts: Vec<NoticeAttempt>, events: Vec<Event>) -> Result<(), StoreError> {
        let mut session = Session::begin(&self.deciding, lock::BEGIN_DECISION).await?;
        let settled = within(async {
            telling::settle(session.connection(), (&attempts, &self.presence.numbers())).await?;
            unit::save_events(session.connection(), &events, Default::default()).await
        });
        let settled = settled.await;
        let tell = (!events.is_empty()).then(|| self.presence.commit_and_tell());
        unit::end(session, (settled, tell)).await
    }

    async fn digests_since(&self, day: NaiveDate) -> Result<Vec<(ParticipantCode, Whom, NaiveDate)>, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(telling::digests_since(reader.connection(), day)).await;
        reader.answered(found)
    }

    async fn undeliverable_notices(&self, limit: usize) -> Result<Vec<NoticeView>, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(telling::undeliverable(reader.connection(), limit)).await;
        reader.answered(found)
    }

    async fn notice_again(&self, id: Uuid, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let mut session = Session::begin(&self.pool, WRITE).await?;
        let done = within(telling::again(session.connection(), id, now)).await?;
        session.commit_with(self.presence.commit_and_tell()).await?;
        Ok(done)
    }

    async fn notice_figures(&self) -> Result<NoticeFigures, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(telling::figures(reader.connection())).await;
        reader.answered(found)
    }
}
