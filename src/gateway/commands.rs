//! One job of a batch: what it needs loaded, and what it does to the working set.
//!
//! Promises: a repeat gets the original outcome again; the same id with other content is kept beside it and raises an
//! alarm. Never: answers (the committer does, after the commit).

use crate::domain::decide::Command;
use crate::domain::decision::{Arrived, Event, EventKind, Proof, ProofStage, Refusal};
use crate::domain::exchange::Exchange;
use crate::domain::ids::{ExchangeId, MessageId, ParticipantCode};
use crate::domain::participant::Participant;
use crate::domain::rule::Role;
use crate::flaw::{self, Flaw};
use crate::gateway::act::RegistrationNotice;
use crate::gateway::arrival::{ChannelKind, Received, Submitted};
use crate::gateway::committer::{Job, Outcome};
use crate::gateway::content::media_type;
use crate::gateway::desk::record;
use crate::gateway::duties;
use crate::gateway::ports::decisions::{Accepted, Direction, Keys, QuarantineRow, StoredMessage};
use crate::gateway::receipts;
use crate::gateway::rejection::{Rejection, RejectionKind};
use crate::gateway::rulings;
use crate::gateway::working_set::{Registering, WorkingSet, stored};
use crate::limits::{self, QUARANTINE_BYTES_MAX};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Adds what a job touches.
pub(super) fn keys(job: &Job, year: impl Fn(&ParticipantCode) -> i32, keys: &mut Keys) {
    match job {
        Job::Receive { received, .. } => {
            let envelope = &received.message.envelope;
            keys.messages.push(envelope.id);
            keys.cases.extend(envelope.case.clone());
            keys.exchanges.push(received.arrived.exchange);
            keys.letters |= matches!(received.arrived.rule.role, Role::Receipt(_));
            if envelope.exchange.is_none() && received.arrived.rule.role != Role::Opening {
                keys.answered.extend(envelope.in_reply_to);
            }
            if let Some(named) = rulings::answered(received) {
                keys.answered.push(named);
                keys.exchanges.push(ExchangeId::from(named));
            }
            keys.duties_of_case.extend(duties::case_of(received).cloned());
            keys.duties_of_roots |= received.closes_case() && envelope.case.is_none();
            let mut add = |code: &ParticipantCode| {
                keys.registers.push((code.clone(), year(code)));
            };
            add(&envelope.from);
            envelope.to.iter().for_each(add);
        }
        Job::Decide { obligation, .. } => keys.obligations.push(*obligation),
        Job::EndDuties { case, .. } => keys.duties_of_case.push(case.clone()),
        Job::SendAgain { message, recipient, .. } => {
            keys.letters = true;
            keys.given_up.push((*message, recipient.clone()));
        }
        Job::Disclose { what, .. } => keys.exchanges.extend(what.exchange()),
        Job::Case { command, .. } => {
            keys.cases.push(command.key.number.clone());
            keys.duties_of_case.push(command.key.number.clone());
        }
        Job::HandOver { handover, .. } => {
            keys.letters = true;
            keys.waiting.push((handover.message, handover.recipient.clone()));
        }
        Job::Register { .. } => keys.letters = true,
        Job::Refuse { quarantine, unless_taken: true, .. } => keys.messages.extend(quarantine.message),
        Job::Refuse { .. } | Job::Notify { .. } => {}
    }
}

/// The registers of everybody whom letters about the loaded exchanges may come from or go to.
pub(super) fn named_registers(work: &WorkingSet<'_>) -> Vec<(ParticipantCode, i32)> {
    let mut codes = BTreeSet::new();
    for duty in work.loaded.exchanges.values().flat_map(|exchange| &exchange.duties) {
        codes.insert(duty.obligation.controller.clone());
        codes.insert(duty.obligation.performer.clone());
        if let Some(body) = work.ctx.directory.get(&duty.obligation.performer) {
            codes.extend(reported_to(body).cloned());
        }
    }
    codes.into_iter().map(|code| (code.clone(), work.inner.year_at(&code, work.ctx.now))).collect()
}

