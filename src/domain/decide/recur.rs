//! Duties that no single request opens: a report for each period, from the message that began them to the one that ends
//! them (S4 «1 раз в полугодие»).
//!
//! Promises: one obligation per duty, body and period, whose id follows from them; the next one is opened when a period
//! was answered or is over. Never: opens a period after the end was told; keeps a rule that is not on the obligation.

use crate::domain::decide::open::{obligation_id, taken_notice};
use crate::domain::decide::reply::record;
use crate::domain::decision::{Arrived, Context, Decision, EventKind, Refusal};
use crate::domain::escalation::Rungs;
use crate::domain::exchange::{Duty, Exchange, Parked};
use crate::domain::ids::{ObligationId, ParticipantCode};
use crate::domain::obligation::{Fact, FrozenDue, Obligation, State};
use crate::domain::participant::Participant;
use crate::domain::rule::{DutyParty, DutyRule, Recurs, Release};
use crate::domain::term::{Event, Period, StartsOn, Term, Unit, compute};
use chrono::{DateTime, Utc};

/// The first period of every duty that this message begins.
pub(super) fn begun_by(arrived: &Arrived, ctx: &Context<'_>) -> Result<Vec<Duty>, Refusal> {
    let mut begun = Vec::new();
    for rule in arrived.rule.duties.iter().filter(|rule| arrived.facts.duties.contains(&rule.answer)) {
        for performer in parties(rule.owes, arrived, ctx)? {
            for controller in parties(rule.to, arrived, ctx)?.into_iter().filter(|one| *one != performer) {
                begun.push(first((arrived, rule), (&performer, controller), ctx)?);
            }
        }
    }
    Ok(begun)
}

fn parties(party: DutyParty, arrived: &Arrived, ctx: &Context<'_>) -> Result<Vec<ParticipantCode>, Refusal> {
    Ok(match party {
        DutyParty::Addressees => arrived.to.clone(),
        DutyParty::Sender => vec![arrived.from.clone()],
        // The commission of the sender's record; where it names none, nobody is owed.
        DutyParty::Commission => ctx.participant(&arrived.from)?.commission.iter().cloned().collect(),
    })
}

fn first(
    (arrived, rule): (&Arrived, &DutyRule),
    (performer, controller): (&ParticipantCode, ParticipantCode),
    ctx: &Context<'_>,
) -> Result<Duty, Refusal> {
    let body = ctx.participant(performer)?;
    let at = arrived.received_at;
    let due = due((rule.rhythm, StartsOn::Registered, at), (&rule.version, &rule.source), (body, ctx))?;
    let item = key(rule.rhythm, &due);
    let obligation = Obligation {
        id: id_of(arrived.exchange, (performer, rule.answer.as_str()), &item),
        exchange: arrived.exchange,
        item: Some(item),
        performer: performer.clone(),
        controller,
        request_type: arrived.type_code.clone(),
        answer_types: vec![rule.answer.clone()],
        release: Release::Controller,
        urgency: arrived.urgency,
        case: arrived.case.clone(),
        opened_at: at,
        due,
        extension_days_max: None,
        suspensions_max: 0,
        pauses: Vec::new(),
        recurs: Some(Recurs { rhythm: rule.rhythm, ends: rule.ends.clone() }),
        facts: Vec::new(),
    };
    planned(obligation, ctx)
}

fn planned(obligation: Obligation, ctx: &Context<'_>) -> Result<Duty, Refusal> {
    let mut duty = Duty { obligation, rungs: Rungs::default(), alert: None };
    ctx.replan(&mut duty)?;
    Ok(duty)
}

fn id_of(exchange: crate::domain::ids::ExchangeId, (who, what): (&ParticipantCode, &str), item: &str) -> ObligationId {
    obligation_id(exchange, who, Some(&format!("{what} {item}")))
}

