//! The one place where an error becomes a status: RFC 9457 problems with a stable code.
//!
//! Promises: every refusal of the API has this shape; 401 names the scheme, 503 says when to come again.
//! Never: a stack trace, personal data, or the words of a log.

use crate::gateway::ports::StoreError;
use crate::gateway::rejection::{FaultView, Rejection, RejectionKind};
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;

/// Seconds after which a client may try again what was unavailable.
const RETRY_AFTER_SECONDS: u64 = 5;

/// A refusal as HTTP says it.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    detail: String,
    line: Option<u32>,
    column: Option<u32>,
    faults: Vec<FaultView>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    faults: &'a [FaultView],
}

impl Problem {
    /// A problem of that status with a stable code and a remedy.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let headers = Vec::new();
        let detail = detail.into();
        Self(Box::new(Parts { status, code, detail, line: None, column: None, faults: Vec::new(), headers }))
    }

    /// Nobody has said who he is.
    #[must_use]
    pub fn unauthenticated() -> Self {
        let detail = "send `Authorization: Bearer mz_…` with a live key (`mezhved keys create PARTICIPANT`)";
        let problem = Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail);
        problem.with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"mezhved\""))
    }

    /// The caller is known and may not.
    #[must_use]
    pub fn forbidden(code: &'static str, detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// The address leads nowhere.
    #[must_use]
    pub fn unknown_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "unknown_route", "there is nothing at this address")
    }

    /// Something is there, or not, and is not for this caller.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::from(Rejection::not_found(what))
    }

    /// The world is down.
    #[must_use]
    pub fn unavailable(detail: &str) -> Self {
        Self::from(Rejection::new(RejectionKind::Unavailable, "unavailable", detail))
    }

    /// With one more header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// The client must wait so many seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.with(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// The connection is closed after the answer: what is still under way is not read.
    #[must_use]
    pub fn closing(self) -> Self {
        self.with(header::CONNECTION, HeaderValue::from_static("close"))
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// What is wrong and what helps, in English.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The same answer with another content (a page for people).
    pub(super) fn respond_with(self, media_type: &'static str, body: impl Into<Body>) -> Response<Body> {
        let mut response = Response::new(body.into());
        *response.status_mut() = self.0.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.extend(self.0.headers);
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let parts = &*self.0;
        let document = Document {
            r#type: format!("urn:mezhved:problem:{}", parts.code),
            title: title(parts.status),
            status: parts.status.as_u16(),
            code: parts.code,
            detail: &parts.detail,
            line: parts.line,
            column: parts.column,
            faults: &parts.faults,
        };
        // A structure of texts and numbers always serialises; an empty document would still carry the status.
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let kept = self.clone();
        let mut response = self.respond_with("application/problem+json", body);
        // For the pages, which say the same in words for people.
        response.extensions_mut().insert(kept);
        response
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let status = status(rejection.kind);
        let mut problem = Self::new(status, rejection.code, rejection.message);
        problem.0.line = rejection.line;
        problem.0.column = rejection.column;
        problem.0.faults = rejection.faults;
        match status {
            StatusCode::SERVICE_UNAVAILABLE => problem.retry_after(RETRY_AFTER_SECONDS),
            _ => problem,
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::from(Rejection::from(error))
    }
}

/// What HTTP calls this sort of no.
fn status(kind: RejectionKind) -> StatusCode {
    match kind {
        RejectionKind::Malformed => StatusCode::BAD_REQUEST,
        RejectionKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        RejectionKind::UnsupportedFormat => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        RejectionKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        RejectionKind::Forbidden => StatusCode::FORBIDDEN,
        RejectionKind::NotFound => StatusCode::NOT_FOUND,
        RejectionKind::Conflict => StatusCode::CONFLICT,
        RejectionKind::RangeNotSatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
        RejectionKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The short title: the same for every occurrence of a status.
fn title(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Error")
}
