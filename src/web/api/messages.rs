//! Submitting a message, and reading one back in either format.
//!
//! Promises: 202 after the message is on disk, 200 with the same body for a duplicate. Never: parses before the key is
//! checked.

use crate::domain::ids::{ExchangeId, MessageId};
use crate::domain::message::Format;
use crate::failpoint;
use crate::gateway::arrival::{Arrival, ChannelKind, Submitted};
use crate::web::body::{media_type, read, unsupported};
use crate::web::caller::{Caller, System};
use crate::web::negotiate;
use crate::web::params::InPath;
use crate::web::problem::Problem;
use crate::web::{WebState, limits};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

/// The formats by the media types that name them.
const MEDIA_TYPES: [(&str, Format); 5] = [
    ("application/json", Format::Json),
    ("application/vnd.mezhved.message+json", Format::Json),
    ("application/xml", Format::Xml),
    ("application/vnd.mezhved.message+xml", Format::Xml),
    ("text/xml", Format::Xml),
];

#[derive(Serialize)]
pub(super) struct Receipt {
    id: MessageId,
    exchange: ExchangeId,
    registration: Registration,
    received_at: DateTime<Utc>,
    parked: bool,
    obligations: Vec<crate::domain::decision::Opened>,
}

#[derive(Serialize)]
struct Registration {
    number: String,
    date: NaiveDate,
}

/// `POST /messages`
pub(super) async fn submit(
    System(sender): System,
    State(state): State<WebState>,
    request: Request,
) -> Result<Response, Problem> {
    let media_type = media_type(request.headers())?;
    let format = MEDIA_TYPES.iter().find(|(name, _)| *name == media_type).map(|(_, format)| *format);
    let format = format.ok_or_else(|| unsupported("send a message as application/json or application/xml"))?;
    let content = read(request, &state, limits::DOCUMENT_BYTES_MAX).await?;
    let arrival = Arrival { sender, format, content, channel: ChannelKind::Http, transport_id: None };
    let submitted = state.gateway().submit(arrival).await?;
    failpoint::reach("before-receipt");
    let status = if submitted.duplicate { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(Receipt::from(submitted))).into_response())
}

impl From<Submitted> for Receipt {
    fn from(from: Submitted) -> Self {
        let accepted = from.accepted;
        Self {
            id: from.message,
            exchange: accepted.exchange,
            registration: Registration { number: accepted.number, date: accepted.date },
            received_at: accepted.received_at,
            parked: accepted.parked,
            obligations: accepted.obligations,
        }
    }
}

/// `GET /messages/{id}`
pub(super) async fn show(
    caller: Caller,
    State(state): State<WebState>,
    InPath(id): InPath<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let offers = MEDIA_TYPES.map(|(name, format)| (name, (name, format)));
    let (media_type, format) = negotiate::best(&headers, &offers).ok_or_else(not_acceptable)?;
    let content = state.gateway().message(MessageId(id), format, &caller.actor()).await?;
    let content_type = format!("{media_type}; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, content_type), (header::VARY, "Accept".to_owned())], content).into_response())
}

fn not_acceptable() -> Problem {
    let detail = "this can be read as application/json or application/xml";
    Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail)
}
