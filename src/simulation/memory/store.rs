//! The store in memory behind the ports, in a world where calls wait, fail, and are cut off.
//!
//! Promises: one unit at a time; a commit that has answered `Ok` is on the disk. A cut may come before the commit,
//! or between the commit and its answer. Never: answers what the simulated world does not ask (it says so).

use super::Tables;
use crate::domain::case::{Case, CaseKey};
use crate::domain::decision::Event;
use crate::domain::ids::{ExchangeId, MessageId, ObligationId, ParticipantCode};
use crate::domain::notice::Whom;
use crate::domain::participant::Participant;
use crate::gateway::ports::cases::{CaseFilter, CaseRow, Correspondents, DisclosureFilter, DisclosureRow};
use crate::gateway::ports::decisions::{
    Attempt, Changes, Claim, Claimed, JournalRow, Keys, Loaded, Register, StoredMessage, Unit,
};
use crate::gateway::ports::notices::{ClaimedNotice, NoticeAttempt, NoticeClaim, NoticeFigures, NoticeView};
use crate::gateway::ports::reads::{
    DeliveryRow, DutyFilter, DutyRow, ExchangeRecord, Figures, InboxItem, InboxPage, JournalFilter, JournalPlace,
    QuarantineView, Tally, TallyAt,
};
use crate::gateway::ports::scans::ScanRecord;
use crate::gateway::ports::{Decisions, Notices, Reads, StoreError};
use crate::simulation::chance::{Chance, Fault};
use crate::simulation::flaw::Flaw;
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

pub(super) type Stored<T> = Result<T, StoreError>;

/// The store.
#[derive(Clone)]
pub struct MemoryStore {
    disk: Arc<Mutex<Tables>>,
    chance: Arc<Chance>,
    writer: Arc<tokio::sync::Mutex<()>>,
    /// Which life of a gateway asks; leases are its own.
    life: u64,
}

/// An error of the world.
fn away(why: &'static str) -> StoreError {
    StoreError::Unavailable(why.into())
}

pub(super) fn not_asked<T>() -> Stored<T> {
    Err(away("the simulated world does not ask this"))
}

impl MemoryStore {
    /// An empty store in a world of chance.
    #[must_use]
    pub fn new(chance: Arc<Chance>) -> Self {
        Self { disk: Arc::default(), chance, writer: Arc::default(), life: 0 }
    }

    /// The same store, as a life of a gateway has it.
    pub(in crate::simulation) fn of_life(&self, life: u64) -> Self {
        Self { life, ..self.clone() }
    }

    /// What is on the disk, for who looks at it from outside.
    pub(in crate::simulation) fn disk(&self) -> MutexGuard<'_, Tables> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn reached(&self, what: &'static str) -> Stored<()> {
        self.chance.point(what).await;
        self.sync();
        if self.chance.store_is_down(what) { Err(away("the database is away")) } else { Ok(()) }
    }

    pub(super) async fn read<T>(&self, what: &'static str, work: impl FnOnce(&Tables) -> T) -> Stored<T> {
        self.reached(what).await?;
        Ok(work(&self.disk()))
    }

    pub(super) async fn write<T>(&self, what: &'static str, work: impl FnOnce(&mut Tables) -> T) -> Stored<T> {
        let _turn = Arc::clone(&self.writer).lock_owned().await;
        self.reached(what).await?;
        if self.chance.strikes(Fault::CommitLost, what) {
            return Err(away("the connection broke before the commit"));
        }
        let done = work(&mut self.disk());
        self.answered(what).await?;
        Ok(done)
    }

    /// The way back of an answer.
    async fn answered(&self, what: &'static str) -> Stored<()> {
        self.chance.may_die(what).await;
        match self.chance.strikes(Fault::CommitUnknown, what) {
            true => Err(away("the connection broke; whether it was committed is not known")),
            false => Ok(()),
        }
    }
}

struct MemoryUnit {
    store: MemoryStore,
    _turn: OwnedMutexGuard<()>,
}

#[async_trait]
impl Unit for MemoryUnit {
    async fn registers(&mut self, of: Vec<(ParticipantCode, i32)>) -> Stored<HashMap<Register, u64>> {
        self.store.read("registers", |disk| disk.last_numbers(&of)).await
    }

