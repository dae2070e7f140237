//! A message that begins an exchange: registered, its obligations opened, its due dates frozen.
//!
//! Promises: one obligation per addressee, or per item where the type's entry says so; replies that came first are
//! matched now. Never: opens an obligation whose due date cannot be counted (the message is refused instead).

use crate::domain::decide::recur;
use crate::domain::decision::{Arrived, Context, Decision, Event, EventKind, Opened, Refusal};
use crate::domain::escalation::Rungs;
use crate::domain::exchange::{Duty, Exchange, Root};
use crate::domain::ids::{ExchangeId, ObligationId, ParticipantCode};
use crate::domain::obligation::{FrozenDue, Obligation};
use crate::domain::participant::Participant;
use crate::domain::rule::AnswerRule;
use crate::domain::term::{DueDate, Event as TermEvent, Performer, Roll, StartsOn, Term, Unit, compute};
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

/// Opens the exchange.
pub(super) fn open(exchange: &mut Exchange, arrived: &Arrived, ctx: &Context<'_>) -> Result<Decision, Refusal> {
    let mut decision = Decision::default();
    if ExchangeId::from(arrived.message) != arrived.exchange {
        return Err(Refusal::OpensNoExchange);
    }
    if exchange.root.is_some() {
        return Ok(decision);
    }
    exchange.root = Some(Root {
        message: arrived.message,
        type_code: arrived.type_code.clone(),
        from: arrived.from.clone(),
        to: arrived.to.clone(),
        case: arrived.case.clone(),
        registered_at: arrived.received_at,
        number: arrived.number.clone(),
    });
    decision.events.push(registered(arrived, ctx));
    if let Some(rule) = &arrived.rule.answer {
        for owed in owed(arrived)? {
            let duty = open_duty(arrived, rule, &owed, ctx)?;
            decision.events.push(ctx.event(EventKind::ObligationOpened, &duty, duty.obligation.due.on.to_string()));
            decision.opened.push(opened(&duty, arrived.reply_by));
            exchange.duties.push(duty);
        }
    }
    for duty in recur::begun_by(arrived, ctx)? {
        decision.events.push(ctx.event(EventKind::ObligationOpened, &duty, duty.obligation.due.on.to_string()));
        decision.opened.push(opened(&duty, None));
        exchange.duties.push(duty);
    }
    Ok(decision)
}

/// What the sender's receipt says of an opened obligation.
pub(super) fn opened(duty: &Duty, reply_by: Option<NaiveDate>) -> Opened {
    let Obligation { id, performer, item, due, .. } = &duty.obligation;
    Opened {
        id: *id,
        performer: performer.clone(),
        item: item.clone(),
        due_on: due.on,
        reply_by_differs: reply_by.is_some_and(|asserted| asserted != due.on),
    }
}

/// The registration of a message in the chronology.
pub(super) fn registered(arrived: &Arrived, ctx: &Context<'_>) -> Event {
    Event {
        at: ctx.now,
        kind: EventKind::MessageRegistered,
        exchange: Some(arrived.exchange),
        obligation: None,
        message: Some(arrived.message),
        participant: Some(arrived.from.clone()),
        detail: Some(arrived.type_code.to_string()),
    }
}

/// Who owes which item by which stated date, or from the end of which period.
struct Owed {
    performer: ParticipantCode,
    item: Option<String>,
    stated_due: Option<NaiveDate>,
    ends_on: Option<NaiveDate>,
}

fn owed(arrived: &Arrived) -> Result<Vec<Owed>, Refusal> {
    let facts = &arrived.facts;
    if facts.items.is_empty() {
        let stated_due = facts.stated_due;
        let whole = |to: &ParticipantCode| Owed { performer: to.clone(), item: None, stated_due, ends_on: None };
        return Ok(arrived.to.iter().map(whole).collect());
    }
    let mut owed: Vec<Owed> = Vec::new();
    for item in &facts.items {
        let named = item.performer.as_ref();
        for performer in named.map_or(arrived.to.as_slice(), std::slice::from_ref) {
            // Who is not sent the order cannot be held to it, and must not read of the child by our doing.
            if !arrived.to.contains(performer) {
                return Err(Refusal::ItemWithoutAddressee { item: item.key.clone(), performer: performer.clone() });
            }
            if owed.iter().any(|one| one.performer == *performer && one.item.as_ref() == Some(&item.key)) {
                return Err(Refusal::ItemTwice { item: item.key.clone(), performer: performer.clone() });
            }
            owed.push(Owed {
                performer: performer.clone(),
                item: Some(item.key.clone()),
                stated_due: item.due.or(facts.stated_due),
                ends_on: item.ends_on,
            });
        }
    }
    Ok(owed)
}

/// The id of an obligation follows from what it is, so that a decision made twice makes the same one.
pub(super) fn obligation_id(exchange: ExchangeId, performer: &ParticipantCode, item: Option<&str>) -> ObligationId {
    let name = format!("{performer}\n{}", item.unwrap_or_default());
    ObligationId(Uuid::new_v5(&exchange.0, name.as_bytes()))
}

