//! Letters of the gateway's own making: reminders, repeated requests, reports to others, a controller's decisions.
//!
//! Promises: official Russian, with numbers, dates and the legal basis; an id that follows from the occasion, so that
//! the same letter is never made twice. Never: names a child or a family; says «эскалация».

use crate::domain::decide::act::Act;
use crate::domain::decision::{Context, Refusal};
use crate::domain::escalation::{Action, RungPolicy, RungState};
use crate::domain::exchange::{Duty, Root};
use crate::domain::ids::{MessageId, ParticipantCode, TypeCode};
use crate::domain::message::{Body, Envelope, LegalBasis, Message, Node, Timestamp};
use crate::domain::obligation::Obligation;
use crate::domain::participant::{BodyKind, Participant};
use crate::domain::term::{date_words, days_words};
use std::sync::Arc;
use uuid::Uuid;

/// What a letter of the ladder is about.
pub struct Occasion<'a> {
    pub root: &'a Root,
    pub duty: &'a Duty,
    pub policy: &'a RungPolicy,
}

/// A reminder to the body that owes: no. 0 before the due date, no. 1 after it.
pub(super) fn reminder(on: &Occasion<'_>, ctx: &Context<'_>) -> Result<Message, Refusal> {
    let obligation = &on.duty.obligation;
    let (left, late) = days(obligation, ctx)?;
    let (number, measure, text) = match ctx.now > obligation.due_at() {
        true if late == 0 => (1, field("working_days_late", int(0)), "Срок ответа истёк.".to_owned()),
        true => (1, field("working_days_late", int(late)), format!("Ответ просрочен на {}.", days_words(late))),
        false if left == 0 => (0, field("working_days_left", int(0)), "Срок ответа истекает сегодня.".to_owned()),
        false => (0, field("working_days_left", int(left)), format!("До срока осталось: {}.", days_words(left))),
    };
    let text = format!("{} {}{text}", reference(on.root, obligation, ctx)?, sent_back(obligation, ctx)?);
    let body = vec![
        field("obligation", text_of(obligation.id)),
        field("number", Node::Integer(number)),
        field("due_on", text_of(obligation.due_on())),
        measure,
        field("text", Node::Text(text)),
    ];
    let seed = rung_seed(on.policy.no);
    letter(on.root, obligation, Draft { code: "control.reminder", to: &obligation.performer, seed, body }, ctx)
}

/// To whom a rung speaks, by the record of the body that owes; the second element names the key of that record. A
/// commission that is itself late, or is itself the asker, is not written to about it: its place takes the superior.
#[must_use]
pub fn addressee<'a>(
    action: Action,
    body: &'a Participant,
    controller: &ParticipantCode,
) -> (Option<&'a ParticipantCode>, &'static str) {
    let third = |code: &&ParticipantCode| **code != body.code && *code != controller;
    match action {
        Action::Notice => (None, "—"),
        Action::Reminder | Action::RepeatRequest => (Some(&body.code), "code"),
        Action::Commission => {
            let commission = body.commission.as_ref().filter(third);
            (commission.or(body.superior.as_ref().filter(third)), "commission")
        }
        Action::Superior => (body.superior.as_ref().filter(third), "superior"),
        // Over a prosecutor stands the superior prosecutor (закон о прокуратуре, ст. 1).
        Action::Prosecutor if body.kind == BodyKind::Prosecutor => {
            (body.prosecutor.as_ref().or(body.superior.as_ref()).filter(third), "superior")
        }
        Action::Prosecutor => (body.prosecutor.as_ref().filter(third), "prosecutor"),
    }
}

/// The letter of a prepared rung.
pub(super) fn of_rung(on: &Occasion<'_>, ctx: &Context<'_>) -> Result<Message, Refusal> {
    if on.policy.action == Action::Reminder {
        return reminder(on, ctx);
    }
    let obligation = &on.duty.obligation;
    let performer = ctx.participant(&obligation.performer)?;
    let (to, key) = addressee(on.policy.action, performer, &obligation.controller);
    let to = to.ok_or(Refusal::RungWithoutAddressee(on.policy.no, key))?;
    let is_commission = ctx.participant(to)?.kind == BodyKind::Commission;
    let (_, late) = days(obligation, ctx)?;
    let facts = rung_text(on, (performer, late), ctx)?;
    let due_on = field("due_on", text_of(obligation.due_on()));
    let days_late = field("working_days_late", int(late));
    let id = field("obligation", text_of(obligation.id));
    let (code, body) = match on.policy.action {
        Action::Notice | Action::Reminder | Action::RepeatRequest => {
            let original = field("original", text_of(on.root.message));
            let number = field("number", Node::Integer(1));
            ("control.repeat-request", vec![original, id, number, due_on, days_late, field("text", Node::Text(facts))])
        }
        Action::Commission if is_commission => {
            let at_fault = field("body_at_fault", text_of(&obligation.performer));
            ("notice.commission", vec![at_fault, id, field("facts", Node::Text(facts))])
        }
        Action::Commission | Action::Superior => {
            let rung = field("rung", Node::Integer(i64::from(on.policy.no)));
            let who = field("performer", text_of(&obligation.performer));
            ("control.escalation", vec![id, rung, who, due_on, days_late, field("text", Node::Text(facts))])
        }
        Action::Prosecutor => {
            let right = field("right_violated", Node::List(vec![Node::Text("information".into())]));
            ("notice.rights-violation", vec![right, field("facts", Node::Text(facts)), id])
        }
    };
    let seed = rung_seed(on.policy.no);
    letter(on.root, obligation, Draft { code, to, seed, body }, ctx)
}

