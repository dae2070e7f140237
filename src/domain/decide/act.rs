//! What the controller and the people of the centre decide: about obligations, alerts, and prepared letters.
//!
//! Promises: a decision of the controller reaches the body as a message. Never: destroys an obligation on one
//! person's word.

use crate::domain::alert::Acknowledgement;
use crate::domain::decide::letters::{self, Occasion};
use crate::domain::decide::reply::{check_extension, record};
use crate::domain::decision::{Context, Decision, EventKind, Refusal};
use crate::domain::escalation::RungState;
use crate::domain::exchange::Exchange;
use crate::domain::ids::{MessageId, ObligationId};
use crate::domain::notice;
use crate::domain::obligation::{Fact, Obligation, State};
use chrono::{Duration, NaiveDate};

/// Longest acknowledgement of an alert, in days: our default.
const ACKNOWLEDGEMENT_DAYS_MAX: i64 = 30;

/// A controller's decision about an obligation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    Release,
    Return { answer: Option<MessageId>, reason: String },
    Extend { due_on: NaiveDate },
    Withdraw { reason: String },
    Void { reason: String, second: String },
}

/// What a person decides about a prepared letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOrDecline {
    Send,
    Decline { reason: String },
}

/// Decides about an obligation.
pub(super) fn act(
    exchange: &mut Exchange,
    (id, act): (ObligationId, &Act),
    by: &str,
    ctx: &Context<'_>,
) -> Result<Decision, Refusal> {
    let duty = exchange.duty(id).ok_or(Refusal::UnknownObligation)?;
    let root = exchange.root.clone().ok_or(Refusal::UnknownObligation)?;
    let fact = fact_of(&duty.obligation, (act, by), ctx)?;
    let mut decision = Decision::default();
    if let Some(letter) = letters::of_act((&root, &duty.obligation), act, ctx)? {
        decision.letters.push(letter);
    }
    record(exchange, &[id], fact, (&mut decision, ctx))?;
    Ok(decision)
}

fn fact_of(obligation: &Obligation, (act, by): (&Act, &str), ctx: &Context<'_>) -> Result<Fact, Refusal> {
    allowed(act, obligation)?;
    let (at, by) = (ctx.now, by.to_owned());
    Ok(match act {
        Act::Release => Fact::Released { message: None, at, by },
        Act::Return { answer, .. } => {
            let given = |named: &MessageId| obligation.facts.iter().any(|fact| fact.message() == Some(*named));
            if answer.as_ref().is_some_and(|named| !given(named)) {
                return Err(Refusal::UnknownAnswer);
            }
            Fact::Returned { message: None, at, answer: *answer, by }
        }
        Act::Extend { due_on } => {
            let body = ctx.participant(&obligation.performer)?;
            check_extension((obligation, body), *due_on, ctx)?;
            // The letter will name this date as the one in force, so it must become it.
            if *due_on <= obligation.due_on() {
                return Err(Refusal::NotAnExtension);
            }
            Fact::Extended { message: None, at, due_on: *due_on, due_at: body.zone.end_of(*due_on), by }
        }
        Act::Withdraw { .. } => Fact::Withdrawn { message: None, at, by },
        Act::Void { second, .. } if second.trim().is_empty() || second.trim() == by.trim() => {
            return Err(Refusal::SecondPersonNeeded);
        }
        Act::Void { reason, second } => Fact::Voided { at, by, second: second.clone(), reason: reason.clone() },
    })
}

/// What a state allows: nothing moves a closed obligation, but an automatic release may be answered by a return.
fn allowed(act: &Act, obligation: &Obligation) -> Result<(), Refusal> {
    let (state, is_answered) = (obligation.state(), obligation.answered_at().is_some());
    let ok = match act {
        Act::Release => state == State::Answered || state.is_open(),
        Act::Return { .. } => matches!(state, State::Answered | State::Fulfilled | State::FulfilledLate),
        Act::Extend { .. } => state.is_open(),
        // An answer given outweighs a withdrawal: it is released or returned instead.
        Act::Withdraw { .. } => state.is_open() || (state == State::Answered && !is_answered),
        Act::Void { .. } => state != State::Void,
    };
    if ok { Ok(()) } else { Err(Refusal::ObligationClosed(state.code())) }
}

/// Takes the alert of an obligation.
pub(super) fn acknowledge(
    exchange: &mut Exchange,
    id: ObligationId,
    with: &Acknowledgement,
    ctx: &Context<'_>,
) -> Result<Decision, Refusal> {
    if with.until <= ctx.now || with.until > ctx.now + Duration::days(ACKNOWLEDGEMENT_DAYS_MAX) {
        return Err(Refusal::BadAcknowledgementEnd);
    }
    let duty = exchange.duty_mut(id).ok_or(Refusal::UnknownObligation)?;
    let alert = duty.alert.as_ref().ok_or(Refusal::UnknownAlert)?;
    duty.alert = Some(alert.acknowledged(with.clone(), ctx.now).ok_or(Refusal::UnknownAlert)?);
    let event = ctx.event(EventKind::AlertAcknowledged, duty, with.owner.clone());
    Ok(Decision { events: vec![event], ..Decision::default() })
}

/// Sends the prepared letter of a rung, or declines it.
pub(super) fn decide_rung(
    exchange: &mut Exchange,
    (id, no): (ObligationId, u8),
    (send, by): (&SendOrDecline, &str),
    ctx: &Context<'_>,
) -> Result<Decision, Refusal> {
    let root = exchange.root.clone().ok_or(Refusal::UnknownObligation)?;
    let duty = exchange.duty_mut(id).ok_or(Refusal::UnknownObligation)?;
    let prepared = |row: &&crate::domain::escalation::Rung| matches!(row.state, RungState::Prepared { .. });
    let row = duty.rungs.row(no).filter(prepared).cloned().ok_or(Refusal::RungNotPrepared(no))?;
    let body = ctx.participant(&duty.obligation.performer)?;
    let policy = ctx.ladder_of(body).policy(no).ok_or(Refusal::RungNotPrepared(no))?;
    let mut decision = Decision::default();
    let (state, kind) = match send {
        SendOrDecline::Send => {
            let occasion = Occasion { root: &root, duty, policy };
            decision.letters.push(letters::of_rung(&occasion, ctx)?);
            (RungState::Approved { at: ctx.now, by: by.to_owned() }, EventKind::RungApproved)
        }
        SendOrDecline::Decline { reason } => {
            let state = RungState::Declined { at: ctx.now, by: by.to_owned(), reason: reason.clone() };
            (state, EventKind::RungDeclined)
        }
    };
    duty.rungs.put(crate::domain::escalation::Rung { state, ..row });
    if kind == EventKind::RungApproved {
        decision.notices.extend(notice::of_rung(duty, policy, notice::Occasion::Sent, ctx));
    }
    decision.events.push(ctx.event(kind, duty, no.to_string()));
    Ok(decision)
}