    /// It leases nothing: who sends in this world keeps his own pace.
    async fn commit(self: Box<Self>, changes: Changes) -> Stored<Vec<(MessageId, ParticipantCode)>> {
        self.store.reached("commit").await?;
        if self.store.chance.strikes(Fault::CommitLost, "commit") {
            return Err(away("the connection broke before the commit"));
        }
        let (changes, late) = self.store.flawed(changes);
        let (messages, letters) = (changes.messages.len(), changes.outbox.len());
        self.store
            .chance
            .say(format_args!("commit: {messages} messages, {letters} letters, {} events", changes.events.len()));
        if self.store.disk().flaw == Some(Flaw::NoFsync) {
            self.store.disk().unsynced.push(changes);
            return Ok(Vec::new());
        }
        if self.store.disk().flaw == Some(Flaw::LockKept) && self.store.chance.draw(|dice| dice.percent(2)) {
            std::mem::forget(self);
            return Ok(Vec::new());
        }
        self.store.disk().save(changes)?;
        self.store.answered("commit answered").await?;
        self.store.disk().record(late);
        Ok(Vec::new())
    }
}

impl MemoryStore {
    /// What a store without syncs has confirmed reaches the disk at its leisure.
    fn sync(&self) {
        let mut disk = self.disk();
        for changes in std::mem::take(&mut disk.unsynced) {
            if let Err(fault) = disk.save(changes) {
                self.chance.say(format_args!("a late write failed: {fault}"));
            }
        }
    }

    /// What a test has broken, and the events that a broken audit writes later.
    fn flawed(&self, mut changes: Changes) -> (Changes, Vec<Event>) {
        let flaw = self.disk().flaw;
        if flaw == Some(Flaw::LostOutboxRow) && self.chance.draw(|dice| dice.percent(10)) {
            changes.outbox.pop();
        }
        if flaw == Some(Flaw::ConflictSwallowed) {
            changes.quarantine.retain(|row| row.code != "id_conflict");
        }
        let late = if flaw == Some(Flaw::AuditOutside) { std::mem::take(&mut changes.events) } else { Vec::new() };
        (changes, late)
    }
}

#[async_trait]
impl Decisions for MemoryStore {
    async fn begin(&self, keys: Keys) -> Stored<(Box<dyn Unit>, Loaded)> {
        let is_unlocked = self.disk().flaw == Some(Flaw::TwoDecide);
        let turn = if is_unlocked { Arc::default() } else { Arc::clone(&self.writer) }.lock_owned().await;
        let loaded = self.read("begin", |disk| disk.load(&keys)).await?;
        Ok((Box::new(MemoryUnit { store: self.clone(), _turn: turn }), loaded))
    }

    async fn due_obligations(&self, now: DateTime<Utc>, limit: usize) -> Stored<Vec<ObligationId>> {
        self.read("due", |disk| disk.due(now, limit)).await
    }

    async fn claim(&self, claim: Claim) -> Stored<Vec<Claimed>> {
        self.write("claim", |disk| disk.claim(&claim, self.life)).await
    }

    async fn settle(&self, attempts: Vec<Attempt>, events: Vec<Event>) -> Stored<()> {
        self.write("settle", |disk| disk.settle(&attempts, events, self.life)).await
    }

    async fn begin_handlings(&self, keys: [[u8; 32]; 2], at: DateTime<Utc>, old: DateTime<Utc>) -> Stored<[u32; 2]> {
        self.write("begin handling", |disk| disk.begin_handlings(keys, (at, old))).await
    }

    async fn end_handling(&self, key: [u8; 32]) -> Stored<()> {
        self.write("end handling", move |disk| _ = disk.handlings.remove(&key)).await
    }

    async fn latest_instant(&self) -> Stored<Option<DateTime<Utc>>> {
        self.read("latest instant", |disk| disk.latest_instant).await
    }
}

#[async_trait]
impl Reads for MemoryStore {
    async fn participants(&self) -> Stored<Vec<Participant>> {
        self.read("participants", |disk| disk.participants.values().cloned().collect()).await
    }

    async fn participants_generation(&self) -> Stored<u64> {
        self.read("generation", |disk| disk.generation).await
    }

    async fn message(&self, id: MessageId) -> Stored<Option<StoredMessage>> {
        self.read("message", |disk| disk.messages.get(&id).cloned()).await
    }

    async fn exchange(&self, id: ExchangeId) -> Stored<Option<ExchangeRecord>> {
        self.read("exchange", |disk| disk.record_of(id)).await
    }

    async fn duty(&self, id: ObligationId) -> Stored<Option<DutyRow>> {
        self.read("duty", |disk| disk.duty(id)).await
    }

