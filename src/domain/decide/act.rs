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
use crate::domain::obligation::{Fact, State};
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
    let obligation = &duty.obligation;
    let state = obligation.state();
    allowed(act, state, obligation.answered_at().is_some())?;
    let (at, by) = (ctx.now, by.to_owned());
    let mut decision = Decision::default();
    let fact = match act {
        Act::Release => Fact::Released { message: None, at, by },
        Act::Return { answer, .. } => Fact::Returned { message: None, at, answer: *answer, by },
        Act::Extend { due_on } => {
            check_extension(obligation, *due_on)?;
            let body = ctx.participant(&obligation.performer)?;
            Fact::Extended { message: None, at, due_on: *due_on, due_at: body.zone.end_of(*due_on), by }
        }
        Act::Withdraw { .. } => Fact::Withdrawn { message: None, at, by },
        Act::Void { second, .. } if second.is_empty() || *second == by => return Err(Refusal::SecondPersonNeeded),
        Act::Void { reason, second } => Fact::Voided { at, by, second: second.clone(), reason: reason.clone() },
    };
    if let Some(letter) = letters::of_act((&root, obligation), act, ctx)? {
        decision.letters.push(letter);
    }
    record(exchange, &[id], fact, (&mut decision, ctx))?;
    Ok(decision)
}

/// What a state allows: nothing moves a closed obligation, but an automatic release may be answered by a return.
fn allowed(act: &Act, state: State, answered: bool) -> Result<(), Refusal> {
    let ok = match act {
        Act::Release => matches!(state, State::Answered | State::Running),
        Act::Return { .. } => match state {
            State::Answered => true,
            State::Fulfilled | State::FulfilledLate => answered,
            _ => false,
        },
        Act::Extend { .. } => state == State::Running,
        Act::Withdraw { .. } => matches!(state, State::Running | State::Answered),
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
            let occasion = Occasion { root: &root, obligation: &duty.obligation, policy };
            decision.letters.push(letters::of_rung(&occasion, ctx)?);
            (RungState::Approved { at: ctx.now, by: by.to_owned() }, EventKind::RungApproved)
        }
        SendOrDecline::Decline { reason } => {
            let state = RungState::Declined { at: ctx.now, by: by.to_owned(), reason: reason.clone() };
            (state, EventKind::RungDeclined)
        }
    };
    duty.rungs.put(crate::domain::escalation::Rung { state, ..row });
    decision.events.push(ctx.event(kind, duty, no.to_string()));
    Ok(decision)
}
