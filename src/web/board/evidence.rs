//! The evidence of an obligation as a printable set of pages: one section for each thing that the gateway holds.
//!
//! Promises: a section with nothing in it is left out; the same content as the file. Never: the body of a message.

use crate::domain::ids::ObligationId;
use crate::domain::message::Format;
use crate::domain::obligation::Fact;
use crate::domain::zone::Zone;
use crate::gateway::evidence::pack::{Delivered, EnvelopeFacts, Letter, Pack, Said, Stage};
use crate::gateway::ports::scans::{ByHand, Handover};
use crate::web::WebState;
use crate::web::caller;
use crate::web::dates::{counted, date_with_weekday, minute, short_date};
use crate::web::page::{self, Frame, Visitor};
use crate::web::params::InPath;
use crate::web::problem::Problem;
use crate::web::text::filters;
use crate::web::words::Lang;
use crate::web::words::evidence::EvidenceWords;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use uuid::Uuid;

/// Name and value.
type Line = (&'static str, String);

/// One letter, delivery or decision.
#[derive(Default)]
struct Sheet {
    title: String,
    lines: Vec<Line>,
}

/// A part of the set.
#[derive(Default)]
struct Section {
    title: &'static str,
    text: Vec<String>,
    sheets: Vec<Sheet>,
    /// When, what.
    story: Vec<(String, String)>,
}

impl Section {
    fn is_empty(&self) -> bool {
        self.text.is_empty() && self.sheets.is_empty() && self.story.is_empty()
    }
}

#[derive(Template)]
#[template(path = "evidence.html")]
struct EvidencePage {
    f: Frame,
    e: &'static EvidenceWords,
    id: ObligationId,
    heading: String,
    made: String,
    sections: Vec<Section>,
}

/// `GET /obligations/{id}/evidence`
pub(super) async fn show(
    visitor: Visitor,
    State(state): State<WebState>,
    InPath(id): InPath<Uuid>,
) -> Result<Response, Problem> {
    let (actor, zone, lang) = (caller::actor(&visitor.session), page::zone(&state)?, visitor.lang);
    let pack = state.gateway().evidence(ObligationId(id), &actor).await?;
    let written = Writer { lang, zone, e: lang.evidence(), f: visitor.frame("board") };
    let sections = written.sections(&pack).into_iter().filter(|section| !section.is_empty()).collect();
    page::render(&EvidencePage {
        id: pack.obligation.id,
        heading: pack.request.as_ref().map_or_else(|| pack.obligation.awaited.clone(), |one| written.heading(one)),
        made: format!("{} {}", minute(pack.made_at, zone), zone.name()),
        sections,
        e: written.e,
        f: written.f,
    })
}

/// How things are written: language, zone, words.
struct Writer {
    lang: Lang,
    zone: Zone,
    e: &'static EvidenceWords,
    f: Frame,
}

impl Writer {
    fn sections(&self, pack: &Pack) -> Vec<Section> {
        let e = self.e;
        let letters = |letters: &[Letter]| letters.iter().flat_map(|one| self.with_ways(one)).collect();
        let said = |all: &[Said]| all.iter().map(|one| self.said(one)).collect();
        let ways = |one: &Letter| one.deliveries.iter().map(|way| self.delivered(way)).collect();
        let section = |title, sheets| Section { title, sheets, ..Section::default() };
        let text = |title, text| Section { title, text, ..Section::default() };
        let certificate = pack.certificate.as_ref().map(|one| one.lines.clone()).unwrap_or_default();
        let story = pack.chronology.iter().map(|one| (minute(one.at, self.zone), one.text.clone())).collect();
        vec![
            section(e.subject, vec![self.subject(pack)]),
            section(self.f.w.request, pack.request.iter().map(|one| self.letter(one)).collect()),
            section(e.delivery, pack.request.as_ref().map(ways).unwrap_or_default()),
            text(e.due_counted, pack.due.lines.clone()),
            section(e.reminders, letters(&pack.reminders)),
            section(e.interim, said(&pack.interim)),
            section(e.extensions, said(&pack.extensions)),
            section(e.answers, said(&pack.answers)),
            section(e.decisions, said(&pack.decisions)),
            text(e.certificate, certificate),
            Section { title: e.chronology, story, ..Section::default() },
            text(e.not_held, e.not_held_lines.map(str::to_owned).to_vec()),
        ]
    }

    fn heading(&self, one: &Letter) -> String {
        format!("{} № {} {} {}", one.title, one.registered_number, self.e.of_date, short_date(one.registered_on))
    }

    fn subject(&self, pack: &Pack) -> Sheet {
        let (one, w, e) = (&pack.obligation, self.f.w, self.e);
        let mut lines = vec![
            (w.owes, one.performer.title.clone()),
            (w.owed, one.controller.title.clone()),
            (e.awaited, one.awaited.clone()),
        ];
        lines.extend(one.item.clone().map(|item| (w.item, item)));
        lines.extend(one.case.clone().map(|case| (w.case_number, case)));
        lines.push((w.state, w.obligation_state(self.lang, one.state).to_owned()));
        lines.push((w.opened, minute(one.opened_at, self.zone)));
        lines.push((w.due, date_with_weekday(one.due_on, self.lang)));
        if one.late_by_working_days > 0 {
            lines.push((e.late, self.lang.working_days(one.late_by_working_days)));
        }
        lines.extend(one.answered_at.map(|at| (w.answered_at, minute(at, self.zone))));
        lines.extend(one.closed_at.map(|at| (w.closed_at, minute(at, self.zone))));
        lines.push((e.given_to, pack.given_to.clone()));
        Sheet { title: String::new(), lines }
    }

    /// A letter, and the way of it to each addressee.
    fn with_ways(&self, one: &Letter) -> Vec<Sheet> {
        let ways = one.deliveries.iter().map(|way| self.delivered(way));
        std::iter::once(self.letter(one)).chain(ways).collect()
    }

    fn letter(&self, one: &Letter) -> Sheet {
        let e = self.e;
        let to: Vec<&str> = one.to.iter().map(|side| side.title.as_str()).collect();
        let mut lines = vec![
            (e.from, one.from.title.clone()),
            (e.to, to.join("; ")),
            (e.registered, self.numbered(&one.registered_number, one.registered_on)),
            (e.received, minute(one.received_at, self.zone)),
            (e.type_code, one.type_code.to_string()),
        ];
        lines.extend(one.envelope.iter().flat_map(|envelope| self.envelope(envelope)));
        let format = match one.stored_format {
            Format::Json => "JSON",
            Format::Xml => "XML",
        };
        let size = counted(one.stored_bytes, self.lang, e.bytes);
        lines.push((e.stored, format!("{} ({format}, {size})", one.stored_sha256)));
        lines.extend(one.by_hand.iter().flat_map(|note| self.by_hand(note)));
        lines.push((e.canonical, one.canonical_sha256.clone()));
        lines.push((e.message, one.message.to_string()));
        Sheet { title: self.heading(one), lines }
    }

    /// How it came or went that no system carried.
    fn by_hand(&self, note: &ByHand) -> Vec<Line> {
        let d = self.lang.desk();
        let mut lines = vec![
            (d.came_by, format!("{} ({})", note.by_whom, note.channel.words())),
            (d.came_at, minute(note.at, self.zone)),
            (d.recorded, minute(note.recorded_at, self.zone)),
        ];
        lines.extend(note.dictated_by.clone().map(|who| (d.dictated_by, who)));
        lines.extend(note.taken_by.clone().map(|who| (d.taken_by, who)));
        lines
    }

    fn handover(&self, one: &Handover) -> Vec<Line> {
        let d = self.lang.desk();
        let mut lines = vec![(d.way, one.way.words().to_owned()), (d.at_out, minute(one.at, self.zone))];
        lines.push((d.handed_to, one.taken_by.clone()));
        let number = one.number.as_ref().zip(one.date);
        lines.extend(number.map(|(number, date)| (d.their_number, self.numbered(number, date))));
        lines.push((d.came_by, format!("{}, {}", one.by_whom, minute(one.recorded_at, self.zone))));
        lines
    }

    fn envelope(&self, one: &EnvelopeFacts) -> Vec<Line> {
        let e = self.e;
        let mut lines = Vec::new();
        let outgoing = one.outgoing_number.as_ref().zip(one.outgoing_date);
        lines.extend(outgoing.map(|(number, date)| (e.outgoing, self.numbered(number, date))));
        lines.extend(one.signatory.clone().map(|who| (e.signatory, who)));
        if !one.legal_basis.is_empty() {
            lines.push((e.legal_basis, one.legal_basis.join("; ")));
        }
        lines.extend(one.purpose.clone().map(|purpose| (e.purpose, purpose)));
        lines.extend(one.consent.clone().map(|consent| (e.consent, consent)));
        lines.extend(one.no_consent_ground.clone().map(|ground| (e.no_consent, ground)));
        let annexes = one.annexes.iter().map(|annex| {
            let size = counted(annex.size_bytes, self.lang, e.bytes);
            (e.annex, format!("№ {}: {} ({size}), SHA-256 {}", annex.number, annex.name, annex.sha256))
        });
        lines.extend(annexes);
        lines
    }

    fn delivered(&self, one: &Delivered) -> Sheet {
        let e = self.e;
        let stage = |stage: &Stage| (self.lang.stage(stage.stage), minute(stage.at, self.zone));
        let mut lines = vec![(self.f.w.state, self.f.w.delivery_state(self.lang, &one.state).to_owned())];
        lines.extend(one.stages.iter().map(stage));
        let number = one.registration_number.as_ref().zip(one.registration_date);
        lines.extend(number.map(|(number, date)| (e.by_addressee, self.numbered(number, date))));
        lines.extend(one.handover.iter().flat_map(|handover| self.handover(handover)));
        lines.extend(one.content_sha256.clone().map(|sha256| (e.given_bytes, sha256)));
        Sheet { title: format!("→ {}", one.to.title), lines }
    }

    fn said(&self, one: &Said) -> Sheet {
        let (e, w) = (self.e, self.f.w);
        let mut lines = vec![(w.date, minute(one.fact.at(), self.zone))];
        let day = |date: &chrono::NaiveDate| date_with_weekday(*date, self.lang);
        match &one.fact {
            Fact::Interim { expected_on: Some(on), .. } => lines.push((e.expected, day(on))),
            Fact::ExtensionAsked { new_due: Some(on), .. } => lines.push((e.new_due, day(on))),
            Fact::Extended { due_on, by, .. } => lines.extend([(e.new_due, day(due_on)), (e.by, by.clone())]),
            Fact::Redirected { to, .. } => lines.push((e.to, to.to_string())),
            Fact::Returned { by, .. } | Fact::Released { by, .. } | Fact::Withdrawn { by, .. } => {
                lines.push((e.by, by.clone()));
            }
            Fact::Ended { by, reason, .. } => lines.extend([(e.by, by.clone()), (w.reason, reason.clone())]),
            Fact::Voided { by, second, reason, .. } => {
                lines.extend([(e.by, by.clone()), (e.second, second.clone()), (w.reason, reason.clone())]);
            }
            _ => {}
        }
        lines.extend(one.letter.iter().flat_map(|letter| self.letter(letter).lines));
        Sheet { title: self.lang.fact(&one.fact).to_owned(), lines }
    }

    fn numbered(&self, number: &str, date: chrono::NaiveDate) -> String {
        format!("№ {number} {} {}", self.e.of_date, short_date(date))
    }
}