fn rung_text(on: &Occasion<'_>, (performer, late): (&Participant, u32), ctx: &Context<'_>) -> Result<String, Refusal> {
    let obligation = &on.duty.obligation;
    let late = if late == 0 { String::new() } else { format!(", просрочка {}", days_words(late)) };
    let silence = format!(
        "{} {}Ответ по состоянию на {} не поступил; срок истёк {}{late}.",
        reference(on.root, obligation, ctx)?,
        sent_back(obligation, ctx)?,
        date_words(performer.zone.date(ctx.now)),
        date_words(obligation.due_on()),
    );
    let who = format!("Ответ обязан дать: {}.", performer.title);
    Ok(match on.policy.action {
        Action::Notice | Action::Reminder | Action::RepeatRequest => {
            format!("{silence} Просим руководителя обеспечить ответ незамедлительно.")
        }
        Action::Commission | Action::Superior => {
            format!("{silence} {who}{} Просим принять меры в пределах компетенции.", written_before(on, ctx))
        }
        Action::Prosecutor => {
            format!("{silence} {who}{} Сообщаем на основании ст. 9 п. 2 120-ФЗ.", written_before(on, ctx))
        }
    })
}

/// The letters of the ladder that people did send: nothing else may be claimed to have been tried.
fn written_before(on: &Occasion<'_>, ctx: &Context<'_>) -> String {
    let ladder = match ctx.participant(&on.duty.obligation.performer) {
        Ok(body) => ctx.ladder_of(body),
        Err(_) => return String::new(),
    };
    let sent = on.duty.rungs.rows.iter().filter_map(|row| match &row.state {
        RungState::Approved { at, .. } => {
            let zone = ctx.participant(&on.duty.obligation.controller).ok()?.zone;
            Some(format!("«{}» от {}", ladder.policy(row.no)?.title_ru, zone.date(*at).format("%d.%m.%Y")))
        }
        _ => None,
    });
    let sent: Vec<String> = sent.collect();
    if sent.is_empty() { String::new() } else { format!(" Результата не дали: {}.", sent.join(", ")) }
}

/// «Ответ возвращён …»: silence after an answer that was sent back is no silence from the beginning.
fn sent_back(obligation: &Obligation, ctx: &Context<'_>) -> Result<String, Refusal> {
    let Some(at) = obligation.returned_at() else { return Ok(String::new()) };
    let controller = ctx.participant(&obligation.controller)?;
    let on = date_words(controller.zone.date(at));
    Ok(format!("Данный ранее ответ возвращён на доработку {on}. "))
}

/// The message by which a controller's decision reaches the body; a release by the board needs none.
pub(super) fn of_act(
    (root, obligation): (&Root, &Obligation),
    act: &Act,
    ctx: &Context<'_>,
) -> Result<Option<Message>, Refusal> {
    let (code, body) = match act {
        Act::Release | Act::Void { .. } => return Ok(None),
        Act::Return { reason, .. } => {
            ("control.return", vec![field("missing", Node::List(vec![Node::Text(reason.clone())]))])
        }
        Act::Extend { due_on } => (
            "control.extension-decision",
            vec![field("granted", Node::Boolean(true)), field("new_due", text_of(due_on))],
        ),
        Act::Withdraw { reason } => ("control.withdrawal", vec![field("reason", Node::Text(reason.clone()))]),
    };
    // Each act adds a fact, so their number tells two acts of one kind apart, also within one instant.
    let seed = act_seed(code, obligation.facts.len());
    letter(root, obligation, Draft { code, to: &obligation.performer, seed, body }, ctx).map(Some)
}

/// The ids that the letters of the ladder about an obligation bear, where they were written.
pub fn rung_ids(duty: &Duty) -> impl Iterator<Item = MessageId> {
    duty.rungs.rows.iter().map(|row| own_id(&duty.obligation, &rung_seed(row.no)))
}

