//! How records become views: words in Russian, lateness by the performer's calendar.
//!
//! Promises: a view is complete without another question. Never: fails (a calendar that ends leaves figures out).

use crate::domain::decide::letters::addressee;
use crate::domain::decision::{Event, EventKind};
use crate::domain::escalation::Action;
use crate::domain::exchange::Duty;
use crate::domain::ids::{ParticipantCode, TypeCode};
use crate::domain::obligation::{Fact, Obligation};
use crate::domain::participant::Participant;
use crate::domain::term::{Left, date_words};
use crate::gateway::Inner;
use crate::gateway::ports::decisions::JournalRow;
use crate::gateway::ports::reads::{DeliveryRow, DutyRow, ExchangeRecord};
use crate::gateway::views::{
    AlertView, Chronology, ChronologyEntry, DeliveryView, DutyView, Explanation, JournalLine, LastEvent,
    ObligationView, Party, RungView,
};
use chrono::{DateTime, NaiveDate, Utc};

mod words;

/// An obligation at an instant.
pub(super) fn obligation(inner: &Inner, row: &DutyRow, now: DateTime<Utc>) -> ObligationView {
    let Duty { obligation, rungs, alert } = &row.duty;
    let state = obligation.state();
    let overdue = state.is_running() && now > obligation.due_at();
    let until = obligation.answered_at().unwrap_or(now);
    let (left, late) = distance(inner, obligation, until);
    let late = if obligation.is_late(until) { late } else { 0 };
    let performer = inner.participant(&obligation.performer);
    let rung_view =
        |row: &crate::domain::escalation::Rung| rung(inner, (performer.as_deref(), &obligation.controller), row);
    ObligationView {
        id: obligation.id,
        exchange: obligation.exchange,
        item: obligation.item.clone(),
        duty: duty(obligation),
        request_type: obligation.request_type.clone(),
        request_title: inner.title_of(&obligation.request_type),
        awaited_title: awaited(inner, &obligation.answer_types),
        request_number: row.root.as_ref().map(|root| root.number.clone()),
        case: obligation.case.clone(),
        performer: party(inner, &obligation.performer),
        controller: party(inner, &obligation.controller),
        urgency: obligation.urgency,
        state: state.code(),
        opened_at: obligation.opened_at,
        due_on: obligation.due_on(),
        due_at: obligation.due_at(),
        lenient_at: obligation.lenient_at(),
        overdue,
        late_by_working_days: late,
        left_working_days: match obligation.pause().map(|pause| pause.left) {
            Some(Left::WorkingDays(kept)) if state.is_open() => Some(kept),
            Some(_) => None,
            None => left.filter(|_| state.is_open() && !overdue),
        },
        due_text: date_words(obligation.due_on()),
        provisional: obligation.counted().protocol.provisional,
        answered_at: obligation.answered_at(),
        closed_at: obligation.closed_at(),
        facts: obligation.facts.clone(),
        rungs: rungs.rows.iter().map(rung_view).collect(),
        alert: alert.as_ref().map(|one| AlertView {
            raised_at: one.raised_at,
            rung: one.rung,
            state: one.state.clone(),
        }),
        last_event: row.last_event.as_ref().map(|event| LastEvent {
            at: event.at,
            kind: event.kind.code(),
            text: words::event(inner, event),
        }),
    }
}

/// The kind of a duty and its period, in Russian.
fn duty(obligation: &Obligation) -> Option<DutyView> {
    let (recurs, report) = obligation.recurs.as_ref().zip(obligation.answer_types.first())?;
    let since = &obligation.due.protocol.event;
    let (rhythm_text, period_text) = match recurs.apart {
        true => {
            let since = since.zone.date(obligation.opened_at);
            (recurs.rhythm.apart_words(), format!("после {}", since.format("%d.%m.%Y")))
        }
        false => (recurs.rhythm.rhythm_words(), recurs.rhythm.words(obligation.due.protocol.raw_last_on)),
    };
    Some(DutyView { report: report.clone(), rhythm: recurs.rhythm, rhythm_text, period_text })
}

