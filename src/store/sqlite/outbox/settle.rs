//! What became of deliveries: what the channel says, and what the addressee says.
//!
//! Promises: a registration or a refusal by the addressee stands; a message sent again keeps its registration.
//! Never: takes a failed attempt's word over a proof that came meanwhile.

use crate::domain::decision::{Proof, ProofStage};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::{Attempt, AttemptResult};
use crate::store::sqlite::row::micros;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

/// Writes down attempts.
pub(in crate::store::sqlite) fn settle(connection: &Connection, attempts: &[Attempt]) -> Result<(), StoreError> {
    let mut delivered = connection.prepare_cached(
        "UPDATE outbox SET
             state = CASE WHEN state IN ('registered', 'rejected') THEN state
                          WHEN number IS NOT NULL THEN 'registered' ELSE 'delivered' END,
             attempts = attempts + 1,
             ready_at = NULL,
             delivered_at = CASE WHEN ready_at IS NULL THEN coalesce(delivered_at, ?3) ELSE ?3 END,
             content_sha256 = CASE WHEN number IS NULL THEN ?4 ELSE coalesce(content_sha256, ?4) END,
             error = CASE WHEN state = 'rejected' THEN error END
         WHERE message = ?1 AND recipient = ?2",
    )?;
    let mut retry = connection.prepare_cached(
        "UPDATE outbox SET state = 'waiting_retry', attempts = attempts + 1, ready_at = ?3, error = ?4
         WHERE message = ?1 AND recipient = ?2 AND state = 'sending'",
    )?;
    let mut postpone = connection.prepare_cached(
        "UPDATE outbox SET state = 'queued', ready_at = ?3 WHERE message = ?1 AND recipient = ?2 AND state = 'sending'",
    )?;
    let mut stop = connection.prepare_cached(
        "UPDATE outbox SET state = 'undeliverable', attempts = attempts + 1, ready_at = NULL, error = ?3
         WHERE message = ?1 AND recipient = ?2 AND state = 'sending'",
    )?;
    for attempt in attempts {
        let (message, recipient) = (attempt.message.0.as_bytes(), attempt.recipient.as_str());
        match &attempt.result {
            AttemptResult::Delivered { content_sha256 } => {
                delivered.execute(params![message, recipient, micros(attempt.at), content_sha256])?
            }
            AttemptResult::Retry { next_at, error } => {
                retry.execute(params![message, recipient, micros(*next_at), error])?
            }
            AttemptResult::Postponed { next_at } => postpone.execute(params![message, recipient, micros(*next_at)])?,
            AttemptResult::Undeliverable { error } => stop.execute(params![message, recipient, error])?,
        };
    }
    Ok(())
}

/// Writes down what addressees have proven. An addressee without a number of its own registers under the number that
/// the gateway's own register of its incoming messages gave. A registration names the digest of what was registered: one of other
/// content than went out proves nothing.
pub(in crate::store::sqlite) fn prove(
    connection: &Connection,
    proofs: &[Proof],
    at: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    let mut received = connection.prepare_cached(
        "UPDATE outbox SET
             state = CASE WHEN number IS NULL THEN 'delivered' ELSE 'registered' END,
             ready_at = NULL, delivered_at = coalesce(delivered_at, ?3), error = NULL
         WHERE message = ?1 AND recipient = ?2 AND state NOT IN ('delivered', 'registered', 'rejected')",
    )?;
    let mut registered = connection.prepare_cached(
        "UPDATE outbox SET state = 'registered', ready_at = NULL, delivered_at = coalesce(delivered_at, ?3),
             number = coalesce(number, nullif(?4, ''), (
                 SELECT journal.number || '/' || journal.year FROM journal
                 WHERE journal.message = ?1 AND participant = ?2 AND direction = 'incoming'
             ), ''), registered_on = coalesce(registered_on, ?5),
             content_sha256 = coalesce(content_sha256, ?6), error = NULL
         WHERE message = ?1 AND recipient = ?2 AND state NOT IN ('registered', 'rejected')
             AND coalesce(content_sha256, ?6) = ?6",
    )?;
    let mut rejected = connection.prepare_cached(
        "UPDATE outbox SET
             state = CASE WHEN number IS NULL THEN 'rejected' ELSE 'registered' END,
             ready_at = NULL, delivered_at = coalesce(delivered_at, ?3),
             error = CASE WHEN number IS NULL THEN ?4 END
         WHERE message = ?1 AND recipient = ?2 AND state NOT IN ('registered', 'rejected')",
    )?;
    let at = at.map(micros);
    for proof in proofs {
        let (message, recipient) = (proof.message.0.as_bytes(), proof.recipient.as_str());
        match &proof.stage {
            ProofStage::Received => received.execute(params![message, recipient, at])?,
            ProofStage::Registered { number, date, content_sha256 } => {
                registered.execute(params![message, recipient, at, number, date.to_string(), content_sha256])?
            }
            ProofStage::Rejected { reason } => rejected.execute(params![message, recipient, at, reason])?,
        };
    }
    Ok(())
}
