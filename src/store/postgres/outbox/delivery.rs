//! One row of the outbox in memory, and what may become of it. Pure.
//!
//! Promises: a registration by the addressee stands, a refusal until it registers; a message sent again keeps its registration.
//! Never: takes a failed attempt's word over a proof that came meanwhile.

use crate::domain::decision::ProofStage;
use crate::domain::delivery_stage::Stage;
use crate::domain::ids::{ExchangeId, MessageId, ParticipantCode};
use crate::gateway::ports::decisions::{AttemptResult, OutboxRow, RouteKind};
use crate::store::postgres::counters::{Counters, of_stage};
use chrono::{DateTime, NaiveDate, Utc};

/// The key of a row.
pub(in crate::store::postgres) type Key = (MessageId, ParticipantCode);

/// A row that is locked.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) seq: i64,
    /// The exchange, where we hold it, with its row.
    pub(super) exchange: Option<(ExchangeId, i64)>,
    /// As it stands in the table.
    pub(super) was: Stage,
    pub(super) stage: Stage,
    pub(super) route: RouteKind,
    pub(super) attempts: u32,
    pub(super) queued_at: DateTime<Utc>,
    pub(super) ready_at: Option<DateTime<Utc>>,
    pub(super) holder: Option<i32>,
    pub(super) delivered_at: Option<DateTime<Utc>>,
    pub(super) content_sha256: Option<String>,
    /// The addressee's number, from now or from before it was sent again.
    pub(super) number: Option<String>,
    pub(super) registered_on: Option<NaiveDate>,
    pub(super) error: Option<String>,
    pub(super) changed: bool,
    /// It was written by this transaction.
    pub(super) is_new: bool,
    /// It goes to the end of the line: no cursor of an inbox has passed its new number.
    pub(super) queued_again: bool,
}

impl Delivery {
    /// A row that was just written.
    pub(super) fn queued(seq: i64, row: &OutboxRow) -> Self {
        Self {
            seq,
            exchange: None,
            was: Stage::Queued,
            stage: Stage::Queued,
            route: row.route,
            attempts: 0,
            queued_at: row.queued_at,
            ready_at: Some(row.queued_at),
            holder: None,
            delivered_at: None,
            content_sha256: None,
            number: None,
            registered_on: None,
            error: None,
            changed: false,
            is_new: true,
            queued_again: false,
        }
    }

    /// Leased as it was written, and still so.
    pub(super) fn is_leased_new(&self) -> bool {
        self.is_new && self.stage == Stage::Sending
    }

    /// Sent again, unless it is still on its way.
    pub(super) fn queue_again(&mut self, row: &OutboxRow) {
        if self.stage.is_on_its_way() {
            return;
        }
        self.step(Stage::Queued, Some(row.queued_at));
        self.attempts = 0;
        self.route = row.route;
        self.queued_at = row.queued_at;
        self.queued_again = true;
    }

    /// What the channel says of an attempt under a lease of one of these numbers. Whether it counts.
    pub(super) fn settle(&mut self, (at, result): (DateTime<Utc>, &AttemptResult), numbers: &[i32]) -> bool {
        // The lease is gone when somebody else, or the addressee itself, has settled it, or when another has it now.
        let leased = self.stage == Stage::Sending && self.holder.is_none_or(|holder| numbers.contains(&holder));
        match result {
            AttemptResult::Delivered { content_sha256 } => self.delivered(at, content_sha256),
            AttemptResult::Retry { .. }
            | AttemptResult::Postponed { .. }
            | AttemptResult::Unsure { .. }
            | AttemptResult::Undeliverable { .. }
                if !leased =>
            {
                return false;
            }
            AttemptResult::Unsure { lease_until } if self.ready_at != Some(*lease_until) => return false,
            AttemptResult::Unsure { .. } => self.step(Stage::Queued, Some(at)),
            AttemptResult::Retry { next_at, error } => self.failed((Stage::WaitingRetry, Some(*next_at)), error),
            // Not tried: it waits as it waited before, and no attempt is counted.
            AttemptResult::Postponed { next_at } => self.step(Stage::Queued, Some(*next_at)),
            AttemptResult::Undeliverable { error } => self.failed((Stage::Undeliverable, None), error),
        }
        true
    }

    fn delivered(&mut self, at: DateTime<Utc>, content_sha256: &str) {
        let is_answered = self.stage.is_answered();
        let to = if is_answered { self.stage } else { self.arrived() };
        let first = if self.ready_at.is_none() { self.delivered_at } else { None };
        self.delivered_at = first.or(Some(at));
        if self.number.is_none() || self.content_sha256.is_none() {
            self.content_sha256 = Some(content_sha256.to_owned());
        }
        if !is_answered {
            self.error = None;
        }
        self.attempts += 1;
        self.step(to, None);
    }

    fn failed(&mut self, (to, ready_at): (Stage, Option<DateTime<Utc>>), error: &str) {
        self.attempts += 1;
        self.error = Some(error.to_owned());
        self.step(to, ready_at);
    }

    /// What the addressee has proven, at `at`. An addressee without a number of its own registers under the number that
    /// the gateway's own register of its incoming messages gave (`own`).
    pub(super) fn prove(&mut self, stage: &ProofStage, at: Option<DateTime<Utc>>, own: Option<&str>) {
        if !self.stage.yields_to(stage) {
            return;
        }
        match stage {
            ProofStage::Received | ProofStage::HandedOver { .. } if self.stage == Stage::Delivered => {}
            ProofStage::Rejected { reason } if self.number.is_none() => {
                self.delivered_at = self.delivered_at.or(at);
                self.error = Some(reason.clone());
                self.step(Stage::Rejected, None);
            }
            ProofStage::HandedOver { at } => self.arrive(Some(*at)),
            // What was registered once is not undone by a refusal when it is sent again.
            ProofStage::Received | ProofStage::Rejected { .. } => self.arrive(at),
            ProofStage::Registered { number, date, content_sha256 } => {
                // A registration names the digest of what was registered: of other content than went out it proves nothing.
                if self.content_sha256.as_ref().is_some_and(|sent| sent != content_sha256) {
                    return;
                }
                let given = Some(number.as_str()).filter(|number| !number.is_empty());
                let number = given.or(own).unwrap_or_default();
                self.number.get_or_insert_with(|| number.to_owned());
                self.registered_on.get_or_insert(*date);
                self.content_sha256.get_or_insert_with(|| content_sha256.clone());
                self.delivered_at = self.delivered_at.or(at);
                // Why it was refused before is kept.
                if self.stage != Stage::Rejected {
                    self.error = None;
                }
                self.step(Stage::Registered, None);
            }
        }
    }

    fn arrive(&mut self, at: Option<DateTime<Utc>>) {
        self.delivered_at = self.delivered_at.or(at);
        self.error = None;
        self.step(self.arrived(), None);
    }

    /// The stage that proof of arrival makes: a message sent again is registered still.
    fn arrived(&self) -> Stage {
        if self.number.is_some() { Stage::Registered } else { Stage::Delivered }
    }

    /// Any step ends the lease.
    fn step(&mut self, to: Stage, ready_at: Option<DateTime<Utc>>) {
        self.stage = to;
        self.ready_at = ready_at;
        self.holder = None;
        self.changed = true;
    }

    /// Counts the step that it made.
    pub(super) fn count(&self, counters: &mut Counters) {
        counters.moved(of_stage(self.was), of_stage(self.stage));
    }
}
