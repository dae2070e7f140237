//! What a message does to the record of the case that it names, within the batch that takes it.
//!
//! Promises: the record opens with the first message that names the case; every message of the centre that goes out is
//! in the log of disclosures, in the same transaction. Never: refuses a message.

use crate::domain::case::act::Made;
use crate::domain::case::consent::{Citation, CitationFault, Consent, cited};
use crate::domain::case::disclosure::{Disclosure, DisclosureKind, Ground};
use crate::domain::case::{By, Case, CaseKey, Fact, Move, What};
use crate::domain::decision::{Event, EventKind, Forward};
use crate::domain::exchange::Root;
use crate::domain::ids::{ExchangeId, ParticipantCode};
use crate::domain::message::Envelope;
use crate::domain::participant::Directory;
use crate::gateway::working_set::{Registering, WorkingSet};
use chrono::Utc;

/// The centres that keep the case of a message between these parties: the sender, if it is one, else those addressed.
fn keepers_of(directory: &Directory, from: &ParticipantCode, to: &[ParticipantCode]) -> Vec<ParticipantCode> {
    let is_centre = |code: &&ParticipantCode| directory.is_centre(code);
    match is_centre(&from) {
        true => vec![from.clone()],
        false => to.iter().filter(is_centre).cloned().collect(),
    }
}

