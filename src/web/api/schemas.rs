//! The schemas as files, as `mezhved schemas export` writes them.
//!
//! Promises: what is given here is what messages are checked by. Never: needs a key (partners' validators fetch without).

use crate::web::WebState;
use crate::web::params::InPath;
use crate::web::problem::Problem;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};

/// `GET /schemas/{file}`
pub(in crate::web) async fn show(
    State(state): State<WebState>,
    InPath(file): InPath<String>,
) -> Result<Response, Problem> {
    let text = state.gateway().schema_file(&file).ok_or_else(|| Problem::not_found("schema"))?;
    let media_type = if file.ends_with(".xsd") { "application/xml" } else { "application/schema+json" };
    Ok(([(CONTENT_TYPE, media_type)], text.to_owned()).into_response())
}
