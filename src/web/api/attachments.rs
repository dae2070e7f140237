//! Attachments by their digest: put as a stream, read as a stream.
//!
//! Promises: 201 after the file is on disk; what breaks off, or is another content, leaves nothing; a file is only ever
//! given to be saved. Never: a whole file in memory; reads a byte before the key is known.

use crate::domain::ids::ParticipantCode;
use crate::gateway::attachments::{Facts, Given, PartAsked, Taken, Taking};
use crate::gateway::ports::objects::ObjectName;
use crate::web::WebState;
use crate::web::body::{Pieces, media_type};
use crate::web::caller::{Caller, System};
use crate::web::params::InPath;
use crate::web::problem::Problem;
use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;

/// `PUT /attachments/{sha256}`: 201, or 200 for what this participant had put before.
pub(super) async fn put(
    System(sender): System,
    State(state): State<WebState>,
    InPath(sha256): InPath<String>,
    request: Request,
) -> Result<Response, Problem> {
    let name = name(&sha256)?;
    let media_type = media_type(request.headers())?;
    let _turn = state.upload(&sender).await?;
    let taken = take((&state, &sender), (name, &media_type), request).await.map_err(Problem::closing)?;
    let status = if taken.again { StatusCode::OK } else { StatusCode::CREATED };
    let place = format!("/api/v1/attachments/{}", taken.sha256);
    Ok((status, [(header::LOCATION, place)], Json(taken)).into_response())
}

async fn take(
    (state, sender): (&WebState, &ParticipantCode),
    (name, media_type): (ObjectName, &str),
    request: Request,
) -> Result<Taken, Problem> {
    let gateway = state.gateway();
    let mut pieces = Pieces::new(request, state.config().patience)?;
    gateway.check_attachment_size(pieces.stated_bytes().unwrap_or(0))?;
    let mut taking = gateway.take_attachment(name, media_type, sender).await?;
    match pour(&mut pieces, &mut taking).await {
        Ok(()) => Ok(taking.finish().await?),
        Err(problem) => {
            taking.discard().await;
            Err(problem)
        }
    }
}

async fn pour(pieces: &mut Pieces, into: &mut Taking) -> Result<(), Problem> {
    while let Some(piece) = pieces.next().await? {
        into.write(piece).await?;
    }
    Ok(())
}

/// `HEAD /attachments/{sha256}`
pub(super) async fn look(
    caller: Caller,
    State(state): State<WebState>,
    InPath(sha256): InPath<String>,
) -> Result<Response, Problem> {
    let facts = state.gateway().attachment_facts(&name(&sha256)?, &caller.actor()).await?;
    Ok((headers(&sha256, &facts), [(header::CONTENT_LENGTH, facts.bytes)]).into_response())
}

/// `GET /attachments/{sha256}`, whole or one range of bytes.
pub(super) async fn show(
    caller: Caller,
    State(state): State<WebState>,
    InPath(sha256): InPath<String>,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let turn = state.download().await?;
    let given = state.gateway().attachment(&name(&sha256)?, part(&asked, &sha256), &caller.actor()).await?;
    let Given { facts, part, pieces } = given;
    // The turn ends with the last byte, or with the connection.
    let body = Body::from_stream(pieces.map(move |piece| {
        let _held = &turn;
        piece
    }));
    let headers = headers(&sha256, &facts);
    let Some(part) = part else {
        return Ok((headers, [(header::CONTENT_LENGTH, facts.bytes)], body).into_response());
    };
    let range = format!("bytes {}-{}/{}", part.start, part.end - 1, facts.bytes);
    let length = [(header::CONTENT_LENGTH, part.end - part.start)];
    Ok((StatusCode::PARTIAL_CONTENT, headers, length, [(header::CONTENT_RANGE, range)], body).into_response())
}

/// What is no digest is the address of nothing.
fn name(sha256: &str) -> Result<ObjectName, Problem> {
    ObjectName::new(sha256).ok_or_else(|| Problem::not_found("attachment"))
}

fn headers(sha256: &str, facts: &Facts) -> [(header::HeaderName, String); 5] {
    [
        (header::CONTENT_TYPE, facts.media_type.clone()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", facts.file_name)),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::ETAG, etag(sha256)),
    ]
}

/// The content never changes under its digest.
fn etag(sha256: &str) -> String {
    format!("\"{sha256}\"")
}

/// One range of bytes; several, another unit, or what is no range mean the whole (RFC 9110 § 14.2).
fn part(headers: &HeaderMap, sha256: &str) -> Option<PartAsked> {
    let text = |name: header::HeaderName| headers.get(name).map(HeaderValue::to_str).and_then(Result::ok);
    if text(header::IF_RANGE).is_some_and(|stated| stated != etag(sha256)) {
        return None;
    }
    let (first, last) = text(header::RANGE)?.strip_prefix("bytes=")?.split_once('-')?;
    match (first.trim(), last.trim()) {
        ("", last) => Some(PartAsked::Last(last.parse().ok()?)),
        (first, "") => Some(PartAsked::From(first.parse().ok()?, None)),
        (first, last) => {
            let (first, last) = (first.parse().ok()?, last.parse().ok()?);
            (first <= last).then_some(PartAsked::From(first, Some(last)))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn asked(range: &str) -> Option<PartAsked> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, range.parse().unwrap());
        part(&headers, "ab")
    }

    #[test]
    fn one_range_is_understood_and_everything_else_means_the_whole() {
        assert_eq!(asked("bytes=0-0"), Some(PartAsked::From(0, Some(0))));
        assert_eq!(asked("bytes=7-"), Some(PartAsked::From(7, None)));
        assert_eq!(asked("bytes=-5"), Some(PartAsked::Last(5)));
        for whole in ["bytes=5-4", "bytes=0-1,4-5", "lines=0-1", "bytes=-", "bytes=a-b", "bytes=-1-2"] {
            assert_eq!(asked(whole), None, "{whole}");
        }
        let mut other = HeaderMap::new();
        other.insert(header::RANGE, "bytes=0-1".parse().unwrap());
        other.insert(header::IF_RANGE, "\"cd\"".parse().unwrap());
        assert_eq!(part(&other, "ab"), None, "of another content");
    }
}
