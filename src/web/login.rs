//! Logging in and out.
//!
//! Promises: an unknown name costs the same work and gets the same answer as a wrong password; at most two passwords are
//! checked at the same time; the token is new at every login. Never: logs a name.

use crate::gateway::ports::accounts::{Session, User};
use crate::web::limits::{FORM_BYTES_MAX, PASSWORD_BYTES_MAX, PASSWORD_CHECKS_MAX, SESSION_HOURS};
use crate::web::page::{self, Frame, local_place, see_other};
use crate::web::params::InQuery;
use crate::web::problem::Problem;
use crate::web::secrets::{self, SecretFault, Token};
use crate::web::server::Peer;
use crate::web::text::filters;
use crate::web::throttle::Attempt;
use crate::web::{WebState, body, caller, cookies};
use askama::Template;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::Duration;
use serde::Deserialize;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::time::Instant;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    f: Frame,
    next: &'a str,
    /// What went wrong.
    fault: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct NextQuery {
    #[serde(default)]
    next: String,
    lang: Option<String>,
}

/// `GET /login`
pub(super) async fn show(InQuery(query): InQuery<NextQuery>, headers: HeaderMap) -> Result<Response, Problem> {
    page::render(&LoginPage {
        f: Frame::new(page::lang(&headers), None, ""),
        next: local_place(&query.next),
        fault: None,
    })
}

#[derive(Deserialize)]
struct LoginForm {
    login: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// `POST /login`
pub(super) async fn submit(
    State(state): State<WebState>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    caller::refuse_cross_site(&headers)?;
    let form: LoginForm = page_form(request, &state).await?;
    let attempt = Attempt::new(&form.login, address(&headers, peer, &state));
    if let Err(wait) = state.throttle().begin(attempt, Instant::now()) {
        outcome("throttled");
        let seconds = wait.as_secs() + 1;
        let fault = format!("{} {seconds}", page::lang(&headers).words().login_wait);
        return refuse(&headers, &form, (StatusCode::TOO_MANY_REQUESTS, fault, Some(seconds)));
    }
    let user = state.accounts().user(&form.login).await?;
    let Some(user) = state.passwords().check(user, form.password.clone()).await? else {
        outcome("failed");
        tracing::warn!(event = "security.login_failed", "a login failed");
        let fault = page::lang(&headers).words().login_failed.to_owned();
        return refuse(&headers, &form, (StatusCode::UNAUTHORIZED, fault, None));
    };
    state.throttle().succeeded(attempt);
    outcome("succeeded");
    begin_session(&state, (user, &headers), &form.next).await
}

fn outcome(outcome: &'static str) {
    metrics::counter!("mezhved_logins_total", "outcome" => outcome).increment(1);
}

/// A form of the pages, read and decoded.
pub(super) async fn page_form<T: serde::de::DeserializeOwned>(
    request: Request,
    state: &WebState,
) -> Result<T, Problem> {
    if body::media_type(request.headers())? != "application/x-www-form-urlencoded" {
        return Err(body::unsupported("send this as application/x-www-form-urlencoded"));
    }
    let content = body::read(request, state, FORM_BYTES_MAX).await?;
    body::decode_form(&content)
}

fn refuse(
    headers: &HeaderMap,
    form: &LoginForm,
    (status, fault, wait): (StatusCode, String, Option<u64>),
) -> Result<Response, Problem> {
    let f = Frame::new(page::lang(headers), None, "");
    let mut response = page::render(&LoginPage { f, next: local_place(&form.next), fault: Some(fault) })?;
    *response.status_mut() = status;
    if let Some(seconds) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

/// A new session under a new token; the one that the browser had before ends.
async fn begin_session(state: &WebState, (user, headers): (User, &HeaderMap), next: &str) -> Result<Response, Problem> {
    end_session(headers, state).await?;
    let (token, csrf) = (Token::random().map_err(no_secret)?, Token::random().map_err(no_secret)?);
    let now = state.clock().now();
    let session = Session {
        sha256: token.sha256(),
        login: user.login,
        name: user.name,
        role: user.role,
        csrf: csrf.reveal(),
        created_at: now,
        expires_at: now + Duration::hours(SESSION_HOURS),
    };
    state.accounts().add_session(session).await?;
    let mut response = see_other(&format!("/login/check?next={}", page::encoded(local_place(next))));
    response.headers_mut().extend(cookies::set_session(&token.reveal()).map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

fn no_secret(fault: SecretFault) -> Problem {
    tracing::error!(error = %fault, "no secret could be made");
    Problem::unavailable("the machine has no randomness or memory now; try again")
}

async fn end_session(headers: &HeaderMap, state: &WebState) -> Result<(), Problem> {
    match cookies::session_token(headers).and_then(secrets::token_digest) {
        Some(digest) => Ok(state.accounts().end_session(digest).await?),
        None => Ok(()),
    }
}

/// `GET /login/check`: whether the browser kept the session; one that did not is told why.
pub(super) async fn check(
    State(state): State<WebState>,
    InQuery(query): InQuery<NextQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let next = local_place(&query.next);
    if caller::session(&headers, &state).await?.is_some() {
        return Ok(see_other(next));
    }
    let f = Frame::new(page::lang(&headers), None, "");
    let fault = Some(f.w.cookie_lost.to_owned());
    page::render(&LoginPage { f, next, fault })
}

#[derive(Deserialize)]
struct LogoutForm {
    csrf: String,
}

/// `POST /logout`
pub(super) async fn leave(State(state): State<WebState>, request: Request) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    caller::refuse_cross_site(&headers)?;
    if let Some(session) = caller::session(&headers, &state).await? {
        let form: LogoutForm = page_form(request, &state).await?;
        caller::check_csrf(&session, &form.csrf)?;
        end_session(&headers, &state).await?;
    }
    Ok(([(header::SET_COOKIE, cookies::clear_session())], see_other("/login")).into_response())
}

/// `GET /language`: remembers the language and goes back.
pub(super) async fn language(InQuery(query): InQuery<NextQuery>) -> Response {
    let lang = query.lang.as_deref().and_then(crate::web::words::Lang::of);
    let mut response = see_other(local_place(&query.next));
    let cookie = lang.and_then(|lang| cookies::set_language(lang.code()));
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

/// The address that failed logins are counted by.
fn address(headers: &HeaderMap, peer: Peer, state: &WebState) -> IpAddr {
    let direct = peer.0.ip();
    if !state.config().trusted_proxies.contains(&direct.to_canonical()) {
        return direct;
    }
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back().and_then(|line| line.to_str().ok());
    // The last one is what our own proxy saw; the ones before it are the client's invention.
    forwarded.and_then(|line| line.rsplit(',').next()?.trim().parse().ok()).unwrap_or(direct)
}

/// Checks passwords, a few at a time.
pub(super) struct Passwords(Arc<Semaphore>);

impl Default for Passwords {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PASSWORD_CHECKS_MAX)))
    }
}

