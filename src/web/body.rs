//! Reading what a caller sends: bounded in bytes and time, never decompressed, and only in UTF-8.
//!
//! Promises: nothing is read before the caller is known (the extractors that need a caller stand first); a body over the
//! limit is answered 413 and not read on. Never: trusts a `Content-Length`.

use crate::web::problem::Problem;
use crate::web::server::Patience;
use crate::web::{WebState, limits};
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use bytes::{Bytes, BytesMut};
use hyper::body::Body as _;
use serde::de::DeserializeOwned;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout_at};

/// Reads a body of at most `bytes_max`.
///
/// # Errors
/// `limit_document_bytes` (413), `body_timeout` (408), `body_incomplete` (400), `encoding_unsupported` (415),
/// `unavailable` (503) when too many large documents are being read.
pub(super) async fn read(request: Request, state: &WebState, bytes_max: usize) -> Result<Bytes, Problem> {
    refuse_encodings(request.headers())?;
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: u64| length > bytes_max as u64) {
        return Err(too_large(bytes_max));
    }
    let patience = state.config().patience;
    let end = Instant::now() + patience.body;
    let mut body = request.into_body();
    let (mut content, mut permit) = (BytesMut::new(), None);
    while let Some(chunk) =
        timeout_at(end.min(Instant::now() + patience.body_pause), chunk(&mut body)).await.map_err(|_| too_slow())??
    {
        if content.len() + chunk.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        if permit.is_none() && content.len() + chunk.len() > limits::SMALL_DOCUMENT_BYTES {
            permit = Some(large_document(state, end).await?);
        }
        content.extend_from_slice(&chunk);
    }
    Ok(content.freeze())
}

/// A body that is too large to be held: piece by piece, bounded in time by the pace that it must keep.
pub(super) struct Pieces {
    body: Body,
    patience: Patience,
    stated_bytes: Option<u64>,
    began: Instant,
    read_bytes: u64,
}

impl Pieces {
    /// The body of a request; nothing of it is read yet.
    ///
    /// # Errors
    /// `encoding_unsupported` (415).
    pub(super) fn new(request: Request, patience: Patience) -> Result<Self, Problem> {
        refuse_encodings(request.headers())?;
        let stated = request.headers().get(header::CONTENT_LENGTH);
        let stated_bytes = stated.and_then(|length| length.to_str().ok()?.parse().ok());
        Ok(Self { body: request.into_body(), patience, stated_bytes, began: Instant::now(), read_bytes: 0 })
    }

    /// What the sender says its size is.
    pub(super) fn stated_bytes(&self) -> Option<u64> {
        self.stated_bytes
    }

    /// The next piece, or `None` at the end.
    ///
    /// # Errors
    /// `body_timeout` (408), `body_incomplete` (400).
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let earned = Duration::from_secs(self.read_bytes / limits::ATTACHMENT_BYTES_PER_SECOND);
        let end = self.began + self.patience.body + earned;
        let until = end.min(Instant::now() + self.patience.body_pause);
        let piece = timeout_at(until, chunk(&mut self.body)).await.map_err(|_| too_slow())??;
        self.read_bytes += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        Ok(piece)
    }
}

/// The next piece of a body, or `None` at its end.
async fn chunk(body: &mut Body) -> Result<Option<Bytes>, Problem> {
    loop {
        match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            None => return Ok(None),
            // Trailers say nothing that we ask for.
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => return Ok(Some(data)),
                Err(_) => continue,
            },
            Some(Err(_)) => return Err(incomplete()),
        }
    }
}

async fn large_document(state: &WebState, end: Instant) -> Result<SemaphorePermit<'_>, Problem> {
    match timeout_at(end, state.large_documents().acquire()).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(Problem::unavailable("too many large documents are being read; try again").closing()),
    }
}

fn too_large(bytes_max: usize) -> Problem {
    let detail = format!("a document may have {bytes_max} bytes; send attachments apart");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "limit_document_bytes", detail).closing()
}

fn too_slow() -> Problem {
    let detail = "the body came too slowly; send it again without pauses";
    Problem::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", detail).closing()
}

fn incomplete() -> Problem {
    let detail = "the body ended early or its framing is broken; check Content-Length and the chunks";
    Problem::new(StatusCode::BAD_REQUEST, "body_incomplete", detail).closing()
}

/// A compressed body could unfold without bound: none is taken.
fn refuse_encodings(headers: &HeaderMap) -> Result<(), Problem> {
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    if encodings.all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Ok(());
    }
    let detail = "send the body without Content-Encoding";
    let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "encoding_unsupported", detail).closing();
    Err(problem.with(header::ACCEPT_ENCODING, HeaderValue::from_static("identity")))
}

/// The media type without its parameters, in lower case.
///
/// # Errors
/// `unsupported_format` (415) without one; `bad_encoding` (415) when it names a charset other than UTF-8.
pub(super) fn media_type(headers: &HeaderMap) -> Result<String, Problem> {
    let stated = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = stated.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.trim_matches('"');
        let is_utf8 = ["utf-8", "utf8", "us-ascii"].iter().any(|charset| value.eq_ignore_ascii_case(charset));
        if name.trim().eq_ignore_ascii_case("charset") && !is_utf8 {
            let detail = "send the document in UTF-8";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "bad_encoding", detail).closing());
        }
    }
    if media_type.is_empty() { Err(unsupported("state a Content-Type")) } else { Ok(media_type) }
}

/// The media type is none that this call takes.
pub(super) fn unsupported(remedy: &str) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_format", remedy).closing()
}

/// Decodes a form of the pages.
///
/// # Errors
/// `invalid_form` (422) when a field is missing or malformed.
pub(super) fn decode_form<T: DeserializeOwned>(content: &[u8]) -> Result<T, Problem> {
    serde_urlencoded::from_bytes(content)
        .map_err(|error| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_form", error.to_string()))
}

/// A small command as JSON.
pub(super) struct Command<T>(pub T);

impl<T: DeserializeOwned> FromRequest<WebState> for Command<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &WebState) -> Result<Self, Problem> {
        if media_type(request.headers())? != "application/json" {
            return Err(unsupported("send this command as application/json"));
        }
        let content = read(request, state, limits::FORM_BYTES_MAX).await?;
        let content = std::str::from_utf8(&content)
            .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "bad_encoding", "the command is not UTF-8"))?;
        serde_json::from_str(content).map(Self).map_err(|error| command_fault(&error))
    }
}

/// The words of serde may quote what was sent: they go back to its author and into no log.
fn command_fault(error: &serde_json::Error) -> Problem {
    if error.is_data() {
        return Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_command", error.to_string());
    }
    Problem::new(StatusCode::BAD_REQUEST, "not_well_formed", error.to_string())
}