    async fn duties(&self, filter: DutyFilter) -> Stored<Vec<DutyRow>> {
        self.read("duties", |disk| disk.duties(&filter)).await
    }

    async fn tally(&self, _at: TallyAt) -> Stored<Tally> {
        not_asked()
    }

    async fn inbox(&self, page: InboxPage) -> Stored<Vec<InboxItem>> {
        self.read("inbox", |disk| disk.inbox(&page)).await
    }

    async fn inbox_letter(&self, message: MessageId, to: &ParticipantCode) -> Stored<Option<Claimed>> {
        self.read("inbox letter", |disk| disk.letter(&(message, to.clone()))).await
    }

    async fn delivery(&self, message: MessageId, to: &ParticipantCode) -> Stored<Option<DeliveryRow>> {
        self.read("delivery", |disk| disk.delivery_row(&(message, to.clone()))).await
    }

    async fn journal(&self, filter: JournalFilter) -> Stored<Vec<JournalRow>> {
        let rows = self.read("journal", |disk| disk.journal_after(&filter, None)).await?;
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }

    async fn journal_page(
        &self,
        filter: JournalFilter,
        after: Option<JournalPlace>,
    ) -> Stored<Vec<(JournalPlace, JournalRow)>> {
        self.read("journal", |disk| disk.journal_after(&filter, after)).await
    }

    async fn scan(&self, _sha256: &str) -> Stored<Option<ScanRecord>> {
        not_asked()
    }

    async fn events_after(&self, seq: u64, limit: usize) -> Stored<Vec<(u64, Event)>> {
        let after = |disk: &Tables| {
            let skipped = usize::try_from(seq).unwrap_or(usize::MAX);
            (1..).zip(disk.events.iter().cloned()).skip(skipped).take(limit).collect()
        };
        self.read("events", after).await
    }

    async fn last_event(&self) -> Stored<u64> {
        self.read("last event", |disk| disk.events.len() as u64).await
    }

    async fn quarantine(&self, before: Option<u64>, limit: usize) -> Stored<Vec<QuarantineView>> {
        self.read("quarantine", |disk| disk.quarantine_before(before, limit)).await
    }

    async fn undeliverable(&self, limit: usize) -> Stored<Vec<DeliveryRow>> {
        let given_up = |disk: &Tables| {
            let mut rows: Vec<_> = disk.deliveries.iter().filter(|(_, row)| row.stage.is_given_up()).collect();
            rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.seq));
            rows.into_iter().take(limit).filter_map(|(key, _)| disk.delivery_row(key)).collect()
        };
        self.read("undeliverable", given_up).await
    }

    async fn case(&self, key: &CaseKey) -> Stored<Option<Case>> {
        self.read("case", |disk| disk.cases.get(key).cloned()).await
    }

    async fn cases(&self, _filter: CaseFilter) -> Stored<Vec<CaseRow>> {
        not_asked()
    }

    async fn correspondents(&self, _of: &CaseKey) -> Stored<Correspondents> {
        not_asked()
    }

    async fn disclosures(&self, filter: DisclosureFilter) -> Stored<Vec<DisclosureRow>> {
        self.read("disclosures", |disk| disk.disclosures_of(&filter)).await
    }

    async fn figures(&self) -> Stored<Figures> {
        self.read("figures", Tables::figures).await
    }
}

#[async_trait]
impl Notices for MemoryStore {
    async fn claim_notices(&self, claim: NoticeClaim) -> Stored<Vec<ClaimedNotice>> {
        self.write("claim notices", |disk| disk.claim_notices(&claim)).await
    }

    async fn settle_notices(&self, attempts: Vec<NoticeAttempt>, events: Vec<Event>) -> Stored<()> {
        let work = |disk: &mut Tables| {
            disk.settle_notices(&attempts);
            disk.record(events);
        };
        self.write("settle notices", work).await
    }

    async fn digests_since(&self, day: NaiveDate) -> Stored<Vec<(ParticipantCode, Whom, NaiveDate)>> {
        self.read("digests", |disk| disk.digests_since(day)).await
    }

    async fn undeliverable_notices(&self, limit: usize) -> Stored<Vec<NoticeView>> {
        self.read("undeliverable notices", |disk| disk.undeliverable_notices(limit)).await
    }

    async fn notice_again(&self, id: Uuid, now: DateTime<Utc>) -> Stored<bool> {
        self.write("notice again", |disk| disk.notice_again(id, now)).await
    }

    async fn notice_figures(&self) -> Stored<NoticeFigures> {
        self.read("notice figures", Tables::notice_figures).await
    }
}
