//! Deliveries: queued, leased, settled, proven.
//!
//! Promises: the same steps as the real outbox. Never: takes a failed attempt's word over a proof.

use super::Tables;
use crate::domain::decision::{Event, Proof, ProofStage};
use crate::domain::delivery::waits_until_max;
use crate::domain::delivery_stage::Stage;
use crate::domain::ids::{ExchangeId, MessageId, ParticipantCode};
use crate::domain::message::Format;
use crate::domain::participant::{Participant, Route};
use crate::gateway::ports::decisions::{Attempt, AttemptResult, Claim, Claimed, Direction, OutboxRow, RouteKind};
use crate::gateway::ports::reads::DeliveryRow;
use crate::simulation::flaw::Flaw;
use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};

/// A row of the outbox.
#[derive(Debug, Clone)]
pub(in crate::simulation) struct Delivery {
    pub seq: u64,
    pub route: RouteKind,
    pub exchange: Option<ExchangeId>,
    content: Option<(Format, Bytes)>,
    pub stage: Stage,
    pub attempts: u32,
    pub queued_at: DateTime<Utc>,
    pub ready_at: Option<DateTime<Utc>>,
    delivered_at: Option<DateTime<Utc>>,
    content_sha256: Option<String>,
    pub number: Option<String>,
    registered_on: Option<NaiveDate>,
    pub error: Option<String>,
    /// The life of a gateway that has leased it.
    holder: Option<u64>,
    /// Its place among all, which it keeps when it is queued again.
    pub first_seq: u64,
    /// Whether it has a place among those of its exchange: that was on record when it was queued.
    pub is_ordered: bool,
    /// Whether later ones may pass it: it was given up once.
    pub is_passable: bool,
}

impl Delivery {
    fn arrived(&self) -> Stage {
        if self.number.is_some() { Stage::Registered } else { Stage::Delivered }
    }

    /// Whether the attempt counts: what has arrived has, and else who says so must have the lease.
    fn settle(&mut self, attempt: &Attempt, by: u64) -> bool {
        let is_leased = self.stage == Stage::Sending && self.holder == Some(by);
        match &attempt.result {
            AttemptResult::Delivered { content_sha256 } => self.delivered(attempt.at, content_sha256),
            _ if !is_leased => return false,
            AttemptResult::Retry { next_at, error } => {
                self.attempts += 1;
                (self.stage, self.ready_at, self.error) = (Stage::WaitingRetry, Some(*next_at), Some(error.clone()));
            }
            AttemptResult::Postponed { next_at } => (self.stage, self.ready_at) = (Stage::Queued, Some(*next_at)),
            AttemptResult::Unsure { lease_until } if self.ready_at != Some(*lease_until) => return false,
            AttemptResult::Unsure { .. } => (self.stage, self.ready_at) = (Stage::Queued, Some(attempt.at)),
            AttemptResult::Undeliverable { error } => {
                self.attempts += 1;
                self.is_passable = true;
                (self.stage, self.ready_at, self.error) = (Stage::Undeliverable, None, Some(error.clone()));
            }
        }
        true
    }

    fn delivered(&mut self, at: DateTime<Utc>, sha256: &str) {
        let is_answered = self.stage.is_answered();
        self.attempts += 1;
        self.delivered_at = if self.ready_at.is_none() { self.delivered_at.or(Some(at)) } else { Some(at) };
        if self.number.is_none() || self.content_sha256.is_none() {
            self.content_sha256 = Some(sha256.to_owned());
        }
        if !is_answered {
            (self.stage, self.error) = (self.arrived(), None);
        }
        self.ready_at = None;
    }

    fn reached(&mut self, at: Option<DateTime<Utc>>) {
        self.stage = self.arrived();
        (self.ready_at, self.delivered_at, self.error) = (None, self.delivered_at.or(at), None);
    }
}

