//! What a registration at the desk adds to the transaction of its message.
//!
//! Promises: the note, the proof, the scans and the events stand or fall with the message. Never: a registration by the
//! recipient (only its own number with a digest makes that).

use crate::domain::decision::{Event, EventKind, Proof, ProofStage};
use crate::domain::ids::{ExchangeId, MessageId, ParticipantCode};
use crate::domain::rule::Role;
use crate::gateway::arrival::Received;
use crate::gateway::desk::{Handed, checks};
use crate::gateway::ports::scans::{ByHand, HandChannel, Handover, ScanRow};
use crate::gateway::rejection::{Rejection, RejectionKind};
use crate::gateway::working_set::WorkingSet;
use chrono::{DateTime, FixedOffset, Utc};

/// What the desk says of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    pub(super) channel: HandChannel,
    /// With the offset in which the clerk stated it.
    pub(super) at: DateTime<FixedOffset>,
    pub(super) by_whom: String,
    pub(super) call: Option<Call>,
    pub(super) handed: Option<(ParticipantCode, Handed)>,
    pub(super) scans: Vec<ScanRow>,
}

/// Who spoke, and who wrote it down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub dictated_by: String,
    pub taken_by: String,
}

/// The instant that counts as that of the receipt: the clerk's for what no system carried, else ours. An answer is not
/// there before its request.
pub(in crate::gateway) fn received_at(
    (received, exchange): (&Received, ExchangeId),
    work: &WorkingSet<'_>,
) -> Result<DateTime<Utc>, Rejection> {
    let Some(noted) = &received.by_hand else { return Ok(work.ctx.now) };
    let root = work.loaded.exchanges.get(&exchange).and_then(|exchange| exchange.root.as_ref());
    if let Some(root) = root.filter(|_| received.arrived.rule.role != Role::Opening) {
        checks::within((noted.at, "/at"), (root.registered_at, work.ctx.now))?;
    }
    Ok(noted.at.with_timezone(&Utc))
}

/// Writes the note of a message that was accepted.
pub(in crate::gateway) fn write(received: &Received, exchange: ExchangeId, work: &mut WorkingSet<'_>) {
    let Some(noted) = &received.by_hand else { return };
    let (message, now) = (received.message.envelope.id, work.ctx.now);
    let at = noted.at.with_timezone(&Utc);
    let call = noted.call.clone();
    work.changes.by_hand.push(ByHand {
        message,
        channel: noted.channel,
        at,
        recorded_at: now,
        by_whom: noted.by_whom.clone(),
        dictated_by: call.as_ref().map(|call| call.dictated_by.clone()),
        taken_by: call.map(|call| call.taken_by),
        scans: noted.scans.clone(),
    });
    let from = received.arrived.from.clone();
    let detail = format!("{} {}", noted.channel.code(), noted.at.to_rfc3339());
    work.changes.events.push(event((EventKind::MessageByHand, detail), (message, Some(exchange)), (from, now)));
    if let Some((recipient, handed)) = noted.handed.clone() {
        let handover = Handover {
            message,
            recipient,
            way: handed.way,
            at,
            taken_by: handed.taken_by,
            number: handed.number,
            date: handed.date,
            by_whom: noted.by_whom.clone(),
            recorded_at: now,
        };
        hand_over(&handover, Some(exchange), work);
    }
}

/// People have handed over a letter that was waiting. It may have arrived since they looked, or another has said so.
pub(in crate::gateway) fn handed_over(
    handover: &Handover,
    exchange: Option<ExchangeId>,
    work: &mut WorkingSet<'_>,
) -> Result<(), Rejection> {
    if !work.loaded.waiting.remove(&(handover.message, handover.recipient.clone())) {
        let message = "this letter has arrived already, or was refused; its delivery stands";
        return Err(Rejection::new(RejectionKind::Conflict, "not_waiting", message));
    }
    hand_over(handover, exchange, work);
    Ok(())
}

/// Writes the proof that people have handed a letter over: it never goes out by itself any more.
fn hand_over(handover: &Handover, exchange: Option<ExchangeId>, work: &mut WorkingSet<'_>) {
    let (message, recipient) = (handover.message, handover.recipient.clone());
    let stage = ProofStage::HandedOver { at: handover.at };
    work.changes.proofs.push(Proof { message, recipient: recipient.clone(), stage });
    let detail = handover.way.code().to_owned();
    let about = (EventKind::HandledManually, detail);
    work.changes.events.push(event(about, (message, exchange), (recipient, work.ctx.now)));
    work.changes.handovers.push(handover.clone());
}

fn event(
    (kind, detail): (EventKind, String),
    (message, exchange): (MessageId, Option<ExchangeId>),
    (participant, at): (ParticipantCode, DateTime<Utc>),
) -> Event {
    Event {
        at,
        kind,
        exchange,
        obligation: None,
        message: Some(message),
        participant: Some(participant),
        detail: Some(detail),
    }
}
