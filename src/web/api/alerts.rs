//! Alerts that are not resolved, and taking one.
//!
//! Promises: an acknowledgement names its owner, its end and its reason. Never: stops the legal clock.

use crate::domain::alert::Acknowledgement;
use crate::domain::ids::ObligationId;
use crate::gateway::ports::reads::DutyFilter;
use crate::gateway::views::{AlertView, ObligationView};
use crate::web::WebState;
use crate::web::api::obligations;
use crate::web::body::Command;
use crate::web::caller::Caller;
use crate::web::params::{InPath, InQuery, page_rows, read_cursor};
use crate::web::problem::Problem;
use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlertQuery {
    after: Option<String>,
    limit: Option<usize>,
}

/// An alert with its obligation, whose id it bears.
#[derive(Serialize)]
pub(super) struct AlertRow {
    id: ObligationId,
    #[serde(flatten)]
    alert: AlertView,
    obligation: ObligationView,
}

#[derive(Serialize)]
pub(super) struct AlertList {
    alerts: Vec<AlertRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// `GET /alerts`
pub(super) async fn list(
    caller: Caller,
    State(state): State<WebState>,
    InQuery(query): InQuery<AlertQuery>,
) -> Result<Json<AlertList>, Problem> {
    let after = query.after.as_deref().map(read_cursor).transpose()?;
    let filter = DutyFilter { alerted: true, after, limit: page_rows(query.limit), ..DutyFilter::default() };
    let page = obligations::page(&state, filter, &caller).await?;
    let row = |obligation: ObligationView| {
        let alert = obligation.alert.clone()?;
        Some(AlertRow { id: obligation.id, alert, obligation })
    };
    Ok(Json(AlertList { alerts: page.obligations.into_iter().filter_map(row).collect(), next: page.next }))
}

/// «Mine until …, because …».
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Taken {
    /// The caller, where nobody is named.
    #[serde(default)]
    owner: Option<String>,
    until: DateTime<Utc>,
    reason: String,
}

/// `POST /alerts/{obligation}/acknowledgement`
pub(super) async fn acknowledge(
    caller: Caller,
    State(state): State<WebState>,
    InPath(id): InPath<Uuid>,
    Command(taken): Command<Taken>,
) -> Result<Json<ObligationView>, Problem> {
    let owner = taken.owner.unwrap_or_else(|| caller.name());
    let with = Acknowledgement { owner, until: taken.until, reason: taken.reason };
    Ok(Json(state.gateway().acknowledge(ObligationId(id), with, caller.actor()).await?))
}
