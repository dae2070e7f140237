//! Messages inside an exchange: answers, receipts, controls. Each adds facts; the state follows from them.
//!
//! Promises: only the party that owes answers, only the party that is owed decides. Never: loses a reply that comes
//! before its request (it is parked), or refuses one because it is late.

use crate::domain::decide::open::registered;
use crate::domain::decide::recur;
use crate::domain::decide::redirect::redirect;
use crate::domain::decision::{Arrived, Context, Decision, Event, EventKind, Proof, ProofStage, Refusal};
use crate::domain::exchange::{Duty, Exchange, PARKED_MAX, Parked, Root};
use crate::domain::ids::{ObligationId, ParticipantCode};
use crate::domain::obligation::{Fact, Obligation};
use crate::domain::participant::Participant;
use crate::domain::rule::{Control, ReceiptKind, Role};
use crate::domain::term::TermError;
use chrono::{Days, NaiveDate};

/// Takes a message that is not a root.
pub(super) fn receive(exchange: &mut Exchange, arrived: &Arrived, ctx: &Context<'_>) -> Result<Decision, Refusal> {
    if arrived.in_reply_to.is_none() && arrived.exchange.0 == arrived.message.0 {
        return Err(Refusal::ReplyWithoutRequest);
    }
    let mut decision = take(exchange, arrived, false, ctx)?;
    decision.events.insert(0, registered(arrived, ctx));
    Ok(decision)
}

/// Takes a message that answers here and has begun an exchange of its own, where it is registered.
pub(super) fn receive_elsewhere(
    exchange: &mut Exchange,
    arrived: &Arrived,
    ctx: &Context<'_>,
) -> Result<Decision, Refusal> {
    take(exchange, arrived, true, ctx)
}

fn take(exchange: &mut Exchange, arrived: &Arrived, elsewhere: bool, ctx: &Context<'_>) -> Result<Decision, Refusal> {
    let mut decision = Decision::default();
    let reply = Parked {
        elsewhere,
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
        if exchange.parked.len() >= PARKED_MAX {
            return Err(Refusal::TooManyParked);
        }
        decision.events.push(Event {
            at: ctx.now,
            kind: EventKind::MessageParked,
            exchange: Some(exchange.id),
            obligation: None,
            message: Some(arrived.message),
            participant: Some(arrived.from.clone()),
            detail: None,
        });
        if exchange.parked.iter().all(|one| one.message != reply.message) {
            exchange.parked.push(reply);
        }
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
        Role::Answer if recur::end(exchange, reply, (decision, ctx))? => Ok(()),
        Role::Answer => answer(exchange, reply, (decision, ctx)),
        Role::Receipt(kind) => receipt(exchange, (reply, kind), (decision, ctx)),
        Role::Control(Control::Notice) => party(exchange, reply),
        Role::Control(Control::Redirection) => redirect(exchange, reply, (decision, ctx)),
        Role::Control(control @ (Control::ClarificationRequest | Control::Clarification)) => {
            match act(exchange, (reply, control), (decision, ctx)) {
                // Parties may ask and tell each other what nobody owes; then it is recorded, and no clock stands.
                Err(Refusal::NotYourObligation(_)) if among_parties(exchange, reply) => Ok(()),
                done => done,
            }
        }
        Role::Control(control) => act(exchange, (reply, control), (decision, ctx)),
        Role::Opening => Ok(()),
    }
}

fn party(exchange: &Exchange, reply: &Parked) -> Result<(), Refusal> {
    if exchange.has_party(&reply.from) { Ok(()) } else { Err(Refusal::NotYourObligation(reply.from.clone())) }
}

fn among_parties(exchange: &Exchange, reply: &Parked) -> bool {
    exchange.has_party(&reply.from) && reply.to.iter().all(|to| exchange.has_party(to))
}

/// The obligations that a performer's message is about.
pub(super) fn owed_by(exchange: &Exchange, performer: &ParticipantCode) -> Result<Vec<ObligationId>, Refusal> {
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
    let zone = ctx.participant(&reply.from)?.zone;
    let named = |one: &&&Obligation| recur::is_answered(one, (&fitting, &reply.facts), zone);
    let answered: Vec<ObligationId> = fitting.iter().filter(named).map(|one| one.id).collect();
    if answered.is_empty() {
        return Err(Refusal::NotYourObligation(reply.from.clone()));
    }
    let (nil, on) = (reply.facts.no_data, reply.facts.answered_on);
    let fact = Fact::Answered { message: reply.message, at: reply.received_at, nil, on };
    record(exchange, &answered, fact, (decision, ctx))?;
    recur::renew(exchange, (decision, ctx))
}

