//! Item 5 of a case's personal file (S3): requests that went out and answers that came in, with their annexes, as JSON,
//! CSV or XLSX.
//!
//! Promises: in the order of registration; says when it is not all. Never: another participant's letters (the verb
//! judges); a file that leaves letters out.

use crate::domain::message::Attachment;
use crate::gateway::case_file::{CASE_LETTERS_MAX, CaseLetter};
use crate::gateway::views::JournalLine;
use crate::web::WebState;
use crate::web::caller::Caller;
use crate::web::params::{InPath, InQuery};
use crate::web::problem::Problem;
use crate::web::table::{self, Form, Table};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FormQuery {
    format: Option<Form>,
}

#[derive(Serialize)]
struct CaseFile<'c> {
    case: &'c str,
    /// Whether these are all letters of the case.
    complete: bool,
    letters: Vec<Letter<'c>>,
}

#[derive(Serialize)]
struct Letter<'c> {
    #[serde(flatten)]
    line: &'c JournalLine,
    /// The number of the request that an answer answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    answers: Option<&'c str>,
    attachments: Vec<Annex<'c>>,
}

#[derive(Serialize)]
struct Annex<'c> {
    annex: u32,
    name: &'c str,
    media_type: &'c str,
    size: u64,
    sha256: &'c str,
    /// Where its file is, if the gateway keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    scan: Option<String>,
}

/// `GET /cases/{case}/file`
pub(super) async fn show(
    caller: Caller,
    State(state): State<WebState>,
    InPath(case): InPath<String>,
    (InQuery(query), headers): (InQuery<FormQuery>, HeaderMap),
) -> Result<Response, Problem> {
    let form = table::form(query.format, &headers, false)?;
    let _turn = state.document().await?;
    let letters = state.gateway().case_letters(&case, &caller.actor()).await?;
    let complete = letters.len() < CASE_LETTERS_MAX;
    if form == Form::Json {
        let letters = letters.iter().map(shown).collect();
        return Ok(Json(CaseFile { case: &case, complete, letters }).into_response());
    }
    if !complete {
        let detail = "this case has more letters than a file takes; read its journal in pages";
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "journal_too_long", detail));
    }
    table(&letters).file(form, state.gateway().now()).await
}

fn shown(letter: &CaseLetter) -> Letter<'_> {
    let annex = |one| annex(one, letter);
    let attachments = letter.annexes.iter().map(annex).collect();
    Letter { line: &letter.line, answers: letter.answers.as_deref(), attachments }
}

fn annex<'c>(one: &'c Attachment, letter: &CaseLetter) -> Annex<'c> {
    let is_kept = letter.scans.contains(&one.sha256);
    Annex {
        annex: one.annex,
        name: &one.name,
        media_type: &one.media_type,
        size: one.size_bytes,
        sha256: &one.sha256,
        scan: is_kept.then(|| format!("/api/v1/scans/{}", one.sha256)),
    }
}

fn table(letters: &[CaseLetter]) -> Table {
    let row = |(place, letter): (usize, &CaseLetter)| {
        let line = &letter.line;
        let annexes = letter.annexes.iter().map(|one| format!("№ {}: {} ({})", one.annex, one.name, one.sha256));
        vec![
            (place + 1).to_string(),
            line.date.to_string(),
            line.number.clone(),
            line.direction.to_owned(),
            line.type_title.clone(),
            line.counterparty_title.clone(),
            line.summary.clone(),
            letter.answers.clone().unwrap_or_default(),
            annexes.collect::<Vec<_>>().join("\n"),
            line.channel.map(|channel| channel.code().to_owned()).unwrap_or_default(),
            line.message.to_string(),
        ]
    };
    let head = [
        "place",
        "date",
        "number",
        "direction",
        "type_title",
        "counterparty_title",
        "summary",
        "answers",
        "annexes",
        "channel",
        "message",
    ];
    Table { name: "case-file", head: head.to_vec(), rows: letters.iter().enumerate().map(row).collect() }
}
