//! The participants: whom one can write to.
//!
//! Promises: official contact data, as letters address it. Never: how a participant is reached (its endpoint).

use crate::domain::participant::Participant;
use crate::web::WebState;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Value, json};

#[derive(Serialize)]
pub(super) struct Directory {
    participants: Vec<Value>,
}

/// `GET /participants`
pub(super) async fn list(_caller: Caller, State(state): State<WebState>) -> Result<Json<Directory>, Problem> {
    let directory = state.gateway().directory();
    let mut participants: Vec<_> = directory.iter().collect();
    participants.sort_by(|one, other| one.code.cmp(&other.code));
    Ok(Json(Directory { participants: participants.into_iter().map(|one| shown(one)).collect() }))
}

fn shown(one: &Participant) -> Value {
    json!({
        "code": one.code,
        "kind": one.kind,
        "title": one.title,
        "region": one.region,
        "zone": one.zone,
        "hours": one.hours,
        "executor": one.executor,
        "head": one.head,
    })
}