fn reported_to(body: &Arc<Participant>) -> impl Iterator<Item = &ParticipantCode> {
    [&body.commission, &body.superior, &body.prosecutor].into_iter().flatten()
}

/// Does one job.
pub(super) fn run(job: &Job, work: &mut WorkingSet<'_>) -> Result<Outcome, Rejection> {
    match job {
        Job::Receive { received, .. } => receive(received, work).map(Outcome::Submitted),
        Job::Decide { obligation, command, .. } => {
            let exchange = work.loaded.exchange_of_obligation.get(obligation).copied();
            let exchange = exchange.ok_or(Refusal::UnknownObligation)?;
            let delivered = !work.loaded.undelivered.contains(obligation);
            let command = match &**command {
                Command::Sweep { obligation, .. } => Command::Sweep { obligation: *obligation, delivered },
                other => other.clone(),
            };
            let decision = work.decide(exchange, &command)?;
            work.apply(decision)?;
            Ok(Outcome::Done)
        }
        Job::EndDuties { case, centre, by, .. } => {
            duties::decided((case, centre, by), work)?;
            Ok(Outcome::Done)
        }
        Job::Refuse { quarantine, unless_taken: true, .. } if is_taken(quarantine, work) => Ok(Outcome::Done),
        Job::Refuse { quarantine, receipt, .. } => {
            work.changes.events.push(refused(quarantine));
            work.changes.quarantine.push((**quarantine).clone());
            work.changes.outbox.extend(receipt.as_deref().cloned());
            Ok(Outcome::Done)
        }
        Job::Notify { rows, .. } => {
            work.changes.notices.extend(rows.iter().cloned());
            Ok(Outcome::Done)
        }
        Job::SendAgain { message, recipient, exchange, .. } => {
            if !work.loaded.given_up.remove(&(*message, recipient.clone())) {
                return Err(not_given_up());
            }
            work.enqueue(*message, recipient, *exchange);
            work.changes.events.push(Event {
                at: work.ctx.now,
                kind: EventKind::DeliveryQueuedAgain,
                exchange: *exchange,
                obligation: None,
                message: Some(*message),
                participant: Some(recipient.clone()),
                detail: None,
            });
            Ok(Outcome::Done)
        }
        Job::Disclose { what, reader, .. } => {
            work.disclose(what, reader);
            Ok(Outcome::Done)
        }
        Job::Case { command, .. } => work.decide_case(command).map(|()| Outcome::Done),
        Job::HandOver { handover, exchange, .. } => {
            record::handed_over(handover, *exchange, work)?;
            Ok(Outcome::Done)
        }
        Job::Register { message, recipient, exchange, notice, .. } => {
            register((*message, recipient, *exchange), notice, work);
            Ok(Outcome::Done)
        }
    }
}

fn not_given_up() -> Rejection {
    let message = "this letter was not given up: it is on its way, or has arrived";
    Rejection::new(RejectionKind::Conflict, "not_undeliverable", message)
}

/// Whether a message of that id and sender is on record.
fn is_taken(row: &QuarantineRow, work: &WorkingSet<'_>) -> bool {
    let seen = row.message.and_then(|id| work.loaded.seen.get(&id));
    seen.is_some_and(|seen| Some(&seen.sender) == row.participant.as_ref())
}

fn refused(row: &QuarantineRow) -> Event {
    Event {
        at: row.at,
        kind: EventKind::MessageQuarantined,
        exchange: None,
        obligation: None,
        message: row.message,
        participant: row.participant.clone(),
        detail: Some(row.code.clone()),
    }
}

