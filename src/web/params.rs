//! What stands in an address: ids of the path and filters of the query, with our own refusals.
//!
//! Promises: a malformed id is a thing that does not exist (404); an unknown or malformed filter is named (400).
//! Never: ignores a filter that it does not know.

use crate::domain::ids::{ObligationId, ParticipantCode};
use crate::gateway::ports::reads::JournalPlace;
use crate::web::problem::Problem;
use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use chrono::{DateTime, NaiveDate, Utc};
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// The parameters of the path.
pub(super) struct InPath<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for InPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(_) => Err(Problem::not_found("thing")),
        }
    }
}

/// The parameters of the query.
pub(super) struct InQuery<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for InQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match axum::extract::Query::<T>::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(error) => Err(bad_query(&error.to_string())),
        }
    }
}

/// A filter is unknown or malformed.
pub(super) fn bad_query(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad_query", detail)
}

/// A participant's code in a filter.
pub(super) fn participant(code: &str) -> Result<ParticipantCode, Problem> {
    ParticipantCode::new(code).map_err(|error| bad_query(&format!("participant: {error}")))
}

/// The end of a page: the due instant in microseconds and the id of its last row.
pub(super) fn write_cursor((due_at, id): (DateTime<Utc>, ObligationId)) -> String {
    format!("{}-{}", due_at.timestamp_micros(), id.0.simple())
}

/// Reads what [`write_cursor`] wrote.
pub(super) fn read_cursor(cursor: &str) -> Result<(DateTime<Utc>, ObligationId), Problem> {
    let read = || {
        let (micros, id) = cursor.rsplit_once('-')?;
        let due_at = DateTime::from_timestamp_micros(micros.parse().ok()?)?;
        Some((due_at, ObligationId(Uuid::try_parse(id).ok()?)))
    };
    read().ok_or_else(|| bad_query("after: take the cursor as `next` gave it"))
}

/// The place of a line of a journal, as `next` gives it.
pub(super) fn write_place(place: JournalPlace) -> String {
    format!("{}-{}", place.date, place.n)
}

/// Reads what [`write_place`] wrote.
pub(super) fn read_place(cursor: &str) -> Result<JournalPlace, Problem> {
    let read = || {
        let (date, n) = cursor.rsplit_once('-')?;
        Some(JournalPlace { date: date.parse().ok()?, n: n.parse().ok()? })
    };
    read().ok_or_else(|| bad_query("after: take the cursor as `next` gave it"))
}

/// The instant that a filter names: RFC 3339, or a date (its first moment, UTC).
pub(super) fn instant(text: &str) -> Result<DateTime<Utc>, Problem> {
    // A plus sign in a query is a space; nobody means a space here.
    let spelled = text.replace(' ', "+");
    if let Ok(instant) = DateTime::parse_from_rfc3339(&spelled) {
        return Ok(instant.with_timezone(&Utc));
    }
    let date: Option<NaiveDate> = text.parse().ok();
    date.and_then(|date| date.and_hms_opt(0, 0, 0))
        .map(|instant| instant.and_utc())
        .ok_or_else(|| bad_query("an instant is RFC 3339, e.g. 2026-11-21T00:00:00+08:00, or a date"))
}

/// Rows of a page: stated and within bounds, or the default.
pub(super) fn page_rows(stated: Option<usize>) -> usize {
    stated.unwrap_or(crate::web::limits::PAGE_ROWS).clamp(1, crate::web::limits::PAGE_ROWS_MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    #[test]
    fn cursor_is_read_back_as_it_was_written() {
        let at = (instant("2026-11-21T09:41:07.123456Z").unwrap(), ObligationId(Uuid::from_u128(7)));
        assert_eq!(read_cursor(&write_cursor(at)).unwrap(), at);
        assert!(read_cursor("nonsense").is_err());
        assert!(read_cursor("").is_err());
    }

    #[test]
    fn instant_is_read_with_an_offset_or_as_a_date() {
        assert_eq!(instant("2026-11-21").unwrap(), instant("2026-11-21T08:00:00+08:00").unwrap());
        assert_eq!(instant("2026-11-21T08:00:00 08:00").unwrap(), instant("2026-11-21").unwrap());
        assert!(instant("вчера").is_err());
    }
}
