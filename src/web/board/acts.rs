//! What a coordinator does on the pages: takes an alert, decides about a letter, decides about an obligation.
//!
//! Promises: every form carries the session's token; an observer changes nothing; afterwards one is where one was.
//! Never: acts on GET.

use crate::domain::alert::Acknowledgement;
use crate::domain::ids::ObligationId;
use crate::gateway::act::{Action, RungDecision};
use crate::gateway::ports::accounts::Session;
use crate::web::WebState;
use crate::web::caller::{self, actor};
use crate::web::login::page_form;
use crate::web::page::{self, Visitor, local_place, see_other};
use crate::web::params::InPath;
use crate::web::problem::Problem;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::NaiveDate;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// What every form of a page carries.
#[derive(Deserialize)]
struct Seal {
    csrf: String,
    #[serde(default)]
    next: String,
}

/// A form whose sender is known and means it.
pub(super) async fn sealed<T: DeserializeOwned>(
    request: Request,
    state: &WebState,
    session: &Session,
) -> Result<(T, String), Problem> {
    caller::refuse_cross_site(request.headers())?;
    caller::may_act(session)?;
    let fields: Vec<(String, String)> = page_form(request, state).await?;
    let seal: Seal = pick(&fields)?;
    caller::check_csrf(session, &seal.csrf)?;
    Ok((pick(&fields)?, local_place(&seal.next).to_owned()))
}

/// Some of the fields, as a structure.
fn pick<T: DeserializeOwned>(fields: &[(String, String)]) -> Result<T, Problem> {
    let pairs = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    T::deserialize(serde::de::value::MapDeserializer::new(pairs)).map_err(|error: serde::de::value::Error| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_form", error.to_string())
    })
}

/// Back to where the form was, with a word that it is done.
pub(super) fn back(next: &str) -> Response {
    let separator = if next.contains('?') { '&' } else { '?' };
    let place = if next.contains("done=1") { next.to_owned() } else { format!("{next}{separator}done=1") };
    see_other(&place)
}

#[derive(Deserialize)]
struct Taken {
    until: NaiveDate,
    reason: String,
}

/// `POST /obligations/{id}/acknowledgement`
pub(super) async fn acknowledge(
    Visitor { session, .. }: Visitor,
    State(state): State<WebState>,
    InPath(id): InPath<Uuid>,
    request: Request,
) -> Result<Response, Problem> {
    let (taken, next): (Taken, String) = sealed(request, &state, &session).await?;
    let until = page::zone(&state)?.end_of(taken.until);
    let with = Acknowledgement { owner: session.name.clone(), until, reason: taken.reason };
    state.gateway().acknowledge(ObligationId(id), with, actor(&session)).await?;
    Ok(back(&next))
}

#[derive(Deserialize)]
struct LetterForm {
    decision: String,
    #[serde(default)]
    reason: String,
}

/// `POST /obligations/{id}/rungs/{no}`
pub(super) async fn decide_rung(
    Visitor { session, .. }: Visitor,
    State(state): State<WebState>,
    InPath((id, no)): InPath<(Uuid, u8)>,
    request: Request,
) -> Result<Response, Problem> {
    let (form, next): (LetterForm, String) = sealed(request, &state, &session).await?;
    let decision = match form.decision.as_str() {
        "send" => RungDecision::Send,
        "decline" => RungDecision::Decline { reason: form.reason },
        _ => return Err(invalid("decision: `send` or `decline`")),
    };
    state.gateway().decide_rung((ObligationId(id), no), decision, actor(&session)).await?;
    Ok(back(&next))
}

#[derive(Deserialize)]
struct DecisionForm {
    action: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    due_on: String,
    #[serde(default)]
    second: String,
}

/// `POST /obligations/{id}/decision`
pub(super) async fn decide(
    Visitor { session, .. }: Visitor,
    State(state): State<WebState>,
    InPath(id): InPath<Uuid>,
    request: Request,
) -> Result<Response, Problem> {
    let (form, next): (DecisionForm, String) = sealed(request, &state, &session).await?;
    let DecisionForm { reason, second, .. } = form;
    let action = match form.action.as_str() {
        "release" => Action::Release,
        "return" => Action::Return { answer: None, reason },
        "extend" => Action::Extend { due_on: form.due_on.parse().map_err(|_| invalid("due_on: a date"))? },
        "withdraw" => Action::Withdraw { reason },
        "void" => Action::Void { reason, second },
        _ => return Err(invalid("action: `release`, `return`, `extend`, `withdraw` or `void`")),
    };
    state.gateway().act(ObligationId(id), action, actor(&session)).await?;
    Ok(back(&next))
}

fn invalid(detail: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_form", detail)
}
