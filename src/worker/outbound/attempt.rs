//! One attempt to deliver one letter, and what is to be written down about it.
//!
//! Promises: every end of an attempt has its record; a panic is a failed attempt. Never: touches the store.

use crate::domain::decision::{Event, EventKind};
use crate::domain::delivery::delivery_retry_at;
use crate::gateway::content::sha256_hex;
use crate::gateway::ports::Outlet;
use crate::gateway::ports::decisions::{Attempt, AttemptResult, Claimed};
use crate::gateway::ports::outlet::DeliveryFault;
use crate::worker::outbound::Dispatch;
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::time::Instant;

/// How an attempt ended.
pub(super) struct Outcome {
    pub letter: Claimed,
    took: Duration,
    /// The digest of what went out.
    ended: Result<String, DeliveryFault>,
}

impl Outcome {
    /// How long it took, where that says something about the recipient.
    pub fn took(&self) -> Option<Duration> {
        (!matches!(self.ended, Err(DeliveryFault::ChannelDown { .. }))).then_some(self.took)
    }

    /// For figures.
    pub fn word(&self) -> &'static str {
        match self.ended {
            Ok(_) => "delivered",
            Err(DeliveryFault::Later { .. }) => "failed",
            Err(DeliveryFault::ChannelDown { .. }) => "down",
        }
    }
}

/// Makes an attempt.
pub(super) async fn make<D: Dispatch>(dispatch: &D, outlet: &dyn Outlet, letter: Claimed) -> Outcome {
    let begun = Instant::now();
    let ended = AssertUnwindSafe(deliver(dispatch, outlet, &letter)).catch_unwind().await;
    let ended = ended.unwrap_or_else(|_| {
        tracing::error!(id = %letter.message, "an attempt to deliver it panicked");
        Err(DeliveryFault::Later { reason: "an internal fault".into(), retry_after: None })
    });
    Outcome { letter, took: begun.elapsed(), ended }
}

async fn deliver<D: Dispatch>(dispatch: &D, outlet: &dyn Outlet, row: &Claimed) -> Result<String, DeliveryFault> {
    let letter = dispatch.letter(row).map_err(|rejection| {
        let reason = format!("it cannot be written for its recipient: {}", rejection.code);
        DeliveryFault::Later { reason, retry_after: None }
    })?;
    outlet.deliver(&letter).await?;
    Ok(sha256_hex(&letter.content))
}

/// What is written down about it; nothing when the channel was down, because then it was no attempt.
pub(super) fn record(outcome: &Outcome, now: DateTime<Utc>) -> Option<(Attempt, Option<Event>)> {
    let letter = &outcome.letter;
    let event = |kind, detail: Option<&str>| Event {
        at: now,
        kind,
        exchange: letter.exchange,
        obligation: None,
        message: Some(letter.message),
        participant: Some(letter.recipient.clone()),
        detail: detail.map(str::to_owned),
    };
    let (result, event) = match &outcome.ended {
        Ok(digest) => {
            let result = AttemptResult::Delivered { content_sha256: digest.clone() };
            (result, Some(event(EventKind::Delivered, None)))
        }
        Err(DeliveryFault::Later { reason, retry_after }) => {
            let failures = letter.attempts.saturating_add(1);
            let error = reason.clone();
            match delivery_retry_at(failures, now, seed(letter), *retry_after) {
                Some(next_at) => (AttemptResult::Retry { next_at, error }, None),
                None => {
                    let event = event(EventKind::Undeliverable, Some("retries_exhausted"));
                    (AttemptResult::Undeliverable { error }, Some(event))
                }
            }
        }
        Err(DeliveryFault::ChannelDown { .. }) => return None,
    };
    let recipient = letter.recipient.clone();
    Some((Attempt { message: letter.message, recipient, at: now, result }, event))
}

/// The same letter to several recipients is not tried again in step.
fn seed(letter: &Claimed) -> u64 {
    let code = letter.recipient.as_str().bytes();
    code.fold(letter.message.0.as_u64_pair().1, |seed, byte| seed.rotate_left(7) ^ u64::from(byte))
}