/// Working days until the due date, and after it, seen from an instant.
fn distance(inner: &Inner, obligation: &Obligation, at: DateTime<Utc>) -> (Option<u32>, u32) {
    let Some(body) = inner.participant(&obligation.performer) else { return (None, 0) };
    let Ok(calendar) = inner.calendars.for_performer(body.region.as_deref(), body.week) else { return (None, 0) };
    let (today, due_on) = (body.zone.date(at), obligation.due_on());
    let between = |from: NaiveDate, to: NaiveDate| calendar.working_days_between(from, to).ok();
    if today <= due_on { (between(today, due_on), 0) } else { (None, between(due_on, today).unwrap_or(0)) }
}

/// Working days of lateness at an instant.
pub(super) fn late_at(inner: &Inner, obligation: &Obligation, at: DateTime<Utc>) -> u32 {
    if at > obligation.due_at() { distance(inner, obligation, at).1 } else { 0 }
}

/// Working days left at an instant.
pub(super) fn left_at(inner: &Inner, obligation: &Obligation, at: DateTime<Utc>) -> u32 {
    distance(inner, obligation, at).0.unwrap_or(0)
}

/// The titles of what would answer it.
pub(super) fn awaited(inner: &Inner, types: &[TypeCode]) -> String {
    let titles: Vec<String> = types.iter().map(|code| inner.title_of(code)).collect();
    titles.join(" / ")
}

/// A participant as one side of something.
pub(super) fn party(inner: &Inner, code: &ParticipantCode) -> Party {
    let found = inner.participant(code);
    Party {
        code: code.clone(),
        title: found.as_ref().map_or_else(|| code.to_string(), |body| body.title.clone()),
        kind: found.as_ref().map(|body| body.kind),
        executor: found.as_ref().and_then(|body| body.executor.clone()),
        head: found.as_ref().and_then(|body| body.head.clone()),
    }
}

fn rung(
    inner: &Inner,
    (performer, controller): (Option<&Participant>, &ParticipantCode),
    row: &crate::domain::escalation::Rung,
) -> RungView {
    let ladder = performer.map_or(&inner.ladders.outward, |body| inner.ladders.of(body));
    let policy = ladder.policy(row.no);
    let to = policy.zip(performer).and_then(|(policy, body)| addressee(policy.action, body, controller).0);
    RungView {
        no: row.no,
        title: policy.map_or_else(|| format!("Ступень {}", row.no), |policy| policy.title_ru.clone()),
        state: row.state.code(),
        planned_at: row.planned_at,
        needs_decision: policy.is_some_and(|policy| policy.needs_decision),
        addressee: to.map(|code| party(inner, code)),
        has_letter: matches!(row.state.code(), "fired" | "prepared" | "approved" | "declined")
            && policy
                .is_some_and(|policy| policy.action != Action::Notice || performer.is_some_and(Participant::is_centre)),
    }
}

/// Why this date.
pub(super) fn explanation(inner: &Inner, obligation: &Obligation) -> Explanation {
    let zone = inner.participant(&obligation.performer).map_or("UTC", |body| body.zone.name());
    let extended = |fact: &&Fact| matches!(fact, Fact::Extended { .. });
    let extensions: Vec<Fact> = obligation.facts.iter().filter(extended).cloned().collect();
    let mut lines = obligation.due.protocol.explanation();
    lines.push(format!("Источник правила: {} (версия {}).", obligation.due.source, obligation.due.rule_version));
    let moves: Vec<Fact> =
        obligation.facts.iter().filter(|fact| matches!(fact, Fact::DueMoved { .. })).cloned().collect();
    lines.extend(moves.iter().flat_map(words::calendar_move));
    for resumed in obligation.pauses.iter().filter_map(|pause| pause.resumed.as_ref()) {
        lines.extend(resumed.due.protocol.explanation());
    }
    if let Some(pause) = obligation.pause() {
        let from = obligation.due.protocol.event.zone.date(pause.from);
        lines.push(format!("Срок остановлен запросом уточнения {} и ждёт ответа на него.", date_words(from)));
    }
    for fact in &extensions {
        if let Fact::Extended { due_on, at, by, .. } = fact {
            lines.push(format!("Продлён до {} решением {by} от {}.", date_words(*due_on), date_words(at.date_naive())));
        }
    }
    Explanation {
        obligation: obligation.id,
        due_on: obligation.due_on(),
        due_at: obligation.due_at(),
        lenient_at: obligation.lenient_at(),
        zone,
        rule_version: obligation.due.rule_version.clone(),
        source: obligation.due.source.clone(),
        protocol: obligation.due.protocol.clone(),
        moves,
        extensions,
        lines,
    }
}

