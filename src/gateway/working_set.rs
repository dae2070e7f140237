//! What a batch of commands has loaded, and what it is going to write.
//!
//! Promises: each command sees the effects of those before it in the batch; a refused command leaves nothing but the
//! rows that say it was refused. Never: writes.

use crate::domain::case::CaseKey;
use crate::domain::decide::{Command, decide};
use crate::domain::decision::{Context, Decision, Forward, Refusal};
use crate::domain::escalation::{Rung, RungState};
use crate::domain::exchange::Exchange;
use crate::domain::ids::{ExchangeId, MessageId, ParticipantCode};
use crate::domain::message::{Envelope, Format, Message};
use crate::domain::participant::{Participant, Route};
use crate::flaw::{self, Flaw};
use crate::format;
use crate::gateway::Inner;
use crate::gateway::attachments::named;
use crate::gateway::ports::decisions::{
    Accepted, Changes, Direction, JournalRow, Loaded, OutboxRow, Register, RouteKind, Seen, StoredMessage,
};
use crate::gateway::rejection::{Rejection, RejectionKind};
use crate::limits::PASSED_BYTES_MAX;
use bytes::Bytes;
use chrono::Datelike;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The batch at work.
pub(super) struct WorkingSet<'a> {
    pub inner: &'a Inner,
    pub ctx: Context<'a>,
    pub loaded: Loaded,
    pub changes: Changes,
    pub(super) dirty_cases: BTreeSet<CaseKey>,
    /// The job at hand has changed something: if it is refused after that, the batch is taken apart.
    pub(super) touched: bool,
    dirty: BTreeSet<ExchangeId>,
}

/// A message that is to be registered.
pub(super) struct Registering<'m> {
    pub envelope: &'m Envelope,
    /// What the journal says where the sender gives no summary.
    pub title: &'m str,
    pub exchange: ExchangeId,
}

impl<'a> WorkingSet<'a> {
    pub fn new(inner: &'a Inner, ctx: Context<'a>, loaded: Loaded) -> Self {
        let (dirty, dirty_cases) = (BTreeSet::new(), BTreeSet::new());
        Self { inner, ctx, loaded, changes: Changes::default(), dirty, dirty_cases, touched: false }
    }

    /// The next number of a register; it is taken only by [`WorkingSet::take_number`].
    pub fn peek_number(&self, register: &Register) -> u64 {
        self.loaded.registers.get(register).copied().unwrap_or(0) + 1
    }

    fn take_number(&mut self, register: Register) -> u64 {
        let number = self.peek_number(&register);
        self.loaded.registers.insert(register, number);
        number
    }

    /// The register of a participant for this moment's year in its zone.
    pub fn register(&self, of: &ParticipantCode, direction: Direction) -> Register {
        let year = self.inner.year_at(of, self.ctx.now);
        Register { participant: of.clone(), year, direction }
    }

    /// Decides a command about an exchange. The exchange's new state is seen by the commands that follow.
    pub fn decide(&mut self, exchange: ExchangeId, command: &Command) -> Result<Decision, Refusal> {
        let state = self.loaded.exchanges.entry(exchange).or_insert_with(|| Exchange::unseen(exchange));
        let decision = match flaw::is(Flaw::AnsweredStillEscalates) {
            true => unanswered(state, command, &self.ctx)?,
            false => decide(state, command, &self.ctx)?,
        };
        self.dirty.insert(exchange);
        self.touched = true;
        Ok(decision)
    }

    /// Writes what a decision says: its letters are registered like any message.
    pub fn apply(&mut self, decision: Decision) -> Result<(), Rejection> {
        self.changes.events.extend(decision.events);
        self.changes.proofs.extend(decision.proofs);
        for forward in decision.forwards {
            self.pass_on(&forward);
            let Forward { message, to } = forward;
            self.enqueue(message, &to, None);
        }
        for letter in decision.letters {
            self.register_letter(&letter)?;
        }
        for notice in &decision.notices {
            self.notify(notice);
        }
        Ok(())
    }