/// The end of the period that runs on the day after an instant, by the body's calendar.
fn due(
    (rhythm, starts_on, at): (Period, StartsOn, DateTime<Utc>),
    (version, source): (&str, &str),
    (body, ctx): (&Participant, &Context<'_>),
) -> Result<FrozenDue, Refusal> {
    let term = Term { starts_on, period: Some(rhythm), ..Term::new(Unit::PeriodEnd, 1) };
    let performer = ctx.performer(body)?;
    let strict = compute(&term, &Event::new(starts_on, at), &performer)?;
    let noticed_at = taken_notice(at, body, &performer)?;
    // Both readings are about one period, also where notice was taken after its end.
    let lenient = compute(&term.lenient(), &Event::new(starts_on, at), &performer)?;
    let noticed_until = body.zone.end_of(body.zone.date(noticed_at));
    Ok(FrozenDue {
        on: strict.due_on,
        at: strict.due_at,
        lenient_at: lenient.due_at.max(strict.due_at).max(noticed_until),
        rule_version: version.to_owned(),
        source: source.to_owned(),
        protocol: strict.protocol,
    })
}

/// `2026-1` for the first half of 2026: what a report names it by.
fn key(rhythm: Period, due: &FrozenDue) -> String {
    rhythm.key(due.protocol.raw_last_on)
}

/// Opens the periods that follow those which were answered or are over.
pub(super) fn renew(exchange: &mut Exchange, (decision, ctx): (&mut Decision, &Context<'_>)) -> Result<(), Refusal> {
    let mut place = 0;
    while let Some(duty) = exchange.duties.get(place) {
        place += 1;
        let Some(next) = next(&duty.obligation, ctx)? else { continue };
        if exchange.duty(next.obligation.id).is_none() {
            let due_on = next.obligation.due_on().to_string();
            decision.events.push(ctx.event(EventKind::ObligationOpened, &next, due_on));
            exchange.duties.push(next);
        }
    }
    Ok(())
}

fn next(old: &Obligation, ctx: &Context<'_>) -> Result<Option<Duty>, Refusal> {
    let Some(recurs) = &old.recurs else { return Ok(None) };
    let body = ctx.participant(&old.performer)?;
    let period_end = old.due.protocol.raw_last_on;
    let over_at = Some(body.zone.end_of(period_end)).filter(|at| *at <= ctx.now);
    // What began the next period is the earlier of the two; an end that was told after that ends the next one too.
    let Some(begun_at) = old.answered_at().into_iter().chain(over_at).min() else { return Ok(None) };
    let ends: Vec<Fact> = old.facts.iter().filter(|fact| matches!(fact, Fact::Withdrawn { .. })).cloned().collect();
    let is_ended = ends.iter().any(|end| end.at() <= begun_at);
    if is_ended || matches!(old.state(), State::Redirected | State::Void) {
        return Ok(None);
    }
    let from = body.zone.instant(period_end, body.hours.opens);
    let wording = (old.due.rule_version.as_str(), old.due.source.as_str());
    let due = due((recurs.rhythm, StartsOn::PeriodEnd, from), wording, (body, ctx))?;
    let item = key(recurs.rhythm, &due);
    let what = old.answer_types.first().map_or("", |code| code.as_str());
    let obligation = Obligation {
        id: id_of(old.exchange, (&old.performer, what), &item),
        item: Some(item),
        opened_at: begun_at,
        due,
        facts: ends,
        ..old.clone()
    };
    planned(obligation, ctx).map(Some)
}

/// Ends the duties that a message of this type ends, if a party of the exchange says so. Whether there were any.
pub(super) fn end(
    exchange: &mut Exchange,
    message: &Parked,
    (decision, ctx): (&mut Decision, &Context<'_>),
) -> Result<bool, Refusal> {
    let ends = |one: &Obligation| one.recurs.as_ref().is_some_and(|recurs| recurs.ends.contains(&message.type_code));
    let ended = exchange.duties.iter().map(|duty| &duty.obligation).filter(|one| ends(one)).map(|one| one.id);
    let ended: Vec<ObligationId> = ended.collect();
    if ended.is_empty() || !exchange.has_party(&message.from) {
        return Ok(false);
    }
    let (at, by) = (message.received_at, message.from.to_string());
    let fact = Fact::Withdrawn { message: Some(message.message), at, by };
    record(exchange, &ended, fact, (decision, ctx))?;
    Ok(true)
}