/// Adds a fact to each of these obligations, and lets rungs and alerts follow.
pub(super) fn record(
    exchange: &mut Exchange,
    on: &[ObligationId],
    fact: Fact,
    (decision, ctx): (&mut Decision, &Context<'_>),
) -> Result<(), Refusal> {
    for duty in exchange.duties.iter_mut().filter(|duty| on.contains(&duty.obligation.id)) {
        ctx.record(duty, fact.clone(), decision)?;
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
    let refused = kind == ReceiptKind::Refusal || facts.accepted == Some(false);
    let stage = match (kind, &facts.registration, &facts.content_sha256) {
        _ if refused => ProofStage::Rejected { reason: facts.reason_code.clone().unwrap_or_default() },
        (ReceiptKind::Registration, Some(registration), Some(sha256)) => ProofStage::Registered {
            number: registration.number.clone(),
            date: registration.date,
            content_sha256: sha256.clone(),
        },
        (ReceiptKind::Registration | ReceiptKind::Delivery | ReceiptKind::Refusal, ..) => ProofStage::Received,
    };
    decision.proofs.push(Proof { message, recipient: reply.from.clone(), stage });
    let awaited =
        |one: &&Obligation| !refused && one.performer == reply.from && one.answer_types.contains(&reply.type_code);
    let answered: Vec<ObligationId> = obligations(exchange).filter(awaited).map(|one| one.id).collect();
    let fact = Fact::Answered { message: reply.message, at: reply.received_at, nil: false, on: None };
    record(exchange, &answered, fact, (decision, ctx))
}

/// A control of the performer, or of the controller over the performers that it addresses.
fn act(
    exchange: &mut Exchange,
    (reply, control): (&Parked, Control),
    (decision, ctx): (&mut Decision, &Context<'_>),
) -> Result<(), Refusal> {
    let mut targets =
        if control.is_performers() { owed_by(exchange, &reply.from)? } else { controlled(exchange, (reply, control))? };
    if control == Control::ClarificationRequest {
        // What is asked about the request is asked for those too who have taken it over.
        exchange.add_successors(&mut targets);
    }
    for target in targets {
        let (Some(duty), Some(root)) = (exchange.duty(target), &exchange.root) else { continue };
        let Some(fact) = fact_of((duty, root), (reply, control), ctx)? else { continue };
        record(exchange, &[target], fact, (decision, ctx))?;
    }
    Ok(())
}

/// The obligations that a controller's message is about: those of the bodies it addresses, and of the bodies that have
/// taken over from them. A return is about an answer, and so about its giver alone.
fn controlled(exchange: &Exchange, (reply, control): (&Parked, Control)) -> Result<Vec<ObligationId>, Refusal> {
    let addressed = |one: &&Obligation| one.controller == reply.from && reply.to.contains(&one.performer);
    let mut controlled: Vec<ObligationId> = obligations(exchange).filter(addressed).map(|one| one.id).collect();
    if controlled.is_empty() {
        return Err(Refusal::NotYourObligation(reply.from.clone()));
    }
    if control != Control::Return {
        exchange.add_successors(&mut controlled);
    }
    Ok(controlled)
}

/// The fact that a control states about one obligation.
fn fact_of(
    (duty, root): (&Duty, &Root),
    (reply, control): (&Parked, Control),
    ctx: &Context<'_>,
) -> Result<Option<Fact>, Refusal> {
    let (message, at, by) = (reply.message, reply.received_at, reply.from.to_string());
    Ok(Some(match control {
        Control::InterimReply => Fact::Interim { message, at, expected_on: reply.facts.expected_on },
        Control::ExtensionRequest => Fact::ExtensionAsked { message, at, new_due: reply.facts.new_due },
        Control::ExtensionDecision if reply.facts.granted == Some(false) => Fact::ExtensionDenied { message, at },
        Control::ExtensionDecision => {
            let body = ctx.participant(&duty.obligation.performer)?;
            let new_due = reply.facts.new_due.ok_or(Refusal::NotAnExtension)?;
            check_extension((&duty.obligation, body), new_due, ctx)?;
            Fact::Extended { message: Some(message), at, due_on: new_due, due_at: body.zone.end_of(new_due), by }
        }
        Control::ClarificationRequest => Fact::ClarificationAsked { message, at },
        Control::Clarification => {
            // The question that it names may come later than the answer.
            let question = reply.in_reply_to.filter(|named| *named != root.message);
            Fact::Clarified { message, at, question, by }
        }
        Control::ReasonedRefusal => Fact::Refused { message, at },
        Control::Withdrawal => Fact::Withdrawn { message: Some(message), at, by },
        Control::Return => {
            // A return of the request itself names no answer. The answer it names may come later than the return.
            let answer = reply.in_reply_to.filter(|named| *named != root.message);
            Fact::Returned { message: Some(message), at, answer, by }
        }
        Control::Release => Fact::Released { message: Some(message), at, by },
        Control::Redirection | Control::Notice => return Ok(None),
    }))
}

/// An extension goes beyond the counted date, not beyond what the policy allows (59-ФЗ: 30 days, where it applies), and
/// not beyond the calendar: «no calendar, no clock».
pub(super) fn check_extension(
    (obligation, body): (&Obligation, &Participant),
    new_due: NaiveDate,
    ctx: &Context<'_>,
) -> Result<(), Refusal> {
    let counted_on = obligation.counted().on;
    if new_due <= counted_on {
        return Err(Refusal::NotAnExtension);
    }
    if let Some(days) = obligation.extension_days_max
        && counted_on.checked_add_days(Days::new(u64::from(days))).is_some_and(|last| new_due > last)
    {
        return Err(Refusal::ExtensionTooLong(days));
    }
    ctx.calendar_of(body)?.is_working(new_due).map_err(TermError::from)?;
    Ok(())
}