impl Tables {
    pub(super) fn queue(&mut self, row: OutboxRow) {
        self.last_delivery += 1;
        let seq = self.last_delivery;
        let key = (row.message, row.recipient);
        if let Some(old) = self.deliveries.get_mut(&key) {
            if !old.stage.is_on_its_way() {
                (old.seq, old.stage, old.attempts, old.route) = (seq, Stage::Queued, 0, row.route);
                (old.queued_at, old.ready_at) = (row.queued_at, Some(row.queued_at));
            }
            return;
        }
        let named = self.messages.get(&key.0).filter(|_| row.content.is_none());
        self.owed_besides += u64::from(named.is_none_or(|message| !message.recipients.contains(&key.1)));
        let delivery = Delivery {
            seq,
            route: row.route,
            exchange: row.exchange,
            content: row.content,
            stage: Stage::Queued,
            attempts: 0,
            queued_at: row.queued_at,
            ready_at: Some(row.queued_at),
            delivered_at: None,
            content_sha256: None,
            number: None,
            registered_on: None,
            error: None,
            holder: None,
            first_seq: seq,
            is_ordered: row.exchange.is_some_and(|id| self.exchanges.contains_key(&id)),
            is_passable: false,
        };
        self.deliveries.insert(key, delivery);
    }

    pub(super) fn claim(&mut self, claim: &Claim, by: u64) -> Vec<Claimed> {
        let latest = waits_until_max(claim.now);
        let is_ready = |row: &Delivery| {
            let lasts = self.flaw == Some(Flaw::LeaseForEver) && row.stage == Stage::Sending;
            row.route == claim.route && !lasts && row.ready_at.is_some_and(|at| at <= claim.now || at > latest)
        };
        let is_first = |(key, row): &(&(MessageId, ParticipantCode), &Delivery)| {
            let of_it = |(other, earlier): (&(MessageId, ParticipantCode), &Delivery)| {
                other.1 == key.1
                    && earlier.is_ordered
                    && earlier.exchange == row.exchange
                    && earlier.seq < row.seq
                    && earlier.ready_at.is_some()
            };
            self.flaw == Some(Flaw::OutOfOrder) || !row.is_ordered || !self.deliveries.iter().any(of_it)
        };
        let ready = self.deliveries.iter().filter(|(_, row)| claim.route != RouteKind::Inbox && is_ready(row));
        let ready = ready.filter(is_first);
        let mut ready: Vec<_> =
            ready.map(|(key, row)| (row.ready_at.map(|at| at.min(claim.now)), row.seq, key.clone())).collect();
        ready.sort();
        ready.truncate(claim.limit);
        let mut leased = Vec::with_capacity(ready.len());
        for (_, _, key) in ready {
            leased.extend(self.letter(&key));
            if let Some(row) = self.deliveries.get_mut(&key) {
                self.takeovers += u64::from(row.stage == Stage::Sending && row.holder != Some(by));
                (row.stage, row.ready_at, row.holder) = (Stage::Sending, Some(claim.lease_until), Some(by));
            }
        }
        if let (Some(Flaw::CrossedContent), [one, other, ..]) = (self.flaw, leased.as_mut_slice()) {
            (one.content, other.content) = (other.content.clone(), one.content.clone());
            (one.format, other.format) = (other.format, one.format);
        }
        leased
    }

    /// Who opens the store alone knows that nobody is sending.
    pub(in crate::simulation) fn end_leases(&mut self) {
        let sending = self.deliveries.values_mut().filter(|row| row.stage == Stage::Sending && row.ready_at.is_some());
        sending.for_each(|row| (row.stage, row.ready_at) = (Stage::Queued, Some(row.queued_at)));
        self.notices.values_mut().for_each(super::Notice::end_lease);
    }

    pub(super) fn letter(&self, key: &(MessageId, ParticipantCode)) -> Option<Claimed> {
        let row = self.deliveries.get(key)?;
        let stored = self.messages.get(&key.0).map(|message| (message.format, message.content.clone()));
        let (format, content) = row.content.clone().or(stored)?;
        Some(Claimed {
            message: key.0,
            recipient: key.1.clone(),
            exchange: row.exchange,
            format,
            content,
            attempts: row.attempts,
            queued_at: row.queued_at,
            read: None,
        })
    }

    pub(super) fn settle(&mut self, attempts: &[Attempt], mut events: Vec<Event>, by: u64) {
        let mut ignored = Vec::new();
        for attempt in attempts {
            let key = (attempt.message, attempt.recipient.clone());
            if self.deliveries.get_mut(&key).is_some_and(|row| !row.settle(attempt, by)) {
                ignored.push(key);
            }
        }
        events.retain(|event| event.gives_up().is_none_or(|delivery| !ignored.contains(&delivery)));
        self.record(events);
    }

