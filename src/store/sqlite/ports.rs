//! The ports of the gateway, answered from SQLite: each call is one job for the writer or for a reader.
//!
//! Promises: every write is one transaction. Never: holds SQL; that stands with its table.

use crate::domain::case::{Case, CaseKey};
use crate::domain::decision::Event;
use crate::domain::ids::{ExchangeId, MessageId, ObligationId, ParticipantCode};
use crate::domain::notice::Whom;
use crate::domain::participant::Participant;
use crate::gateway::ports::accounts::{Session, StoredKey, User};
use crate::gateway::ports::attachments::{Access, Kept, Leftovers};
use crate::gateway::ports::cases::{CaseFilter, CaseRow, Correspondents, DisclosureFilter, DisclosureRow};
use crate::gateway::ports::decisions::{Attempt, Claim, Claimed, JournalRow, StoredMessage, Unit};
use crate::gateway::ports::notices::{ClaimedNotice, NoticeAttempt, NoticeClaim, NoticeFigures, NoticeView};
use crate::gateway::ports::objects::ObjectName;
use crate::gateway::ports::reads::{
    DeliveryRow, DutyFilter, DutyRow, ExchangeRecord, Figures, InboxItem, InboxPage, JournalFilter, JournalPlace,
    QuarantineView, Tally, TallyAt,
};
use crate::gateway::ports::scans::ScanRecord;
use crate::gateway::ports::{Accounts, Attachments, Decisions, Keys, Loaded, Notices, Reads, StoreError};
use crate::store::sqlite::refs::Refs;
use crate::store::sqlite::{
    SqliteStore, accounts, attachments, by_hand, cases, disclosures, events, exchanges, figures, handlings, journal,
    messages, notices, outbox, participants, quarantine, rungs, save, search,
};
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::Connection;
use uuid::Uuid;

#[async_trait]
impl Decisions for SqliteStore {
    async fn begin(&self, keys: Keys) -> Result<(Box<dyn Unit>, Loaded), StoreError> {
        self.writer.begin(keys).await
    }

    async fn due_obligations(&self, now: DateTime<Utc>, limit: usize) -> Result<Vec<ObligationId>, StoreError> {
        self.readers.run(move |connection| rungs::due(connection, now, limit)).await
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        self.writer.run(move |connection| save::claim(connection, &claim)).await
    }

    async fn settle(&self, attempts: Vec<Attempt>, events: Vec<Event>) -> Result<(), StoreError> {
        self.writer.run(move |connection| save::settle(connection, &attempts, events)).await
    }

    async fn begin_handlings(
        &self,
        keys: [[u8; 32]; 2],
        at: DateTime<Utc>,
        forgotten: DateTime<Utc>,
    ) -> Result<[u32; 2], StoreError> {
        self.writer.run(move |connection| handlings::begin(connection, keys, (at, forgotten))).await
    }

    async fn end_handling(&self, key: [u8; 32]) -> Result<(), StoreError> {
        self.writer.run(move |connection| handlings::end(connection, key)).await
    }

    async fn latest_instant(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.readers.run(figures::latest_instant).await
    }
}

#[async_trait]
impl Reads for SqliteStore {
    async fn participants(&self) -> Result<Vec<Participant>, StoreError> {
        self.readers.run(participants::all).await
    }

    async fn participants_generation(&self) -> Result<u64, StoreError> {
        self.readers.run(figures::generation).await
    }

    async fn message(&self, id: MessageId) -> Result<Option<StoredMessage>, StoreError> {
        self.readers.run(move |connection| messages::by_id(connection, id)).await
    }

    async fn exchange(&self, id: ExchangeId) -> Result<Option<ExchangeRecord>, StoreError> {
        self.readers.run(move |connection| exchange_record(connection, id)).await
    }

    async fn duty(&self, id: ObligationId) -> Result<Option<DutyRow>, StoreError> {
        self.readers.run(move |connection| search::by_id(connection, id)).await
    }

    async fn duties(&self, filter: DutyFilter) -> Result<Vec<DutyRow>, StoreError> {
        self.readers.run(move |connection| search::list(connection, &filter)).await
    }