/// The id that the letter of one rung bears, if it was written.
#[must_use]
pub fn rung_id(obligation: &Obligation, no: u8) -> MessageId {
    own_id(obligation, &rung_seed(no))
}

/// The ids that the gateway's own letters about an obligation bear, where they were written.
pub fn own_ids(duty: &Duty) -> impl Iterator<Item = MessageId> {
    let obligation = &duty.obligation;
    let acts = (0..=obligation.facts.len()).flat_map(|fact| ACTS.map(|code| own_id(obligation, &act_seed(code, fact))));
    rung_ids(duty).chain(acts)
}

/// The letters of [`of_act`].
const ACTS: [&str; 3] = ["control.return", "control.extension-decision", "control.withdrawal"];

fn rung_seed(no: u8) -> String {
    format!("rung-{no}")
}

fn act_seed(code: &str, facts: usize) -> String {
    format!("{code}-{facts}")
}

fn own_id(obligation: &Obligation, seed: &str) -> MessageId {
    MessageId(Uuid::new_v5(&obligation.id.0, seed.as_bytes()))
}

/// «На № … от …»: what every letter refers to, by the asker's own register.
fn reference(root: &Root, obligation: &Obligation, ctx: &Context<'_>) -> Result<String, Refusal> {
    let item = obligation.item.as_ref().map(|item| format!(", пункт {item}")).unwrap_or_default();
    let date = ctx.participant(&obligation.controller)?.zone.date(root.registered_at).format("%d.%m.%Y");
    Ok(format!("О документе № {} от {date}{item}.", root.number))
}

/// Working days left until the due date, and late since it, by the performer's calendar.
fn days(obligation: &Obligation, ctx: &Context<'_>) -> Result<(u32, u32), Refusal> {
    let body = ctx.participant(&obligation.performer)?;
    let calendar = ctx.calendar_of(body)?;
    let today = body.zone.date(ctx.now);
    let between = |from, to| {
        if from < to {
            calendar.working_days_between(from, to).map_err(|error| Refusal::Term(error.into()))
        } else {
            Ok(0)
        }
    };
    Ok((between(today, obligation.due_on())?, between(obligation.due_on(), today)?))
}

struct Draft<'a> {
    code: &'static str,
    to: &'a ParticipantCode,
    seed: String,
    body: Vec<(Arc<str>, Node)>,
}

fn letter(root: &Root, obligation: &Obligation, draft: Draft<'_>, ctx: &Context<'_>) -> Result<Message, Refusal> {
    let controller = ctx.participant(&obligation.controller)?;
    let summary = format!("{} ({}, срок {})", title(draft.code), root.number, date_words(obligation.due_on()));
    let type_code = TypeCode::new(draft.code).map_err(|_| Refusal::UnknownObligation)?;
    let envelope = Envelope {
        id: own_id(obligation, &draft.seed),
        exchange: Some(obligation.exchange),
        in_reply_to: Some(root.message),
        type_code,
        version: 1,
        from: obligation.controller.clone(),
        to: vec![draft.to.clone()],
        created_at: Timestamp::from(controller.zone.with_offset(ctx.now)),
        case: obligation.case.clone(),
        support: None,
        legal_basis: legal_basis(draft.code),
        consent: None,
        no_consent_ground: None,
        registration: None,
        signatory: None,
        executor: None,
        reply_by: None,
        summary: Some(summary),
        attachments: Vec::new(),
        test: None,
    };
    Ok(Message { envelope, body: Body::new(Node::Record(draft.body)) })
}

fn title(code: &str) -> &'static str {
    match code {
        "control.reminder" => "Напоминание об ответе",
        "control.repeat-request" => "Повторный запрос",
        "notice.commission" => "Сообщение в КДНиЗП об отсутствии ответа",
        "control.escalation" => "Информирование вышестоящего органа об отсутствии ответа",
        "notice.rights-violation" => "Сообщение прокурору об отсутствии ответа",
        "control.return" => "Возврат ответа на доработку",
        "control.extension-decision" => "Срок ответа продлён",
        _ => "Отзыв запроса",
    }
}

/// The duty to inform these bodies of failures is 120-ФЗ ст. 9 п. 2; the other letters stand on the request's own basis.
fn legal_basis(code: &str) -> Vec<LegalBasis> {
    match code {
        "notice.commission" | "control.escalation" | "notice.rights-violation" => {
            vec![LegalBasis { act: "120-ФЗ".into(), article: Some("ст. 9 п. 2".into()) }]
        }
        _ => Vec::new(),
    }
}

fn field(name: &str, node: Node) -> (Arc<str>, Node) {
    (Arc::from(name), node)
}

fn text_of(value: impl std::fmt::Display) -> Node {
    Node::Text(value.to_string())
}

fn int(days: u32) -> Node {
    Node::Integer(i64::from(days))
}
