//! One round of the way out, for whoever keeps the pace himself.
//!
//! Promises: leases, attempts and records as the worker makes them. Never: waits for anything but the channel.

use super::{DOWN_WAIT, Dispatch, LEASE, attempt};
use crate::gateway::ports::Outlet;
use crate::gateway::ports::decisions::{Attempt, AttemptResult, Claim, RouteKind};
use crate::gateway::rejection::Rejection;
use chrono::TimeDelta;
use futures_util::future::join_all;

/// Leases at most `limit` letters of a route, tries them all at once, writes down what became of them. How many.
///
/// # Errors
/// `Unavailable`: the leases run out, and the letters go out again under the same ids.
pub async fn round_once<D: Dispatch>(
    dispatch: &D,
    (route, outlet): (RouteKind, &dyn Outlet),
    limit: usize,
) -> Result<usize, Rejection> {
    let now = dispatch.now();
    let lease_until = now + TimeDelta::from_std(LEASE).unwrap_or_default();
    let leased = dispatch.claim(Claim { now, lease_until, limit, route }).await?;
    let tried = join_all(leased.into_iter().map(|letter| attempt::make(dispatch, outlet, letter))).await;
    let (mut attempts, mut events) = (Vec::new(), Vec::new());
    for outcome in &tried {
        let at = dispatch.now();
        let (attempt, event) = attempt::record(outcome, at).unwrap_or_else(|| {
            let next_at = at + TimeDelta::from_std(DOWN_WAIT).unwrap_or_default();
            let (message, recipient) = (outcome.letter.message, outcome.letter.recipient.clone());
            (Attempt { message, recipient, at, result: AttemptResult::Postponed { next_at } }, None)
        });
        attempts.push(attempt);
        events.extend(event);
    }
    if !attempts.is_empty() {
        dispatch.settle(attempts, events).await?;
    }
    Ok(tried.len())
}
