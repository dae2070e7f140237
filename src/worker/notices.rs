//! The worker of notices: leases mails and webhooks that are ready, sends them, writes down what became of each.
//!
//! Promises: durable retry times; while a way out is down its notices wait uncounted, and the operator is told. Never:
//! ends because a round has failed; lets a notice that failed count as anybody's delay.

use crate::domain::decision::Event;
use crate::domain::delivery::delivery_retry_at;
use crate::domain::notice::Medium;
use crate::gateway::Gateway;
use crate::gateway::notices::event_of;
use crate::gateway::ports::Teller;
use crate::gateway::ports::notices::{ClaimedNotice, NoticeAttempt, NoticeClaim, NoticeResult, TellFault};
use crate::gateway::rejection::Rejection;
use crate::retry::Pace;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Notices under way at once.
const AT_ONCE: usize = 8;
/// Longer than any attempt takes.
const LEASE: TimeDelta = TimeDelta::minutes(3);
/// How often the rows are looked at when nothing wakes the worker.
const BEAT: Duration = Duration::from_secs(1);
/// What waits for a way out that is down is looked at again after this, by the gateway's clock.
const DOWN_WAIT: TimeDelta = TimeDelta::seconds(1);

/// A way out, and what is wrong with it.
#[derive(Clone)]
pub struct Line {
    pub medium: Medium,
    pub teller: Arc<dyn Teller>,
    down: Arc<RwLock<Option<String>>>,
}

impl Line {
    /// A way out that is believed to work.
    #[must_use]
    pub fn new(medium: Medium, teller: Arc<dyn Teller>) -> Self {
        Self { medium, teller, down: Arc::default() }
    }

    /// Why it is down, if it is.
    #[must_use]
    pub fn down(&self) -> Option<String> {
        self.down.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_down(&self, reason: Option<String>) {
        let mut down = self.down.write().unwrap_or_else(PoisonError::into_inner);
        match (&*down, &reason) {
            (None, Some(reason)) => tracing::error!(medium = self.medium.code(), %reason, "notices do not go out"),
            (Some(_), None) => tracing::info!(medium = self.medium.code(), "notices go out again"),
            _ => {}
        }
        *down = reason;
        drop(down);
        if self.medium == Medium::Mail {
            metrics::gauge!("mezhved_mail_up").set(if self.down().is_none() { 1.0 } else { 0.0 });
        }
    }
}

/// How a round ended.
enum Round {
    /// Everything that was ready is done.
    Idle,
    /// There may be more.
    More,
    Down,
}

/// Sends until cancelled; a batch under way is ended.
pub async fn run(gateway: Gateway, line: Line, cancel: CancellationToken) {
    let mut changes = gateway.changes();
    let mut pace = Pace::reconnect();
    line.set_down(None);
    while !cancel.is_cancelled() {
        changes.mark_unchanged();
        let wait = match round(&gateway, &line).await {
            Ok(Round::More) => {
                pace.succeeded();
                continue;
            }
            Ok(Round::Idle) => {
                pace.succeeded();
                gateway.clock().scaled(BEAT)
            }
            Ok(Round::Down) => {
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = tokio::time::sleep(pace.next_wait()) => continue,
                }
            }
            Err(fault) => {
                tracing::error!(%fault, "notices could not be read; the next round does what is left");
                pace.next_wait()
            }
        };
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = changes.changed() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// One round, for whoever keeps the pace himself.
///
/// # Errors
/// `Unavailable`; the leases run out, and the notices go out again under the same ids.
pub async fn round_once(gateway: &Gateway, line: &Line) -> Result<(), Rejection> {
    round(gateway, line).await.map(|_| ())
}

async fn round(gateway: &Gateway, line: &Line) -> Result<Round, Rejection> {
    let now = gateway.now();
    let claim = NoticeClaim { medium: line.medium, now, lease_until: now + LEASE, limit: AT_ONCE };
    let leased = gateway.claim_notices(claim).await?;
    if leased.is_empty() {
        return Ok(Round::Idle);
    }
    let outcomes = join_all(leased.iter().map(|notice| tell(gateway, line, notice))).await;
    let down = outcomes.iter().find_map(|outcome| match outcome {
        Err(TellFault::Down(reason)) => Some(reason.clone()),
        _ => None,
    });
    let at = gateway.now();
    let (mut attempts, mut events) = (Vec::new(), Vec::new());
    for (notice, outcome) in leased.iter().zip(outcomes) {
        let (result, event) = record(notice, (line.medium, outcome), at);
        attempts.push(NoticeAttempt { id: notice.id, at, result });
        events.extend(event);
    }
    gateway.settle_notices(attempts, events).await?;
    let is_down = down.is_some();
    line.set_down(down);
    Ok(match is_down {
        true => Round::Down,
        false if leased.len() == AT_ONCE => Round::More,
        false => Round::Idle,
    })
}

async fn tell(gateway: &Gateway, line: &Line, notice: &ClaimedNotice) -> Result<(), TellFault> {
    match gateway.telling(notice) {
        Some(telling) => line.teller.tell(&telling).await,
        None => Err(TellFault::Refused("the recipient is no participant any more".to_owned())),
    }
}

/// What is written down about an attempt.
fn record(
    notice: &ClaimedNotice,
    (medium, outcome): (Medium, Result<(), TellFault>),
    at: DateTime<Utc>,
) -> (NoticeResult, Option<Event>) {
    let event = |sent: bool| Some(event_of(notice, (medium, sent), at));
    match outcome {
        Ok(()) => (NoticeResult::Sent, event(true).filter(|_| notice.obligation.is_some())),
        Err(TellFault::Refused(error)) => (NoticeResult::Undeliverable { error }, event(false)),
        Err(TellFault::Down(_)) => (NoticeResult::Postponed { next_at: at + DOWN_WAIT }, None),
        Err(TellFault::Later(error)) => {
            let failures = notice.attempts.saturating_add(1);
            match delivery_retry_at(failures, at, notice.id.as_u64_pair().1, None) {
                Some(next_at) => (NoticeResult::Retry { next_at, error }, None),
                None => (NoticeResult::Undeliverable { error }, event(false)),
            }
        }
    }
}
