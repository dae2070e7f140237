//! From records to a pack: which letters belong to an obligation, what is said of each, what may be certified.
//!
//! Promises: of an exchange with several bodies only what concerns this one. Never: asks the store; certifies a silence
//! that was broken.

use crate::domain::decide::letters;
use crate::domain::decision::EventKind;
use crate::domain::exchange::Duty;
use crate::domain::ids::{MessageId, ObligationId, ParticipantCode};
use crate::domain::message::{Envelope, LegalBasis, Official};
use crate::domain::obligation::{Fact, State};
use crate::domain::term::{date_words, days_words};
use crate::format;
use crate::gateway::Inner;
use crate::gateway::act::Actor;
use crate::gateway::content::{hex, sha256_hex};
use crate::gateway::evidence::pack::{
    Annex, Certificate, Delivered, EnvelopeFacts, FORMAT, Letter, Pack, Said, Side, Stage, Subject, VERSION,
};
use crate::gateway::ports::decisions::StoredMessage;
use crate::gateway::ports::reads::{DeliveryRow, DutyRow, ExchangeRecord, MessageLine};
use crate::gateway::ports::scans::Handover;
use crate::gateway::view;
use crate::gateway::views::{ChronologyEntry, ObligationView};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// What the parties write themselves to press for an answer; it changes no obligation, so that no fact names it.
const PRESSING: [&str; 2] = ["control.reminder", "control.repeat-request"];

/// The letters that belong to an obligation, in the order in which they were accepted.
pub(super) fn letters_of<'r>(record: &'r ExchangeRecord, duty: &Duty) -> Vec<&'r MessageLine> {
    let obligation = &duty.obligation;
    let mut own: BTreeSet<MessageId> = letters::own_ids(duty).collect();
    own.extend(record.exchange.root.as_ref().map(|root| root.message));
    own.extend(obligation.facts.iter().filter_map(Fact::message));
    let siblings = record.exchange.duties.iter().filter(|one| one.obligation.id != obligation.id);
    let theirs: BTreeSet<MessageId> = siblings.flat_map(letters::own_ids).collect();
    let presses = |line: &&MessageLine| {
        PRESSING.contains(&line.type_code.as_str())
            && line.sender == obligation.controller
            && line.recipients.contains(&obligation.performer)
            && !theirs.contains(&line.id)
    };
    record.messages.iter().filter(|line| own.contains(&line.id) || presses(line)).collect()
}

/// The pack.
pub(super) fn pack(
    inner: &Inner,
    (record, duty): (&ExchangeRecord, &Duty),
    (stored, by, now): (&[StoredMessage], &Actor, DateTime<Utc>),
) -> Pack {
    let obligation = &duty.obligation;
    let row = DutyRow { duty: duty.clone(), root: record.exchange.root.clone(), last_event: None };
    let shown = view::obligation(inner, &row, now);
    let gathered = Gathered { inner, record, duty, stored };
    let said = |kind: fn(&Fact) -> bool| gathered.said(kind);
    let request = record.exchange.root.as_ref().and_then(|root| gathered.letter(root.message));
    let certificate = gathered.certificate(&shown, request.as_ref(), now);
    Pack {
        format: FORMAT,
        version: VERSION,
        made_at: now,
        given_to: by.label(),
        obligation: subject(inner, &shown),
        request,
        due: view::explanation(inner, obligation),
        reminders: gathered.reminders(),
        interim: said(|fact| matches!(fact, Fact::Interim { .. })),
        extensions: said(|fact| {
            matches!(fact, Fact::ExtensionAsked { .. } | Fact::Extended { .. } | Fact::ExtensionDenied { .. })
        }),
        answers: said(|fact| matches!(fact, Fact::Answered { .. } | Fact::Refused { .. })),
        decisions: said(|fact| {
            matches!(
                fact,
                Fact::Returned { .. }
                    | Fact::Released { .. }
                    | Fact::Redirected { .. }
                    | Fact::Withdrawn { .. }
                    | Fact::Ended { .. }
                    | Fact::Voided { .. }
            )
        }),
        certificate,
        chronology: gathered.chronology(now),
    }
}

fn subject(inner: &Inner, shown: &ObligationView) -> Subject {
    Subject {
        id: shown.id,
        exchange: shown.exchange,
        item: shown.item.clone(),
        case: shown.case.clone(),
        performer: side(inner, &shown.performer.code),
        controller: side(inner, &shown.controller.code),
        awaited: shown.awaited_title.clone(),
        urgency: shown.urgency,
        state: shown.state,
        opened_at: shown.opened_at,
        due_on: shown.due_on,
        overdue: shown.overdue,
        late_by_working_days: shown.late_by_working_days,
        answered_at: shown.answered_at,
        closed_at: shown.closed_at,
    }
}

fn side(inner: &Inner, code: &ParticipantCode) -> Side {
    let party = view::party(inner, code);
    Side { code: party.code, title: party.title }
}

/// What was loaded.
struct Gathered<'g> {
    inner: &'g Inner,
    record: &'g ExchangeRecord,
    duty: &'g Duty,
    stored: &'g [StoredMessage],
}