    pub(super) fn begin_handlings(
        &mut self,
        keys: [[u8; 32]; 2],
        (at, old): (DateTime<Utc>, DateTime<Utc>),
    ) -> [u32; 2] {
        self.handlings.retain(|_, (_, begun_at)| *begun_at >= old);
        keys.map(|key| {
            let (begun, begun_at) = self.handlings.entry(key).or_default();
            (*begun, *begun_at) = (*begun + 1, at);
            *begun
        })
    }

    pub(super) fn prove(&mut self, proof: &Proof, at: Option<DateTime<Utc>>) {
        let own = self.journal.iter().find(|row| {
            let register = &row.register;
            row.message == proof.message
                && register.participant == proof.recipient
                && register.direction == Direction::Incoming
        });
        let own = own.map(|row| format!("{}/{}", row.number, row.register.year));
        let Some(row) = self.deliveries.get_mut(&(proof.message, proof.recipient.clone())) else { return };
        let stands = self.flaw == Some(Flaw::RefusalStands) && row.stage == Stage::Rejected;
        if stands || !row.stage.yields_to(&proof.stage) {
            return;
        }
        match &proof.stage {
            ProofStage::Received | ProofStage::HandedOver { .. } if row.stage == Stage::Delivered => {}
            ProofStage::Rejected { reason } if row.number.is_none() => {
                (row.stage, row.ready_at, row.error) = (Stage::Rejected, None, Some(reason.clone()));
                row.delivered_at = row.delivered_at.or(at);
            }
            ProofStage::HandedOver { at } => row.reached(Some(*at)),
            ProofStage::Received | ProofStage::Rejected { .. } => row.reached(at),
            ProofStage::Registered { content_sha256, .. }
                if row.content_sha256.as_ref().is_some_and(|known| known != content_sha256) => {}
            ProofStage::Registered { number, date, content_sha256 } => {
                let number = Some(number.clone()).filter(|number| !number.is_empty()).or(own).unwrap_or_default();
                row.number = row.number.take().or(Some(number));
                row.registered_on = row.registered_on.or(Some(*date));
                row.content_sha256 = row.content_sha256.take().or(Some(content_sha256.clone()));
                let refused_for = row.error.take().filter(|_| row.stage == Stage::Rejected);
                row.reached(at);
                row.error = refused_for;
            }
        }
    }

    /// Whether a message has not reached a recipient over AMQP or push; what waits in an inbox has reached it.
    pub(super) fn is_under_way(&self, message: MessageId, to: &ParticipantCode) -> bool {
        self.deliveries.get(&(message, to.clone())).is_some_and(|row| {
            row.route != RouteKind::Inbox
                && row.delivered_at.is_none()
                && (row.ready_at.is_some() || row.stage.is_given_up())
        })
    }

    /// What waits goes by the way that its recipient has now.
    pub(super) fn reroute(&mut self) {
        let ways: Vec<(ParticipantCode, RouteKind)> =
            self.participants.values().map(|body| (body.code.clone(), kind(body))).collect();
        for ((_, recipient), row) in &mut self.deliveries {
            let way = ways.iter().find(|(code, _)| code == recipient).map(|(_, way)| *way);
            let Some(way) = way.filter(|way| row.ready_at.is_some() && *way != row.route) else { continue };
            row.route = way;
            if way == RouteKind::Inbox {
                (row.stage, row.ready_at) = (Stage::Queued, Some(row.queued_at));
            }
        }
    }

    pub(super) fn delivery_row(&self, key: &(MessageId, ParticipantCode)) -> Option<DeliveryRow> {
        let row = self.deliveries.get(key)?;
        let by_hand = row.stage == Stage::Delivered
            && self.handovers.iter().any(|one| (one.message, &one.recipient) == (key.0, &key.1));
        Some(DeliveryRow {
            message: key.0,
            recipient: key.1.clone(),
            state: if by_hand { "handled_manually" } else { row.stage.code() }.to_owned(),
            attempts: row.attempts,
            queued_at: row.queued_at,
            next_at: row.ready_at.filter(|_| row.stage == Stage::WaitingRetry),
            delivered_at: row.delivered_at,
            content_sha256: row.content_sha256.clone(),
            registration: row.number.clone().zip(row.registered_on),
            error: row.error.clone(),
        })
    }
}

fn kind(body: &Participant) -> RouteKind {
    match body.route {
        Route::Inbox => RouteKind::Inbox,
        Route::Amqp => RouteKind::Amqp,
        Route::Push { .. } => RouteKind::Push,
    }
}
