//! Views: what is read and not changed.
//!
//! Promises: the order of the real store. Never: changes a row.

use super::Tables;
use crate::domain::decision::EventKind;
use crate::domain::delivery_stage::Stage;
use crate::domain::exchange::{Duty, Exchange};
use crate::domain::ids::{ExchangeId, ObligationId, ParticipantCode};
use crate::gateway::ports::cases::{DisclosureFilter, DisclosureRow};
use crate::gateway::ports::decisions::{Direction, JournalRow, RouteKind};
use crate::gateway::ports::reads::{
    DutyFilter, DutyRow, ExchangeRecord, Figures, InboxItem, InboxPage, JournalFilter, JournalPlace, MessageLine,
    QuarantineView,
};
use crate::simulation::flaw::Flaw;
use crate::simulation::memory::deliveries::Delivery;

impl Tables {
    pub(super) fn record_of(&self, id: ExchangeId) -> Option<ExchangeRecord> {
        let exchange = self.exchanges.get(&id)?.clone();
        let order = self.message_order.iter().filter_map(|id| self.messages.get(id));
        let messages: Vec<MessageLine> = order
            .filter(|message| message.exchange == id)
            .map(|message| MessageLine {
                id: message.id,
                type_code: message.type_code.clone(),
                sender: message.sender.clone(),
                recipients: message.recipients.clone(),
                outcome: message.outcome.clone(),
            })
            .collect();
        let mut rows: Vec<_> = self.deliveries.iter().filter(|(_, row)| row.exchange == Some(id)).collect();
        rows.sort_by_key(|(_, row)| row.seq);
        let is_of = |message| messages.iter().any(|line| line.id == message);
        Some(ExchangeRecord {
            deliveries: rows.into_iter().filter_map(|(key, _)| self.delivery_row(key)).collect(),
            events: self.events.iter().filter(|event| event.exchange == Some(id)).cloned().collect(),
            by_hand: self.by_hand.values().filter(|note| is_of(note.message)).cloned().collect(),
            handovers: self.handovers.iter().filter(|one| is_of(one.message)).cloned().collect(),
            exchange,
            messages,
        })
    }

    pub(super) fn duty(&self, id: ObligationId) -> Option<DutyRow> {
        let exchange = self.exchanges.get(self.obligations.get(&id)?)?;
        Some(self.duty_row(exchange, exchange.duty(id)?))
    }

    fn duty_row(&self, exchange: &Exchange, duty: &Duty) -> DutyRow {
        let id = Some(duty.obligation.id);
        let last =
            self.events.iter().rev().find(|event| event.obligation == id && event.kind != EventKind::EvidenceDisclosed);
        DutyRow { duty: duty.clone(), root: exchange.root.clone(), last_event: last.cloned() }
    }

    pub(super) fn duties(&self, filter: &DutyFilter) -> Vec<DutyRow> {
        let all = self.exchanges.values().flat_map(|exchange| exchange.duties.iter().map(move |duty| (exchange, duty)));
        let mut found: Vec<_> = all.filter(|(_, duty)| fits(duty, filter)).collect();
        found.sort_by_key(|(_, duty)| (duty.obligation.due_at(), duty.obligation.id));
        found.into_iter().take(filter.limit).map(|(exchange, duty)| self.duty_row(exchange, duty)).collect()
    }

    pub(super) fn inbox(&self, page: &InboxPage) -> Vec<InboxItem> {
        let is_open = self.flaw == Some(Flaw::OpenInbox);
        let is_in = |recipient: &ParticipantCode, row: &Delivery| {
            (is_open || *recipient == page.recipient)
                && row.route == RouteKind::Inbox
                && row.stage == Stage::Queued
                && row.seq > page.after
        };
        let mut waiting: Vec<_> =
            self.deliveries.iter().filter(|((_, recipient), row)| is_in(recipient, row)).collect();
        waiting.sort_by_key(|(_, row)| row.seq);
        let items = waiting.into_iter().take(page.limit);
        items.filter_map(|(key, row)| Some(InboxItem { seq: row.seq, letter: self.letter(key)? })).collect()
    }

