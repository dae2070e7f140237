//! What became of deliveries: what the channel says, and what the addressee says.
//!
//! Promises: a registration by the addressee stands, a refusal until it registers; a message sent again keeps its registration.
//! Never: takes a failed attempt's word over a proof that came meanwhile.

use super::standing::{Finder, Standing};
use crate::domain::decision::{Proof, ProofStage};
use crate::domain::delivery_stage::Stage;
use crate::domain::ids::{MessageId, ParticipantCode};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::{Attempt, AttemptResult};
use crate::store::sqlite::counters::Counters;
use crate::store::sqlite::row::micros;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};
use std::collections::HashSet;

/// Writes down attempts. Gives the deliveries of which an attempt says nothing any more, because its lease is gone.
pub(in crate::store::sqlite) fn settle(
    connection: &Connection,
    attempts: &[Attempt],
    counters: &mut Counters,
) -> Result<HashSet<(MessageId, ParticipantCode)>, StoreError> {
    let mut finder = Finder::new(connection)?;
    let mut ignored = HashSet::new();
    for attempt in attempts {
        let Some(standing) = finder.find(attempt.message, &attempt.recipient)? else { continue };
        let to = match &attempt.result {
            AttemptResult::Delivered { content_sha256 } => {
                delivered(connection, standing, (attempt.at, content_sha256))?
            }
            // The lease is gone: somebody else, or the addressee itself, has settled it.
            AttemptResult::Retry { .. }
            | AttemptResult::Postponed { .. }
            | AttemptResult::Unsure { .. }
            | AttemptResult::Undeliverable { .. }
                if standing.stage != Stage::Sending =>
            {
                ignored.insert((attempt.message, attempt.recipient.clone()));
                standing.stage
            }
            AttemptResult::Retry { next_at, error } => {
                failed(connection, (standing, Stage::WaitingRetry), (Some(*next_at), error))?
            }
            AttemptResult::Postponed { next_at } => postponed(connection, standing, *next_at)?,
            AttemptResult::Unsure { lease_until } => unsure(connection, standing, (attempt.at, *lease_until))?,
            AttemptResult::Undeliverable { error } => {
                failed(connection, (standing, Stage::Undeliverable), (None, error))?
            }
        };
        standing.count(to, counters);
    }
    Ok(ignored)
}

fn delivered(
    connection: &Connection,
    standing: Standing,
    (at, content_sha256): (DateTime<Utc>, &str),
) -> Result<Stage, StoreError> {
    let is_answered = standing.stage.is_answered();
    let to = if is_answered { standing.stage } else { standing.arrived() };
    let mut update = connection.prepare_cached(
        "UPDATE outbox SET state = ?2, attempts = attempts + 1, ready_at = NULL,
             delivered_at = CASE WHEN ready_at IS NULL THEN coalesce(delivered_at, ?3) ELSE ?3 END,
             content_sha256 = CASE WHEN number IS NULL THEN ?4 ELSE coalesce(content_sha256, ?4) END,
             error = CASE WHEN ?5 THEN error END
         WHERE seq = ?1",
    )?;
    update.execute(params![standing.seq, to.code(), micros(at), content_sha256, is_answered])?;
    Ok(to)
}

fn failed(
    connection: &Connection,
    (standing, to): (Standing, Stage),
    (next_at, error): (Option<DateTime<Utc>>, &str),
) -> Result<Stage, StoreError> {
    let mut update = connection.prepare_cached(
        "UPDATE outbox SET state = ?2, attempts = attempts + 1, ready_at = ?3, error = ?4 WHERE seq = ?1",
    )?;
    update.execute(params![standing.seq, to.code(), next_at.map(micros), error])?;
    Ok(to)
}

/// Not tried: it waits as it waited before, and no attempt is counted.
fn postponed(connection: &Connection, standing: Standing, next_at: DateTime<Utc>) -> Result<Stage, StoreError> {
    let mut update = connection.prepare_cached("UPDATE outbox SET state = 'queued', ready_at = ?2 WHERE seq = ?1")?;
    update.execute(params![standing.seq, micros(next_at)])?;
    Ok(Stage::Queued)
}

