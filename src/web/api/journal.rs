//! The journal of a participant: JSON in pages, CSV, XLSX, or the printable page of §6.
//!
//! Promises: lines in the order of registration; a file has all that was asked for, or is refused. Never: another participant's journal (the verb judges).

use crate::gateway::ports::reads::JournalFilter;
use crate::gateway::views::JournalLine;
use crate::web::WebState;
use crate::web::board;
use crate::web::caller::Caller;
use crate::web::params::{InQuery, bad_query, participant, read_place, write_place};
use crate::web::problem::Problem;
use crate::web::table::{self, Form, Table};
use crate::web::{limits, page};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
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
    /// The place where the page before ended: its `next`.
    pub after: Option<String>,
    /// `json`, `csv`, `excel`, `xlsx` or `html`; goes before `Accept`.
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

#[derive(Serialize)]
struct Journal {
    lines: Vec<JournalLine>,
    /// For `after`, where there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
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
        in_house: false,
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
    let form = table::form(query.format, &headers, true)?;
    let filter = filter(&query, &caller)?;
    let after = query.after.as_deref().map(read_place).transpose()?;
    match form {
        Form::Json => {
            let page = state.gateway().journal_page(filter, (None, after), &caller.actor()).await?;
            Ok(Json(Journal { lines: page.lines, next: page.next.map(write_place) }).into_response())
        }
        Form::Html => {
            let _turn = state.document().await?;
            let lines = state.gateway().journal(filter.clone(), &caller.actor()).await?;
            board::printed_journal(&state, (&filter, &lines), page::lang(&headers))
        }
        Form::Csv | Form::Excel | Form::Xlsx => {
            let _turn = state.document().await?;
            let lines = lines(&state, (filter, &query), &caller).await?;
            table(&lines).file(form, state.gateway().now()).await
        }
    }
}

/// As many lines as were asked for; all of them where no number was.
async fn lines(
    state: &WebState,
    (filter, query): (JournalFilter, &JournalQuery),
    caller: &Caller,
) -> Result<Vec<JournalLine>, Problem> {
    match query.limit {
        Some(_) => Ok(state.gateway().journal(filter, &caller.actor()).await?),
        None => Ok(state.gateway().whole_journal(filter, None, &caller.actor()).await?),
    }
}

/// The lines as a table, for files.
pub(in crate::web) fn table(lines: &[JournalLine]) -> Table {
    let row = |line: &JournalLine| {
        vec![
            line.direction.to_owned(),
            line.number.clone(),
            line.date.to_string(),
            line.annexes.clone(),
            line.summary.clone(),
            line.type_code.to_string(),
            line.counterparty.to_string(),
            line.counterparty_title.clone(),
            line.case.clone().unwrap_or_default(),
            line.message.to_string(),
            line.exchange.to_string(),
            line.type_title.clone(),
            line.channel.map(|channel| channel.code().to_owned()).unwrap_or_default(),
        ]
    };
    let head = [
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
        "type_title",
        "channel",
    ];
    Table { name: "journal", head: head.to_vec(), rows: lines.iter().map(row).collect() }
}
