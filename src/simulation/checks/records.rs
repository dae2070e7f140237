//! Checks of what stands in the records: one effect for each message, and a line for each change.
//!
//! Promises: numbers, lines and events are counted. Never: reads content.

use super::{Found, View};
use crate::domain::decision::EventKind;
use crate::domain::delivery_stage::Stage;
use crate::domain::ids::{MessageId, ObligationId};
use crate::gateway::ports::decisions::{Direction, Register, RouteKind};
use std::collections::BTreeMap;

/// Invariant 2: one id has one registration on each side, registers have no gaps, and what was said of it stays.
pub(super) fn one_effect(view: &View<'_>) -> Found {
    let mut found = Found::new();
    let mut lines: BTreeMap<(MessageId, &str, Direction), u32> = BTreeMap::new();
    let mut registers: BTreeMap<&Register, Vec<u64>> = BTreeMap::new();
    for row in &view.disk.journal {
        let register = &row.register;
        *lines.entry((row.message, register.participant.as_str(), register.direction)).or_default() += 1;
        registers.entry(register).or_default().push(row.number);
    }
    for ((message, of, direction), count) in &lines {
        if *count > 1 {
            found.push(format!("{message} has {count} {} numbers at {of}", direction.code()));
        }
    }
    for message in view.disk.messages.values() {
        let sent = (message.id, message.sender.as_str(), Direction::Outgoing);
        let came = message.recipients.iter().map(|to| (message.id, to.as_str(), Direction::Incoming));
        for (id, of, direction) in came.chain([sent]).filter(|line| !lines.contains_key(line)) {
            found.push(format!("{id} has no {} number at {of}", direction.code()));
        }
    }
    for (register, mut numbers) in registers {
        numbers.sort_unstable();
        if !numbers.iter().copied().eq(1..=numbers.len() as u64) {
            found.push(format!("the register {register:?} has a gap"));
        }
    }
    for letter in &view.books.letters {
        for (id, due_on) in letter.opened.iter().filter(|_| view.of_id(letter.id) == 1) {
            let id: Option<ObligationId> = id.parse().ok().map(ObligationId);
            let exchange = id.and_then(|id| view.disk.exchanges.get(&view.disk.exchange_of(id)?)?.duty(id));
            let stands = exchange.map(|duty| duty.obligation.due.on.to_string());
            if stands.as_ref() != Some(due_on) {
                found.push(format!("{} was told to be due on {due_on}, and is on {stands:?}", letter.id));
            }
        }
    }
    found
}

/// Invariant 12: each change of state has its line.
pub(super) fn audit(view: &View<'_>) -> Found {
    let mut found = Found::new();
    let events = &view.disk.events;
    let said = |id: MessageId, kinds: &[EventKind]| {
        events.iter().filter(|event| event.message == Some(id) && kinds.contains(&event.kind)).count()
    };
    for message in view.disk.messages.values() {
        let is_ours = view.books.letters.iter().any(|letter| letter.id == message.id);
        let lines = said(message.id, &[EventKind::MessageRegistered]);
        let parked = said(message.id, &[EventKind::MessageParked]);
        if is_ours && (lines > 1 || lines + parked == 0) {
            found.push(format!("{} {} has {lines} registrations, {parked} parkings", message.type_code, message.id));
        }
    }
    for duty in view.disk.exchanges.values().flat_map(|exchange| &exchange.duties) {
        let id = Some(duty.obligation.id);
        let opened = |event: &&_| is_opening(event) && event.obligation == id;
        if events.iter().filter(opened).count() != 1 {
            found.push(format!("the opening of {} is not told once", duty.obligation.id));
        }
    }
    for ((message, recipient), row) in &view.disk.deliveries {
        let is_sent = row.route != RouteKind::Inbox && row.stage == Stage::Delivered;
        let told = events.iter().any(|event| {
            event.kind == EventKind::Delivered
                && event.message == Some(*message)
                && event.participant.as_ref() == Some(recipient)
        });
        if is_sent && !told {
            found.push(format!("the delivery of {message} to {recipient} is not told"));
        }
    }
    found
}

fn is_opening(event: &crate::domain::decision::Event) -> bool {
    event.kind == EventKind::ObligationOpened
}
