//! Redirection: the competent body takes an obligation over, under a linked obligation of its own.
//!
//! Promises: somebody owes the answer afterwards; what the controller had decided goes over with the obligation.
//! Never: lets a body shed its obligation by redirecting to itself, to the asker, or in a circle.

use crate::domain::decide::open::{obligation_id, taken_notice};
use crate::domain::decide::pause::reckon;
use crate::domain::decide::reply::{owed_by, record};
use crate::domain::decision::{Context, Decision, EventKind, Forward, Refusal};
use crate::domain::escalation::Rungs;
use crate::domain::exchange::{Duty, Exchange, Parked};
use crate::domain::ids::ObligationId;
use crate::domain::obligation::{Fact, FrozenDue, Obligation};
use crate::domain::participant::Participant;

/// Opens the successors, and sends the opening message to the body that took over.
pub(super) fn redirect(
    exchange: &mut Exchange,
    reply: &Parked,
    (decision, ctx): (&mut Decision, &Context<'_>),
) -> Result<(), Refusal> {
    let to = reply.facts.redirect_to.clone().ok_or(Refusal::RedirectsNowhere)?;
    let body = ctx.participant(&to)?;
    let mut is_owed = false;
    for target in owed_by(exchange, &reply.from)? {
        let Some(old) = exchange.duty(target).map(|duty| duty.obligation.clone()) else { continue };
        let id = obligation_id(old.exchange, &to, old.item.as_deref());
        if to == old.controller || comes_back(exchange, id, target) {
            return Err(Refusal::RedirectsInCircle(to));
        }
        let fact = Fact::Redirected { message: reply.message, at: reply.received_at, to: to.clone(), successor: id };
        record(exchange, &[target], fact, (decision, ctx))?;
        if exchange.duty(id).is_none() {
            let successor = successor((&old, id), reply, (body, ctx))?;
            let due_on = successor.obligation.due_on().to_string();
            decision.events.push(ctx.event(EventKind::ObligationOpened, &successor, due_on));
            is_owed |= successor.obligation.state().is_open();
            exchange.duties.push(successor);
        }
    }
    if let Some(root) = exchange.root.as_mut().filter(|root| is_owed && !root.to.contains(&to)) {
        root.to.push(to.clone());
        decision.forwards.push(Forward { message: root.message, to });
    }
    Ok(())
}

/// Whether the obligation `from`, followed through its redirections, is `target` or leads to it.
fn comes_back(exchange: &Exchange, from: ObligationId, target: ObligationId) -> bool {
    let mut reached = vec![from];
    exchange.add_successors(&mut reached);
    reached.contains(&target)
}

/// The due date stands: the competent body has the days that remain (deadlines of another start are a later policy). It
/// ends by its own clock, and nobody accuses it before it has had a day to take notice. What the controller decided
/// before goes over: an extension, a withdrawal, a release, a pause.
fn successor(
    (old, id): (&Obligation, ObligationId),
    reply: &Parked,
    (body, ctx): (&Participant, &Context<'_>),
) -> Result<Duty, Refusal> {
    let noticed_at = taken_notice(reply.received_at, body, &ctx.performer(body)?)?;
    let due = old.counted();
    let at = match due.protocol.rule.term.is_instant() {
        true => due.at,
        false => {
            let local = ctx.participant(&old.performer)?.zone.local(due.at);
            body.zone.instant(local.date(), local.time())
        }
    };
    let lenient_at = due.lenient_at.max(at).max(body.zone.end_of(body.zone.date(noticed_at)));
    let mut obligation = Obligation {
        id,
        performer: body.code.clone(),
        opened_at: old.opened_at.max(reply.received_at),
        due: FrozenDue { at, lenient_at, ..due.clone() },
        facts: old.facts.iter().filter_map(|fact| gone_over(fact, body)).collect(),
        pauses: Vec::new(),
        ..old.clone()
    };
    reckon(&mut obligation, ctx)?;
    let mut successor = Duty { obligation, rungs: Rungs::default(), alert: None };
    ctx.replan(&mut successor)?;
    Ok(successor)
}

/// What a fact is for the body that takes over.
fn gone_over(fact: &Fact, body: &Participant) -> Option<Fact> {
    match fact {
        Fact::Extended { message, at, due_on, by, .. } => Some(Fact::Extended {
            message: *message,
            at: *at,
            due_on: *due_on,
            due_at: body.zone.end_of(*due_on),
            by: by.clone(),
        }),
        // What was asked about the request was asked for whoever answers it.
        Fact::ClarificationAsked { .. } | Fact::Clarified { .. } => Some(fact.clone()),
        Fact::ExtensionDenied { .. }
        | Fact::Withdrawn { .. }
        | Fact::Ended { .. }
        | Fact::Released { .. }
        | Fact::Voided { .. } => Some(fact.clone()),
        // The successor is born with the date that this one had then.
        Fact::DueMoved { .. }
        | Fact::Answered { .. }
        | Fact::Interim { .. }
        | Fact::ExtensionAsked { .. }
        | Fact::Refused { .. }
        | Fact::Redirected { .. }
        | Fact::Returned { .. } => None,
    }
}
