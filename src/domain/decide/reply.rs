//! Messages inside an exchange: answers, receipts, controls. Each adds facts; the state follows from them.
//!
//! Promises: only the party that owes answers, only the party that is owed decides. Never: loses a reply that comes
//! before its request (it is parked), or refuses one because it is late.

use crate::domain::decide::open::{obligation_id, registered};
use crate::domain::decision::{Arrived, Context, Decision, Event, EventKind, Forward, Proof, ProofStage, Refusal};
use crate::domain::escalation::Rungs;
use crate::domain::exchange::{Duty, Exchange, Parked};
use crate::domain::ids::{ObligationId, ParticipantCode};
use crate::domain::obligation::{Fact, Obligation};
use crate::domain::participant::Participant;
use crate::domain::rule::{Control, ReceiptKind, Role};
use chrono::{Duration, NaiveDate};

/// Takes a message that is not a root.
pub(super) fn receive(exchange: &mut Exchange, arrived: &Arrived, ctx: &Context<'_>) -> Result<Decision, Refusal> {
    if arrived.in_reply_to.is_none() && arrived.exchange.0 == arrived.message.0 {
        return Err(Refusal::ReplyWithoutRequest);
    }
    let mut decision = Decision::default();
    decision.events.push(registered(arrived, ctx));
    let reply = Parked {
        message: arrived.message,
        type_code: arrived.type_code.clone(),
        role: arrived.rule.role,
        from: arrived.from.clone(),
        to: arrived.to.clone(),
        in_reply_to: arrived.in_reply_to,
        received_at: arrived.received_at,
        facts: arrived.facts.clone(),
    };
    if exchange.root.is_none() {
        decision.events.push(Event {
            at: ctx.now,
            kind: EventKind::MessageParked,
            exchange: Some(exchange.id),
            obligation: None,
            message: Some(arrived.message),
            participant: Some(arrived.from.clone()),
            detail: None,
        });
        exchange.parked.push(reply);
        return Ok(decision);
    }
    apply(exchange, &reply, (&mut decision, ctx))?;
    Ok(decision)
}