/// It may bear another lease than the one in question.
fn unsure(
    connection: &Connection,
    standing: Standing,
    (at, lease_until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Stage, StoreError> {
    let mut update = connection
        .prepare_cached("UPDATE outbox SET state = 'queued', ready_at = ?2 WHERE seq = ?1 AND ready_at = ?3")?;
    let ended = update.execute(params![standing.seq, micros(at), micros(lease_until)])? > 0;
    Ok(if ended { Stage::Queued } else { standing.stage })
}

/// Writes down what addressees have proven. An addressee without a number of its own registers under the number that
/// the gateway's own register of its incoming messages gave.
pub(in crate::store::sqlite) fn prove(
    connection: &Connection,
    (proofs, at): (&[Proof], Option<DateTime<Utc>>),
    counters: &mut Counters,
) -> Result<(), StoreError> {
    let mut finder = Finder::new(connection)?;
    let at = at.map(micros);
    for proof in proofs {
        let found = finder.find(proof.message, &proof.recipient)?;
        let Some(standing) = found.filter(|standing| standing.stage.yields_to(&proof.stage)) else { continue };
        let (to, written) = match &proof.stage {
            ProofStage::Received | ProofStage::HandedOver { .. } if standing.stage == Stage::Delivered => continue,
            ProofStage::Rejected { reason } if !standing.has_number => rejected(connection, standing, (at, reason))?,
            ProofStage::HandedOver { at } => arrived(connection, standing, Some(micros(*at)))?,
            // What was registered once is not undone by a refusal when it is sent again.
            ProofStage::Received | ProofStage::Rejected { .. } => arrived(connection, standing, at)?,
            ProofStage::Registered { number, date, content_sha256 } => {
                registered(connection, standing, (at, number, &date.to_string(), content_sha256))?
            }
        };
        if written {
            standing.count(to, counters);
        }
    }
    Ok(())
}

type Written = Result<(Stage, bool), StoreError>;

fn arrived(connection: &Connection, standing: Standing, at: Option<i64>) -> Written {
    let to = standing.arrived();
    let mut update = connection.prepare_cached(
        "UPDATE outbox SET state = ?2, ready_at = NULL, delivered_at = coalesce(delivered_at, ?3), error = NULL
         WHERE seq = ?1",
    )?;
    Ok((to, update.execute(params![standing.seq, to.code(), at])? > 0))
}

fn rejected(connection: &Connection, standing: Standing, (at, reason): (Option<i64>, &str)) -> Written {
    let mut update = connection.prepare_cached(
        "UPDATE outbox SET state = 'rejected', ready_at = NULL, delivered_at = coalesce(delivered_at, ?2), error = ?3
         WHERE seq = ?1",
    )?;
    Ok((Stage::Rejected, update.execute(params![standing.seq, at, reason])? > 0))
}

/// A registration names the digest of what was registered: one of other content than went out proves nothing. Why it was
/// refused before is kept.
fn registered(
    connection: &Connection,
    standing: Standing,
    (at, number, date, content_sha256): (Option<i64>, &str, &str, &str),
) -> Written {
    let mut update = connection.prepare_cached(
        "UPDATE outbox SET state = 'registered', ready_at = NULL, delivered_at = coalesce(delivered_at, ?2),
             number = coalesce(number, nullif(?3, ''), (
                 SELECT journal.number || '/' || journal.year FROM journal
                 WHERE journal.message = outbox.message AND participant = recipient AND direction = 'incoming'
             ), ''), registered_on = coalesce(registered_on, ?4),
             content_sha256 = coalesce(content_sha256, ?5), error = CASE WHEN state = 'rejected' THEN error END
         WHERE seq = ?1 AND coalesce(content_sha256, ?5) = ?5",
    )?;
    Ok((Stage::Registered, update.execute(params![standing.seq, at, number, date, content_sha256])? > 0))
}
