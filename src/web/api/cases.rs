//! Cases: lists, one with its history and consents, decisions about it, and the log of its disclosures.
//!
//! Promises: for people and systems of the centre that keeps the case; reading is written down. Never: decides itself.

use crate::domain::case::CaseKey;
use crate::domain::case::act::CaseAct;
use crate::domain::case::history::Standing;
use crate::domain::ids::ParticipantCode;
use crate::gateway::cases::DISCLOSURES_MAX;
use crate::gateway::cases::views::{CaseLine, CaseView, DisclosureLine};
use crate::gateway::ports::cases::CaseFilter;
use crate::web::WebState;
use crate::web::body::Command;
use crate::web::caller::Caller;
use crate::web::negotiate;
use crate::web::params::{InPath, InQuery, bad_query, page_rows, participant};
use crate::web::problem::Problem;
use crate::web::table::{Form, Table};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CaseQuery {
    /// `named`, `open` or `closed`.
    standing: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct CaseList {
    cases: Vec<CaseLine>,
    /// For `after`, where there may be more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// `GET /cases`
pub(super) async fn list(
    caller: Caller,
    State(state): State<WebState>,
    InQuery(query): InQuery<CaseQuery>,
) -> Result<Json<CaseList>, Problem> {
    let standing = query.standing.as_deref().map(standing).transpose()?;
    let after = query.after.as_deref().map(read_cursor).transpose()?;
    let limit = page_rows(query.limit);
    let filter = CaseFilter { centres: Vec::new(), standing, after, limit };
    let cases = state.gateway().cases(filter, &caller.actor()).await?;
    let last = cases.last().filter(|_| cases.len() >= limit);
    let next = last.map(|last| format!("{}:{}", last.centre, last.number));
    Ok(Json(CaseList { cases, next }))
}

/// Where a family stands, by its code.
pub(in crate::web) fn standing(code: &str) -> Result<Standing, Problem> {
    let all = [Standing::Named, Standing::Open, Standing::Closed];
    all.into_iter().find(|one| one.code() == code).ok_or_else(|| bad_query("standing: named, open or closed"))
}

/// The end of a page: the centre and the number of its last row.
pub(in crate::web) fn read_cursor(cursor: &str) -> Result<CaseKey, Problem> {
    let read = || {
        let (centre, number) = cursor.split_once(':')?;
        Some(CaseKey { centre: ParticipantCode::new(centre).ok()?, number: number.to_owned() })
    };
    read().ok_or_else(|| bad_query("after: take the cursor as `next` gave it"))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OfCentre {
    /// Whose case, where several centres keep one of this number.
    centre: Option<String>,
}

impl OfCentre {
    fn code(&self) -> Result<Option<ParticipantCode>, Problem> {
        self.centre.as_deref().map(participant).transpose()
    }
}

/// `GET /cases/{number}`
pub(super) async fn show(
    caller: Caller,
    State(state): State<WebState>,
    InPath(number): InPath<String>,
    InQuery(query): InQuery<OfCentre>,
) -> Result<Json<CaseView>, Problem> {
    let centre = query.code()?;
    Ok(Json(state.gateway().case(centre.as_ref(), &number, &caller.actor()).await?))
}

/// `POST /cases/{number}`
pub(super) async fn decide(
    caller: Caller,
    State(state): State<WebState>,
    InPath(number): InPath<String>,
    InQuery(query): InQuery<OfCentre>,
    Command(act): Command<CaseAct>,
) -> Result<Json<CaseView>, Problem> {
    let centre = query.code()?;
    Ok(Json(state.gateway().decide_case((centre.as_ref(), &number), act, &caller.actor()).await?))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DisclosureQuery {
    centre: Option<String>,
    before: Option<u64>,
    limit: Option<usize>,
    /// `json`, `csv` or `excel`; goes before `Accept`.
    format: Option<DisclosureForm>,
}

/// The forms that the log comes in.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DisclosureForm {
    Json,
    Csv,
    Excel,
}

#[derive(Serialize)]
struct Disclosures {
    disclosures: Vec<DisclosureLine>,
}

/// `GET /cases/{number}/disclosures`
pub(super) async fn disclosures(
    caller: Caller,
    State(state): State<WebState>,
    InPath(number): InPath<String>,
    InQuery(query): InQuery<DisclosureQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let offers = [("application/json", DisclosureForm::Json), ("text/csv", DisclosureForm::Csv)];
    let form = query.format.or_else(|| negotiate::best(&headers, &offers)).ok_or_else(|| {
        let detail = "the log can be read as application/json or text/csv";
        Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail)
    })?;
    let centre = query.centre.as_deref().map(participant).transpose()?;
    // A file that does not say otherwise is the whole log.
    let (limit, _turn) = match form {
        DisclosureForm::Json => (query.limit.unwrap_or(DISCLOSURES_MAX).min(DISCLOSURES_MAX), None),
        DisclosureForm::Csv | DisclosureForm::Excel => {
            (query.limit.unwrap_or(usize::MAX), Some(state.document().await?))
        }
    };
    let of = (centre.as_ref(), number.as_str());
    let lines = state.gateway().disclosures(of, (query.before, limit), &caller.actor()).await?;
    Ok(match form {
        DisclosureForm::Json => Json(Disclosures { disclosures: lines }).into_response(),
        DisclosureForm::Csv => table(&lines).file(Form::Csv, state.gateway().now()).await?,
        DisclosureForm::Excel => table(&lines).file(Form::Excel, state.gateway().now()).await?,
    })
}

/// The log as a table, for files.
fn table(lines: &[DisclosureLine]) -> Table {
    let head = vec!["seq", "at", "kind", "what", "by", "to", "ground", "ground_words", "message", "exchange"];
    let row = |line: &DisclosureLine| {
        vec![
            line.seq.to_string(),
            line.at.to_rfc3339(),
            line.kind.to_owned(),
            line.what.clone(),
            line.by.clone(),
            line.to.clone(),
            line.ground.code().to_owned(),
            line.ground.words(),
            line.message.map(|id| id.to_string()).unwrap_or_default(),
            line.exchange.map(|id| id.to_string()).unwrap_or_default(),
        ]
    };
    Table { name: "disclosures", head, rows: lines.iter().map(row).collect() }
}