impl WorkingSet<'_> {
    /// The cases that a message belongs to: by its number, or that of its request; kept by who keeps the request's.
    pub(in crate::gateway) fn cases_of(&self, envelope: &Envelope, exchange: ExchangeId) -> Vec<CaseKey> {
        let root = self.root_of(exchange);
        let number = envelope.case.clone().or_else(|| root.and_then(|root| root.case.clone()));
        self.keys_of(number, root, (&envelope.from, &envelope.to))
    }

    /// The cases of an exchange.
    pub(super) fn cases_of_exchange(&self, exchange: ExchangeId) -> Vec<CaseKey> {
        let Some(root) = self.root_of(exchange) else { return Vec::new() };
        self.keys_of(root.case.clone(), None, (&root.from, &root.to))
    }

    fn root_of(&self, exchange: ExchangeId) -> Option<&Root> {
        self.loaded.exchanges.get(&exchange).and_then(|exchange| exchange.root.as_ref())
    }

    pub(super) fn keys_of(
        &self,
        number: Option<String>,
        root: Option<&Root>,
        (from, to): (&ParticipantCode, &[ParticipantCode]),
    ) -> Vec<CaseKey> {
        let Some(number) = number else { return Vec::new() };
        let by_root = root.map(|root| keepers_of(self.ctx.directory, &root.from, &root.to));
        let keepers = by_root.filter(|found| !found.is_empty());
        let keepers = keepers.unwrap_or_else(|| keepers_of(self.ctx.directory, from, to));
        keepers.into_iter().map(|centre| CaseKey { centre, number: number.clone() }).collect()
    }

    /// Opens the record where there is none, and writes down to whom the message goes.
    pub(in crate::gateway) fn touch_cases(&mut self, message: &Registering<'_>) {
        let envelope = message.envelope;
        for key in self.cases_of(envelope, message.exchange) {
            if !self.loaded.cases.contains_key(&key) {
                self.begin_case(&key, envelope);
            }
            if envelope.from == key.centre {
                self.disclose_message(&key, message);
            }
        }
    }

    fn begin_case(&mut self, key: &CaseKey, envelope: &Envelope) {
        let on = self.inner.date_at(&key.centre, self.ctx.now);
        let by = By::message(envelope.id, &envelope.type_code, &envelope.from);
        let mut case = Case::unseen(key.clone());
        case.record(Fact { on, at: self.ctx.now, by, what: What::Named });
        // The message that names it is an event already.
        self.keep_case(case);
    }

    fn disclose_message(&mut self, key: &CaseKey, message: &Registering<'_>) {
        let envelope = message.envelope;
        let consents = self.loaded.cases.get(key).map(|case| case.consents.as_slice()).unwrap_or_default();
        let citation = self.citation(envelope).and_then(|citation| self.borne_out(consents, &citation).ok());
        let ground = Ground::of(envelope, citation.map(|consent| consent.no));
        let line = |to: &ParticipantCode| Disclosure {
            case: key.clone(),
            at: self.ctx.now,
            kind: DisclosureKind::Message,
            what: envelope.type_code.to_string(),
            message: Some(envelope.id),
            exchange: Some(message.exchange),
            by: envelope.from.to_string(),
            to: to.to_string(),
            ground: ground.clone(),
        };
        // What the centre writes for its own file is given to nobody.
        let lines: Vec<Disclosure> = envelope.to.iter().filter(|to| **to != key.centre).map(line).collect();
        self.changes.disclosures.extend(lines);
    }

    /// The consent that an envelope of a centre cites, by the day of the message where the centre is.
    pub(super) fn citation<'e>(&self, envelope: &'e Envelope) -> Option<Citation<'e>> {
        let consent = envelope.consent.as_ref()?;
        let on = self.inner.date_at(&envelope.from, envelope.created_at.instant().with_timezone(&Utc));
        let (kind, reference) = (consent.kind.as_str(), consent.reference.as_str());
        Some(Citation { kind, reference, on, from: &envelope.from, to: &envelope.to })
    }

    /// The consent that is cited, if it held on the day of the message and holds today, when the data are passed on: one
    /// that was withdrawn between the two allows nothing (152-ФЗ ст. 9 ч. 2).
    pub(super) fn borne_out<'c>(
        &self,
        consents: &'c [Consent],
        citation: &Citation<'_>,
    ) -> Result<&'c Consent, CitationFault> {
        cited(consents, citation)?;
        let today = self.inner.date_at(citation.from, self.ctx.now);
        cited(consents, &Citation { on: today, ..*citation })
    }

    /// A request that was passed on by redirection.
    pub(in crate::gateway) fn pass_on(&mut self, forward: &Forward) {
        let exchange = self.loaded.exchange_of.get(&forward.message).copied();
        let exchange = exchange.unwrap_or(ExchangeId::from(forward.message));
        for key in self.cases_of_exchange(exchange) {
            let Some(root) = self.root_of(exchange).cloned() else { continue };
            self.changes.disclosures.push(Disclosure {
                case: key.clone(),
                at: self.ctx.now,
                kind: DisclosureKind::Message,
                what: root.type_code.to_string(),
                message: Some(forward.message),
                exchange: Some(exchange),
                by: root.from.to_string(),
                to: forward.to.to_string(),
                ground: Ground::Redirected,
            });
        }
    }

    /// What the catalogue says that a message of its type does to its cases.
    pub(in crate::gateway) fn move_cases(&mut self, (envelope, moves): (&Envelope, &[Move]), exchange: ExchangeId) {
        if moves.is_empty() {
            return;
        }
        // A sender's clock may be ahead of ours; what people decide after the message must count as later.
        let at = envelope.created_at.instant().with_timezone(&Utc).min(self.ctx.now);
        let by = By::message(envelope.id, &envelope.type_code, &envelope.from);
        for key in self.cases_of(envelope, exchange) {
            let Some(mut case) = self.loaded.cases.get(&key).cloned() else { continue };
            let (on, registered_on) =
                (self.inner.date_at(&key.centre, at), self.inner.date_at(&key.centre, self.ctx.now));
            if case.moved_by(moves, &by, Made { on, at, registered_on }) {
                self.put_case(case);
            }
        }
    }

    /// The case as it is now: seen by what follows in the batch, written with it. That it was closed is an event of its
    /// own, for what ends with it.
    pub(super) fn put_case(&mut self, case: Case) {
        let was_closed = self.loaded.cases.get(&case.key).is_some_and(Case::is_closed);
        let kind = if case.is_closed() && !was_closed { EventKind::CaseClosed } else { EventKind::CaseChanged };
        self.changes.events.push(Event {
            at: self.ctx.now,
            kind,
            exchange: None,
            obligation: None,
            message: None,
            participant: Some(case.key.centre.clone()),
            detail: Some(case.key.number.clone()),
        });
        self.keep_case(case);
    }

    fn keep_case(&mut self, case: Case) {
        self.dirty_cases.insert(case.key.clone());
        self.touched = true;
        self.loaded.cases.insert(case.key.clone(), case);
    }
}
