//! Duties that no single request opens: a report for each period (S4 «1 раз в полугодие», «ежемесячно»), an act so far
//! apart at most (S2 «не реже 1 раза в 6 месяцев»), a notice so long after an event (S4 «в течение 7 рабочих дней»).
//!
//! Promises: one obligation per duty, body and period, whose id follows from them; the next one is opened when a period
//! was answered or is over, and the obligation says when that is. Never: opens a period after the end was told; keeps a
//! rule that is not on the obligation.

use crate::domain::decide::open::{both_readings, obligation_id, taken_notice};
use crate::domain::decide::reply::record;
use crate::domain::decision::{Arrived, Context, Decision, EventKind, Refusal};
use crate::domain::ending::{CASE_CLOSED, Ending};
use crate::domain::escalation::Rungs;
use crate::domain::exchange::{Duty, Exchange, Parked};
use crate::domain::ids::{MessageId, ObligationId, ParticipantCode};
use crate::domain::obligation::{Fact, FrozenDue, Obligation, State};
use crate::domain::participant::Participant;
use crate::domain::rule::{BodyFacts, DutyParty, DutyRule, DutyTime, Recurs};
use crate::domain::term::{DueDate, Event, Period, Roll, StartsOn, Term, Unit, compute};
use crate::domain::zone::Zone;
use chrono::{DateTime, NaiveDate, Utc};

/// The first period of every duty that this message begins.
pub(super) fn begun_by(arrived: &Arrived, ctx: &Context<'_>) -> Result<Vec<Duty>, Refusal> {
    let mut begun = Vec::new();
    for rule in arrived.rule.duties.iter().filter(|rule| arrived.facts.duties.contains(&rule.answer)) {
        for performer in bearers(rule, arrived, ctx)? {
            for controller in controllers(rule, (arrived, &performer), ctx)? {
                begun.push(first((arrived, rule), (&performer, controller), ctx)?);
            }
        }
    }
    Ok(begun)
}

/// Who owes it.
fn bearers(rule: &DutyRule, arrived: &Arrived, ctx: &Context<'_>) -> Result<Vec<ParticipantCode>, Refusal> {
    Ok(match (rule.owes, &arrived.facts.named) {
        (DutyParty::Addressees, _) => arrived.to.clone(),
        (DutyParty::Commission, _) => ctx.participant(&arrived.from)?.commission.iter().cloned().collect(),
        // Who is not sent the ruling cannot be held to it, and must not read of the child by our doing.
        (DutyParty::Named, Some(named)) if !arrived.to.contains(named) => {
            let (item, performer) = (rule.answer.to_string(), named.clone());
            return Err(Refusal::ItemWithoutAddressee { item, performer });
        }
        (DutyParty::Named, named) => named.iter().cloned().collect(),
        (DutyParty::Sender | DutyParty::RegisterKeeper | DutyParty::Itself, _) => vec![arrived.from.clone()],
    })
}

/// To whom it is owed; where a record names nobody, nobody is owed.
fn controllers(
    rule: &DutyRule,
    (arrived, performer): (&Arrived, &ParticipantCode),
    ctx: &Context<'_>,
) -> Result<Vec<ParticipantCode>, Refusal> {
    let found = match rule.to {
        DutyParty::Itself => return Ok(vec![performer.clone()]),
        DutyParty::Addressees => arrived.to.clone(),
        DutyParty::Sender => vec![arrived.from.clone()],
        DutyParty::Commission => ctx.participant(&arrived.from)?.commission.iter().cloned().collect(),
        DutyParty::RegisterKeeper => ctx.participant(performer)?.register_keeper.iter().cloned().collect(),
        DutyParty::Named => arrived.facts.named.iter().cloned().collect(),
    };
    Ok(found.into_iter().filter(|one| one != performer).collect())
}