/// Applies a message to an exchange whose root is known.
pub(super) fn apply(
    exchange: &mut Exchange,
    reply: &Parked,
    (decision, ctx): (&mut Decision, &Context<'_>),
) -> Result<(), Refusal> {
    match reply.role {
        Role::Answer => answer(exchange, reply, (decision, ctx)),
        Role::Receipt(kind) => receipt(exchange, (reply, kind), (decision, ctx)),
        Role::Control(Control::Notice) => party(exchange, reply),
        Role::Control(Control::Redirection) => redirect(exchange, reply, (decision, ctx)),
        Role::Control(control) => act(exchange, (reply, control), (decision, ctx)),
        Role::Opening => Ok(()),
    }
}

fn party(exchange: &Exchange, reply: &Parked) -> Result<(), Refusal> {
    if exchange.has_party(&reply.from) { Ok(()) } else { Err(Refusal::NotYourObligation(reply.from.clone())) }
}

/// The obligations that a performer's message is about.
fn owed_by(exchange: &Exchange, performer: &ParticipantCode) -> Result<Vec<ObligationId>, Refusal> {
    let owed: Vec<ObligationId> =
        obligations(exchange).filter(|one| one.performer == *performer).map(|o| o.id).collect();
    if owed.is_empty() { Err(Refusal::NotYourObligation(performer.clone())) } else { Ok(owed) }
}

fn obligations(exchange: &Exchange) -> impl Iterator<Item = &Obligation> {
    exchange.duties.iter().map(|duty| &duty.obligation)
}

fn answer(
    exchange: &mut Exchange,
    reply: &Parked,
    (decision, ctx): (&mut Decision, &Context<'_>),
) -> Result<(), Refusal> {
    let owed = owed_by(exchange, &reply.from)?;
    let of_type = |one: &&Obligation| owed.contains(&one.id) && one.answer_types.contains(&reply.type_code);
    let fitting: Vec<&Obligation> = obligations(exchange).filter(of_type).collect();
    if fitting.is_empty() {
        let expected = obligations(exchange).filter(|one| owed.contains(&one.id)).flat_map(|one| &one.answer_types);
        let mut expected: Vec<&str> = expected.map(|code| code.as_str()).collect();
        expected.sort_unstable();
        expected.dedup();
        return Err(Refusal::WrongAnswerType(expected.join(", ")));
    }
    let items = &reply.facts.answered_items;
    let named = |one: &&&Obligation| items.is_empty() || one.item.as_ref().is_none_or(|item| items.contains(item));
    let answered: Vec<ObligationId> = fitting.iter().filter(named).map(|one| one.id).collect();
    if answered.is_empty() {
        return Err(Refusal::NotYourObligation(reply.from.clone()));
    }
    let fact = Fact::Answered { message: reply.message, at: reply.received_at, nil: reply.facts.no_data };
    record(exchange, &answered, fact, (decision, ctx))
}

/// Adds a fact to each of these obligations, and lets rungs and alerts follow.
pub(super) fn record(
    exchange: &mut Exchange,
    on: &[ObligationId],
    fact: Fact,
    (decision, ctx): (&mut Decision, &Context<'_>),
) -> Result<(), Refusal> {
    for duty in exchange.duties.iter_mut().filter(|duty| on.contains(&duty.obligation.id)) {
        let was_open = duty.obligation.closed_at().is_none();
        duty.obligation.facts.push(fact.clone());
        ctx.follow(duty, was_open, decision)?;
    }
    Ok(())
}

fn receipt(
    exchange: &mut Exchange,
    (reply, kind): (&Parked, ReceiptKind),
    (decision, ctx): (&mut Decision, &Context<'_>),
) -> Result<(), Refusal> {
    let message = reply.in_reply_to.ok_or(Refusal::ReplyWithoutRequest)?;
    let facts = &reply.facts;
    let stage = match (kind, &facts.registration, &facts.content_sha256) {
        (ReceiptKind::Refusal, ..) => ProofStage::Rejected { reason: facts.reason_code.clone().unwrap_or_default() },
        (ReceiptKind::Registration, Some(registration), Some(sha256)) => ProofStage::Registered {
            number: registration.number.clone(),
            date: registration.date,
            content_sha256: sha256.clone(),
        },
        (ReceiptKind::Registration | ReceiptKind::Delivery, ..) => ProofStage::Received,
    };
    decision.proofs.push(Proof { message, recipient: reply.from.clone(), stage });
    let awaited = |one: &&Obligation| one.performer == reply.from && one.answer_types.contains(&reply.type_code);
    let answered: Vec<ObligationId> = obligations(exchange).filter(awaited).map(|one| one.id).collect();
    let fact = Fact::Answered { message: reply.message, at: reply.received_at, nil: false };
    record(exchange, &answered, fact, (decision, ctx))
}

/// A control of the performer, or of the controller over the performers that it addresses.
fn act(
    exchange: &mut Exchange,
    (reply, control): (&Parked, Control),
    (decision, ctx): (&mut Decision, &Context<'_>),
) -> Result<(), Refusal> {
    let targets = if control.is_performers() {
        owed_by(exchange, &reply.from)?
    } else {
        let own = |one: &&Obligation| one.controller == reply.from && reply.to.contains(&one.performer);
        let owed: Vec<ObligationId> = obligations(exchange).filter(own).map(|one| one.id).collect();
        if owed.is_empty() {
            return Err(Refusal::NotYourObligation(reply.from.clone()));
        }
        owed
    };
    for target in targets {
        let Some(duty) = exchange.duty(target) else { continue };
        let Some(fact) = fact_of(duty, (reply, control), ctx)? else { continue };
        record(exchange, &[target], fact, (decision, ctx))?;
    }
    Ok(())
}

/// The fact that a control states about one obligation.
fn fact_of(duty: &Duty, (reply, control): (&Parked, Control), ctx: &Context<'_>) -> Result<Option<Fact>, Refusal> {
    let (message, at, by) = (reply.message, reply.received_at, reply.from.to_string());
    Ok(Some(match control {
        Control::InterimReply => Fact::Interim { message, at, expected_on: reply.facts.expected_on },
        Control::ExtensionRequest => Fact::ExtensionAsked { message, at, new_due: reply.facts.new_due },
        Control::ExtensionDecision if reply.facts.granted == Some(false) => Fact::ExtensionDenied { message, at },
        Control::ExtensionDecision => {
            let body = ctx.participant(&duty.obligation.performer)?;
            let new_due = reply.facts.new_due.ok_or(Refusal::NotAnExtension)?;
            check_extension(&duty.obligation, new_due)?;
            Fact::Extended { message: Some(message), at, due_on: new_due, due_at: body.zone.end_of(new_due), by }
        }
        Control::ReasonedRefusal => Fact::Refused { message, at },
        Control::Withdrawal => Fact::Withdrawn { message: Some(message), at, by },
        Control::Return => {
            let answer =
                reply.in_reply_to.filter(|id| duty.obligation.facts.iter().any(|fact| fact.message() == Some(*id)));
            Fact::Returned { message: Some(message), at, answer, by }
        }
        Control::Release => Fact::Released { message: Some(message), at, by },
        Control::Redirection | Control::Notice => return Ok(None),
    }))
}

/// An extension goes beyond the frozen date, and not beyond what the policy allows (59-ФЗ: 30 days, where it applies).
pub(super) fn check_extension(obligation: &Obligation, new_due: NaiveDate) -> Result<(), Refusal> {
    if new_due <= obligation.due.on {
        return Err(Refusal::NotAnExtension);
    }
    match obligation.extension_days_max {
        Some(days) if new_due > obligation.due.on + Duration::days(i64::from(days)) => {
            Err(Refusal::ExtensionTooLong(days))
        }
        _ => Ok(()),
    }
}

/// The competent body takes over: a linked obligation of its own, and the opening message is sent to it.
fn redirect(
    exchange: &mut Exchange,
    reply: &Parked,
    (decision, ctx): (&mut Decision, &Context<'_>),
) -> Result<(), Refusal> {
    let to = reply.facts.redirect_to.clone().ok_or(Refusal::ReplyWithoutRequest)?;
    let body = ctx.participant(&to)?;
    for target in owed_by(exchange, &reply.from)? {
        let Some(duty) = exchange.duty(target).cloned() else { continue };
        let successor = successor(&duty, body, ctx)?;
        let id = successor.obligation.id;
        let fact = Fact::Redirected { message: reply.message, at: reply.received_at, to: to.clone(), successor: id };
        record(exchange, &[target], fact, (decision, ctx))?;
        if exchange.duty(id).is_none() {
            decision.events.push(ctx.event(
                EventKind::ObligationOpened,
                &successor,
                successor.obligation.due.on.to_string(),
            ));
            exchange.duties.push(successor);
        }
    }
    if let Some(root) = &mut exchange.root
        && !root.to.contains(&to)
    {
        root.to.push(to.clone());
        decision.forwards.push(Forward { message: root.message, to });
    }
    Ok(())
}

/// The due date stands: the competent body has the days that remain (deadlines of another start are a later policy).
fn successor(duty: &Duty, body: &Participant, ctx: &Context<'_>) -> Result<Duty, Refusal> {
    let old = &duty.obligation;
    let obligation = Obligation {
        id: obligation_id(old.exchange, &body.code, old.item.as_deref()),
        performer: body.code.clone(),
        opened_at: ctx.now,
        facts: Vec::new(),
        ..old.clone()
    };
    let mut successor = Duty { obligation, rungs: Rungs::default(), alert: None };
    ctx.replan(&mut successor)?;
    Ok(successor)
}
