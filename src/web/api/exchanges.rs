//! The chronology of an exchange with its proofs.
//!
//! Promises: as the verb gives it. Never: the body of a message.

use crate::domain::ids::ExchangeId;
use crate::gateway::views::Chronology;
use crate::web::WebState;
use crate::web::caller::Caller;
use crate::web::params::InPath;
use crate::web::problem::Problem;
use axum::Json;
use axum::extract::State;
use uuid::Uuid;

/// `GET /exchanges/{id}`
pub(super) async fn show(
    caller: Caller,
    State(state): State<WebState>,
    InPath(id): InPath<Uuid>,
) -> Result<Json<Chronology>, Problem> {
    Ok(Json(state.gateway().chronology(ExchangeId(id), &caller.actor()).await?))
}