/// The chronology of an exchange.
pub(super) fn chronology(inner: &Inner, record: &ExchangeRecord, now: DateTime<Utc>) -> Chronology {
    let entry = |event: &Event| ChronologyEntry {
        at: event.at,
        kind: event.kind.code(),
        text: words::event(inner, event),
        message: event.message,
        obligation: event.obligation,
        participant: event.participant.clone(),
        detail: event.detail.clone(),
    };
    let root = &record.exchange.root;
    let row = |duty: &Duty| {
        let row = DutyRow { duty: duty.clone(), root: root.clone(), last_event: None };
        obligation(inner, &row, now)
    };
    Chronology {
        exchange: record.exchange.id,
        entries: record.events.iter().map(entry).collect(),
        obligations: record.exchange.duties.iter().map(row).collect(),
        deliveries: record.deliveries.iter().cloned().map(delivery_view).collect(),
        parked: record.exchange.parked.iter().map(|one| one.message).collect(),
        by_hand: record.by_hand.clone(),
        handovers: record.handovers.clone(),
    }
}

/// Leaves a participant what is its own: of an exchange with several addressees each sees its part and the asker's.
pub(super) fn only_of(shown: &mut Chronology, code: &ParticipantCode) {
    shown.obligations.retain(|one| one.performer.code == *code || one.controller.code == *code);
    let own: Vec<_> = shown.obligations.iter().map(|one| one.id).collect();
    // Who has read what is the gateway's own record; a participant sees of it what it was given itself.
    let disclosure = EventKind::EvidenceDisclosed.code();
    shown.entries.retain(|entry| entry.kind != disclosure || entry.participant.as_ref() == Some(code));
    let is_asker = shown.obligations.iter().any(|one| one.controller.code == *code);
    if is_asker {
        return;
    }
    shown.entries.retain(|entry| match (&entry.obligation, &entry.participant) {
        (Some(obligation), _) => own.contains(obligation),
        (None, participant) => participant.as_ref() == Some(code),
    });
    shown.deliveries.retain(|delivery| delivery.recipient == *code);
    shown.handovers.retain(|one| one.recipient == *code);
    let told: Vec<_> = shown.entries.iter().filter_map(|entry| entry.message).collect();
    shown.by_hand.retain(|note| told.contains(&note.message));
    shown.parked.clear();
}

/// A delivery.
pub(super) fn delivery_view(row: DeliveryRow) -> DeliveryView {
    let (registration_number, registration_date) = row.registration.unzip();
    DeliveryView {
        message: row.message,
        recipient: row.recipient,
        state: row.state,
        attempts: row.attempts,
        queued_at: row.queued_at,
        next_at: row.next_at,
        delivered_at: row.delivered_at,
        content_sha256: row.content_sha256,
        registration_number,
        registration_date,
        error: row.error,
    }
}

/// A line of the journal.
pub(super) fn journal_line(inner: &Inner, row: JournalRow) -> JournalLine {
    let counterparty_title = party(inner, &row.counterparty).title;
    JournalLine {
        direction: row.register.direction.code(),
        number: format!("{}/{}", row.number, row.register.year),
        date: row.date,
        annexes: row.annexes,
        summary: row.summary,
        message: row.message,
        type_title: inner.title_of(&row.type_code),
        type_code: row.type_code,
        exchange: row.exchange,
        counterparty: row.counterparty,
        counterparty_title,
        case: row.case,
        channel: row.channel,
    }
}
