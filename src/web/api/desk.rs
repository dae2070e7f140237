//! The clerk's desk for programs of the centre's own people: registering what came or went without a wire, handing over
//! what waits, and the scans.
//!
//! Promises: 202 after the message and its scans are on disk; a scan is only ever given as a file to be saved.
//! Never: takes this from a system's key: a person answers for it.

use crate::domain::ids::{MessageId, ParticipantCode};
use crate::gateway::desk::{DeskEntry, HandoverNotice};
use crate::gateway::views::DeliveryView;
use crate::limits::DOCUMENT_BYTES_MAX;
use crate::web::api::messages::Receipt;
use crate::web::body::{Command, media_type, read};
use crate::web::caller::Caller;
use crate::web::params::InPath;
use crate::web::problem::Problem;
use crate::web::{WebState, upload};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

/// `POST /desk/messages`: JSON alone, or a form with the part `entry` (that JSON) and files.
pub(super) async fn register(
    caller: Caller,
    State(state): State<WebState>,
    request: Request,
) -> Result<Response, Problem> {
    if matches!(caller, Caller::System(_)) {
        let detail = "a person of the centre registers this and answers for it: log in, or use the board";
        return Err(Problem::forbidden("person_needed", detail).closing());
    }
    let (entry, files, _held);
    if media_type(request.headers())? == "application/json" {
        let content = read(request, &state, DOCUMENT_BYTES_MAX).await?;
        (entry, files) = (of(&content)?, Vec::new());
    } else {
        let mut form = upload::read(request, &state).await?;
        entry = of(form.field("entry").as_bytes())?;
        files = std::mem::take(&mut form.files);
        _held = form;
    }
    let submitted = state.gateway().register_by_hand(entry, files, &caller.actor()).await?;
    let status = if submitted.duplicate { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(Receipt::from(submitted))).into_response())
}

fn of(content: &[u8]) -> Result<DeskEntry, Problem> {
    let fault = |error: serde_json::Error| {
        let (status, code) = match error.is_data() {
            true => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_command"),
            false => (StatusCode::BAD_REQUEST, "not_well_formed"),
        };
        Problem::new(status, code, error.to_string())
    };
    serde_json::from_slice(content).map_err(fault)
}

/// `POST /desk/deliveries/{message}/{recipient}`
pub(super) async fn hand_over(
    caller: Caller,
    State(state): State<WebState>,
    InPath((message, recipient)): InPath<(Uuid, String)>,
    Command(notice): Command<HandoverNotice>,
) -> Result<Json<DeliveryView>, Problem> {
    let recipient = ParticipantCode::new(&recipient).map_err(|_| Problem::not_found("letter"))?;
    Ok(Json(state.gateway().hand_over((MessageId(message), recipient), notice, &caller.actor()).await?))
}

/// `GET /scans/{sha256}`: saved, never shown in our own pages' name.
pub(super) async fn scan(
    caller: Caller,
    State(state): State<WebState>,
    InPath(sha256): InPath<String>,
) -> Result<Response, Problem> {
    let _turn = state.document().await?;
    let scan = state.gateway().scan(&sha256, &caller.actor()).await?;
    let headers = [
        (header::CONTENT_TYPE, scan.media_type.clone()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", scan.file_name(&sha256))),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, scan.content).into_response())
}
