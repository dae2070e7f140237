//! The journal as people read and print it: §6 «Взаимодействие с субъектами системы профилактики» (S3), two sides, each
//! with date, annex number and content, exactly as the form has it.
//!
//! Promises: both sides in the order of registration. Never: the counterparty inside the form, which has no such column;
//! it stands in a table of its own that is not printed.

use crate::domain::participant::Participant;
use crate::gateway::ports::reads::JournalFilter;
use crate::gateway::views::JournalLine;
use crate::web::WebState;
use crate::web::api::{JournalQuery, journal_filter};
use crate::web::board::case_file;
use crate::web::caller::Caller;
use crate::web::dates::{counted, short_date};
use crate::web::limits::JOURNAL_LINES_MAX;
use crate::web::page::{self, Frame, Visitor, encoded};
use crate::web::params::InQuery;
use crate::web::problem::Problem;
use crate::web::text::filters;
use crate::web::words::Lang;
use askama::Template;
use axum::extract::State;
use axum::response::Response;

/// One cell row of a side.
#[derive(Default)]
struct Entry {
    date: String,
    annexes: String,
    content: String,
}

/// A choice of the form above the journal.
pub(super) struct Choice {
    pub code: String,
    pub title: String,
    pub chosen: bool,
}

/// The numbers and counterparties, beside the form.
struct Detail {
    direction: &'static str,
    number: String,
    date: String,
    counterparty: String,
    content: String,
    case: String,
}

#[derive(Template)]
#[template(path = "journal.html")]
struct JournalPage {
    f: Frame,
    choices: Vec<Choice>,
    title: Option<String>,
    case: String,
    /// The letters of that case as its personal file has them.
    case_file: Option<String>,
    from: String,
    to: String,
    /// Whether the case, the dates or both narrow it: printed under the heading.
    period: String,
    rows: Vec<(Entry, Entry)>,
    details: Vec<Detail>,
    count: String,
    truncated: bool,
    link: String,
}

/// `GET /journal`
pub(super) async fn show(
    visitor: Visitor,
    State(state): State<WebState>,
    InQuery(mut query): InQuery<JournalQuery>,
) -> Result<Response, Problem> {
    let caller = Caller::Person(visitor.session.clone());
    if query.participant.as_deref().unwrap_or_default().is_empty() {
        query.participant = state.gateway().own_centres().first().map(ToString::to_string);
    }
    let frame = visitor.frame("journal");
    if query.participant.is_none() {
        return page::render(&JournalPage::of(&state, (None, &[]), frame));
    }
    let filter = journal_filter(&query, &caller)?;
    let lines = state.gateway().journal(filter.clone(), &caller.actor()).await?;
    page::render(&JournalPage::of(&state, (Some(&filter), &lines), frame))
}

/// The same for a caller of the API that asks for a page.
pub(in crate::web) fn printed(
    state: &WebState,
    (filter, lines): (&JournalFilter, &[JournalLine]),
    lang: Lang,
) -> Result<Response, Problem> {
    page::render(&JournalPage::of(state, (Some(filter), lines), Frame::new(lang, None, "journal")))
}

impl JournalPage {
    fn of(state: &WebState, (filter, lines): (Option<&JournalFilter>, &[JournalLine]), f: Frame) -> Self {
        let participant = filter.and_then(|filter| state.gateway().participant(&filter.participant));
        let text = |date: Option<chrono::NaiveDate>| date.map(|date| date.to_string()).unwrap_or_default();
        let from = filter.map(|filter| text(filter.from)).unwrap_or_default();
        let to = filter.map(|filter| text(filter.to)).unwrap_or_default();
        let case = filter.and_then(|filter| filter.case.clone()).unwrap_or_default();
        let code = filter.map(|filter| filter.participant.to_string()).unwrap_or_default();
        let link =
            format!("/api/v1/journal?participant={}&case={}&from={from}&to={to}", encoded(&code), encoded(&case));
        Self {
            choices: choices(state, &code),
            title: participant.map(|one| one.title.clone()),
            period: filter.map(|filter| period(filter, &f)).unwrap_or_default(),
            rows: sides(lines),
            details: lines.iter().map(|line| detail(line, &f)).collect(),
            count: counted(lines.len() as u64, f.lang, f.w.lines),
            case_file: (!case.is_empty()).then(|| case_file::address(&case)),
            truncated: lines.len() >= JOURNAL_LINES_MAX,
            case,
            from,
            to,
            link,
            f,
        }
    }
}

/// Everybody whose journal can be shown: a person of the centre sees all.
pub(super) fn choices(state: &WebState, chosen: &str) -> Vec<Choice> {
    let directory = state.gateway().directory();
    let choice = |one: &std::sync::Arc<Participant>| Choice {
        code: one.code.to_string(),
        title: one.title.clone(),
        chosen: one.code.as_str() == chosen,
    };
    let mut choices: Vec<Choice> = directory.iter().map(choice).collect();
    choices.sort_by(|one, other| one.title.cmp(&other.title));
    choices
}

fn period(filter: &JournalFilter, f: &Frame) -> String {
    let mut parts = Vec::new();
    parts.extend(filter.case.as_ref().map(|case| format!("{} {case}", f.w.case)));
    parts.extend(filter.from.map(|from| format!("{} {}", f.w.from.to_lowercase(), short_date(from))));
    parts.extend(filter.to.map(|to| format!("{} {}", f.w.to.to_lowercase(), short_date(to))));
    parts.join(", ")
}

/// Line by line as on paper: each side is written from the top.
fn sides(lines: &[JournalLine]) -> Vec<(Entry, Entry)> {
    let side = |direction: &'static str| lines.iter().filter(move |line| line.direction == direction).map(entry);
    let (incoming, outgoing): (Vec<_>, Vec<_>) = (side("incoming").collect(), side("outgoing").collect());
    let length = incoming.len().max(outgoing.len());
    let pad = |entries: Vec<Entry>| entries.into_iter().chain(std::iter::repeat_with(Entry::default));
    pad(incoming).zip(pad(outgoing)).take(length).collect()
}

fn entry(line: &JournalLine) -> Entry {
    Entry { date: short_date(line.date), annexes: line.annexes.clone(), content: line.summary.clone() }
}

fn detail(line: &JournalLine, f: &Frame) -> Detail {
    Detail {
        direction: if line.direction == "incoming" { "←" } else { "→" },
        number: line.number.clone(),
        date: short_date(line.date),
        counterparty: line.counterparty_title.clone(),
        content: line.summary.clone(),
        case: line.case.clone().unwrap_or_else(|| f.w.no_case.to_owned()),
    }
}
