//! The end of the duties of a case: told by a message that names or closes the case, or decided by a person of its
//! centre.
//!
//! Promises: every exchange that holds duties of the case ends them in one transaction, and one that comes after the
//! end was told ends its own. Never: ends the duties of another centre's case of the same number.

use crate::domain::decide::Command;
use crate::domain::decision::Arrived;
use crate::domain::ending::{Ending, Told};
use crate::domain::ids::{ExchangeId, ParticipantCode};
use crate::gateway::Gateway;
use crate::gateway::act::{Actor, words};
use crate::gateway::arrival::Received;
use crate::gateway::committer::Job;
use crate::gateway::rejection::{Rejection, RejectionKind};
use crate::gateway::working_set::WorkingSet;

impl Gateway {
    /// Ends the duties of a case of that centre (`domain::ending`): what is not due yet is withdrawn, «дело закрыто»;
    /// what is overdue stays owed. Doing it twice does nothing more.
    ///
    /// # Errors
    /// `Forbidden` for who only reads, or acts for another body; `Unavailable`.
    pub async fn end_duties_of_case(&self, case: String, centre: ParticipantCode, by: &Actor) -> Result<(), Rejection> {
        by.may_decide()?;
        if let Actor::Participant(code) = by
            && *code != centre
        {
            let message = "the duties of a case are ended by the centre whose case it is";
            return Err(Rejection::new(RejectionKind::Forbidden, "not_your_obligation", message));
        }
        let (case, by) = (words(case)?, by.label());
        self.0.ask(|answer| Job::EndDuties { case, centre, by, answer }).await
    }
}

/// The case whose duties a message ends, or begins.
pub(super) fn case_of(received: &Received) -> Option<&String> {
    let concerned = received.ends_duties || received.closes_case() || !received.arrived.rule.duties.is_empty();
    received.arrived.case.as_ref().filter(|_| concerned)
}

/// What a message that was taken ends, and what has ended that which it begins. `arrived` has its instant.
pub(super) fn follow(received: &Received, arrived: &Arrived, work: &mut WorkingSet<'_>) -> Result<(), Rejection> {
    let told_before = case_of(received).and_then(|case| work.loaded.endings.get(case)).cloned().unwrap_or_default();
    for ending in told_before {
        apply(&ending, arrived.exchange, work)?;
    }
    ending_of(received, arrived, work).map_or(Ok(()), |ending| end(ending, work))
}

/// The end that a message tells. One that closes the case tells it whether or not the record was open when it came: so
/// the order in which messages come makes no difference.
fn ending_of(received: &Received, arrived: &Arrived, work: &WorkingSet<'_>) -> Option<Ending> {
    let closed = match received.closes_case() {
        true => work.cases_of(&received.message.envelope, arrived.exchange),
        false => Vec::new(),
    };
    let is_centre = |code: &&ParticipantCode| work.ctx.directory.is_centre(code);
    let (case, centres) = match closed.first() {
        Some(key) => (key.number.clone(), closed.iter().map(|key| key.centre.clone()).collect()),
        None => {
            let case = arrived.case.clone().filter(|_| received.ends_duties)?;
            (case, arrived.to.iter().chain([&arrived.from]).filter(is_centre).cloned().collect())
        }
    };
    let told = Told { message: arrived.message, type_code: received.ending_type.clone(), from: arrived.from.clone() };
    Some(Ending {
        case,
        told: Some(told),
        closes: !closed.is_empty(),
        centres,
        by: arrived.from.to_string(),
        made_at: arrived.created_at.min(arrived.received_at),
        at: arrived.received_at,
    })
}

/// The decision of a person, as a job of a batch.
pub(super) fn decided(
    (case, centre, by): (&str, &ParticipantCode, &str),
    work: &mut WorkingSet<'_>,
) -> Result<(), Rejection> {
    let (made_at, at) = (work.ctx.now, work.ctx.now);
    let (case, centres, by) = (case.to_owned(), vec![centre.clone()], by.to_owned());
    end(Ending { case, told: None, closes: true, centres, by, made_at, at }, work)
}

/// Ends the duties of a case in every exchange that is loaded, and keeps the end for what comes later. The keys of the
/// job must name the case (`Keys::duties_of_case`).
pub(super) fn end(ending: Ending, work: &mut WorkingSet<'_>) -> Result<(), Rejection> {
    let mut exchanges: Vec<ExchangeId> = work.loaded.exchanges.keys().copied().collect();
    exchanges.sort_unstable();
    for exchange in exchanges {
        apply(&ending, exchange, work)?;
    }
    work.loaded.endings.entry(ending.case.clone()).or_default().push(ending.clone());
    work.changes.endings.push(ending);
    Ok(())
}

fn apply(ending: &Ending, exchange: ExchangeId, work: &mut WorkingSet<'_>) -> Result<(), Rejection> {
    if !work.loaded.exchanges.get(&exchange).is_some_and(|found| ending.concerns(found)) {
        return Ok(());
    }
    let decision = work.decide(exchange, &Command::EndDuties(Box::new(ending.clone())))?;
    work.apply(decision)
}