    /// A letter of our own making: written in JSON, registered and queued.
    fn register_letter(&mut self, letter: &Message) -> Result<(), Rejection> {
        let catalogue = &self.inner.catalogue;
        let content = format::write(letter, Format::Json, catalogue).map_err(|fault| own_letter(&fault))?;
        let digest = format::digest(letter, catalogue).map_err(|fault| own_letter(&fault))?;
        let envelope = &letter.envelope;
        let title = self.inner.title_of(&envelope.type_code);
        let exchange = envelope.exchange_id();
        let outcome = self.register_message(&Registering { envelope, title: &title, exchange });
        self.store(StoredMessage { digest, ..stored(envelope, (Format::Json, Bytes::from(content)), outcome) });
        Ok(())
    }

    /// Gives a message its numbers: outgoing at the sender, incoming at every addressee.
    pub fn register_message(&mut self, message: &Registering<'_>) -> Accepted {
        let envelope = message.envelope;
        self.touch_cases(message);
        self.changes.attachments.extend(named(envelope));
        let outgoing = self.register(&envelope.from, Direction::Outgoing);
        let year = outgoing.year;
        let first = envelope.to.first().unwrap_or(&envelope.from).clone();
        let number = self.journal(outgoing, first, message);
        // What stays in the house has one number and no delivery.
        for to in envelope.to.iter().filter(|to| **to != envelope.from) {
            let incoming = self.register(to, Direction::Incoming);
            self.journal(incoming, envelope.from.clone(), message);
            self.enqueue(envelope.id, to, Some(message.exchange));
        }
        Accepted {
            number: format!("{number}/{year}"),
            date: self.inner.date_at(&envelope.from, self.ctx.now),
            received_at: self.ctx.now,
            exchange: message.exchange,
            parked: false,
            obligations: Vec::new(),
        }
    }

    fn journal(&mut self, register: Register, counterparty: ParticipantCode, message: &Registering<'_>) -> u64 {
        let envelope = message.envelope;
        let number = self.take_number(register.clone());
        // An answer that names no case belongs to that of its request.
        let root = self.loaded.exchanges.get(&message.exchange).and_then(|exchange| exchange.root.as_ref());
        let case = envelope.case.clone().or_else(|| root.and_then(|root| root.case.clone()));
        let annexes: Vec<String> = envelope.attachments.iter().map(|one| one.annex.to_string()).collect();
        self.changes.journal.push(JournalRow {
            date: self.inner.date_at(&register.participant, self.ctx.now),
            register,
            number,
            message: envelope.id,
            type_code: envelope.type_code.clone(),
            exchange: message.exchange,
            counterparty,
            case,
            annexes: annexes.join(", "),
            summary: envelope.summary.clone().unwrap_or_else(|| message.title.to_owned()),
            channel: None,
        });
        number
    }

    /// Queues a stored message for a recipient.
    pub fn enqueue(&mut self, message: MessageId, to: &ParticipantCode, exchange: Option<ExchangeId>) {
        let route = self.ctx.directory.get(to).map_or(RouteKind::Inbox, |found| route_kind(found));
        let row = OutboxRow { message, recipient: to.clone(), route, exchange, content: None, queued_at: self.ctx.now };
        self.changes.outbox.push(row);
    }

    /// Keeps a message, so that a repeat within the batch is seen too.
    pub fn store(&mut self, message: StoredMessage) {
        let seen = Seen { sender: message.sender.clone(), digest: message.digest, outcome: message.outcome.clone() };
        self.loaded.seen.insert(message.id, seen);
        self.loaded.exchange_of.insert(message.id, message.exchange);
        self.changes.messages.push(message);
    }

    /// A message, of so many bytes, as it was read or made; a large one is sooner read again than kept twice.
    pub fn keep_read(&mut self, message: &Arc<Message>, bytes: usize) {
        if bytes <= PASSED_BYTES_MAX {
            self.changes.read.insert(message.envelope.id, Arc::clone(message));
        }
    }

