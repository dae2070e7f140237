//! The catalogue as programs read it: which types there are, who may send them, and what answer they demand.
//!
//! Promises: what is shown is what messages are checked by. Never: a type that this gateway does not exchange.

use crate::catalogue::Entry;
use crate::domain::ids::TypeCode;
use crate::web::WebState;
use crate::web::caller::Caller;
use crate::web::params::InPath;
use crate::web::problem::Problem;
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

/// `GET /catalogue`
pub(super) async fn list(_caller: Caller, State(state): State<WebState>) -> Json<Value> {
    let types: Vec<Value> = state.gateway().catalogue().entries().map(Entry::summary).collect();
    Json(json!({ "types": types }))
}

/// `GET /catalogue/{type}`: the latest version, with its schema.
pub(super) async fn show(
    _caller: Caller,
    State(state): State<WebState>,
    InPath(code): InPath<String>,
) -> Result<Json<Value>, Problem> {
    let code = TypeCode::new(&code).map_err(|_| Problem::not_found("message type"))?;
    let entry = state.gateway().catalogue().latest(&code).ok_or_else(|| Problem::not_found("message type"))?;
    Ok(Json(entry.shown()))
}
