//! A store in memory, with the meaning of the real ones and none of their cost: a world of its own for each seed.
//!
//! Why not the real store under a layer of faults: a file for each seed costs some 30 ms before its first row, and its
//! threads answer in an order that no seed fixes. It answers what the simulated world asks and no more, so it stands
//! outside the conformance suite: that its meaning is that of the real stores is not held by a test yet.
//!
//! Promises: a transaction is whole or not at all; whatever was committed outlives the gateway. Never: draws a fault
//! (`store` does).

mod accounts;
mod deliveries;
mod load;
mod notices;
mod save;
mod shown;
mod store;

pub(in crate::simulation) use notices::NoticeStage;
pub use store::MemoryStore;

use crate::domain::case::disclosure::Disclosure;
use crate::domain::case::{Case, CaseKey};
use crate::domain::decision::Event;
use crate::domain::ending::Ending;
use crate::domain::exchange::Exchange;
use crate::domain::ids::{ExchangeId, MessageId, ObligationId, ParticipantCode};
use crate::domain::participant::Participant;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::{JournalRow, QuarantineRow, Register, StoredMessage};
use crate::gateway::ports::scans::{ByHand, Handover};
use chrono::{DateTime, Utc};
use deliveries::Delivery;
use notices::Notice;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is on the disk.
#[derive(Debug, Default)]
pub(in crate::simulation) struct Tables {
    pub participants: BTreeMap<ParticipantCode, Participant>,
    pub generation: u64,
    pub messages: BTreeMap<MessageId, StoredMessage>,
    /// In the order in which they were accepted.
    pub message_order: Vec<MessageId>,
    pub exchanges: BTreeMap<ExchangeId, Exchange>,
    /// In the order in which they were opened.
    obligations: BTreeMap<ObligationId, ExchangeId>,
    pub endings: Vec<Ending>,
    pub deliveries: BTreeMap<(MessageId, ParticipantCode), Delivery>,
    last_delivery: u64,
    /// Leases that ran out under another life of a gateway, and were taken over.
    pub takeovers: u64,
    /// Deliveries that no accepted message names: receipts, what was forwarded.
    owed_besides: u64,
    pub journal: Vec<JournalRow>,
    numbers: BTreeSet<(Register, u64)>,
    pub registers: BTreeMap<Register, u64>,
    by_hand: BTreeMap<MessageId, ByHand>,
    handovers: Vec<Handover>,
    pub quarantine: Vec<QuarantineRow>,
    /// Beginnings without an end: how many, and the last one's instant.
    pub handlings: BTreeMap<[u8; 32], (u32, DateTime<Utc>)>,
    pub notices: BTreeMap<uuid::Uuid, Notice>,
    last_notice: u64,
    /// Numbered from 1 by their place.
    pub events: Vec<Event>,
    latest_instant: Option<DateTime<Utc>>,
    pub cases: BTreeMap<CaseKey, Case>,
    pub disclosures: Vec<Disclosure>,
    /// What a test breaks on purpose, and what a store without syncs has confirmed and not written.
    pub unsynced: Vec<crate::gateway::ports::Changes>,
    pub flaw: Option<crate::simulation::flaw::Flaw>,
}

impl Tables {
    /// What a broken gateway would do to its records when it starts.
    pub(in crate::simulation) fn begin_flawed(&mut self) {
        use crate::domain::escalation::RungState;
        use crate::simulation::flaw::Flaw;
        let duties = self.exchanges.values_mut().flat_map(|exchange| &mut exchange.duties);
        match self.flaw {
            Some(Flaw::DueMovesOnRestart) => duties.filter(|duty| duty.obligation.state().is_open()).for_each(|duty| {
                duty.obligation.due.on = duty.obligation.due.on.succ_opt().unwrap_or(duty.obligation.due.on);
            }),
            Some(Flaw::RungInMemory) => duties.filter(|duty| duty.obligation.state().is_open()).for_each(|duty| {
                let last = duty.rungs.rows.iter().rposition(|rung| matches!(rung.state, RungState::Fired { .. }));
                if let Some(place) = last.filter(|_| duty.rungs.planned().is_some()) {
                    duty.rungs.rows.truncate(place + 1);
                    duty.rungs.rows[place].state = RungState::Planned;
                }
            }),
            _ => {}
        }
    }
}

/// A constraint says no.
fn refused(why: &'static str) -> StoreError {
    StoreError::Rejected(why.into())
}
