//! What an endpoint answered, and what that means for the letter.
//!
//! Promises: at most 64 KiB of an answer are read; only a whole 2xx counts as delivered. Never: keeps or logs what the
//! answer says.

use crate::gateway::ports::outlet::DeliveryFault;
use chrono::{DateTime, Utc};
use reqwest::Response;
use reqwest::header::RETRY_AFTER;
use std::time::Duration;

const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Reads the answer to its end, and judges it.
pub(super) async fn judge(mut answer: Response, now: DateTime<Utc>) -> Result<(), DeliveryFault> {
    let status = answer.status();
    let asked = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = asked.and_then(|value| retry_after(value, now));
    let later = |reason: String| Err(DeliveryFault::Later { reason, retry_after });
    if !status.is_success() {
        let hint = if status.is_redirection() { " (a redirect is not followed)" } else { "" };
        return later(format!("the endpoint answered {}{hint}", status.as_u16()));
    }
    let mut read = 0;
    loop {
        match answer.chunk().await {
            Ok(None) => return Ok(()),
            Ok(Some(chunk)) => read += chunk.len(),
            Err(error) => return later(format!("the answer broke off: {}", cause(&error.without_url()))),
        }
        if read > ANSWER_BYTES_MAX {
            return later("the answer is longer than 64 KiB".into());
        }
    }
}

/// The wait that the other side asks for: seconds, or a date of HTTP (RFC 9110 §10.2.3).
fn retry_after(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTime::parse_from_rfc2822(value.trim()).ok()?;
    (at.to_utc() - now).to_std().ok()
}

/// The innermost cause: the outer ones of a client error only say that there was one.
pub(super) fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now = DateTime::parse_from_rfc3339("2026-11-06T08:49:00Z").unwrap().to_utc();
        for (value, wait_s) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Fri, 06 Nov 2026 08:49:37 GMT", Some(37)),
            ("Fri, 06 Nov 2026 08:48:37 GMT", None),
            ("soon", None),
            ("-5", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(retry_after(value, now), wait_s.map(Duration::from_secs), "{value}");
        }
    }
}
