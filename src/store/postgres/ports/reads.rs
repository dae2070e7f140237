//! What is shown, answered from PostgreSQL.
//!
//! Promises: what takes several queries sees one state of the database. Never: holds SQL; waits without an end.

use crate::domain::case::{Case, CaseKey};
use crate::domain::decision::Event;
use crate::domain::ids::{ExchangeId, MessageId, ObligationId, ParticipantCode};
use crate::domain::participant::Participant;
use crate::gateway::ports::cases::{CaseFilter, CaseRow, Correspondents, DisclosureFilter, DisclosureRow};
use crate::gateway::ports::decisions::{Claimed, JournalRow, StoredMessage};
use crate::gateway::ports::reads::{
    DeliveryRow, DutyFilter, DutyRow, ExchangeRecord, Figures, InboxItem, InboxPage, JournalFilter, JournalPlace,
    QuarantineView, Tally, TallyAt,
};
use crate::gateway::ports::scans::ScanRecord;
use crate::gateway::ports::{Reads, StoreError};
use crate::store::postgres::reader::Reader;
use crate::store::postgres::session::within;
use crate::store::postgres::views::{
    by_hand, cases, chronology, deliveries, disclosures, events, figures, journal, messages, quarantine, search,
};
use crate::store::postgres::{PostgresStore, participants};
use async_trait::async_trait;
use tokio::sync::watch;

#[async_trait]
impl Reads for PostgresStore {
    async fn participants(&self) -> Result<Vec<Participant>, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(participants::all(reader.connection())).await;
        reader.answered(found)
    }

    async fn participants_generation(&self) -> Result<u64, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(figures::generation(reader.connection())).await;
        reader.answered(found)
    }

    async fn message(&self, id: MessageId) -> Result<Option<StoredMessage>, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(messages::by_id(reader.connection(), id)).await;
        reader.answered(found)
    }

    async fn exchange(&self, id: ExchangeId) -> Result<Option<ExchangeRecord>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let found = within(chronology::of_exchange(snapshot.connection(), id)).await?;
        snapshot.commit().await?;
        Ok(found)
    }

    async fn duty(&self, id: ObligationId) -> Result<Option<DutyRow>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let found = within(search::by_id(snapshot.connection(), id)).await?;
        snapshot.commit().await?;
        Ok(found)
    }

    async fn duties(&self, filter: DutyFilter) -> Result<Vec<DutyRow>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let found = within(search::list(snapshot.connection(), &filter)).await?;
        snapshot.commit().await?;
        Ok(found)
    }

    async fn tally(&self, at: TallyAt) -> Result<Tally, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(figures::tally(reader.connection(), &at)).await;
        reader.answered(found)
    }

    async fn inbox(&self, page: InboxPage) -> Result<Vec<InboxItem>, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(deliveries::inbox(reader.connection(), &page)).await;
        reader.answered(found)
    }

    async fn inbox_letter(&self, message: MessageId, to: &ParticipantCode) -> Result<Option<Claimed>, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(deliveries::inbox_letter(reader.connection(), message, to)).await;
        reader.answered(found)
    }

    async fn delivery(&self, message: MessageId, to: &ParticipantCode) -> Result<Option<DeliveryRow>, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(deliveries::one(reader.connection(), message, to)).await;
        reader.answered(found)
    }

    async fn journal(&self, filter: JournalFilter) -> Result<Vec<JournalRow>, StoreError> {
        let page = self.journal_page(filter, None).await?;
        Ok(page.into_iter().map(|(_, row)| row).collect())
    }

    async fn journal_page(
        &self,
        filter: JournalFilter,
        after: Option<JournalPlace>,
    ) -> Result<Vec<(JournalPlace, JournalRow)>, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(journal::list(reader.connection(), &filter, after)).await;
        reader.answered(found)
    }

    async fn scan(&self, sha256: &str) -> Result<Option<ScanRecord>, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(by_hand::scan(reader.connection(), sha256)).await;
        reader.answered(found)
    }

    async fn events_after(&self, seq: u64, limit: usize) -> Result<Vec<(u64, Event)>, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(events::after(reader.connection(), seq, limit)).await;
        reader.answered(found)
    }

    async fn last_event(&self) -> Result<u64, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(events::last(reader.connection())).await;
        reader.answered(found)
    }

    async fn quarantine(&self, before: Option<u64>, limit: usize) -> Result<Vec<QuarantineView>, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(quarantine::before(reader.connection(), before, limit)).await;
        reader.answered(found)
    }

    async fn undeliverable(&self, limit: usize) -> Result<Vec<DeliveryRow>, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(deliveries::undeliverable(reader.connection(), limit)).await;
        reader.answered(found)
    }

    async fn case(&self, key: &CaseKey) -> Result<Option<Case>, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(cases::by_key(reader.connection(), key)).await;
        reader.answered(found)
    }

    async fn cases(&self, filter: CaseFilter) -> Result<Vec<CaseRow>, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(cases::list(reader.connection(), &filter)).await;
        reader.answered(found)
    }

    async fn correspondents(&self, of: &CaseKey) -> Result<Correspondents, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let found = within(cases::correspondents(snapshot.connection(), of)).await?;
        snapshot.commit().await?;
        Ok(found)
    }

    async fn disclosures(&self, filter: DisclosureFilter) -> Result<Vec<DisclosureRow>, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(disclosures::list(reader.connection(), &filter)).await;
        reader.answered(found)
    }

    fn changes_elsewhere(&self) -> Option<watch::Receiver<u64>> {
        Some(self.presence.changes())
    }

    async fn figures(&self) -> Result<Figures, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(figures::figures(reader.connection())).await;
        reader.answered(found)
    }
}
