//! The journal of a participant: JSON, CSV, or the printable page of §6.
//!
//! Promises: lines in the order of registration. Never: another participant's journal (the verb judges).

use crate::gateway::ports::reads::JournalFilter;
use crate::gateway::views::JournalLine;
use crate::web::WebState;
use crate::web::board;
use crate::web::caller::Caller;
use crate::web::csv::Csv;
use crate::web::params::{InQuery, bad_query, participant};
use crate::web::problem::Problem;
use crate::web::{limits, negotiate, page};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// What stands in the address of a journal.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::web) struct JournalQuery {
    /// Whose journal; the caller's own where it is a participant.
    pub participant: Option<String>,
    pub case: Option<String>,
    pub from: Option<NaiveDateText>,
    pub to: Option<NaiveDateText>,
    pub limit: Option<usize>,
    /// `json`, `csv`, `excel` or `html`; goes before `Accept`.
    pub format: Option<Form>,
}

/// A date in a form: an empty field is none.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(in crate::web) struct NaiveDateText(pub Option<NaiveDate>);

impl TryFrom<String> for NaiveDateText {
    type Error = chrono::ParseError;
    fn try_from(text: String) -> Result<Self, chrono::ParseError> {
        if text.is_empty() { Ok(Self(None)) } else { text.parse().map(Some).map(Self) }
    }
}

/// The forms a journal comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::web) enum Form {
    Json,
    Csv,
    Excel,
    Html,
}

#[derive(Serialize)]
struct Journal {
    lines: Vec<JournalLine>,
}

/// The filter that the query asks for.
pub(in crate::web) fn filter(query: &JournalQuery, caller: &Caller) -> Result<JournalFilter, Problem> {
    let of = match (query.participant.as_deref().filter(|code| !code.is_empty()), caller) {
        (Some(code), _) => participant(code)?,
        (None, Caller::System(code)) => code.clone(),
        (None, Caller::Person(_)) => return Err(bad_query("participant: whose journal?")),
    };
    Ok(JournalFilter {
        participant: of,
        case: query.case.clone().filter(|case| !case.is_empty()),
        from: query.from.and_then(|from| from.0),
        to: query.to.and_then(|to| to.0),
        limit: query.limit.unwrap_or(limits::JOURNAL_LINES_MAX).clamp(1, limits::JOURNAL_LINES_MAX),
    })
}

/// `GET /journal`
pub(super) async fn show(
    caller: Caller,
    State(state): State<WebState>,
    InQuery(query): InQuery<JournalQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let offers = [("application/json", Form::Json), ("text/csv", Form::Csv), ("text/html", Form::Html)];
    let form = query.format.or_else(|| negotiate::best(&headers, &offers)).ok_or_else(|| {
        let detail = "the journal can be read as application/json, text/csv or text/html";
        Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail)
    })?;
    let filter = filter(&query, &caller)?;
    let lines = state.gateway().journal(filter.clone(), &caller.actor()).await?;
    match form {
        Form::Json => Ok(Json(Journal { lines }).into_response()),
        Form::Csv => Ok(to_csv(&lines, Csv::plain())),
        Form::Excel => Ok(to_csv(&lines, Csv::for_spreadsheets())),
        Form::Html => board::printed_journal(&state, (&filter, &lines), page::lang(&headers)),
    }
}

/// The journal as a file.
pub(in crate::web) fn to_csv(lines: &[JournalLine], mut csv: Csv) -> Response {
    csv.line([
        "direction",
        "number",
        "date",
        "annexes",
        "summary",
        "type",
        "counterparty",
        "counterparty_title",
        "case",
        "message",
        "exchange",
    ]);
    for line in lines {
        csv.line([
            line.direction,
            &line.number,
            &line.date.to_string(),
            &line.annexes,
            &line.summary,
            line.type_code.as_str(),
            line.counterparty.as_str(),
            &line.counterparty_title,
            line.case.as_deref().unwrap_or_default(),
            &line.message.to_string(),
            &line.exchange.to_string(),
        ]);
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"journal.csv\""),
        (header::VARY, "Accept"),
    ];
    (headers, csv.finish()).into_response()
}
