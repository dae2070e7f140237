//! The catalogue as programs read it: which types there are, who may send them, and what answer they demand.
//!
//! Promises: what is shown is what messages are checked by. Never: a type that this gateway does not exchange.

use crate::catalogue::{Entry, Parties, Party, TermEntry};
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
    let types: Vec<Value> = state.gateway().catalogue().entries().map(summary).collect();
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
    let mut shown = summary(entry);
    shown["parties"] = entry.parties.iter().map(parties).collect();
    shown["law"] = json!(entry.law);
    shown["source"] = json!(entry.source);
    shown["version_from"] = json!(entry.version_from);
    shown["extension_max_days"] = json!(entry.extension_max_days);
    shown["sent_within"] = json!(entry.sent_within.as_ref().map(term));
    shown["namespace"] = json!(entry.namespace);
    // The schema was read when the catalogue was loaded; it is JSON.
    shown["schema"] = serde_json::from_str(&entry.schema).unwrap_or(Value::Null);
    Ok(Json(shown))
}

fn summary(entry: &Entry) -> Value {
    json!({
        "type": entry.code,
        "version": entry.version,
        "title": entry.title_ru,
        "title_en": entry.title_en,
        "role": entry.role,
        "answer": entry.answer.as_ref().map(|answer| json!({
            "mandatory": answer.mandatory,
            "types": answer.types,
            "release": answer.release,
        })),
        "term": entry.term.as_ref().map(term),
    })
}

fn term(term: &TermEntry) -> Value {
    json!(term)
}

fn parties(one: &Parties) -> Value {
    json!({ "from": one.from.iter().map(party).collect::<Value>(), "to": one.to.iter().map(party).collect::<Value>() })
}

fn party(party: &Party) -> Value {
    match party {
        Party::Any => json!("any"),
        Party::Gateway => json!("gateway"),
        Party::Kind(kind) => json!(kind),
    }
}
