//! That something of a case is given to somebody: written down first, given after.
//!
//! Promises: the line is on disk before the content leaves the gateway. Never: the content.

use crate::domain::case::CaseKey;
use crate::domain::case::disclosure::{Disclosure, DisclosureKind, Ground};
use crate::domain::decision::{Event, EventKind};
use crate::domain::ids::{ExchangeId, ObligationId, ParticipantCode};
use crate::domain::message::Envelope;
use crate::format;
use crate::gateway::Gateway;
use crate::gateway::act::Actor;
use crate::gateway::committer::Job;
use crate::gateway::ports::decisions::{Claimed, StoredMessage};
use crate::gateway::rejection::Rejection;
use crate::gateway::working_set::WorkingSet;

/// What is given.
#[derive(Debug, Clone)]
pub(in crate::gateway) enum Disclosing {
    Evidence {
        exchange: ExchangeId,
        obligation: ObligationId,
    },
    Message {
        exchange: ExchangeId,
        envelope: Box<Envelope>,
    },
    /// The record of a case, or a part of it.
    Record {
        cases: Vec<CaseKey>,
        kind: DisclosureKind,
        what: &'static str,
    },
}

/// Who gets it.
#[derive(Debug, Clone)]
pub(in crate::gateway) struct Reader {
    /// The system that asked; none where a person did.
    pub participant: Option<ParticipantCode>,
    /// Its code, or the person's login.
    pub label: String,
}

impl Reader {
    pub(in crate::gateway) fn of(actor: &Actor) -> Self {
        let participant = match actor {
            Actor::Participant(code) => Some(code.clone()),
            Actor::Person { .. } => None,
        };
        Self { participant, label: actor.label() }
    }
}

impl Disclosing {
    /// The exchange whose cases must be loaded.
    pub(in crate::gateway) fn exchange(&self) -> Option<ExchangeId> {
        match self {
            Self::Evidence { exchange, .. } | Self::Message { exchange, .. } => Some(*exchange),
            Self::Record { .. } => None,
        }
    }
}

impl Gateway {
    pub(in crate::gateway) async fn disclose(&self, what: Disclosing, by: &Actor) -> Result<(), Rejection> {
        let reader = Reader::of(by);
        self.0.ask(|answer| Job::Disclose { what, reader, answer }).await
    }

    /// A letter is about to be read out of an inbox.
    pub(in crate::gateway) async fn disclose_letter(&self, letter: &Claimed, by: &Actor) -> Result<(), Rejection> {
        let envelope = Box::new(format::read(&letter.content, letter.format, &self.0.catalogue)?.envelope);
        let exchange = letter.exchange.unwrap_or_else(|| envelope.exchange_id());
        self.disclose(Disclosing::Message { exchange, envelope }, by).await
    }

    /// The content of a message is about to be read.
    pub(in crate::gateway) async fn disclose_message(&self, of: &StoredMessage, by: &Actor) -> Result<(), Rejection> {
        let envelope = Box::new(format::read(&of.content, of.format, &self.0.catalogue)?.envelope);
        self.disclose(Disclosing::Message { exchange: of.exchange, envelope }, by).await
    }
}

impl WorkingSet<'_> {
    /// Writes down that it is given.
    pub(in crate::gateway) fn disclose(&mut self, what: &Disclosing, to: &Reader) {
        let (cases, kind, said) = match what {
            Disclosing::Evidence { exchange, obligation } => {
                self.evidence_given((*exchange, *obligation), to);
                (self.cases_of_exchange(*exchange), DisclosureKind::Evidence, obligation.to_string())
            }
            Disclosing::Message { exchange, envelope } => {
                let cases = self.cases_of(envelope, *exchange);
                (cases, DisclosureKind::MessageRead, envelope.type_code.to_string())
            }
            Disclosing::Record { cases, kind, what } => (cases.clone(), *kind, (*what).to_owned()),
        };
        let message = match what {
            Disclosing::Message { envelope, .. } => Some(envelope.id),
            Disclosing::Evidence { .. } | Disclosing::Record { .. } => None,
        };
        let is_keeper = to.participant.as_ref().is_none_or(|code| self.ctx.directory.is_centre(code));
        let lines = cases.into_iter().map(|case| Disclosure {
            case,
            at: self.ctx.now,
            kind,
            what: said.clone(),
            message,
            exchange: what.exchange(),
            by: ParticipantCode::gateway().to_string(),
            to: to.label.clone(),
            ground: if is_keeper { Ground::Keeper } else { Ground::Party },
        });
        let lines: Vec<Disclosure> = lines.collect();
        self.changes.disclosures.extend(lines);
    }

    fn evidence_given(&mut self, (exchange, obligation): (ExchangeId, ObligationId), to: &Reader) {
        self.changes.events.push(Event {
            at: self.ctx.now,
            kind: EventKind::EvidenceDisclosed,
            exchange: Some(exchange),
            obligation: Some(obligation),
            message: None,
            participant: to.participant.clone(),
            detail: Some(to.label.clone()),
        });
    }
}