fn first(
    (arrived, rule): (&Arrived, &DutyRule),
    (performer, controller): (&ParticipantCode, ParticipantCode),
    ctx: &Context<'_>,
) -> Result<Duty, Refusal> {
    let body = ctx.participant(performer)?;
    let at = arrived.received_at;
    let words = (rule.version.as_str(), rule.source.as_str());
    let recurs = |rhythm, apart, renews_at| {
        let (ends, made_at) = (rule.ends.clone(), Some(arrived.created_at.min(at)));
        Some(Recurs { rhythm, apart, ends, made_at, renews_at })
    };
    let (due, item, recurs) = match &rule.when {
        DutyTime::Each { rhythm, stated } => {
            let rhythm = arrived.facts.rhythm.filter(|_| *stated).unwrap_or(*rhythm);
            let due = period_due((rhythm, StartsOn::Registered, at), words, (body, ctx))?;
            let over_at = body.zone.end_of(due.protocol.raw_last_on);
            (due.clone(), Some(rhythm.key(due.protocol.raw_last_on)), recurs(rhythm, false, Some(over_at)))
        }
        DutyTime::Apart(rhythm) => {
            let due = due_apart(*rhythm, at, words, (body, ctx))?;
            (due, Some(body.zone.date(at).to_string()), recurs(*rhythm, true, None))
        }
        DutyTime::Once(term) => (due_once(term, (arrived, performer), words, (body, ctx))?, None, None),
    };
    let obligation = Obligation {
        id: id_of(arrived.exchange, (performer, rule.answer.as_str()), item.as_deref().unwrap_or_default()),
        exchange: arrived.exchange,
        item,
        performer: performer.clone(),
        controller,
        request_type: arrived.type_code.clone(),
        answer_types: vec![rule.answer.clone()],
        release: rule.release,
        urgency: arrived.urgency,
        case: arrived.case.clone(),
        opened_at: at,
        due,
        extension_days_max: None,
        suspensions_max: 0,
        pauses: Vec::new(),
        recurs,
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

/// The end of the period that runs on the day after an instant, by the body's calendar. Of a period that begins when no
/// working day of it is left nothing is owed but the next one (our default).
fn period_due(
    (rhythm, starts_on, at): (Period, StartsOn, DateTime<Utc>),
    words: (&str, &str),
    (body, ctx): (&Participant, &Context<'_>),
) -> Result<FrozenDue, Refusal> {
    let term = |n| Term { starts_on, period: Some(rhythm), ..Term::new(Unit::PeriodEnd, n) };
    let due = due(&term(1), at, words, (body, ctx))?;
    match starts_on == StartsOn::Registered && due.at <= at {
        true => self::due(&term(2), at, words, (body, ctx)),
        false => Ok(due),
    }
}

/// So long after an instant at the latest, and so on a working day before it where that day is off.
fn due_apart(
    rhythm: Period,
    at: DateTime<Utc>,
    words: (&str, &str),
    place: (&Participant, &Context<'_>),
) -> Result<FrozenDue, Refusal> {
    let term = Term { roll: Some(Roll::PreviousWorking), ..Term::new(Unit::Month, rhythm.months()) };
    due(&term, at, words, place)
}

fn due(
    term: &Term,
    at: DateTime<Utc>,
    words: (&str, &str),
    (body, ctx): (&Participant, &Context<'_>),
) -> Result<FrozenDue, Refusal> {
    let performer = ctx.performer(body)?;
    let event = Event::new(term.starts_on, at);
    let strict = compute(term, &event, &performer)?;
    let noticed_at = taken_notice(at, body, &performer)?;
    // Both readings are about one period, also where notice was taken after its end.
    let lenient = compute(&term.lenient(), &event, &performer)?;
    let noticed_until = body.zone.end_of(body.zone.date(noticed_at));
    Ok(frozen(strict, lenient.due_at.max(noticed_until), words))
}

/// A term that runs from an event of which a body learns: what another knew is known to it when it is told.
fn due_once(
    term: &Term,
    (arrived, performer): (&Arrived, &ParticipantCode),
    words: (&str, &str),
    (body, ctx): (&Participant, &Context<'_>),
) -> Result<FrozenDue, Refusal> {
    let own = arrived.facts.known_on.filter(|_| arrived.from == *performer);
    let known_at = own.map_or(arrived.received_at, |on| body.zone.instant(on, body.hours.opens));
    let event = Event::new(term.starts_on, known_at.min(arrived.received_at));
    let (strict, lenient_at) = both_readings(term, &event, (body, &ctx.performer(body)?))?;
    Ok(frozen(strict, lenient_at, words))
}

fn frozen(strict: DueDate, lenient_at: DateTime<Utc>, (version, source): (&str, &str)) -> FrozenDue {
    FrozenDue {
        on: strict.due_on,
        at: strict.due_at,
        lenient_at: lenient_at.max(strict.due_at),
        rule_version: version.to_owned(),
        source: source.to_owned(),
        protocol: strict.protocol,
    }
}

/// Whether an answer that tells of these periods, or of this day, is about this obligation. `among` are all that its
/// sender owes of its type.
pub(super) fn is_answered(one: &Obligation, (among, facts): (&[&Obligation], &BodyFacts), zone: Zone) -> bool {
    let Some(item) = &one.item else { return true };
    match (&one.recurs, facts.answered_on) {
        (Some(recurs), Some(on)) if recurs.apart => {
            let begun_on = recurs.made_at.map(|at| zone.date(at).to_string());
            is_done_in((item, begun_on), among, &on.to_string())
        }
        (Some(recurs), None) if recurs.apart => one.answered_at().is_none(),
        (Some(recurs), Some(on)) => recurs.rhythm.key(on) == *item,
        (Some(_) | None, _) => facts.answered_items.is_empty() || facts.answered_items.contains(item),
    }
}

/// Whether what was done on a day is done in the period that counts from `item`: after the act that began the period, up
/// to the one that began the next. So an act that is sent again, or comes late, adds to the period that it has answered,
/// and answers no other. The first period is begun by no act, but by the message, on the day it was made. Days are
/// written as `2026-03-18` here, and so ordered.
fn is_done_in((item, begun_on): (&str, Option<String>), among: &[&Obligation], on: &str) -> bool {
    let apart = among.iter().filter(|one| one.recurs.as_ref().is_some_and(|recurs| recurs.apart));
    let items: Vec<&str> = apart.filter_map(|one| one.item.as_deref()).collect();
    let is_first = items.iter().all(|other| *other >= item);
    let first_on = begun_on.as_deref().map_or(item, |day| day.min(item));
    let has_begun = if is_first { on >= first_on } else { on > item };
    let next = items.into_iter().filter(|other| *other > item).min();
    has_begun && next.is_none_or(|next| on <= next)
}

/// Opens the periods that follow those which were answered or are over, and says when the others will be.
pub(super) fn renew(exchange: &mut Exchange, (decision, ctx): (&mut Decision, &Context<'_>)) -> Result<(), Refusal> {
    let mut place = 0;
    while let Some(duty) = exchange.duties.get_mut(place) {
        place += 1;
        let upcoming = upcoming(&duty.obligation, ctx)?;
        if let Some(recurs) = &mut duty.obligation.recurs {
            recurs.renews_at = if let Upcoming::At(at) = upcoming { Some(at) } else { None };
        }
        let Upcoming::Now(next) = upcoming else { continue };
        if exchange.duty(next.obligation.id).is_none() {
            let due_on = next.obligation.due_on().to_string();
            decision.events.push(ctx.event(EventKind::ObligationOpened, &next, due_on));
            exchange.duties.push(*next);
        }
    }
    Ok(())
}

/// What follows a period.
enum Upcoming {
    Nothing,
    /// The next one, at that instant.
    At(DateTime<Utc>),
    Now(Box<Duty>),
}

fn upcoming(old: &Obligation, ctx: &Context<'_>) -> Result<Upcoming, Refusal> {
    let Some(recurs) = &old.recurs else { return Ok(Upcoming::Nothing) };
    let body = ctx.participant(&old.performer)?;
    let period_end = old.due.protocol.raw_last_on;
    let over_at = Some(body.zone.end_of(period_end)).filter(|_| !recurs.apart);
    // What began the next period is the earlier of the two; an end that was told after that ends the next one too.
    let Some(begun_at) = old.answered_at().into_iter().chain(over_at).min() else { return Ok(Upcoming::Nothing) };
    let is_end = |fact: &&Fact| matches!(fact, Fact::Withdrawn { .. } | Fact::Ended { .. });
    let ends: Vec<Fact> = old.facts.iter().filter(is_end).cloned().collect();
    let is_ended = ends.iter().any(|end| end.at() <= begun_at);
    if is_ended || matches!(old.state(), State::Redirected | State::Void) {
        return Ok(Upcoming::Nothing);
    }
    if begun_at > ctx.now {
        return Ok(Upcoming::At(begun_at));
    }
    let words = (old.due.rule_version.as_str(), old.due.source.as_str());
    let (due, item) = match recurs.apart {
        true => {
            let done_at = done_at(old, begun_at, body);
            (due_apart(recurs.rhythm, done_at, words, (body, ctx))?, item_after(old, body.zone.date(done_at)))
        }
        false => {
            let from = body.zone.instant(period_end, body.hours.opens);
            let due = period_due((recurs.rhythm, StartsOn::PeriodEnd, from), words, (body, ctx))?;
            let item = recurs.rhythm.key(due.protocol.raw_last_on);
            (due, item)
        }
    };
    let what = old.answer_types.first().map_or("", |code| code.as_str());
    let obligation = Obligation {
        id: id_of(old.exchange, (&old.performer, what), &item),
        item: Some(item),
        opened_at: begun_at,
        due,
        facts: ends,
        ..old.clone()
    };
    planned(obligation, ctx).map(|next| Upcoming::Now(Box::new(next)))
}

/// From when what is done again counts: from the act itself, and an act that was registered late was done on its day
/// (S2: «не реже 1 раза в 6 месяцев» of the monitoring, not of the paper).
fn done_at(old: &Obligation, answered_at: DateTime<Utc>, body: &Participant) -> DateTime<Utc> {
    let earlier = old.answered_on().filter(|on| *on < body.zone.date(answered_at));
    earlier.map_or(answered_at, |on| body.zone.instant(on, body.hours.opens))
}

/// What tells the next period from this one: the day from which it counts, or the next day where that would be the same.
fn item_after(old: &Obligation, on: NaiveDate) -> String {
    let before: Option<NaiveDate> = old.item.as_deref().and_then(|item| item.parse().ok());
    before.and_then(|day| day.succ_opt()).map_or(on, |day| on.max(day)).to_string()
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
    let fact = over(Some(message.message), message.received_at, message.from.as_str());
    record(exchange, &ended, fact, (decision, ctx))?;
    renew(exchange, (decision, ctx))?;
    Ok(true)
}

/// Ends the duties of a case in this exchange.
pub(super) fn end_case(exchange: &mut Exchange, ending: &Ending, ctx: &Context<'_>) -> Result<Decision, Refusal> {
    let mut decision = Decision::default();
    let said = ending.told.as_ref().map(|told| told.message);
    // A person says it once; what a message says twice is recorded once anyway.
    let is_known = |one: &Obligation| {
        said.is_none() && one.facts.iter().any(|fact| matches!(fact, Fact::Ended { message: None, .. }))
    };
    let of_case = |one: &&Obligation| ending.ends(one, exchange) && !is_known(one);
    let ended: Vec<ObligationId> =
        exchange.duties.iter().map(|duty| &duty.obligation).filter(of_case).map(|one| one.id).collect();
    record(exchange, &ended, over(said, ending.at, &ending.by), (&mut decision, ctx))?;
    renew(exchange, (&mut decision, ctx))?;
    Ok(decision)
}

fn over(message: Option<MessageId>, at: DateTime<Utc>, by: &str) -> Fact {
    Fact::Ended { message, at, by: by.to_owned(), reason: CASE_CLOSED.to_owned() }
}
