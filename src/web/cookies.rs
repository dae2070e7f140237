//! The two cookies: the session's token, and the language.
//!
//! Promises: the session's cookie is `HttpOnly`, `SameSite=Strict`, `Path=/`, and `Secure` with the `__Host-` prefix,
//! which no other host and no plain-text page can set. Never: puts anything but a random token into it.

use crate::web::limits::SESSION_HOURS;
use axum::http::{HeaderMap, HeaderValue, header};

/// The session's cookie.
const SESSION: &str = "__Host-mezhved";
/// The language of the pages.
const LANGUAGE: &str = "mezhved-lang";

/// The token in the session's cookie. Several cookies of that name are a trick: then there is none.
pub(super) fn session_token(headers: &HeaderMap) -> Option<&str> {
    let mut tokens = values(headers, SESSION);
    tokens.next().filter(|_| tokens.next().is_none())
}

/// The language that the cookie states.
pub(super) fn language(headers: &HeaderMap) -> Option<&str> {
    values(headers, LANGUAGE).next()
}

/// The header that sets the session.
pub(super) fn set_session(token: &str) -> Option<HeaderValue> {
    let seconds = SESSION_HOURS * 3600;
    HeaderValue::from_str(&format!("{SESSION}={token}; Max-Age={seconds}; Path=/; Secure; HttpOnly; SameSite=Strict"))
        .ok()
}

/// The header that takes the session away.
pub(super) fn clear_session() -> HeaderValue {
    HeaderValue::from_static("__Host-mezhved=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict")
}

/// The header that remembers the language.
pub(super) fn set_language(code: &'static str) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("{LANGUAGE}={code}; Max-Age=31536000; Path=/; HttpOnly; SameSite=Lax")).ok()
}

fn values<'a>(headers: &'a HeaderMap, name: &'static str) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(move |(key, _)| *key == name)
        .map(|(_, value)| value)
}
