//! The catalogue and its schemas: what can be exchanged, by whom, with which answer and term.
//!
//! Promises: what is shown here is what messages are checked by. Never: needs a key for the schemas (they are public,
//! as partners' validators fetch them without one).

use crate::catalogue::Entry;
use crate::domain::ids::TypeCode;
use crate::web::WebState;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

/// `GET /catalogue`
pub(super) async fn list(_caller: Caller, State(state): State<WebState>) -> Json<Value> {
    let types: Vec<Value> = state.gateway().catalogue().entries().map(shown).collect();
    Json(json!({"types": types}))
}

/// `GET /catalogue/{type}`: its newest version.
pub(super) async fn show(
    _caller: Caller,
    State(state): State<WebState>,
    Path(code): Path<String>,
) -> Result<Json<Value>, Problem> {
    let code = TypeCode::new(&code).map_err(|_| Problem::not_found("message type"))?;
    let entry = state.gateway().catalogue().latest(&code).ok_or_else(|| Problem::not_found("message type"))?;
    let mut shown = shown(entry);
    // The schema was read when the catalogue was loaded.
    shown["body_schema"] = serde_json::from_str(&entry.schema).unwrap_or(Value::Null);
    Ok(Json(shown))
}

fn shown(entry: &Entry) -> Value {
    let answer = entry.answer.as_ref();
    json!({
        "type": entry.code,
        "version": entry.version,
        "title_ru": entry.title_ru,
        "title_en": entry.title_en,
        "role": entry.role,
        "namespace": entry.namespace,
        "answer": answer.map(|answer| json!({
            "mandatory": answer.mandatory, "types": answer.types, "release": answer.release,
        })),
        "term": entry.term,
        "law": entry.law,
        "source": entry.source,
        "version_from": entry.version_from,
        "schemas": [
            format!("/schemas/{}.{}.schema.json", entry.code, entry.version),
            format!("/schemas/{}.{}.xsd", entry.code, entry.version),
        ],
    })
}

/// `GET /schemas/{file}`: as `mezhved schemas export` writes them.
pub(in crate::web) async fn schema(
    State(state): State<WebState>,
    Path(file): Path<String>,
) -> Result<Response, Problem> {
    let text = state.gateway().schema_file(&file).ok_or_else(|| Problem::not_found("schema"))?;
    let media_type = if file.ends_with(".xsd") { "application/xml" } else { "application/schema+json" };
    Ok(([(CONTENT_TYPE, media_type)], text.to_owned()).into_response())
}