fn receive(received: &Received, work: &mut WorkingSet<'_>) -> Result<Submitted, Rejection> {
    let id = received.message.envelope.id;
    if let Some(seen) = work.loaded.seen.get(&id).filter(|_| !flaw::is(Flaw::NoDeduplication)) {
        let same = seen.digest == received.digest || flaw::is(Flaw::ConflictSwallowed);
        let outcome = seen.outcome.clone();
        if seen.sender != received.arrived.from {
            return Err(taken());
        }
        return if same { Ok(repeated(received, outcome, work)) } else { Err(conflict(received, work)) };
    }
    let exchange = exchange_of(received, work);
    work.check_consent(&received.message.envelope, exchange)?;
    let sender = work.register(&received.arrived.from, Direction::Outgoing);
    let number = format!("{}/{}", work.peek_number(&sender), sender.year);
    let received_at = record::received_at((received, exchange), work)?;
    let arrived = Arrived { exchange, number, received_at, ..received.arrived.clone() };
    let found = work.loaded.exchanges.get(&exchange);
    found.map_or(Ok(()), within_limits)?;
    let was_unseen = found.is_none_or(|found| found.root.is_none());
    let taken = arrived.clone();
    let decision = match work.decide(exchange, &Command::Receive(Box::new(arrived))) {
        Ok(decision) => decision,
        Err(refusal) => return Err(refuse(received, &refusal, work)),
    };
    let registering = Registering { envelope: &received.message.envelope, title: &received.title, exchange };
    let parked = was_unseen && received.arrived.rule.role != Role::Opening;
    let accepted = Accepted { parked, obligations: decision.opened.clone(), ..work.register_message(&registering) };
    let content = (received.format, received.content.clone());
    let digest = received.digest;
    work.store(StoredMessage { digest, ..stored(&received.message.envelope, content, accepted.clone()) });
    work.keep_read(&received.message, received.content.len());
    record::write(received, exchange, work);
    work.move_cases((&received.message.envelope, &received.case_moves), exchange);
    work.apply(decision)?;
    duties::follow(received, &taken, work)?;
    if let Some(named) = rulings::answered(received) {
        rulings::answer(received, (named, taken), work)?;
    }
    if received.channel == ChannelKind::Amqp {
        receipts::accepted(&received.arrived, &accepted, work)?;
    }
    Ok(Submitted { message: id, accepted, duplicate: false, awaited: received.awaited.clone() })
}

/// The exchange that a message belongs to: the one it states, that of the message it answers, or its own.
fn exchange_of(received: &Received, work: &WorkingSet<'_>) -> ExchangeId {
    let envelope = &received.message.envelope;
    let is_opening = received.arrived.rule.role == Role::Opening;
    let answered = envelope.in_reply_to.filter(|_| envelope.exchange.is_none() && !is_opening);
    answered.and_then(|id| work.loaded.exchange_of.get(&id).copied()).unwrap_or(received.arrived.exchange)
}

/// An exchange is loaded and written whole: one that a runaway program has filled takes no more.
pub(super) fn within_limits(exchange: &Exchange) -> Result<(), Rejection> {
    let facts = exchange.duties.iter().map(|duty| duty.obligation.facts.len()).max().unwrap_or_default();
    if facts < limits::FACTS_MAX {
        return Ok(());
    }
    let message = "this exchange has taken more messages than any exchange of people needs; ask the operator";
    Err(Rejection::new(RejectionKind::Conflict, "exchange_full", message))
}

/// A repeat: the original outcome, and over AMQP the original receipt once more.
fn repeated(received: &Received, accepted: Accepted, work: &mut WorkingSet<'_>) -> Submitted {
    if received.channel == ChannelKind::Amqp
        && let Err(fault) = receipts::accepted(&received.arrived, &accepted, work)
    {
        tracing::error!(%fault, "the receipt of a repeat could not be made again");
    }
    let awaited = received.awaited.clone();
    Submitted { message: received.message.envelope.id, accepted, duplicate: true, awaited }
}

fn taken() -> Rejection {
    let message = "this id belongs to a message of another participant; give the message an id of its own";
    Rejection::new(RejectionKind::Conflict, "id_taken", message)
}

