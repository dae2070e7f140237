//! Who is calling: a system by its key, a person by the session cookie. Decided from the headers alone.
//!
//! Promises: runs before any byte of a body is read; a person's call that changes something carries the session's CSRF
//! token. Never: tells an unknown key from a revoked one.

use crate::domain::ids::ParticipantCode;
use crate::gateway::act::Actor;
use crate::gateway::ports::accounts::{Session, UserRole};
use crate::web::WebState;
use crate::web::problem::Problem;
use crate::web::{cookies, secrets};
use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use subtle::ConstantTimeEq;

/// The header in which a page's program repeats the session's token.
const CSRF_HEADER: &str = "x-csrf-token";

/// An authenticated caller of the API.
#[derive(Debug, Clone)]
pub(super) enum Caller {
    System(ParticipantCode),
    Person(Session),
}

impl Caller {
    /// As the verbs see it.
    pub(super) fn actor(&self) -> Actor {
        match self {
            Self::System(code) => Actor::Participant(code.clone()),
            Self::Person(session) => actor(session),
        }
    }

    /// The name under which it acts.
    pub(super) fn name(&self) -> String {
        match self {
            Self::System(code) => code.to_string(),
            Self::Person(session) => session.name.clone(),
        }
    }
}

/// A person as the verbs see one.
pub(super) fn actor(session: &Session) -> Actor {
    Actor::Person { login: session.login.clone(), name: session.name.clone(), role: session.role }
}

/// Refuses those who only read. What a clerk may do is judged by the verbs.
pub(super) fn may_act(session: &Session) -> Result<(), Problem> {
    match session.role {
        UserRole::Coordinator | UserRole::Administrator | UserRole::Clerk => Ok(()),
        UserRole::Observer => {
            Err(Problem::forbidden("observer", "an observer reads only; ask a coordinator to decide"))
        }
    }
}

impl FromRequestParts<WebState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        if parts.headers.contains_key(AUTHORIZATION) {
            return system(&parts.headers, state).await.map(Self::System);
        }
        let session = session(&parts.headers, state).await?.ok_or_else(Problem::unauthenticated)?;
        if changes(&parts.method) {
            refuse_cross_site(&parts.headers)?;
            let token = parts.headers.get(CSRF_HEADER).and_then(|token| token.to_str().ok()).unwrap_or_default();
            check_csrf(&session, token)?;
            may_act(&session)?;
        }
        Ok(Self::Person(session))
    }
}

/// A caller that must be a participant's system.
pub(super) struct System(pub ParticipantCode);

impl FromRequestParts<WebState> for System {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        match Caller::from_request_parts(parts, state).await? {
            Caller::System(code) => Ok(Self(code)),
            Caller::Person(_) => {
                Err(Problem::forbidden("participant_only", "this call is made by a participant with its key"))
            }
        }
    }
}

/// Whether a call of this method may change something.
fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD)
}

/// The participant of the key in the `Authorization` header.
async fn system(headers: &HeaderMap, state: &WebState) -> Result<ParticipantCode, Problem> {
    let stated = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let key = match stated.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => key.trim(),
        _ => return Err(Problem::unauthenticated()),
    };
    let Some(digest) = secrets::key_digest(key) else { return Err(Problem::unauthenticated()) };
    let owner = state.accounts().key_owner(digest, state.clock().now()).await?;
    owner.ok_or_else(Problem::unauthenticated)
}

/// The live session of the cookie, if there is one.
pub(super) async fn session(headers: &HeaderMap, state: &WebState) -> Result<Option<Session>, Problem> {
    let Some(digest) = cookies::session_token(headers).and_then(secrets::token_digest) else { return Ok(None) };
    Ok(state.accounts().session(digest, state.clock().now()).await?)
}

/// The token must be the session's.
pub(super) fn check_csrf(session: &Session, presented: &str) -> Result<(), Problem> {
    if bool::from(session.csrf.as_bytes().ct_eq(presented.as_bytes())) {
        return Ok(());
    }
    let detail = "the token of the session is missing or another one; load the page again, or send X-CSRF-Token";
    Err(Problem::forbidden("csrf_missing", detail))
}

/// What another site sends with a person's cookie is not that person's wish. Browsers of today say where a request comes
/// from; older ones name an origin, which is `null` where our pages forbid the referrer, and then the token decides.
pub(super) fn refuse_cross_site(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_ours = match (text("sec-fetch-site"), text(ORIGIN.as_str())) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, None | Some("null")) => true,
        (None, Some(origin)) => origin
            .split_once("://")
            .is_some_and(|(_, stated)| stated.eq_ignore_ascii_case(text(HOST.as_str()).unwrap_or_default())),
    };
    if is_ours { Ok(()) } else { Err(Problem::forbidden("cross_site", "this was sent by a page of another site")) }
}