    /// Everything to be written: the exchanges that changed, and the last numbers given.
    pub fn into_changes(mut self) -> Changes {
        for id in &self.dirty {
            if let Some(mut exchange) = self.loaded.exchanges.remove(id) {
                spoil(&mut exchange);
                self.changes.exchanges.push(exchange);
            }
        }
        for key in &self.dirty_cases {
            self.changes.cases.extend(self.loaded.cases.remove(key));
        }
        let mut registers: Vec<Register> = self.changes.journal.iter().map(|row| row.register.clone()).collect();
        registers.sort_unstable();
        registers.dedup();
        for register in registers {
            let last = self.loaded.registers.get(&register).copied().unwrap_or_default();
            if !flaw::is(Flaw::RegisterNotSaved) {
                self.changes.registers.push((register, last));
            }
        }
        self.changes
    }
}

/// The record of a message; its digest is set by the caller.
pub(super) fn stored(envelope: &Envelope, (format, content): (Format, Bytes), outcome: Accepted) -> StoredMessage {
    StoredMessage {
        id: envelope.id,
        sender: envelope.from.clone(),
        recipients: envelope.to.iter().filter(|to| **to != envelope.from).cloned().collect(),
        exchange: outcome.exchange,
        in_reply_to: envelope.in_reply_to,
        type_code: envelope.type_code.clone(),
        version: envelope.version,
        format,
        content,
        digest: [0; 32],
        received_at: outcome.received_at,
        outcome,
    }
}

/// How a participant is reached.
pub(super) fn route_kind(participant: &Participant) -> RouteKind {
    match participant.route {
        Route::Inbox => RouteKind::Inbox,
        Route::Amqp => RouteKind::Amqp,
        Route::Push { .. } => RouteKind::Push,
    }
}

/// The year of a date, as registers count it.
pub(super) fn year_of(date: chrono::NaiveDate) -> i32 {
    date.year()
}

/// Our own letter does not fit its schema: a fault of ours, an alarm, and nothing is written.
fn own_letter(fault: &dyn std::fmt::Display) -> Rejection {
    tracing::error!(%fault, "a letter of our own making does not fit its schema");
    Rejection::new(RejectionKind::Unavailable, "internal", "a letter of the gateway's own could not be written")
}

/// Nothing, but in a build of the tests that is to save what was decided wrongly.
fn spoil(exchange: &mut Exchange) {
    for rungs in exchange.duties.iter_mut().map(|duty| &mut duty.rungs.rows) {
        if flaw::is(Flaw::RungInMemory) {
            rungs.retain(|rung| rung.state != RungState::Planned);
        }
        let is_fired = |rung: &Rung| matches!(rung.state, RungState::Fired { .. });
        if flaw::is(Flaw::RungFiresAgain) && rungs.iter().any(is_fired) {
            rungs.retain(|rung| rung.state != RungState::Planned);
            rungs.iter_mut().rfind(|rung| is_fired(rung)).into_iter().for_each(|rung| rung.state = RungState::Planned);
        }
    }
    if flaw::is(Flaw::SecondAddresseeForgotten) {
        exchange.duties.truncate(1);
    }
}

/// Only in a build of the tests: decides about the ladder as if no answer had come.
fn unanswered(state: &mut Exchange, command: &Command, ctx: &Context<'_>) -> Result<Decision, Refusal> {
    let before = state.clone();
    let is_sweep = matches!(command, Command::Sweep { .. });
    if is_sweep {
        state.duties.iter_mut().for_each(|duty| duty.obligation.facts.clear());
    }
    let decision = decide(state, command, ctx)?;
    for (duty, before) in state.duties.iter_mut().zip(before.duties) {
        match is_sweep {
            true => duty.obligation.facts = before.obligation.facts,
            false => duty.rungs = before.rungs,
        }
    }
    Ok(decision)
}
