//! The inbox of a participant without an endpoint: it pulls, and registers what it took.
//!
//! Promises: a letter stays until it is registered or refused; a page is bounded in letters and in bytes. Never: shows another participant's letters.

use crate::domain::ids::MessageId;
use crate::gateway::act::RegistrationNotice;
use crate::gateway::ports::reads::InboxPage;
use crate::gateway::views::{DeliveryView, InboxLetter};
use crate::web::WebState;
use crate::web::body::Command;
use crate::web::caller::System;
use crate::web::limits::{INBOX_BATCH, INBOX_PAGE_BYTES};
use crate::web::params::{InPath, InQuery, page_rows};
use crate::web::problem::Problem;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InboxQuery {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct InboxList {
    letters: Vec<InboxLetter>,
    /// For `after`, where there may be more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

/// `GET /inbox`
pub(super) async fn list(
    System(recipient): System,
    State(state): State<WebState>,
    InQuery(query): InQuery<InboxQuery>,
) -> Result<Json<InboxList>, Problem> {
    let (limit, mut after) = (page_rows(query.limit), query.after);
    let (mut letters, mut bytes) = (Vec::new(), 0);
    loop {
        let wanted = INBOX_BATCH.min(limit - letters.len());
        let page = InboxPage { recipient: recipient.clone(), after, limit: wanted };
        let batch: Vec<InboxLetter> = state.gateway().inbox(page).await?;
        let is_last = batch.len() < wanted;
        after = batch.last().map_or(after, |letter| letter.seq);
        bytes += batch.iter().map(|letter| letter.content.len()).sum::<usize>();
        letters.extend(batch);
        if is_last {
            return Ok(Json(InboxList { letters, next: None }));
        }
        if letters.len() >= limit || bytes >= INBOX_PAGE_BYTES {
            return Ok(Json(InboxList { letters, next: Some(after) }));
        }
    }
}

/// `POST /inbox/{id}/registration`
pub(super) async fn register(
    System(recipient): System,
    State(state): State<WebState>,
    InPath(id): InPath<Uuid>,
    Command(notice): Command<RegistrationNotice>,
) -> Result<Json<DeliveryView>, Problem> {
    Ok(Json(state.gateway().register_delivery(MessageId(id), &recipient, notice).await?))
}