/// Tells the operator of a refusal that is an alarm, once it is committed: what is decided anew is told once.
pub(super) fn alarm(received: &Received, rejection: &Rejection) {
    let (id, sender) = (received.message.envelope.id, &received.arrived.from);
    match rejection.code {
        "id_taken" => tracing::warn!(%id, %sender, "security: a message id that another participant has used"),
        "id_conflict" => tracing::error!(%id, %sender, "alarm: the same id with other content"),
        _ => {}
    }
}

/// The same id with other content: both are kept, and it is an alarm.
fn conflict(received: &Received, work: &mut WorkingSet<'_>) -> Rejection {
    let reason = "the same id came before with other content; the first stands, this one is kept beside it";
    let rejection = Rejection::new(RejectionKind::Conflict, "id_conflict", reason);
    // Over AMQP the door itself puts what it could not take into the quarantine.
    if received.channel != ChannelKind::Amqp {
        work.changes.quarantine.push(quarantined(received, &rejection, work));
    }
    let event = event_of(received, EventKind::MessageConflict, work);
    work.changes.events.push(Event { detail: Some("id_conflict".into()), ..event });
    rejection
}

fn quarantined(received: &Received, rejection: &Rejection, work: &WorkingSet<'_>) -> QuarantineRow {
    QuarantineRow {
        at: work.ctx.now,
        source: if received.channel == ChannelKind::Desk { "desk" } else { "http" },
        participant: Some(received.arrived.from.clone()),
        message: Some(received.message.envelope.id),
        code: rejection.code.to_owned(),
        reason: rejection.message.clone(),
        content_type: media_type(received.format).to_owned(),
        content: received.content.slice(..received.content.len().min(QUARANTINE_BYTES_MAX)),
    }
}

fn event_of(received: &Received, kind: EventKind, work: &WorkingSet<'_>) -> Event {
    Event {
        at: work.ctx.now,
        kind,
        exchange: None,
        obligation: None,
        message: Some(received.message.envelope.id),
        participant: Some(received.arrived.from.clone()),
        detail: None,
    }
}

fn refuse(received: &Received, refusal: &Refusal, work: &mut WorkingSet<'_>) -> Rejection {
    if matches!(refusal, Refusal::NotYourObligation(_)) {
        tracing::warn!(sender = %received.arrived.from, "security: a reply from a party that owes nothing here");
        let event = event_of(received, EventKind::ForeignReply, work);
        work.changes.events.push(Event { detail: Some(refusal.code().into()), ..event });
    }
    Rejection::from(refusal.clone())
}

/// A recipient's word about a letter of its inbox. Its own number counts; where it has none, that of our register.
fn register(
    (message, recipient, exchange): (MessageId, &ParticipantCode, Option<ExchangeId>),
    notice: &RegistrationNotice,
    work: &mut WorkingSet<'_>,
) {
    let today = work.inner.date_at(recipient, work.ctx.now);
    let stage = match (notice.accepted, &notice.content_sha256) {
        (true, Some(sha256)) => ProofStage::Registered {
            number: notice.number.clone().unwrap_or_default(),
            date: notice.date.unwrap_or(today),
            content_sha256: sha256.clone(),
        },
        (true, None) => ProofStage::Received,
        (false, _) => ProofStage::Rejected { reason: notice.reason.clone().unwrap_or_default() },
    };
    let kind = match stage {
        ProofStage::Rejected { .. } => EventKind::DeliveryRejected,
        ProofStage::Received | ProofStage::HandedOver { .. } | ProofStage::Registered { .. } => {
            EventKind::DeliveryRegistered
        }
    };
    work.changes.events.push(Event {
        at: work.ctx.now,
        kind,
        exchange,
        obligation: None,
        message: Some(message),
        participant: Some(recipient.clone()),
        detail: notice.number.clone(),
    });
    work.loaded.waiting.remove(&(message, recipient.clone()));
    work.changes.proofs.push(Proof { message, recipient: recipient.clone(), stage });
}
