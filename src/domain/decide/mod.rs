//! What follows from a command: the core of the gateway.
//!
//! Promises: `decide` is a pure function of the exchange, the command and the context; every order in which the
//! messages of an exchange arrive ends in the same state. Never: I/O, a clock, a guess about a date.

pub mod act;
pub mod adopt;
pub mod letters;
mod open;
mod parked;
mod pause;
mod recur;
mod redirect;
mod reply;
pub mod sweep;

use crate::domain::alert::Acknowledgement;
use crate::domain::calendar::Calendar;
use crate::domain::decision::{Arrived, Context, Decision, Event, EventKind, Refusal};
use crate::domain::ending::Ending;
use crate::domain::escalation::{Course, Ladder};
use crate::domain::exchange::{Duty, Exchange};
use crate::domain::ids::{ObligationId, ParticipantCode};
use crate::domain::notice;
use crate::domain::obligation::Fact;
use crate::domain::participant::Participant;
use crate::domain::rule::Role;
use crate::domain::term::Performer;

/// Something that is asked of an exchange.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A message arrived and was found well-formed, true to its schema, and allowed by its roles.
    Receive(Box<Arrived>),
    /// A message that began an exchange of its own also answers in this one (a ruling upon a petition).
    AnswerFromElsewhere(Box<Arrived>),
    /// A controller's decision, by API or board.
    Act {
        obligation: ObligationId,
        act: act::Act,
        by: String,
    },
    Acknowledge {
        obligation: ObligationId,
        with: Acknowledgement,
    },
    DecideRung {
        obligation: ObligationId,
        no: u8,
        send: act::SendOrDecline,
        by: String,
    },
    /// The calendar at hand is adopted for one obligation: its due date moves, if the calendar moves it.
    AdoptCalendar {
        obligation: ObligationId,
        by: String,
        reason: String,
    },
    /// The case is closed: its duties in this exchange end.
    EndDuties(Box<Ending>),
    /// The time of a rung, or of the next period of a duty, or the end of an acknowledgement, has come. `delivered` says whether the opening message
    /// has reached the performer.
    Sweep {
        obligation: ObligationId,
        delivered: bool,
    },
}

/// Decides one command. On `Ok` the exchange is in its new state; on `Err` it is as it was.
///
/// # Errors
/// [`Refusal`]: the domain says no.
pub fn decide(exchange: &mut Exchange, command: &Command, ctx: &Context<'_>) -> Result<Decision, Refusal> {
    let mut next = exchange.clone();
    let decision = match command {
        Command::Receive(arrived) => receive(&mut next, arrived, ctx),
        Command::AnswerFromElsewhere(arrived) => {
            let taken = reply::receive_elsewhere(&mut next, arrived, ctx);
            taken.map(|mut decision| {
                parked::match_all(&mut next, false, (&mut decision, ctx));
                decision
            })
        }
        Command::Act { obligation, act, by } => act::act(&mut next, (*obligation, act), by, ctx),
        Command::Acknowledge { obligation, with } => act::acknowledge(&mut next, *obligation, with, ctx),
        Command::DecideRung { obligation, no, send, by } => {
            act::decide_rung(&mut next, (*obligation, *no), (send, by), ctx)
        }
        Command::AdoptCalendar { obligation, by, reason } => adopt::adopt(&mut next, *obligation, (by, reason), ctx),
        Command::EndDuties(ending) => recur::end_case(&mut next, ending, ctx),
        Command::Sweep { obligation, delivered } => sweep::sweep(&mut next, (*obligation, *delivered), ctx),
    }?;
    *exchange = next;
    Ok(decision)
}

fn receive(exchange: &mut Exchange, arrived: &Arrived, ctx: &Context<'_>) -> Result<Decision, Refusal> {
    let mut decision = match arrived.rule.role {
        Role::Opening => open::open(exchange, arrived, ctx),
        Role::Answer | Role::Receipt(_) | Role::Control(_) => reply::receive(exchange, arrived, ctx),
    }?;
    let is_opening = arrived.rule.role == Role::Opening;
    parked::match_all(exchange, is_opening, (&mut decision, ctx));
    Ok(decision)
}

impl Context<'_> {
    /// The participant of that code.
    fn participant(&self, code: &ParticipantCode) -> Result<&Participant, Refusal> {
        self.directory.get(code).map(|found| &**found).ok_or_else(|| Refusal::UnknownParticipant(code.clone()))
    }

    /// The calendar by which that body works.
    pub(crate) fn calendar_of(&self, body: &Participant) -> Result<Calendar, Refusal> {
        self.calendars.for_performer(body.region.as_deref(), body.week).map_err(|unknown| Refusal::Region(unknown.0))
    }

    fn performer(&self, body: &Participant) -> Result<Performer, Refusal> {
        Ok(Performer { calendar: self.calendar_of(body)?, zone: body.zone })
    }

    /// The ladder that the body's obligations climb.
    pub(crate) fn ladder_of(&self, body: &Participant) -> &Ladder {
        self.ladders.of(body)
    }

    /// Plans the next rung anew: at birth, and whenever what it counts from has changed.
    fn replan(&self, duty: &mut Duty) -> Result<(), Refusal> {
        let body = self.participant(&duty.obligation.performer)?;
        let calendar = self.calendar_of(body)?;
        let course = Course::new(self.ladder_of(body), &calendar, body);
        match duty.obligation.rested_at() {
            None => course.plan(&duty.obligation, &mut duty.rungs, self.now),
            Some(since) => course.rest(&duty.obligation, &mut duty.rungs, since),
        }
        Ok(())
    }

    fn event(&self, kind: EventKind, duty: &Duty, detail: impl Into<Option<String>>) -> Event {
        Event {
            at: self.now,
            kind,
            exchange: Some(duty.obligation.exchange),
            obligation: Some(duty.obligation.id),
            message: None,
            participant: Some(duty.obligation.performer.clone()),
            detail: detail.into(),
        }
    }

    /// Adds a fact, once; rungs and alert follow the state that it makes.
    fn record(&self, duty: &mut Duty, fact: Fact, decision: &mut Decision) -> Result<(), Refusal> {
        let (was_closed, due_at) = (duty.obligation.closed_at().is_some(), duty.obligation.due_at());
        let is_move = matches!(fact, Fact::DueMoved { .. });
        if !duty.obligation.record(fact) {
            return Ok(());
        }
        pause::reckon(&mut duty.obligation, self)?;
        let state = duty.obligation.state();
        decision.events.push(match is_move {
            true => self.event(EventKind::DueMoved, duty, duty.obligation.due_on().to_string()),
            false => self.event(EventKind::ObligationChanged, duty, state.code().to_owned()),
        });
        self.replan(duty)?;
        // A due date that was moved ahead leaves nothing to be alarmed about until it comes.
        let moved_ahead = duty.obligation.due_at() > due_at.max(self.now);
        if !state.is_running() || moved_ahead {
            self.resolve(duty, decision);
        }
        if !was_closed && duty.obligation.closed_at().is_some() {
            decision.events.push(self.event(EventKind::ObligationClosed, duty, state.code().to_owned()));
        }
        Ok(())
    }

    fn resolve(&self, duty: &mut Duty, decision: &mut Decision) {
        if let Some(resolved) = duty.alert.as_ref().and_then(|alert| alert.resolved(self.now)) {
            duty.alert = Some(resolved);
            decision.events.push(self.event(EventKind::AlertResolved, duty, None));
            if let Ok(body) = self.participant(&duty.obligation.performer) {
                decision.notices.extend(notice::of_resolution(duty, self.ladder_of(body), self));
            }
        }
    }
}
