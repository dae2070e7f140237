//! One obligation: who owes what to whom, what happened, what can be done; and why its date is what it is.
//!
//! Promises: the chronology of the whole exchange, each entry with its instant. Never: the body of a message.

use crate::domain::ids::ObligationId;
use crate::domain::zone::Zone;
use crate::gateway::views::{Chronology, DeliveryView, Explanation, ObligationView};
use crate::web::WebState;
use crate::web::board::case_file;
use crate::web::board::row::{Body, Row};
use crate::web::caller;
use crate::web::dates::{date_with_weekday, minute, short_date};
use crate::web::page::{self, Frame, Visitor};
use crate::web::params::{InPath, InQuery};
use crate::web::problem::Problem;
use crate::web::text::filters;
use crate::web::words::{Lang, Words};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use uuid::Uuid;

/// A line of the chronology.
struct Happening {
    at: String,
    text: String,
    /// It concerns this very obligation, and not a sibling of the same exchange.
    own: bool,
}

/// A rung.
struct Step {
    title: String,
    state: &'static str,
    code: &'static str,
    at: String,
    needs_decision: bool,
    addressee: Option<String>,
    no: u8,
    has_letter: bool,
}

/// A delivery.
struct Sent {
    recipient: String,
    state: &'static str,
    attempts: u32,
    at: String,
    registration: Option<String>,
}

/// What the controller may decide in that state.
struct May {
    release: bool,
    send_back: bool,
    extend: bool,
    withdraw: bool,
    void: bool,
}

impl May {
    /// As the core allows it; it has the last word. An answer that was released by itself may still be returned.
    fn of(state: &str) -> Self {
        let (open, answered) = (matches!(state, "running" | "suspended"), state == "answered");
        Self {
            release: answered,
            send_back: answered || matches!(state, "fulfilled" | "fulfilled_late"),
            extend: open,
            withdraw: open || answered,
            void: state != "void",
        }
    }
}

/// Name and value of a line of facts.
type Line = (&'static str, String);

#[derive(Template)]
#[template(path = "obligation.html")]
struct ObligationPage {
    f: Frame,
    here: String,
    row: Row,
    /// The letters of its case.
    case_file: Option<String>,
    state: &'static str,
    /// An answer is still awaited, so that one on paper may be registered.
    open: bool,
    may: May,
    facts: Vec<Line>,
    performer_head: Option<String>,
    happenings: Vec<Happening>,
    steps: Vec<Step>,
    sent: Vec<Sent>,
    done: bool,
}

#[derive(Deserialize)]
pub(super) struct DoneQuery {
    done: Option<u8>,
}

/// `GET /obligations/{id}`
pub(super) async fn show(
    visitor: Visitor,
    State(state): State<WebState>,
    InPath(id): InPath<Uuid>,
    InQuery(query): InQuery<DoneQuery>,
) -> Result<Response, Problem> {
    let (actor, zone, lang) = (caller::actor(&visitor.session), page::zone(&state)?, visitor.lang);
    let view = state.gateway().obligation(ObligationId(id), &actor).await?;
    let chronology = state.gateway().chronology(view.exchange, &actor).await?;
    let title_of = |code: &crate::domain::ids::ParticipantCode| {
        state.gateway().participant(code).map_or_else(|| code.to_string(), |body| body.title.clone())
    };
    let words = lang.words();
    let today = zone.date(state.gateway().now());
    page::render(&ObligationPage {
        f: visitor.frame("board"),
        here: format!("/obligations/{id}"),
        case_file: view.case.as_deref().map(case_file::address),
        state: words.obligation_state(lang, view.state),
        open: matches!(view.state, "running" | "suspended") && concerns_us(&state, &view),
        may: May::of(view.state),
        facts: facts(&view, zone, words),
        performer_head: view.performer.head.as_ref().map(|head| head.name.clone()),
        happenings: happenings(&chronology, (&view, zone)),
        steps: steps(&view, zone, lang),
        sent: chronology.deliveries.iter().map(|one| sent(one, (zone, lang), title_of)).collect(),
        row: Row::new(&view, lang, zone).taking_from(today),
        done: query.done.is_some(),
    })
}

/// Whether a centre of ours is a side of it.
fn concerns_us(state: &WebState, view: &ObligationView) -> bool {
    let ours = state.gateway().own_centres();
    ours.contains(&view.performer.code) || ours.contains(&view.controller.code)
}

fn facts(view: &ObligationView, zone: Zone, words: &Words) -> Vec<Line> {
    let mut facts = vec![(words.opened, minute(view.opened_at, zone))];
    facts.extend(view.answered_at.map(|at| (words.answered_at, minute(at, zone))));
    facts.extend(view.closed_at.map(|at| (words.closed_at, minute(at, zone))));
    facts
}

fn happenings(chronology: &Chronology, (view, zone): (&ObligationView, Zone)) -> Vec<Happening> {
    let line = |entry: &crate::gateway::views::ChronologyEntry| Happening {
        at: minute(entry.at, zone),
        text: entry.text.clone(),
        own: entry.obligation.is_none_or(|of| of == view.id),
    };
    chronology.entries.iter().map(line).collect()
}

fn steps(view: &ObligationView, zone: Zone, lang: Lang) -> Vec<Step> {
    let step = |rung: &crate::gateway::views::RungView| Step {
        title: rung.title.clone(),
        state: lang.words().rung_state(lang, rung.state),
        code: rung.state,
        at: minute(rung.planned_at, zone),
        needs_decision: rung.needs_decision,
        addressee: rung.addressee.as_ref().map(|party| Body::new(party).title),
        no: rung.no,
        has_letter: rung.has_letter,
    };
    view.rungs.iter().map(step).collect()
}

fn sent(
    one: &DeliveryView,
    (zone, lang): (Zone, Lang),
    title_of: impl Fn(&crate::domain::ids::ParticipantCode) -> String,
) -> Sent {
    let date = one.registration_date.map(short_date).unwrap_or_default();
    Sent {
        recipient: title_of(&one.recipient),
        state: lang.words().delivery_state(lang, &one.state),
        attempts: one.attempts,
        at: minute(one.delivered_at.unwrap_or(one.queued_at), zone),
        registration: one.registration_number.as_ref().map(|number| format!("№ {number} {date}")),
    }
}

#[derive(Template)]
#[template(path = "explanation.html")]
struct ExplanationPage {
    f: Frame,
    id: ObligationId,
    heading: String,
    due: String,
    lines: Vec<String>,
    facts: Vec<Line>,
}

/// `GET /obligations/{id}/explanation`
pub(super) async fn explain(
    visitor: Visitor,
    State(state): State<WebState>,
    InPath(id): InPath<Uuid>,
) -> Result<Response, Problem> {
    let actor = caller::actor(&visitor.session);
    let view = state.gateway().obligation(ObligationId(id), &actor).await?;
    let Explanation { due_on, lenient_at, zone, lines, .. } =
        state.gateway().explanation(ObligationId(id), &actor).await?;
    let words = visitor.lang.words();
    let performer_zone = Zone::named(zone).ok().map_or_else(|| page::zone(&state), Ok)?;
    page::render(&ExplanationPage {
        f: visitor.frame("board"),
        id: view.id,
        heading: format!("{} № {}", view.request_title, view.request_number.as_deref().unwrap_or("—")),
        due: date_with_weekday(due_on, visitor.lang),
        lines,
        facts: vec![(words.zone, zone.to_owned()), (words.lenient, minute(lenient_at, performer_zone))],
    })
}
