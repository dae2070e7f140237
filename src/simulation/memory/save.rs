//! Saving the changes of a batch.
//!
//! Promises: the constraints of the real tables are looked at first, so that what is refused leaves no trace. Never:
//! writes half of a batch.

use super::{Tables, refused};
use crate::domain::escalation::RungState;
use crate::domain::exchange::Exchange;
use crate::domain::ids::MessageId;
use crate::gateway::ports::decisions::Changes;
use crate::gateway::ports::{StoreError, decisions::StoredMessage};
use crate::simulation::flaw::Flaw;
use std::collections::{BTreeMap, BTreeSet};

impl Tables {
    pub(super) fn save(&mut self, changes: Changes) -> Result<(), StoreError> {
        self.check(&changes)?;
        let at = changes.events.iter().map(|event| event.at);
        let at = at.chain(changes.messages.iter().map(|message| message.received_at)).max();
        for exchange in changes.exchanges {
            self.put(exchange);
        }
        self.endings.extend(changes.endings);
        for message in changes.messages {
            if !self.messages.contains_key(&message.id) {
                self.message_order.push(message.id);
                self.messages.insert(message.id, message);
            }
        }
        self.by_hand.extend(changes.by_hand.into_iter().map(|note| (note.message, note)));
        self.handovers.extend(changes.handovers);
        changes.outbox.into_iter().for_each(|row| self.queue(row));
        self.numbers.extend(changes.journal.iter().map(|row| (row.register.clone(), row.number)));
        self.journal.extend(changes.journal);
        changes.proofs.iter().for_each(|proof| self.prove(proof, at));
        self.registers.extend(changes.registers);
        self.cases.extend(changes.cases.into_iter().map(|case| (case.key.clone(), case)));
        self.disclosures.extend(changes.disclosures);
        self.quarantine.extend(changes.quarantine);
        changes.notices.into_iter().for_each(|row| self.queue_notice(row));
        self.record(changes.events);
        Ok(())
    }

    pub(super) fn record(&mut self, events: Vec<crate::domain::decision::Event>) {
        self.latest_instant = self.latest_instant.max(events.iter().map(|event| event.at).max());
        self.events.extend(events);
    }

    /// Written whole; an obligation that a caller left out stays.
    fn put(&mut self, mut exchange: Exchange) {
        let old = self.exchanges.remove(&exchange.id).map(|old| old.duties).unwrap_or_default();
        let mut left: Vec<_> = old.into_iter().filter(|old| exchange.duty(old.obligation.id).is_none()).collect();
        left.append(&mut exchange.duties);
        exchange.duties = left;
        self.obligations.extend(exchange.duties.iter().map(|duty| (duty.obligation.id, exchange.id)));
        self.exchanges.insert(exchange.id, exchange);
    }

    fn check(&self, changes: &Changes) -> Result<(), StoreError> {
        let mut new: BTreeMap<MessageId, &StoredMessage> = BTreeMap::new();
        for message in &changes.messages {
            let is_known = self.messages.contains_key(&message.id) && self.flaw != Some(Flaw::NoDeduplication);
            if is_known || new.insert(message.id, message).is_some() {
                return Err(refused("a message of this id is on record"));
            }
        }
        let mut numbers = BTreeSet::new();
        for row in &changes.journal {
            let number = (row.register.clone(), row.number);
            if self.numbers.contains(&number) || !numbers.insert(number) {
                return Err(refused("a number of a register is given once"));
            }
        }
        let is_stray = |id: &MessageId| !self.messages.contains_key(id) && !new.contains_key(id);
        if changes.outbox.iter().any(|row| row.content.is_none() && is_stray(&row.message)) {
            return Err(refused("a delivery names a message that is not on record"));
        }
        changes.exchanges.iter().try_for_each(|exchange| self.check_exchange(exchange))
    }

    fn check_exchange(&self, exchange: &Exchange) -> Result<(), StoreError> {
        for duty in &exchange.duties {
            let known = self.obligations.get(&duty.obligation.id);
            if known.is_some_and(|known| *known != exchange.id) {
                return Err(refused("an obligation of another exchange bears this id"));
            }
            let numbers: BTreeSet<u8> = duty.rungs.rows.iter().map(|rung| rung.no).collect();
            let planned = duty.rungs.rows.iter().filter(|rung| rung.state == RungState::Planned).count();
            if planned > 1 || numbers.len() < duty.rungs.rows.len() {
                return Err(refused("one planned rung of an obligation, and one row for each"));
            }
        }
        Ok(())
    }
}