    async fn tally(&self, at: TallyAt) -> Result<Tally, StoreError> {
        self.readers.run(move |connection| figures::tally(connection, &at)).await
    }

    async fn inbox(&self, page: InboxPage) -> Result<Vec<InboxItem>, StoreError> {
        self.readers.run(move |connection| outbox::inbox(connection, &page)).await
    }

    async fn inbox_letter(&self, message: MessageId, to: &ParticipantCode) -> Result<Option<Claimed>, StoreError> {
        let to = to.clone();
        self.readers.run(move |connection| outbox::inbox_letter(connection, message, &to)).await
    }

    async fn delivery(&self, message: MessageId, to: &ParticipantCode) -> Result<Option<DeliveryRow>, StoreError> {
        let to = to.clone();
        self.readers.run(move |connection| outbox::one(connection, message, &to)).await
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
        self.readers.run(move |connection| journal::list(connection, (&filter, after))).await
    }

    async fn scan(&self, sha256: &str) -> Result<Option<ScanRecord>, StoreError> {
        let sha256 = sha256.to_owned();
        self.readers.run(move |connection| by_hand::scan(connection, &sha256)).await
    }

    async fn events_after(&self, seq: u64, limit: usize) -> Result<Vec<(u64, Event)>, StoreError> {
        self.readers.run(move |connection| events::after(connection, seq, limit)).await
    }

    async fn last_event(&self) -> Result<u64, StoreError> {
        self.readers.run(events::last).await
    }

    async fn quarantine(&self, before: Option<u64>, limit: usize) -> Result<Vec<QuarantineView>, StoreError> {
        self.readers.run(move |connection| quarantine::before(connection, before, limit)).await
    }

    async fn undeliverable(&self, limit: usize) -> Result<Vec<DeliveryRow>, StoreError> {
        self.readers.run(move |connection| outbox::undeliverable(connection, limit)).await
    }

    async fn case(&self, key: &CaseKey) -> Result<Option<Case>, StoreError> {
        let key = key.clone();
        self.readers.run(move |connection| cases::by_key(connection, &key)).await
    }

    async fn cases(&self, filter: CaseFilter) -> Result<Vec<CaseRow>, StoreError> {
        self.readers.run(move |connection| cases::list(connection, &filter)).await
    }

    async fn correspondents(&self, of: &CaseKey) -> Result<Correspondents, StoreError> {
        let of = of.clone();
        self.readers.run(move |connection| cases::correspondents(connection, &of)).await
    }

    async fn disclosures(&self, filter: DisclosureFilter) -> Result<Vec<DisclosureRow>, StoreError> {
        self.readers.run(move |connection| disclosures::list(connection, &filter)).await
    }

    async fn figures(&self) -> Result<Figures, StoreError> {
        self.readers.run(figures::figures).await
    }
}

fn exchange_record(connection: &Connection, id: ExchangeId) -> Result<Option<ExchangeRecord>, StoreError> {
    let Some(exchange) = exchanges::by_id(connection, id)? else { return Ok(None) };
    let Some(row) = Refs::new(connection)?.exchange(id)? else { return Ok(None) };
    Ok(Some(ExchangeRecord {
        exchange,
        messages: messages::of_exchange(connection, row)?,
        events: events::of_exchange(connection, row)?,
        deliveries: outbox::of_exchange(connection, row)?,
        by_hand: by_hand::of_exchange(connection, row)?,
        handovers: by_hand::handed_over(connection, row)?,
    }))
}

#[async_trait]
impl Accounts for SqliteStore {
    async fn import_participants(&self, participants: Vec<Participant>) -> Result<(), StoreError> {
        self.writer.run(move |connection| participants::import(connection, &participants)).await
    }

    async fn add_key(&self, key: StoredKey) -> Result<(), StoreError> {
        self.writer.run(move |connection| accounts::add_key(connection, &key)).await
    }

    async fn key_owner(&self, sha256: [u8; 32], now: DateTime<Utc>) -> Result<Option<ParticipantCode>, StoreError> {
        self.readers.run(move |connection| accounts::key_owner(connection, sha256, now)).await
    }

