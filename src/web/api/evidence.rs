//! The evidence of an obligation as one file that a machine can verify.
//!
//! Promises: the bytes are canonical, the check sum of all before it stands at the end. Never: a signature.

use crate::domain::ids::ObligationId;
use crate::gateway::evidence::seal::seal;
use crate::web::WebState;
use crate::web::caller::Caller;
use crate::web::params::InPath;
use crate::web::problem::Problem;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

/// `GET /obligations/{id}/evidence`
pub(super) async fn show(
    caller: Caller,
    State(state): State<WebState>,
    InPath(id): InPath<Uuid>,
) -> Result<Response, Problem> {
    let pack = state.gateway().evidence(ObligationId(id), &caller.actor()).await?;
    let file = seal(&pack).map_err(|fault| {
        tracing::error!(%fault, "alarm: the evidence of an obligation cannot be written");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the file could not be made; this is our fault")
    })?;
    let name = format!("attachment; filename=\"evidence-{id}.json\"");
    let headers = [(header::CONTENT_TYPE, "application/json".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, file).into_response())
}
