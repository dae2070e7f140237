//! The time of a rung has come: which rung fires, what it sends or prepares, who is told.
//!
//! Promises: after an outage only the highest rung then due fires, the ones below are recorded as skipped; a rung that
//! speaks to a third party is prepared for a person and never sent by itself. Never: climbs for a closed obligation.

use crate::domain::alert::Alert;
use crate::domain::decide::letters::{self, Occasion};
use crate::domain::decide::recur;
use crate::domain::decision::{Context, Decision, EventKind, Refusal};
use crate::domain::escalation::{Action, Course, Rung, RungPolicy, RungState};
use crate::domain::exchange::{Duty, Exchange, Root};
use crate::domain::ids::ObligationId;
use crate::domain::notice::{self, Occasion as Told};
use chrono::{DateTime, Utc};

/// Looks at one obligation now.
pub(super) fn sweep(
    exchange: &mut Exchange,
    (id, delivered): (ObligationId, bool),
    ctx: &Context<'_>,
) -> Result<Decision, Refusal> {
    let mut decision = Decision::default();
    let root = exchange.root.clone();
    let (Some(root), Some(duty)) = (root, exchange.duty_mut(id)) else { return Ok(decision) };
    if let Some(open) = duty.alert.as_ref().and_then(|alert| alert.lapsed(ctx.now)) {
        duty.alert = Some(open);
        decision.events.push(ctx.event(EventKind::AlertLapsed, duty, None));
    }
    climb(duty, (&root, delivered), (&mut decision, ctx))?;
    recur::renew(exchange, (&mut decision, ctx))?;
    Ok(decision)
}

fn climb(
    duty: &mut Duty,
    (root, delivered): (&Root, bool),
    (decision, ctx): (&mut Decision, &Context<'_>),
) -> Result<(), Refusal> {
    if let Some(since) = duty.obligation.rested_at() {
        duty.rungs.cancel(since);
        return Ok(());
    }
    if duty.rungs.planned().is_none_or(|rung| rung.planned_at > ctx.now) {
        return Ok(());
    }
    let body = ctx.participant(&duty.obligation.performer)?;
    let calendar = ctx.calendar_of(body)?;
    let course = Course::new(ctx.ladder_of(body), &calendar, body);
    let mut due = course.due_now(&duty.obligation, &duty.rungs, ctx.now)?;
    if due.is_empty() {
        // A later version of the ladder has moved the rung, or has it no more.
        course.plan(&duty.obligation, &mut duty.rungs, ctx.now);
    }
    if !delivered {
        hold(duty, &mut due, (&course, decision, ctx))?;
    }
    let Some(firing) = due.pop() else { return Ok(()) };
    for missed in due {
        decision.events.push(ctx.event(EventKind::RungSkipped, duty, missed.no.to_string()));
        duty.rungs.put(Rung { state: RungState::Skipped { at: ctx.now }, ..missed });
    }
    if let Some(policy) = course.ladder.policy(firing.no) {
        fire(duty, (policy, firing.planned_at), (root, decision, ctx))?;
    }
    course.plan(&duty.obligation, &mut duty.rungs, ctx.now);
    Ok(())
}

/// Our own delivery has failed so far: that is our fault, not the body's. Rungs that speak to others about it wait a
/// working day; the ones before them still fire.
fn hold(
    duty: &mut Duty,
    due: &mut Vec<Rung>,
    (course, decision, ctx): (&Course<'_>, &mut Decision, &Context<'_>),
) -> Result<(), Refusal> {
    let accuses = |rung: &Rung| course.ladder.policy(rung.no).is_some_and(RungPolicy::waits_for_a_person);
    let Some(held) = due.iter().find(|rung| accuses(rung)).cloned() else { return Ok(()) };
    due.retain(|rung| rung.no < held.no);
    decision.events.push(ctx.event(EventKind::RungHeld, duty, held.no.to_string()));
    if due.is_empty() {
        let tomorrow = course.calendar.add_working_days(course.zone.date(ctx.now), 1).map_err(term_error)?;
        let planned_at = course.zone.instant(tomorrow, course.hours.opens);
        duty.rungs.put(Rung { no: held.no, planned_at, state: RungState::Planned });
    }
    Ok(())
}

fn term_error(error: crate::domain::calendar::NotCovered) -> Refusal {
    Refusal::Term(error.into())
}

/// Fires one rung: sends, or prepares, and raises the alert.
fn fire(
    duty: &mut Duty,
    (policy, planned_at): (&RungPolicy, DateTime<Utc>),
    (root, decision, ctx): (&Root, &mut Decision, &Context<'_>),
) -> Result<(), Refusal> {
    let (state, kind) = match policy.waits_for_a_person() {
        true => (RungState::Prepared { at: ctx.now }, EventKind::RungPrepared),
        false => (RungState::Fired { at: ctx.now }, EventKind::RungFired),
    };
    if kind == EventKind::RungPrepared {
        // One letter waits at a time: the higher one says all that the lower would have said.
        for row in &mut duty.rungs.rows {
            if matches!(row.state, RungState::Prepared { .. }) {
                row.state = RungState::Cancelled { at: ctx.now };
            }
        }
    }
    duty.rungs.put(Rung { no: policy.no, planned_at, state });
    if kind == EventKind::RungFired && policy.action == Action::Reminder {
        let occasion = Occasion { root, duty, policy };
        decision.letters.push(letters::reminder(&occasion, ctx)?);
    }
    decision.events.push(ctx.event(kind, duty, policy.no.to_string()));
    let occasion = if kind == EventKind::RungPrepared { Told::Prepared } else { Told::Fired };
    decision.notices.extend(notice::of_rung(duty, policy, occasion, ctx));
    duty.alert = Some(Alert::risen(duty.alert.take(), duty.obligation.id, policy.no, ctx.now));
    decision.events.push(ctx.event(EventKind::AlertRaised, duty, policy.no.to_string()));
    Ok(())
}
