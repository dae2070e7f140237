//! Whether the process lives, and whether it can do its work.
//!
//! Promises: `ready` names every reason why not. Never: needs a key; never says anything of a case.

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
    if reasons.is_empty() {
        return Json(json!({"status": "ready"})).into_response();
    }
    let answer = Json(json!({"status": "not_ready", "reasons": reasons}));
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")], answer).into_response()
}
