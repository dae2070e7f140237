//! Loading what the commands of a batch touch, and the search for what is due.
//!
//! Promises: what the keys name and nothing else. Never: changes a row.

use super::Tables;
use crate::domain::alert::AlertState;
use crate::domain::exchange::{Duty, Exchange};
use crate::domain::ids::{ExchangeId, MessageId, ObligationId, ParticipantCode};
use crate::gateway::ports::decisions::{Direction, Keys, Loaded, Register, Seen};
use crate::simulation::flaw::Flaw;
use chrono::{DateTime, Utc};
use std::collections::{BTreeSet, HashMap};

impl Tables {
    pub(super) fn load(&self, keys: &Keys) -> Loaded {
        let mut loaded = Loaded { registers: self.last_numbers(&keys.registers), ..Loaded::default() };
        for id in keys.messages.iter().filter(|_| self.flaw != Some(Flaw::NoDeduplication)) {
            let seen = self.messages.get(id).map(|found| Seen {
                sender: found.sender.clone(),
                digest: found.digest,
                outcome: found.outcome.clone(),
            });
            loaded.seen.extend(seen.map(|seen| (*id, seen)));
        }
        for id in &keys.exchanges {
            loaded.exchanges.extend(self.exchanges.get(id).map(|found| (*id, found.clone())));
        }
        for id in &keys.answered {
            let Some(exchange) = self.messages.get(id).map(|found| found.exchange) else { continue };
            loaded.exchanges.extend(self.exchanges.get(&exchange).map(|found| (exchange, found.clone())));
            loaded.exchange_of.insert(*id, exchange);
        }
        keys.obligations.iter().for_each(|id| self.load_obligation(*id, &mut loaded));
        self.load_cases(keys, &mut loaded);
        let waits = |key: &&(MessageId, ParticipantCode), given_up_only: bool| {
            let stage = self.deliveries.get(*key).map(|row| row.stage);
            stage.is_some_and(|stage| stage.is_given_up() || (!given_up_only && stage.is_on_its_way()))
        };
        loaded.given_up = keys.given_up.iter().filter(|key| waits(key, true)).cloned().collect();
        loaded.waiting = keys.waiting.iter().filter(|key| waits(key, false)).cloned().collect();
        loaded
    }

    pub(super) fn last_numbers(&self, of: &[(ParticipantCode, i32)]) -> HashMap<Register, u64> {
        let both = of.iter().flat_map(|(participant, year)| {
            [Direction::Incoming, Direction::Outgoing].map(|direction| Register {
                participant: participant.clone(),
                year: *year,
                direction,
            })
        });
        both.filter_map(|register| self.registers.get(&register).map(|last| (register, *last))).collect()
    }

    fn load_obligation(&self, id: ObligationId, loaded: &mut Loaded) {
        let Some(exchange) = self.obligations.get(&id).and_then(|exchange| self.exchanges.get(exchange)) else {
            return;
        };
        if let (Some(root), Some(duty)) = (&exchange.root, exchange.duty(id))
            && self.is_under_way(root.message, &duty.obligation.performer)
        {
            loaded.undelivered.insert(id);
        }
        loaded.exchange_of_obligation.insert(id, exchange.id);
        loaded.exchanges.insert(exchange.id, exchange.clone());
    }

    fn load_cases(&self, keys: &Keys, loaded: &mut Loaded) {
        let mut concerned: BTreeSet<String> = keys.duties_of_case.iter().cloned().collect();
        if keys.duties_of_roots {
            concerned.extend(loaded.exchanges.values().filter_map(|exchange| exchange.root.as_ref()?.case.clone()));
        }
        for case in concerned {
            let endings = self.endings.iter().filter(|ending| ending.case == case).cloned().collect();
            let with_duties = self.exchanges.values().filter(|exchange| holds_duties(exchange, &case));
            loaded.exchanges.extend(with_duties.map(|exchange| (exchange.id, exchange.clone())));
            loaded.endings.insert(case, endings);
        }
        let of_roots = loaded.exchanges.values().filter_map(|exchange| exchange.root.as_ref()?.case.clone());
        let numbers: BTreeSet<String> = keys.cases.iter().cloned().chain(of_roots).collect();
        let wanted = self.cases.iter().filter(|(key, _)| numbers.contains(&key.number));
        loaded.cases = wanted.map(|(key, case)| (key.clone(), case.clone())).collect();
    }

    /// Obligations with something due by then, the oldest first.
    pub(in crate::simulation) fn due(&self, now: DateTime<Utc>, limit: usize) -> Vec<ObligationId> {
        let duties = self.exchanges.values().flat_map(|exchange| &exchange.duties);
        let mut due: Vec<(DateTime<Utc>, ObligationId)> = duties
            .filter_map(|duty| Some((timers(duty).into_iter().flatten().min()?, duty.obligation.id)))
            .filter(|(at, _)| *at <= now)
            .collect();
        due.sort_unstable();
        due.into_iter().map(|(_, id)| id).take(limit).collect()
    }

    /// The exchange of an obligation.
    pub(in crate::simulation) fn exchange_of(&self, id: ObligationId) -> Option<ExchangeId> {
        self.obligations.get(&id).copied()
    }
}

fn holds_duties(exchange: &Exchange, case: &str) -> bool {
    exchange.duties.iter().any(|duty| {
        let one = &duty.obligation;
        one.case.as_deref() == Some(case) && one.closed_at().is_none() && one.recurs.is_some()
    })
}

/// The timers of an obligation: the planned rung, the end of an acknowledgement, the next period.
fn timers(duty: &Duty) -> [Option<DateTime<Utc>>; 3] {
    let acknowledged = duty.alert.as_ref().and_then(|alert| match &alert.state {
        AlertState::Acknowledged { until, .. } => Some(*until),
        AlertState::Open | AlertState::Resolved { .. } => None,
    });
    let renews = duty.obligation.recurs.as_ref().and_then(|recurs| recurs.renews_at);
    [duty.rungs.planned().map(|rung| rung.planned_at), acknowledged, renews]
}
