//! Item 5 of the personal file of a case, for print (S3): requests that went out, answers that came in, with annexes.
//!
//! Promises: in the order of registration; a case that has none says so. Never: a name of the family (a case is a number).

use crate::gateway::case_file::{CASE_LETTERS_MAX, CaseLetter};
use crate::web::WebState;
use crate::web::caller;
use crate::web::dates::{counted, minute, short_date};
use crate::web::page::{self, Frame, Visitor, encoded};
use crate::web::params::InPath;
use crate::web::problem::Problem;
use crate::web::text::filters;
use crate::web::words::Lang;
use crate::web::words::evidence::EvidenceWords;
use askama::Template;
use axum::extract::State;
use axum::response::Response;

/// One letter.
struct Row {
    date: String,
    number: String,
    what: &'static str,
    counterparty: String,
    content: String,
    /// «на № 1/2026».
    answers: Option<String>,
    /// Each with the address of its file, where the gateway keeps it.
    annexes: Vec<(String, Option<String>)>,
}

#[derive(Template)]
#[template(path = "case_file.html")]
struct CasePage {
    f: Frame,
    e: &'static EvidenceWords,
    case: String,
    made: String,
    rows: Vec<Row>,
    truncated: bool,
    /// The same as a file.
    link: String,
}

/// Where the letters of a case stand; a case number may hold a slash.
pub(super) fn address(case: &str) -> String {
    format!("/cases/{}/file", encoded(case).replace('/', "%2F"))
}

/// `GET /cases/{case}/file`
pub(super) async fn show(
    visitor: Visitor,
    State(state): State<WebState>,
    InPath(case): InPath<String>,
) -> Result<Response, Problem> {
    let (zone, lang) = (page::zone(&state)?, visitor.lang);
    let _turn = state.document().await?;
    let letters = state.gateway().case_letters(&case, &caller::actor(&visitor.session)).await?;
    page::render(&CasePage {
        e: lang.evidence(),
        made: format!("{} {}", minute(state.gateway().now(), zone), zone.name()),
        truncated: letters.len() >= CASE_LETTERS_MAX,
        rows: letters.iter().map(|letter| row(letter, lang)).collect(),
        link: format!("/api/v1{}", address(&case)),
        case,
        f: visitor.frame("journal"),
    })
}

fn row(letter: &CaseLetter, lang: Lang) -> Row {
    let (line, e) = (&letter.line, lang.evidence());
    let annexes = letter.annexes.iter().map(|one| {
        let size = counted(one.size_bytes, lang, e.bytes);
        let link = letter.scans.contains(&one.sha256).then(|| format!("/api/v1/scans/{}", one.sha256));
        (format!("№ {}: {} ({size})", one.annex, one.name), link)
    });
    Row {
        date: short_date(line.date),
        number: line.number.clone(),
        what: if line.direction == "outgoing" { e.case_request } else { e.case_answer },
        counterparty: line.counterparty_title.clone(),
        content: line.summary.clone(),
        answers: letter.answers.as_ref().map(|number| format!("{} № {number}", lang.words().on_request)),
        annexes: annexes.collect(),
    }
}
