//! Messages that overtook what they answer: they act now, as of when they came.
//!
//! Promises: a message whose sender owes and controls nothing yet stays parked, for a redirection may still name it;
//! each acts wholly or not at all. Never: forgets a message without an event that says why.

use crate::domain::decide::reply;
use crate::domain::decision::{Context, Decision, Event, EventKind, Refusal};
use crate::domain::exchange::{Exchange, Parked};

/// Matches what is parked, in order of receipt, as long as anything fits. `is_opening` says that the root has just
/// come; only then is what still fits nothing called foreign, so that it is called so once.
pub(super) fn match_all(exchange: &mut Exchange, is_opening: bool, (decision, ctx): (&mut Decision, &Context<'_>)) {
    if exchange.root.is_none() || exchange.parked.is_empty() {
        return;
    }
    let mut waiting = std::mem::take(&mut exchange.parked);
    waiting.sort_by_key(|one| (one.received_at, one.message));
    let mut place = 0;
    while let Some(one) = waiting.get(place) {
        match attempt(exchange, one, ctx) {
            Ok((next, made)) => {
                *exchange = next;
                merge(decision, made);
                waiting.remove(place);
                // What it changed may be what an earlier one waits for.
                place = 0;
            }
            Err(Refusal::NotYourObligation(_)) => place += 1,
            Err(refusal) => {
                decision.events.push(event(EventKind::MessageRefused, &waiting.remove(place), (&refusal, ctx)));
            }
        }
    }
    if is_opening {
        let foreign = |one| event(EventKind::ForeignReply, one, (&Refusal::NotYourObligation(one.from.clone()), ctx));
        decision.events.extend(waiting.iter().filter(|one| !one.elsewhere).map(foreign));
    }
    exchange.parked = waiting;
}

/// On a copy: a message that is refused half way has done nothing.
fn attempt(exchange: &Exchange, one: &Parked, ctx: &Context<'_>) -> Result<(Exchange, Decision), Refusal> {
    let (mut next, mut decision) = (exchange.clone(), Decision::default());
    reply::apply(&mut next, one, (&mut decision, ctx))?;
    Ok((next, decision))
}

fn merge(decision: &mut Decision, made: Decision) {
    decision.letters.extend(made.letters);
    decision.forwards.extend(made.forwards);
    decision.proofs.extend(made.proofs);
    decision.events.extend(made.events);
    decision.opened.extend(made.opened);
}

fn event(kind: EventKind, one: &Parked, (refusal, ctx): (&Refusal, &Context<'_>)) -> Event {
    Event {
        at: ctx.now,
        kind,
        exchange: None,
        obligation: None,
        message: Some(one.message),
        participant: Some(one.from.clone()),
        detail: Some(refusal.code().to_owned()),
    }
}
