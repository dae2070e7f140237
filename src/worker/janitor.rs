//! The janitor: looks whether files can be kept, and removes those that nobody names.
//!
//! Promises: a round that fails is tried again at the next beat; why files cannot be kept is told to whoever asks for
//! warnings. Never: removes what a message names (the store's rows decide); ends because a round has failed.

use crate::gateway::Gateway;
use chrono::TimeDelta;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks at the place of the files.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Looks between two rounds of removal: once in half an hour.
const LOOKS_PER_ROUND: u32 = 60;
/// What was begun this long ago is no upload any more: the slowest that is borne ends before.
const UNFINISHED: Duration = Duration::from_secs(24 * 60 * 60);

/// Looks and removes until cancelled.
pub async fn run(gateway: Gateway, leftovers_older_than: TimeDelta, cancel: CancellationToken) {
    let fault = Arc::new(Mutex::new(None::<String>));
    let told = Arc::clone(&fault);
    gateway.add_warning(move || told.lock().unwrap_or_else(PoisonError::into_inner).clone());
    for look in 0_u32.. {
        let found = gateway.attachments_fault().await;
        if let Some(fault) = &found {
            tracing::warn!(%fault, "attachments cannot be kept or read");
        }
        let is_well = found.is_none();
        *fault.lock().unwrap_or_else(PoisonError::into_inner) = found;
        if is_well && look.is_multiple_of(LOOKS_PER_ROUND) {
            remove_once(&gateway, leftovers_older_than).await;
        }
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// One round of removal.
pub async fn remove_once(gateway: &Gateway, leftovers_older_than: TimeDelta) {
    match gateway.remove_leftover_attachments(leftovers_older_than).await {
        Ok(0) => {}
        Ok(files) => tracing::info!(files, "attachments that no message names are removed"),
        Err(fault) => tracing::warn!(%fault, "left-over attachments were not all removed; the rest goes later"),
    }
    match gateway.remove_unfinished_attachments(UNFINISHED).await {
        Ok(0) => {}
        Ok(files) => tracing::info!(files, "half-written attachments are removed"),
        Err(fault) => tracing::warn!(%fault, "half-written attachments were not removed"),
    }
}
