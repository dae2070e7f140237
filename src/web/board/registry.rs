//! «Электронный журнал» (S4) as people read and print it: incoming and outgoing, by number, with counterparty, type,
//! case, and the way to the letters of the exchange.
//!
//! Promises: says whether a number is missing. Never: the body of a message.

use crate::gateway::views::JournalLine;
use crate::web::WebState;
use crate::web::api::{Registry, RegistryQuery, read_registry};
use crate::web::board::case_file;
use crate::web::board::journal::{Choice, choices};
use crate::web::caller::Caller;
use crate::web::dates::short_date;
use crate::web::page::{self, Frame, Visitor, encoded};
use crate::web::params::InQuery;
use crate::web::problem::Problem;
use crate::web::text::filters;
use crate::web::words::Lang;
use crate::web::words::desk::DeskWords;
use askama::Template;
use axum::extract::State;
use axum::response::Response;

/// One registration.
struct Row {
    number: String,
    date: String,
    kind: String,
    counterparty: String,
    content: String,
    annexes: String,
    case: Option<(String, String)>,
    exchange: String,
    /// «на бумаге», where a clerk registered it.
    channel: &'static str,
}

#[derive(Template)]
#[template(path = "registry.html")]
struct RegistryPage {
    f: Frame,
    d: &'static DeskWords,
    choices: Vec<Choice>,
    title: String,
    year: i32,
    direction: &'static str,
    gap_free: bool,
    /// Heading and rows of each direction.
    parts: Vec<(&'static str, Vec<Row>)>,
    link: String,
}

/// `GET /registry`
pub(super) async fn show(
    visitor: Visitor,
    State(state): State<WebState>,
    InQuery(mut query): InQuery<RegistryQuery>,
) -> Result<Response, Problem> {
    let caller = Caller::Person(visitor.session.clone());
    if query.participant.as_deref().unwrap_or_default().is_empty() {
        query.participant = state.gateway().own_centres().first().map(ToString::to_string);
    }
    let _turn = state.document().await?;
    let registry = read_registry(&state, &query, &caller).await?;
    page::render(&RegistryPage::of(&state, registry, visitor.frame("registry")))
}

/// The same for a caller of the API that asks for a page.
pub(in crate::web) fn printed(state: &WebState, registry: Registry, lang: Lang) -> Result<Response, Problem> {
    page::render(&RegistryPage::of(state, registry, Frame::new(lang, None, "registry")))
}

impl RegistryPage {
    fn of(state: &WebState, registry: Registry, f: Frame) -> Self {
        let d = f.lang.desk();
        let code = registry.participant.to_string();
        let body = state.gateway().participant(&registry.participant);
        let side = |direction: &str| -> Vec<Row> {
            registry.lines.iter().filter(|line| line.direction == direction).map(row).collect()
        };
        let parts = vec![(d.incoming, side("incoming")), (d.outgoing, side("outgoing"))];
        let direction = registry.direction.map_or("", crate::gateway::ports::decisions::Direction::code);
        let link =
            format!("/api/v1/registry?participant={}&year={}&direction={direction}", encoded(&code), registry.year);
        Self {
            choices: choices(state, &code),
            title: body.map_or(code, |body| body.title.clone()),
            year: registry.year,
            direction,
            gap_free: registry.gap_free,
            parts: parts.into_iter().filter(|(_, rows)| !rows.is_empty()).collect(),
            link,
            d,
            f,
        }
    }
}

fn row(line: &JournalLine) -> Row {
    Row {
        number: line.number.clone(),
        date: short_date(line.date),
        kind: line.type_title.clone(),
        counterparty: line.counterparty_title.clone(),
        content: line.summary.clone(),
        annexes: line.annexes.clone(),
        case: line.case.as_ref().map(|case| (case.clone(), case_file::address(case))),
        exchange: format!("/api/v1/exchanges/{}", line.exchange),
        channel: line.channel.map(crate::gateway::ports::scans::HandChannel::words).unwrap_or_default(),
    }
}