    pub(super) fn journal_after(
        &self,
        filter: &JournalFilter,
        after: Option<JournalPlace>,
    ) -> Vec<(JournalPlace, JournalRow)> {
        let placed = self.journal.iter().zip(1_i64..).map(|(row, n)| {
            let channel = self.by_hand.get(&row.message).map(|note| note.channel);
            (JournalPlace { date: row.date, n }, JournalRow { channel, ..row.clone() })
        });
        let mut rows: Vec<_> = placed
            .filter(|(place, row)| {
                row.register.participant == filter.participant
                    && (filter.in_house || row.counterparty != filter.participant)
                    && filter.from.is_none_or(|from| row.date >= from)
                    && filter.to.is_none_or(|to| row.date <= to)
                    && (filter.case.is_none() || filter.case == row.case)
                    && after.is_none_or(|after| (place.date, place.n) > (after.date, after.n))
            })
            .collect();
        rows.sort_by_key(|(place, _)| (place.date, place.n));
        rows.truncate(filter.limit);
        rows
    }

    pub(super) fn quarantine_before(&self, before: Option<u64>, limit: usize) -> Vec<QuarantineView> {
        let rows = self.quarantine.iter().enumerate().rev().map(|(place, row)| (row, place as u64 + 1));
        let shown = rows.filter(|(_, seq)| before.is_none_or(|before| *seq < before)).take(limit);
        shown
            .map(|(row, seq)| QuarantineView {
                seq,
                at: row.at,
                source: row.source.to_owned(),
                participant: row.participant.clone(),
                message: row.message,
                code: row.code.clone(),
                reason: row.reason.clone(),
            })
            .collect()
    }

    pub(super) fn disclosures_of(&self, filter: &DisclosureFilter) -> Vec<DisclosureRow> {
        let rows = self.disclosures.iter().enumerate().rev().map(|(place, row)| (row, place as u64 + 1));
        let of_case = rows.filter(|(line, seq)| line.case == filter.case && filter.before.is_none_or(|b| *seq < b));
        of_case.take(filter.limit).map(|(line, seq)| DisclosureRow { seq, line: line.clone() }).collect()
    }

    pub(in crate::simulation) fn figures(&self) -> Figures {
        let count =
            |wanted: &[Stage]| self.deliveries.values().filter(|row| wanted.contains(&row.stage)).count() as u64;
        let recipients: usize = self.messages.values().map(|message| message.recipients.len()).sum();
        let duties = self.exchanges.values().flat_map(|exchange| &exchange.duties);
        let waiting = self.deliveries.values().filter(|row| row.ready_at.is_some());
        Figures {
            deliveries_owed: count(&[Stage::Queued, Stage::Sending]),
            deliveries_waiting: count(&[Stage::WaitingRetry]),
            deliveries_done: count(&[Stage::Delivered, Stage::Registered]),
            deliveries_undeliverable: count(&[Stage::Undeliverable]),
            deliveries_rejected: count(&[Stage::Rejected]),
            accepted_addressees: recipients as u64 + self.owed_besides,
            parked: self.exchanges.values().map(|exchange| exchange.parked.len() as u64).sum(),
            open: duties.filter(|duty| duty.obligation.state().is_open()).count() as u64,
            quarantined: self.quarantine.len() as u64,
            conflicts: self.events.iter().filter(|event| event.kind == EventKind::MessageConflict).count() as u64,
            oldest_waiting_at: waiting.map(|row| row.queued_at).min(),
        }
    }
}

fn fits(duty: &Duty, filter: &DutyFilter) -> bool {
    let one = &duty.obligation;
    let (owes, is_owed) = match &filter.viewer {
        None => (true, true),
        Some(viewer) => (one.performer == *viewer, one.controller == *viewer),
    };
    let party = match (&filter.viewer, filter.direction) {
        (None, _) => true,
        (Some(_), None) => owes || is_owed,
        (Some(_), Some(Direction::Outgoing)) => owes,
        (Some(_), Some(Direction::Incoming)) => is_owed && !owes,
    };
    let before = filter.overdue_at.into_iter().chain(filter.due_before).min();
    let open_only = filter.open_only || filter.overdue_at.is_some();
    let is_prepared = || duty.rungs.rows.iter().any(|rung| rung.state.code() == "prepared");
    party
        && filter.state.is_none_or(|state| state == one.state())
        && (!open_only || one.state().is_open())
        && before.is_none_or(|before| one.due_at() < before)
        && filter.performer.as_ref().is_none_or(|code| *code == one.performer)
        && (filter.case.is_none() || filter.case == one.case)
        && (!filter.alerted || duty.alert.as_ref().is_some_and(|alert| alert.code() != "resolved"))
        && (!filter.prepared || is_prepared())
        && filter.after.is_none_or(|after| (one.due_at(), one.id) > after)
}
