//! Another version of the calendar: which open obligations it moves, and the decision that moves them.
//!
//! Promises: a due date moves only by this recorded decision, with the protocol of the new count beside the old one;
//! deciding twice moves nothing twice; nobody is accused earlier than he would have been before, and nobody is late by
//! the decision itself: an earlier date is not over before the day of the decision is.
//! Never: touches an obligation that is not open; takes another region, week or zone than the date was counted by.

use crate::domain::decide::open::both_readings;
use crate::domain::decide::reply::record;
use crate::domain::decision::{Context, Decision, Refusal};
use crate::domain::exchange::Exchange;
use crate::domain::ids::ObligationId;
use crate::domain::obligation::{Fact, FrozenDue, Obligation};
use crate::domain::term::{DueDate, Event as TermEvent, Performer, Protocol, Remark};
use crate::domain::zone::Zone;
use chrono::{DateTime, NaiveDate, Utc};

/// What the calendar at hand makes of an open obligation; none where its dates in force stay.
///
/// # Errors
/// [`Refusal`] when it cannot be counted anew: the calendar does not reach, the body or its region is not known.
pub fn moved(obligation: &Obligation, ctx: &Context<'_>) -> Result<Option<FrozenDue>, Refusal> {
    if !obligation.state().is_open() {
        return Ok(None);
    }
    let due = counted_anew(obligation, ctx)?;
    let mut after = obligation.clone();
    after.facts.push(fact(obligation, due.clone(), ("", ""), ctx));
    let dates = |one: &Obligation| (one.due_on(), one.due_at(), one.lenient_at());
    Ok((dates(&after) != dates(obligation)).then_some(due))
}

/// Moves the due date of one obligation; nothing where it stays.
pub(super) fn adopt(
    exchange: &mut Exchange,
    id: ObligationId,
    (by, reason): (&str, &str),
    ctx: &Context<'_>,
) -> Result<Decision, Refusal> {
    let obligation = &exchange.duty(id).ok_or(Refusal::UnknownObligation)?.obligation;
    let mut decision = Decision::default();
    if let Some(due) = moved(obligation, ctx)? {
        let fact = fact(obligation, due, (by, reason), ctx);
        record(exchange, &[id], fact, (&mut decision, ctx))?;
    }
    Ok(decision)
}

fn fact(obligation: &Obligation, due: FrozenDue, (by, reason): (&str, &str), ctx: &Context<'_>) -> Fact {
    let was = obligation.counted();
    Fact::DueMoved {
        at: ctx.now,
        from: was.on,
        from_version: was.protocol.calendar.version.clone(),
        due: Box::new(due),
        by: by.to_owned(),
        reason: reason.to_owned(),
    }
}

/// The same term from the same event, by the calendar at hand: region, week and zone are those of the protocol.
fn counted_anew(obligation: &Obligation, ctx: &Context<'_>) -> Result<FrozenDue, Refusal> {
    let (was, body) = (obligation.counted(), ctx.participant(&obligation.performer)?);
    let Protocol { event, rule, calendar, .. } = &was.protocol;
    let days = ctx.calendars.for_performer(calendar.region.as_deref(), calendar.week);
    let performer = Performer { calendar: days.map_err(|unknown| Refusal::Region(unknown.0))?, zone: event.zone };
    let start = TermEvent { kind: event.kind, at: event.at, stated_on: stated(&was.protocol) };
    let (due, lenient_at) = both_readings(&rule.term, &start, (body, &performer))?;
    let (on, at) = in_force(was, &due, (event.zone, ctx.now));
    Ok(FrozenDue { on, at, lenient_at: lenient_at.max(at).max(was.lenient_at), protocol: due.protocol, ..was.clone() })
}

/// The day and the end of the new count. What this calendar has decided once stays decided; an earlier date is not over
/// before the day of the decision is, unless the old one is over already.
fn in_force(was: &FrozenDue, due: &DueDate, (zone, now): (Zone, DateTime<Utc>)) -> (NaiveDate, DateTime<Utc>) {
    if (due.due_on, due.due_at) == (was.protocol.due_on, was.protocol.due_at) {
        return (was.on, was.at);
    }
    let today = zone.date(now);
    let on = match due.due_on < today && was.at > now {
        true => today.min(was.on),
        false => due.due_on,
    };
    // A body that took the obligation over ends the day by its own clock: the distance moves, not the clock.
    (on, was.at + (zone.end_of(on) - zone.end_of(was.on)))
}

/// The date that the document itself stated, as it was before any roll.
fn stated(protocol: &Protocol) -> Option<NaiveDate> {
    protocol.remarks.contains(&Remark::DateStatedByDocument).then_some(protocol.raw_last_on)
}