impl Passwords {
    /// The user, if the password is theirs.
    async fn check(&self, user: Option<User>, password: String) -> Result<Option<User>, Problem> {
        if password.len() > PASSWORD_BYTES_MAX {
            return Ok(None);
        }
        let acquired = tokio::time::timeout(std::time::Duration::from_secs(5), Arc::clone(&self.0).acquire_owned());
        let Ok(Ok(permit)) = acquired.await else {
            return Err(Problem::unavailable("too many logins at once; try again"));
        };
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let phc = user.as_ref().map_or_else(|| NOBODY.to_owned(), |user| user.password.clone());
            let fits = secrets::password_fits(&password, &phc);
            user.filter(|_| fits)
        });
        work.await.map_err(|_| Problem::unavailable("the password could not be checked; try again"))
    }
}

/// The PHC string that an unknown name is checked against, so that it takes as long as a known one. Nobody knows its
/// password.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$syfrgranOnL2dNgbEdB5nA$8omUiMZ7JK+aIQLj7QI3CP46yGv60EDF1ivGg92NZ68";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    #[test]
    fn unknown_name_costs_the_work_of_a_known_one() {
        let parameters = |phc: &str| phc.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(parameters(NOBODY), parameters(&secrets::hash_password("any").unwrap()));
        assert!(argon2::PasswordHash::new(NOBODY).is_ok());
    }
}
