//! The letter of a rung as a document: a page to print, or its parts as JSON.
//!
//! Promises: by `Accept`; who is accused sees what was sent to it, a draft only who writes it. Never: changes anything.

use crate::domain::ids::ObligationId;
use crate::web::WebState;
use crate::web::board;
use crate::web::caller::Caller;
use crate::web::negotiate;
use crate::web::page;
use crate::web::params::InPath;
use crate::web::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

/// `GET /obligations/{id}/rungs/{no}/letter`
pub(super) async fn show(
    caller: Caller,
    State(state): State<WebState>,
    InPath((id, no)): InPath<(Uuid, u8)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let is_page = negotiate::best(&headers, &[("application/json", false), ("text/html", true)]).ok_or_else(|| {
        let detail = "a letter can be read as text/html or application/json";
        Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail)
    })?;
    let paper = state.gateway().paper(ObligationId(id), no, &caller.actor()).await?;
    if is_page { board::printed_paper(paper, page::lang(&headers)) } else { Ok(Json(paper).into_response()) }
}
