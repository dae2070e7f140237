//! «Электронный журнал» (S4): every registration of a participant in one year, by direction and number, with the check
//! that no number is missing.
//!
//! Promises: whole, or refused; a gap is said, never closed. Never: another participant's registers (the verb judges).

use crate::domain::ids::ParticipantCode;
use crate::gateway::ports::decisions::Direction;
use crate::gateway::ports::reads::JournalFilter;
use crate::gateway::views::JournalLine;
use crate::web::WebState;
use crate::web::api::journal;
use crate::web::board;
use crate::web::caller::Caller;
use crate::web::page;
use crate::web::params::{InQuery, bad_query, participant};
use crate::web::problem::Problem;
use crate::web::table::{self, Form};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

/// What stands in the address of a register.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::web) struct RegistryQuery {
    /// Whose; the caller's own where it is a participant.
    pub participant: Option<String>,
    /// The present one where none is stated.
    pub year: Option<String>,
    pub direction: Option<String>,
    pub format: Option<Form>,
}

/// The registers of one year.
#[derive(Debug, Clone, Serialize)]
pub(in crate::web) struct Registry {
    pub participant: ParticipantCode,
    pub year: i32,
    /// Both where none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// By direction, then by number.
    pub lines: Vec<JournalLine>,
    /// No number from 1 to the last is missing or stands twice.
    pub gap_free: bool,
}

/// The registers that the query asks for.
pub(in crate::web) async fn read(
    state: &WebState,
    query: &RegistryQuery,
    caller: &Caller,
) -> Result<Registry, Problem> {
    let of = match (query.participant.as_deref().filter(|code| !code.is_empty()), caller) {
        (Some(code), _) => participant(code)?,
        (None, Caller::System(code)) => code.clone(),
        (None, Caller::Person(_)) => return Err(bad_query("participant: whose register?")),
    };
    let year = match query.year.as_deref().filter(|year| !year.is_empty()) {
        Some(stated) => stated.parse().map_err(|_| bad_query("year: four digits"))?,
        None => {
            let zone = state.gateway().participant(&of).map(|body| body.zone);
            let now = state.gateway().now();
            zone.map_or(now.year(), |zone| zone.date(now).year())
        }
    };
    let day = |month, day| NaiveDate::from_ymd_opt(year, month, day).ok_or_else(|| bad_query("year: four digits"));
    let direction = match query.direction.as_deref().unwrap_or_default() {
        "" => None,
        "incoming" => Some(Direction::Incoming),
        "outgoing" => Some(Direction::Outgoing),
        _ => return Err(bad_query("direction: `incoming` or `outgoing`")),
    };
    let filter = JournalFilter {
        participant: of.clone(),
        case: None,
        from: Some(day(1, 1)?),
        to: Some(day(12, 31)?),
        in_house: true,
        limit: 1,
    };
    let mut lines = state.gateway().whole_journal(filter, direction, &caller.actor()).await?;
    lines.sort_by_key(|line| (line.direction, number(line)));
    Ok(Registry { participant: of, year, direction, gap_free: has_no_gap(&lines), lines })
}

fn number(line: &JournalLine) -> u64 {
    line.number.split('/').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Each direction counts from 1 without a gap.
fn has_no_gap(lines: &[JournalLine]) -> bool {
    ["incoming", "outgoing"].iter().all(|direction| {
        let of = lines.iter().filter(|line| line.direction == *direction);
        of.zip(1..).all(|(line, expected)| number(line) == expected)
    })
}

/// `GET /registry`
pub(super) async fn show(
    caller: Caller,
    State(state): State<WebState>,
    InQuery(query): InQuery<RegistryQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let form = table::form(query.format, &headers, true)?;
    let _turn = state.document().await?;
    let registry = read(&state, &query, &caller).await?;
    match form {
        Form::Json => Ok(Json(registry).into_response()),
        Form::Html => board::printed_registry(&state, registry, page::lang(&headers)),
        Form::Csv | Form::Excel | Form::Xlsx => {
            let table = table::Table { name: "registry", ..journal::table(&registry.lines) };
            table.file(form, state.gateway().now()).await
        }
    }
}
