//! Whether the process lives, and whether it can do its work.
//!
//! Promises: `ready` names every reason why not, and what an operator should look at though it is. Never: needs a key; never says anything of a case.

use crate::web::WebState;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// `GET /health/live`
pub(super) async fn live() -> Response {
    Json(json!({"status": "live"})).into_response()
}

/// `GET /health/ready`
pub(super) async fn ready(State(state): State<WebState>) -> Response {
    let mut reasons = state.gateway().unready_reasons().await;
    if state.closing().is_cancelled() {
        reasons.push("the process is stopping".to_owned());
    }
    let warnings = state.gateway().warnings();
    if reasons.is_empty() {
        return Json(json!({"status": "ready", "warnings": warnings})).into_response();
    }
    let answer = Json(json!({"status": "not_ready", "reasons": reasons, "warnings": warnings}));
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")], answer).into_response()
}