impl Gathered<'_> {
    fn root(&self) -> Option<MessageId> {
        self.record.exchange.root.as_ref().map(|root| root.message)
    }

    fn letter(&self, id: MessageId) -> Option<Letter> {
        let stored = self.stored.iter().find(|one| one.id == id)?;
        let is_root = self.root() == Some(id);
        let performer = &self.duty.obligation.performer;
        let concerned: Vec<&ParticipantCode> =
            if is_root { vec![performer] } else { stored.recipients.iter().collect() };
        let read = format::read(&stored.content, stored.format, &self.inner.catalogue);
        let deliveries = self.record.deliveries.iter();
        let deliveries = deliveries.filter(|row| row.message == id && concerned.contains(&&row.recipient));
        Some(Letter {
            message: id,
            type_code: stored.type_code.clone(),
            title: self.inner.title_of(&stored.type_code),
            from: side(self.inner, &stored.sender),
            to: concerned.iter().map(|code| side(self.inner, code)).collect(),
            registered_number: stored.outcome.number.clone(),
            registered_on: stored.outcome.date,
            received_at: stored.received_at,
            envelope: read.ok().map(|message| envelope_facts(&message.envelope)),
            stored_format: stored.format,
            stored_bytes: stored.content.len() as u64,
            stored_sha256: sha256_hex(&stored.content),
            canonical_sha256: hex(&stored.digest),
            deliveries: deliveries.map(|row| self.delivered(row)).collect(),
            by_hand: self.record.by_hand.iter().find(|note| note.message == id).cloned(),
        })
    }

    fn delivered(&self, row: &DeliveryRow) -> Delivered {
        let events = self.record.events.iter();
        let events = events
            .filter(|event| event.message == Some(row.message) && event.participant.as_ref() == Some(&row.recipient));
        let mut stages = vec![Stage { at: row.queued_at, stage: "queued" }];
        stages.extend(events.filter_map(|event| Some(Stage { at: event.at, stage: stage(event.kind)? })));
        // A letter that was passed on to another body has no event of its exchange; its row has the instant.
        let is_told = stages.iter().any(|stage| matches!(stage.stage, "delivered" | "registered" | "handled_manually"));
        stages.extend(row.delivered_at.filter(|_| !is_told).map(|at| Stage { at, stage: "delivered" }));
        stages.sort_by_key(|stage| stage.at);
        let (registration_number, registration_date) = row.registration.clone().unzip();
        Delivered {
            to: side(self.inner, &row.recipient),
            state: row.state.clone(),
            attempts: row.attempts,
            stages,
            content_sha256: row.content_sha256.clone(),
            registration_number,
            registration_date,
            handover: self.handover(row).cloned(),
        }
    }

    fn handover(&self, row: &DeliveryRow) -> Option<&Handover> {
        let handovers = self.record.handovers.iter();
        handovers.filter(|one| one.message == row.message).find(|one| one.recipient == row.recipient)
    }

    fn said(&self, kind: fn(&Fact) -> bool) -> Vec<Said> {
        let facts = self.duty.obligation.facts.iter().filter(|fact| kind(fact));
        facts.map(|fact| Said { fact: fact.clone(), letter: fact.message().and_then(|id| self.letter(id)) }).collect()
    }

    /// The letters that no fact names: those of the ladder, and those that the asker has written itself.
    fn reminders(&self) -> Vec<Letter> {
        let rungs: BTreeSet<MessageId> = letters::rung_ids(self.duty).collect();
        let is_one = |one: &&StoredMessage| rungs.contains(&one.id) || PRESSING.contains(&one.type_code.as_str());
        self.stored.iter().filter(is_one).filter_map(|one| self.letter(one.id)).collect()
    }

    fn chronology(&self, now: DateTime<Utc>) -> Vec<ChronologyEntry> {
        let obligation = &self.duty.obligation;
        let id: ObligationId = obligation.id;
        let disclosure = EventKind::EvidenceDisclosed.code();
        let sides = [&obligation.performer, &obligation.controller];
        let concerns = |entry: &ChronologyEntry| match (entry.obligation, entry.message) {
            _ if entry.kind == disclosure => false,
            (Some(of), _) => of == id,
            (None, Some(message)) if Some(message) == self.root() => {
                entry.participant.as_ref().is_none_or(|code| sides.contains(&code))
            }
            (None, Some(message)) => self.stored.iter().any(|one| one.id == message),
            (None, None) => false,
        };
        let mut entries = view::chronology(self.inner, self.record, now).entries;
        entries.retain(concerns);
        entries
    }

    /// Only while the answer is owed and none has ever come (one that was sent back has come).
    fn certificate(&self, shown: &ObligationView, request: Option<&Letter>, at: DateTime<Utc>) -> Option<Certificate> {
        let obligation = &self.duty.obligation;
        let came = obligation.facts.iter().any(|fact| matches!(fact, Fact::Answered { .. } | Fact::Refused { .. }));
        let request = request?;
        if obligation.state() != State::Running || came {
            return None;
        }
        let zone = self.inner.participant(&obligation.controller)?.zone;
        let item = obligation.item.as_ref().map(|item| format!(", пункт {item}")).unwrap_or_default();
        let number = &request.registered_number;
        let on = request.registered_on.format("%d.%m.%Y");
        let outgoing = request.envelope.as_ref().map(outgoing).unwrap_or_default();
        let now = zone.local(at).format("%d.%m.%Y %H:%M");
        let mut lines = vec![
            format!(
                "Ответ на документ № {number} от {on}{outgoing}{item} по состоянию на {now} ({}) не поступил.",
                zone.name()
            ),
            format!("Ответ обязан дать: {}. Ожидается: {}.", shown.performer.title, shown.awaited_title),
            term_line(shown, at),
            delivery_line(request, zone),
        ];
        let interim = obligation.facts.iter().filter(|fact| matches!(fact, Fact::Interim { .. })).count();
        if interim > 0 {
            lines.push(format!("Промежуточных ответов: {interim}; они срок не прекращают."));
        }
        Some(Certificate { at, lines })
    }
}

