//! Obligations: lists by filter, one, its explanation, and the controller's decisions.
//!
//! Promises: an unknown filter is refused; 409 when the state does not allow a decision. Never: decides itself.

use crate::domain::ids::ObligationId;
use crate::domain::obligation::State as ObligationState;
use crate::gateway::act::{Action, RungDecision};
use crate::gateway::ports::decisions::Direction;
use crate::gateway::ports::reads::DutyFilter;
use crate::gateway::views::{Explanation, ObligationView};
use crate::web::WebState;
use crate::web::body::Command;
use crate::web::caller::Caller;
use crate::web::params::{InPath, InQuery, instant, page_rows, participant, read_cursor, write_cursor};
use crate::web::problem::Problem;
use axum::Json;
use axum::extract::State;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ObligationQuery {
    /// `incoming` is owed to the caller (or to `participant`), `outgoing` is owed by it.
    direction: Option<Direction>,
    state: Option<ObligationState>,
    /// Open and past the due date.
    overdue: bool,
    /// With `direction`: whose side; else the performer.
    participant: Option<String>,
    due_before: Option<String>,
    case: Option<String>,
    open: bool,
    /// With an alert that is not resolved.
    alerted: bool,
    /// With a rung that waits for a decision.
    prepared: bool,
    after: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct ObligationList {
    pub obligations: Vec<ObligationView>,
    /// For `after`, where there may be more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl ObligationQuery {
    fn filter(self, state: &WebState) -> Result<DutyFilter, Problem> {
        let named = self.participant.as_deref().map(participant).transpose()?;
        let (viewer, performer) = if self.direction.is_some() { (named, None) } else { (None, named) };
        Ok(DutyFilter {
            viewer,
            direction: self.direction,
            state: self.state,
            overdue_at: self.overdue.then(|| state.gateway().now()),
            performer,
            due_before: self.due_before.as_deref().map(instant).transpose()?,
            case: self.case,
            open_only: self.open,
            alerted: self.alerted,
            prepared: self.prepared,
            after: self.after.as_deref().map(read_cursor).transpose()?,
            limit: page_rows(self.limit),
        })
    }
}

/// A page of obligations with the cursor of the next.
pub(super) async fn page(state: &WebState, filter: DutyFilter, caller: &Caller) -> Result<ObligationList, Problem> {
    let limit = filter.limit;
    let obligations = state.gateway().obligations(filter, &caller.actor()).await?;
    let last = obligations.last().filter(|_| obligations.len() >= limit);
    let next = last.map(|last| write_cursor((last.due_at, last.id)));
    Ok(ObligationList { obligations, next })
}

/// `GET /obligations`
pub(super) async fn list(
    caller: Caller,
    State(state): State<WebState>,
    InQuery(query): InQuery<ObligationQuery>,
) -> Result<Json<ObligationList>, Problem> {
    let filter = query.filter(&state)?;
    Ok(Json(page(&state, filter, &caller).await?))
}

/// `GET /obligations/{id}`
pub(super) async fn show(
    caller: Caller,
    State(state): State<WebState>,
    InPath(id): InPath<Uuid>,
) -> Result<Json<ObligationView>, Problem> {
    Ok(Json(state.gateway().obligation(ObligationId(id), &caller.actor()).await?))
}

/// `GET /obligations/{id}/explanation`
pub(super) async fn explain(
    caller: Caller,
    State(state): State<WebState>,
    InPath(id): InPath<Uuid>,
) -> Result<Json<Explanation>, Problem> {
    Ok(Json(state.gateway().explanation(ObligationId(id), &caller.actor()).await?))
}

async fn act(state: &WebState, id: Uuid, (action, caller): (Action, Caller)) -> Result<Json<ObligationView>, Problem> {
    Ok(Json(state.gateway().act(ObligationId(id), action, caller.actor()).await?))
}

/// `POST /obligations/{id}/release`
pub(super) async fn release(
    caller: Caller,
    State(state): State<WebState>,
    InPath(id): InPath<Uuid>,
) -> Result<Json<ObligationView>, Problem> {
    act(&state, id, (Action::Release, caller)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Returned {
    #[serde(default)]
    answer: Option<Uuid>,
    reason: String,
}

/// `POST /obligations/{id}/return`
pub(super) async fn send_back(
    caller: Caller,
    State(state): State<WebState>,
    InPath(id): InPath<Uuid>,
    Command(returned): Command<Returned>,
) -> Result<Json<ObligationView>, Problem> {
    let answer = returned.answer.map(crate::domain::ids::MessageId);
    act(&state, id, (Action::Return { answer, reason: returned.reason }, caller)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Extended {
    due_on: NaiveDate,
}

/// `POST /obligations/{id}/extend`
pub(super) async fn extend(
    caller: Caller,
    State(state): State<WebState>,
    InPath(id): InPath<Uuid>,
    Command(Extended { due_on }): Command<Extended>,
) -> Result<Json<ObligationView>, Problem> {
    act(&state, id, (Action::Extend { due_on }, caller)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Withdrawn {
    reason: String,
}

/// `POST /obligations/{id}/withdraw`
pub(super) async fn withdraw(
    caller: Caller,
    State(state): State<WebState>,
    InPath(id): InPath<Uuid>,
    Command(Withdrawn { reason }): Command<Withdrawn>,
) -> Result<Json<ObligationView>, Problem> {
    act(&state, id, (Action::Withdraw { reason }, caller)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Voided {
    reason: String,
    second: String,
}

/// `POST /obligations/{id}/void`
pub(super) async fn void(
    caller: Caller,
    State(state): State<WebState>,
    InPath(id): InPath<Uuid>,
    Command(Voided { reason, second }): Command<Voided>,
) -> Result<Json<ObligationView>, Problem> {
    act(&state, id, (Action::Void { reason, second }, caller)).await
}

/// `POST /obligations/{id}/rungs/{no}`
pub(super) async fn decide_rung(
    caller: Caller,
    State(state): State<WebState>,
    InPath((id, no)): InPath<(Uuid, u8)>,
    Command(decision): Command<RungDecision>,
) -> Result<Json<ObligationView>, Problem> {
    Ok(Json(state.gateway().decide_rung((ObligationId(id), no), decision, caller.actor()).await?))
}
