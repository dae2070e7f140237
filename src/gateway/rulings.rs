//! A message that begins an exchange and answers another: the commission's ruling upon a petition.
//!
//! Promises: the answer is recorded in the same transaction as the ruling, in every order of arrival. Never: refuses a
//! ruling because what it names is answered already, or is no petition.

use crate::domain::decide::Command;
use crate::domain::decision::{Arrived, Event, EventKind, Refusal};
use crate::domain::ids::{ExchangeId, MessageId};
use crate::domain::rule::{BodyFacts, Role, TypeRule};
use crate::gateway::arrival::Received;
use crate::gateway::commands::within_limits;
use crate::gateway::rejection::Rejection;
use crate::gateway::working_set::WorkingSet;

/// The message that this one answers, though it begins an exchange of its own.
pub(super) fn answered(received: &Received) -> Option<MessageId> {
    received.message.envelope.in_reply_to.filter(|_| received.answers_as.is_some())
}

/// Records the answer in the exchange of the message that it names. `arrived` has its number and its instant.
pub(super) fn answer(
    received: &Received,
    (named, arrived): (MessageId, Arrived),
    work: &mut WorkingSet<'_>,
) -> Result<(), Rejection> {
    let Some(type_code) = received.answers_as.clone() else { return Ok(()) };
    let exchange = work.loaded.exchange_of.get(&named).copied().unwrap_or(ExchangeId::from(named));
    let found = work.loaded.exchanges.get(&exchange);
    if exchange == arrived.exchange || found.is_some_and(|found| within_limits(found).is_err()) {
        return Ok(());
    }
    let rule = TypeRule { role: Role::Answer, answer: None, duties: Vec::new() };
    let answer = Arrived { exchange, type_code, rule, facts: BodyFacts::default(), ..arrived };
    match work.decide(exchange, &Command::AnswerFromElsewhere(Box::new(answer))) {
        Ok(decision) => work.apply(decision),
        // The ruling stands, and what it would have answered is not known yet and too much is parked for it: said aloud,
        // for when the petition comes a person must match them.
        Err(Refusal::TooManyParked) => {
            work.changes.events.push(unmatched(received, exchange, work));
            Ok(())
        }
        // It refers to something that its sender does not owe; that is no fault of a ruling.
        Err(refusal) => {
            tracing::debug!(%refusal, "a ruling answers nothing in the exchange that it names");
            Ok(())
        }
    }
}

fn unmatched(received: &Received, exchange: ExchangeId, work: &WorkingSet<'_>) -> Event {
    Event {
        at: work.ctx.now,
        kind: EventKind::MessageRefused,
        exchange: Some(exchange),
        obligation: None,
        message: Some(received.arrived.message),
        participant: Some(received.arrived.from.clone()),
        detail: Some(Refusal::TooManyParked.code().to_owned()),
    }
}