    async fn revoke_keys(&self, of: &ParticipantCode, at: DateTime<Utc>) -> Result<u64, StoreError> {
        let of = of.clone();
        self.writer.run(move |connection| accounts::revoke_keys(connection, &of, at)).await
    }

    async fn webhook_secrets(&self, of: &ParticipantCode) -> Result<Vec<Vec<u8>>, StoreError> {
        let of = of.clone();
        self.readers.run(move |connection| accounts::webhook_secrets(connection, &of)).await
    }

    async fn add_webhook_secret(
        &self,
        of: &ParticipantCode,
        secret: Vec<u8>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let of = of.clone();
        self.writer.run(move |connection| accounts::add_webhook_secret(connection, &of, (&secret, at))).await
    }

    async fn add_user(&self, user: User) -> Result<(), StoreError> {
        self.writer.run(move |connection| accounts::add_user(connection, &user)).await
    }

    async fn user(&self, login: &str) -> Result<Option<User>, StoreError> {
        let login = login.to_owned();
        self.readers.run(move |connection| accounts::user(connection, &login)).await
    }

    async fn add_session(&self, session: Session) -> Result<(), StoreError> {
        self.writer.run(move |connection| accounts::add_session(connection, &session)).await
    }

    async fn session(&self, sha256: [u8; 32], now: DateTime<Utc>) -> Result<Option<Session>, StoreError> {
        self.readers.run(move |connection| accounts::session(connection, sha256, now)).await
    }

    async fn end_session(&self, sha256: [u8; 32]) -> Result<(), StoreError> {
        self.writer.run(move |connection| accounts::end_session(connection, sha256)).await
    }
}

#[async_trait]
impl Notices for SqliteStore {
    async fn claim_notices(&self, claim: NoticeClaim) -> Result<Vec<ClaimedNotice>, StoreError> {
        self.writer.run(move |connection| notices::claim(connection, &claim)).await
    }

    async fn settle_notices(&self, attempts: Vec<NoticeAttempt>, events: Vec<Event>) -> Result<(), StoreError> {
        self.writer.run(move |connection| save::settle_notices(connection, &attempts, &events)).await
    }

    async fn digests_since(&self, day: NaiveDate) -> Result<Vec<(ParticipantCode, Whom, NaiveDate)>, StoreError> {
        self.readers.run(move |connection| notices::digests_since(connection, day)).await
    }

    async fn undeliverable_notices(&self, limit: usize) -> Result<Vec<NoticeView>, StoreError> {
        self.readers.run(move |connection| notices::undeliverable(connection, limit)).await
    }

    async fn notice_again(&self, id: Uuid, now: DateTime<Utc>) -> Result<bool, StoreError> {
        self.writer.run(move |connection| notices::again(connection, (id, now))).await
    }

    async fn notice_figures(&self) -> Result<NoticeFigures, StoreError> {
        self.readers.run(notices::figures).await
    }
}

#[async_trait]
impl Attachments for SqliteStore {
    async fn expect_object(&self, name: &ObjectName, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let name = name.clone();
        self.writer.run(move |connection| attachments::expect(connection, (&name, at))).await
    }

    async fn object_kept(&self, kept: Kept) -> Result<bool, StoreError> {
        self.writer.run(move |connection| attachments::kept(connection, &kept)).await
    }

    async fn access(&self, name: &ObjectName, who: &[ParticipantCode]) -> Result<Access, StoreError> {
        let (name, who) = (name.clone(), who.to_vec());
        self.readers.run(move |connection| attachments::access(connection, (&name, &who))).await
    }

    async fn claim_leftovers(&self, leftovers: Leftovers) -> Result<Vec<ObjectName>, StoreError> {
        self.writer.run(move |connection| attachments::claim(connection, leftovers)).await
    }

    async fn object_removed(&self, name: &ObjectName) -> Result<(), StoreError> {
        let name = name.clone();
        self.writer.run(move |connection| attachments::removed(connection, &name)).await
    }
}
