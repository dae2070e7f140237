//! A clock that a question stops and its answer starts again, with the days kept that were left.
//!
//! Promises: the pauses follow from the facts, so that every order of arrival makes the same ones; one that was frozen
//! stays as it is, whatever calendar is adopted later. Never: shortens a term; stops one that was over.

use crate::domain::decide::open::taken_notice;
use crate::domain::decision::{Context, Refusal};
use crate::domain::obligation::{FrozenDue, Obligation, Pause, Resumed, Stop};
use crate::domain::participant::Participant;
use crate::domain::term::{Stopped, left, resume};
use chrono::{DateTime, NaiveDate, Utc};

/// Reckons the pauses of an obligation from its facts.
pub(super) fn reckon(obligation: &mut Obligation, ctx: &Context<'_>) -> Result<(), Refusal> {
    let stops = obligation.stops();
    if stops.is_empty() {
        return Ok(());
    }
    let body = ctx.participant(&obligation.performer)?;
    let mut pauses: Vec<Pause> = Vec::new();
    for stop in stops {
        // A question that comes while the clock stands goes on from where the one before it was answered.
        let from = pauses.last().and_then(|one| one.resumed.as_ref()).map_or(stop.from, |one| one.at.max(stop.from));
        let stop = Stop { from, ..stop };
        let in_force = obligation.due_then(&pauses, from);
        if from > in_force.1 || is_empty(obligation, &stop, body) {
            continue;
        }
        pauses.push(paused(obligation, (&stop, in_force), (body, ctx))?);
        if stop.until.is_none() {
            break;
        }
    }
    obligation.pauses = pauses;
    Ok(())
}

/// Answered before it stopped anything, or on the very day on which it was asked: no day was lost.
fn is_empty(obligation: &Obligation, stop: &Stop, body: &Participant) -> bool {
    let by_days = !obligation.due.protocol.rule.term.is_instant();
    let same_day = |until: DateTime<Utc>| by_days && body.zone.date(until) == body.zone.date(stop.from);
    stop.until.is_some_and(|until| until <= stop.from || same_day(until))
}

fn paused(
    obligation: &Obligation,
    (stop, (due_on, due_at)): (&Stop, (NaiveDate, DateTime<Utc>)),
    (body, ctx): (&Participant, &Context<'_>),
) -> Result<Pause, Refusal> {
    let same = |one: &&Pause| one.question == stop.question && one.from == stop.from && one.due_before == due_at;
    let known = obligation.pauses.iter().find(same);
    if let Some(known) = known.filter(|one| one.resumed.as_ref().map(|resumed| resumed.at) == stop.until) {
        return Ok(known.clone());
    }
    let performer = ctx.performer(body)?;
    let left = match known {
        Some(known) => known.left,
        None => left(&obligation.due.protocol.rule.term, (stop.from, due_on, due_at), &performer)?,
    };
    let mut pause = Pause { question: stop.question, from: stop.from, left, due_before: due_at, resumed: None };
    if let Some(at) = stop.until {
        let due = frozen(obligation, (&pause, at), (body, ctx))?;
        pause.resumed = Some(Resumed { at, due });
    }
    Ok(pause)
}

/// The due date anew, in both readings of the instant from which the clock runs again.
fn frozen(
    obligation: &Obligation,
    (pause, at): (&Pause, DateTime<Utc>),
    (body, ctx): (&Participant, &Context<'_>),
) -> Result<FrozenDue, Refusal> {
    let performer = ctx.performer(body)?;
    let due = &obligation.due;
    let stopped = Stopped { was: &due.protocol, at: pause.from, left: pause.left, due_at: pause.due_before };
    let term = &due.protocol.rule.term;
    let strict = resume((term, &stopped), at, &performer)?;
    let noticed_at = taken_notice(at, body, &performer)?;
    let lenient = resume((&term.lenient(), &stopped), noticed_at, &performer)?;
    Ok(FrozenDue {
        on: strict.due_on,
        at: strict.due_at,
        lenient_at: lenient.due_at.max(strict.due_at),
        rule_version: due.rule_version.clone(),
        source: due.source.clone(),
        protocol: strict.protocol,
    })
}
