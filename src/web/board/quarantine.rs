//! The quarantine as people see it: what we could not deliver, and what we could not take.
//!
//! Promises: whom to call, why it failed, and one button that lets a letter go out again. Never: content of a message.

use crate::domain::ids::{MessageId, ParticipantCode};
use crate::domain::zone::Zone;
use crate::gateway::ports::notices::NoticeView;
use crate::gateway::ports::reads::{DeliveryRow, QuarantineView};
use crate::web::WebState;
use crate::web::board::acts::{back, sealed};
use crate::web::board::row::Body;
use crate::web::caller::actor;
use crate::web::dates::minute;
use crate::web::page::{self, Frame, Visitor};
use crate::web::params::{InPath, InQuery};
use crate::web::problem::Problem;
use crate::web::text::filters;
use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use uuid::Uuid;

/// Rows of a page.
const ROWS: usize = 100;

#[derive(Template)]
#[template(path = "quarantine.html")]
struct QuarantinePage {
    f: Frame,
    letters: Vec<Letter>,
    /// How many letters were given up; the page shows the latest.
    given_up: u64,
    notices: Vec<Told>,
    refused: Vec<Refused>,
    /// The place of the next page.
    next: Option<u64>,
    done: bool,
}

/// A letter that was given up.
struct Letter {
    message: MessageId,
    recipient: ParticipantCode,
    body: Body,
    attempts: u32,
    at: String,
    error: String,
}

/// A mail or webhook that was given up.
struct Told {
    id: Uuid,
    title: String,
    whom: String,
    subject: String,
    attempts: u32,
    at: String,
    error: String,
}

/// Something that was not taken.
struct Refused {
    at: String,
    source: String,
    title: String,
    message: String,
    code: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QuarantineQuery {
    before: Option<u64>,
    done: Option<u8>,
}

/// `GET /quarantine`
pub(super) async fn show(
    visitor: Visitor,
    State(state): State<WebState>,
    InQuery(query): InQuery<QuarantineQuery>,
) -> Result<Response, Problem> {
    let zone = page::zone(&state)?;
    let letters = state.gateway().undeliverable(ROWS).await?;
    let refused = state.gateway().quarantine(query.before, ROWS).await?;
    let notices = state.gateway().undeliverable_notices(ROWS).await?;
    let given_up = state.gateway().figures().await?.deliveries_undeliverable;
    page::render(&QuarantinePage {
        given_up,
        f: visitor.frame("quarantine"),
        letters: letters.into_iter().map(|row| letter(row, &state, zone)).collect(),
        notices: notices.into_iter().map(|row| told(row, &state, zone)).collect(),
        next: refused.last().filter(|_| refused.len() == ROWS).map(|row| row.seq),
        refused: refused.into_iter().map(|row| self::refused(row, &state, zone)).collect(),
        done: query.done.is_some(),
    })
}

/// No field of its own: the address says which letter.
#[derive(Deserialize)]
struct Nothing {}

/// `POST /quarantine/{message}/{recipient}`
pub(super) async fn send_again(
    Visitor { session, .. }: Visitor,
    State(state): State<WebState>,
    InPath((message, recipient)): InPath<(Uuid, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let (Nothing {}, _) = sealed(request, &state, &session).await?;
    let recipient = ParticipantCode::new(&recipient)
        .map_err(|_| Problem::new(StatusCode::NOT_FOUND, "not_found", "there is no such letter"))?;
    state.gateway().send_again(MessageId(message), recipient, actor(&session)).await?;
    Ok(back("/quarantine"))
}

/// `POST /quarantine/notices/{id}`
pub(super) async fn tell_again(
    Visitor { session, .. }: Visitor,
    State(state): State<WebState>,
    InPath(id): InPath<Uuid>,
    request: Request,
) -> Result<Response, Problem> {
    let (Nothing {}, _) = sealed(request, &state, &session).await?;
    state.gateway().notice_again(id, &actor(&session)).await?;
    Ok(back("/quarantine"))
}

fn told(row: NoticeView, state: &WebState, zone: Zone) -> Told {
    Told {
        id: row.id,
        title: Body::new(&state.gateway().party(&row.recipient)).title,
        whom: format!("{}, {}", row.medium.code(), row.whom.code()),
        subject: row.subject,
        attempts: row.attempts,
        at: minute(row.queued_at, zone),
        error: row.error,
    }
}

fn letter(row: DeliveryRow, state: &WebState, zone: Zone) -> Letter {
    Letter {
        message: row.message,
        body: Body::new(&state.gateway().party(&row.recipient)),
        recipient: row.recipient,
        attempts: row.attempts,
        at: minute(row.queued_at, zone),
        error: row.error.unwrap_or_default(),
    }
}

fn refused(row: QuarantineView, state: &WebState, zone: Zone) -> Refused {
    let title = row.participant.map(|code| Body::new(&state.gateway().party(&code)).title);
    Refused {
        at: minute(row.at, zone),
        source: row.source,
        title: title.unwrap_or_else(|| "—".to_owned()),
        message: row.message.map_or_else(|| "—".to_owned(), |id| id.to_string()),
        code: row.code,
        reason: row.reason,
    }
}