fn open_duty(arrived: &Arrived, rule: &AnswerRule, owed: &Owed, ctx: &Context<'_>) -> Result<Duty, Refusal> {
    let body = ctx.participant(&owed.performer)?;
    let due = freeze((rule, owed), arrived, (body, ctx))?;
    let obligation = Obligation {
        id: obligation_id(arrived.exchange, &owed.performer, owed.item.as_deref()),
        exchange: arrived.exchange,
        item: owed.item.clone(),
        performer: owed.performer.clone(),
        controller: arrived.from.clone(),
        request_type: arrived.type_code.clone(),
        answer_types: rule.types.clone(),
        release: rule.release,
        urgency: arrived.urgency,
        case: arrived.case.clone(),
        opened_at: arrived.received_at,
        due,
        extension_days_max: rule.extension_days_max,
        suspensions_max: rule.suspensions_max,
        pauses: Vec::new(),
        recurs: None,
        facts: Vec::new(),
    };
    let mut duty = Duty { obligation, rungs: Rungs::default(), alert: None };
    ctx.replan(&mut duty)?;
    Ok(duty)
}

/// Computes the due date once, in both readings of its start.
fn freeze(
    (rule, owed): (&AnswerRule, &Owed),
    arrived: &Arrived,
    (body, ctx): (&Participant, &Context<'_>),
) -> Result<FrozenDue, Refusal> {
    let stated = owed.stated_due;
    if stated.is_some_and(|on| on < arrived.created_on) {
        return Err(Refusal::StatedDueInThePast);
    }
    let performer = ctx.performer(body)?;
    let ruled = rule.term_for(arrived.urgency);
    let (term, source) = match stated {
        // A type whose term is a stated date says itself how that date rolls.
        Some(_) if ruled.unit == Unit::FixedDates && ruled.roll.is_some() => (ruled.clone(), rule.source.as_str()),
        Some(_) => (stated_term(), "срок указан в самом документе"),
        None => (ruled.clone(), rule.source.as_str()),
    };
    let strict_at = start(&term, (arrived, owed), body);
    let event = TermEvent { kind: term.starts_on, at: strict_at, stated_on: stated };
    let (mut due, mut lenient_at) = both_readings(&term, &event, (body, &performer))?;
    if stated.is_some() && due.due_on < arrived.created_on {
        // Rolled back over the message itself: the date stands as it was stated.
        let unrolled = Term { roll: Some(Roll::None), ..term.clone() };
        (due, lenient_at) = both_readings(&unrolled, &event, (body, &performer))?;
    }
    Ok(FrozenDue {
        on: due.due_on,
        at: due.due_at,
        lenient_at,
        rule_version: rule.version.clone(),
        source: source.to_owned(),
        protocol: due.protocol,
    })
}

/// The strict reading of a term, and the instant of the lenient one.
pub(super) fn both_readings(
    term: &Term,
    event: &TermEvent,
    (body, performer): (&Participant, &Performer),
) -> Result<(DueDate, DateTime<Utc>), Refusal> {
    let due = compute(term, event, performer)?;
    let noticed_at = taken_notice(event.at, body, performer)?;
    let lenient = compute(&term.lenient(), &TermEvent { at: noticed_at, ..*event }, performer)?;
    // A stated date may be over when the message comes: the body has at least the day on which it takes notice.
    let noticed_until = event.stated_on.map_or(due.due_at, |_| body.zone.end_of(body.zone.date(noticed_at)));
    let lenient_at = lenient.due_at.max(due.due_at).max(noticed_until);
    Ok((due, lenient_at))
}

/// A date that the document states is taken as it stands.
fn stated_term() -> Term {
    Term { starts_on: StartsOn::Received, roll: Some(Roll::None), ..Term::new(Unit::FixedDates, 1) }
}

/// The instant of the term's start event. The gateway's register is the register of both sides, so registered,
/// received and sent are one instant here; what happened before the message is dated by the message itself.
fn start(term: &Term, (arrived, owed): (&Arrived, &Owed), body: &Participant) -> DateTime<Utc> {
    let opening_of = |on: NaiveDate| body.zone.instant(on, body.hours.opens);
    let stated = match term.starts_on {
        StartsOn::Registered | StartsOn::Received | StartsOn::Sent => return arrived.received_at,
        // A period may end long after the message that names it (a measure of a plan).
        StartsOn::PeriodEnd if owed.ends_on.is_some() => {
            return owed.ends_on.map_or(arrived.received_at, opening_of).max(arrived.received_at);
        }
        StartsOn::PeriodEnd => None,
        // What happened before the message is dated by the document, else by the message.
        StartsOn::Known | StartsOn::Signed | StartsOn::Decided => arrived.facts.known_on.map(opening_of),
    };
    stated.unwrap_or(arrived.created_at).min(arrived.received_at)
}

/// The lenient reading of the start: what comes after hours is taken notice of on the next working day (our default).
pub(super) fn taken_notice(
    at: DateTime<Utc>,
    body: &Participant,
    performer: &Performer,
) -> Result<DateTime<Utc>, Refusal> {
    let local = body.zone.local(at);
    let calendar = &performer.calendar;
    let covered = |error| Refusal::Term(crate::domain::term::TermError::NotCovered(error));
    if calendar.is_working(local.date()).map_err(covered)? && local.time() < body.hours.closes {
        return Ok(at);
    }
    let next = calendar.add_working_days(local.date(), 1).map_err(covered)?;
    Ok(body.zone.instant(next, body.hours.opens))
}