/// The number by which the addressee knows the request.
fn outgoing(envelope: &EnvelopeFacts) -> String {
    let stated = envelope.outgoing_number.as_ref().zip(envelope.outgoing_date);
    stated.map_or_else(String::new, |(number, date)| format!(" (исх. № {number} от {})", date.format("%d.%m.%Y")))
}

/// Before the lenient due date nobody is accused.
fn term_line(shown: &ObligationView, at: DateTime<Utc>) -> String {
    let due = date_words(shown.due_on);
    match (at > shown.lenient_at, at > shown.due_at, shown.late_by_working_days) {
        (true, _, 0) => format!("Срок ответа истёк {due}."),
        (true, _, late) => format!("Срок ответа истёк {due}, просрочка {}.", days_words(late)),
        (false, true, _) => {
            format!("Срок ответа {due}; при более позднем начале отсчёта, в пользу исполнителя, он ещё не истёк.")
        }
        (false, false, _) => format!("Срок ответа {due}, он ещё не истёк."),
    }
}

fn delivery_line(request: &Letter, zone: crate::domain::zone::Zone) -> String {
    let Some(delivered) = request.deliveries.first() else { return unconfirmed() };
    if let (Some(number), Some(date)) = (&delivered.registration_number, delivered.registration_date) {
        let number = if number.is_empty() { "без номера".to_owned() } else { format!("№ {number}") };
        return format!("Запрос зарегистрирован адресатом: {number} от {}.", date.format("%d.%m.%Y"));
    }
    if let Some(handover) = &delivered.handover {
        let at = zone.local(handover.at).format("%d.%m.%Y %H:%M");
        return format!("Запрос вручён адресату {} {at}, принял(а): {}.", handover.way.words(), handover.taken_by);
    }
    let arrived = delivered.stages.iter().find(|stage| stage.stage == "delivered");
    arrived.map_or_else(unconfirmed, |stage| {
        format!("Запрос доставлен адресату {}.", zone.local(stage.at).format("%d.%m.%Y %H:%M"))
    })
}

fn unconfirmed() -> String {
    "Подтверждения, что запрос доставлен адресату, у шлюза нет.".to_owned()
}

fn stage(kind: EventKind) -> Option<&'static str> {
    match kind {
        EventKind::Delivered => Some("delivered"),
        EventKind::DeliveryRegistered => Some("registered"),
        EventKind::DeliveryRejected => Some("rejected"),
        EventKind::Undeliverable => Some("undeliverable"),
        EventKind::DeliveryQueuedAgain => Some("queued_again"),
        EventKind::HandledManually => Some("handled_manually"),
        _ => None,
    }
}

fn envelope_facts(envelope: &Envelope) -> EnvelopeFacts {
    let annex = |one: &crate::domain::message::Attachment| Annex {
        number: one.annex,
        name: one.name.clone(),
        media_type: one.media_type.clone(),
        size_bytes: one.size_bytes,
        sha256: one.sha256.clone(),
    };
    EnvelopeFacts {
        created_at: envelope.created_at.as_str().to_owned(),
        outgoing_number: envelope.registration.as_ref().map(|one| one.number.clone()),
        outgoing_date: envelope.registration.as_ref().map(|one| one.date),
        signatory: envelope.signatory.as_ref().map(official),
        legal_basis: envelope.legal_basis.iter().map(law).collect(),
        consent: envelope.consent.as_ref().map(|one| format!("{}: {}", one.kind, one.reference)),
        no_consent_ground: envelope.no_consent_ground.as_ref().map(|one| format!("{}: {}", one.code, one.reason)),
        purpose: envelope.summary.clone(),
        annexes: envelope.attachments.iter().map(annex).collect(),
    }
}

fn official(one: &Official) -> String {
    one.post.as_ref().map_or_else(|| one.name.clone(), |post| format!("{}, {post}", one.name))
}

fn law(one: &LegalBasis) -> String {
    one.article.as_ref().map_or_else(|| one.act.clone(), |article| format!("{}, {article}", one.act))
}
