//! The sweeper: lets time act on obligations, and notices new participants.
//!
//! Promises: a sweep that fails is tried again at the next beat; the age of the last good one is a figure and a reason
//! for not being ready. Never: ends because a sweep has failed.

use crate::gateway::Gateway;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Sweeps at once and then at every beat, until cancelled.
pub async fn run(gateway: Gateway, every: Duration, cancel: CancellationToken) {
    let beat = gateway.clock().scaled(every);
    loop {
        sweep_once(&gateway).await;
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(beat) => {}
        }
    }
}

/// One round: the participants as they are now, then everything that is due.
pub async fn sweep_once(gateway: &Gateway) {
    if let Err(fault) = gateway.refresh_directory().await {
        tracing::warn!(%fault, "the participants could not be read again; the ones in memory stand");
    }
    match gateway.sweep_once().await {
        Ok(swept) => {
            metrics::counter!("mezhved_sweeps_total").increment(1);
            metrics::counter!("mezhved_sweep_obligations_total").increment(swept.looked_at as u64);
            metrics::counter!("mezhved_sweep_failures_total").increment(swept.failed as u64);
            if swept.looked_at > 0 {
                tracing::info!(obligations = swept.looked_at, failed = swept.failed, "rungs were due");
            }
        }
        Err(fault) => tracing::error!(%fault, "a sweep failed; the next one does what is left"),
    }
    match gateway.digest_once().await {
        Ok(0) => {}
        Ok(told) => tracing::info!(told, "digests of the morning"),
        Err(fault) => tracing::error!(%fault, "the digests could not be written; the next round does what is left"),
    }
}
