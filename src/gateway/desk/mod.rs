//! The clerk's desk: what came or went on paper, by mail or by telephone is registered as the same message through the
//! same verb, and opens and closes the same obligations (obligations rule 11, S4 annex 7).
//!
//! Promises: a scan is on disk before its message is decided; whoever registers is a person, by name; the stated instant
//! and that of the registration are both kept. Never: registers what does not come to us or go from us; makes a receipt.

mod checks;
pub(super) mod record;
mod scan;

use crate::catalogue::{Entry, Role};
use crate::domain::ids::{MessageId, ObligationId, ParticipantCode, TypeCode};
use crate::domain::message::Format;
use crate::gateway::Gateway;
use crate::gateway::act::{Actor, words};
use crate::gateway::arrival::{Arrival, ChannelKind, Submitted};
use crate::gateway::committer::Job;
use crate::gateway::desk::checks::{Side, fault};
use crate::gateway::desk::record::Noted;
use crate::gateway::ports::accounts::UserRole;
use crate::gateway::ports::scans::{HandChannel, HandWay, Handover};
use crate::gateway::rejection::{Rejection, RejectionKind};
use crate::gateway::spoken::can_be_spoken;
use crate::gateway::view::delivery_view;
use crate::gateway::views::DeliveryView;
use bytes::Bytes;
use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::Value;

pub use scan::{NewScan, Scan};

/// What a clerk states about a message that no system carried.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeskEntry {
    pub channel: HandChannel,
    /// When it came to us, or was handed over by us; terms that count from receipt or registration begin here.
    pub at: DateTime<FixedOffset>,
    /// Of what went out: how, and who took it there.
    #[serde(default)]
    pub handed: Option<Handed>,
    /// The message itself, as JSON; `registration` is the sender's own number and date.
    pub message: Value,
}

/// The proof of a delivery that people made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handed {
    pub way: HandWay,
    pub taken_by: String,
    /// The recipient's own number and date, where its stamp says them.
    #[serde(default)]
    pub number: Option<String>,
    #[serde(default)]
    pub date: Option<NaiveDate>,
}

/// A letter of the gateway's own that people have handed over.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandoverNotice {
    pub at: DateTime<FixedOffset>,
    pub handed: Handed,
}

impl Gateway {
    /// Registers what came or went on paper, by mail or by telephone.
    ///
    /// # Errors
    /// As [`Gateway::submit`], and: `person_needed`, `observer`, `clerk` for a decision of ours, `not_at_this_desk`, `implausible_time`,
    /// `channel_mismatch`, `handover_missing`, `scan_format`, `scan_missing`, `limit_scans`; nothing is half done.
    pub async fn register_by_hand(
        &self,
        entry: DeskEntry,
        scans: Vec<NewScan>,
        by: &Actor,
    ) -> Result<Submitted, Rejection> {
        may_register(by)?;
        let DeskEntry { channel, at, handed, mut message } = entry;
        let files = scan::accept(scans).await?;
        scan::annex(&mut message, &files);
        let call = checks::call((channel, at), &message)?;
        let content = Bytes::from(message.to_string());
        let sender = checks::sender(&message)?;
        let arrival = Arrival { sender, format: Format::Json, content, channel: ChannelKind::Desk, transport_id: None };
        let mut received = self.0.check(arrival, at.with_timezone(&Utc))?;
        let envelope = &received.message.envelope;
        let side = checks::side(envelope, &self.own_centres())?;
        checks::instant((at, side), envelope, self.now())?;
        if side == Side::Out && received.decides() {
            by.may_decide()?;
        }
        let handed = checks::handed((side, handed), envelope)?;
        let scans = self.stored((&files, envelope)).await?;
        received.by_hand = Some(Box::new(Noted { channel, at, by_whom: by.label(), call, handed, scans }));
        self.0.ask(|answer| Job::Receive { received: Box::new(received), answer }).await
    }

    /// People have handed over a letter that was waiting: it is delivered, `handled_manually`.
    ///
    /// # Errors
    /// `person_needed`, `observer`, `not_found`, `implausible_time`; `not_waiting` when it has arrived already.
    pub async fn hand_over(
        &self,
        (message, recipient): (MessageId, ParticipantCode),
        notice: HandoverNotice,
        by: &Actor,
    ) -> Result<DeliveryView, Rejection> {
        may_register(by)?;
        let missing = || Rejection::not_found("letter");
        let stored = self.0.store.message(message).await?.ok_or_else(missing)?;
        let row = self.0.store.delivery(message, &recipient).await?;
        if row.is_none() || !self.own_centres().contains(&stored.sender) {
            return Err(missing());
        }
        let now = self.now();
        checks::within((notice.at, "/at"), (stored.received_at, now))?;
        let Handed { way, taken_by, number, date } = notice.handed;
        let handover = Handover {
            message,
            recipient: recipient.clone(),
            way,
            at: notice.at.with_timezone(&Utc),
            taken_by: words(taken_by)
                .map_err(|_| fault("/handed/taken_by", "handover_missing", "say who took it there"))?,
            number: number.filter(|number| !number.trim().is_empty()),
            date,
            by_whom: by.label(),
            recorded_at: now,
        };
        let (handover, exchange) = (Box::new(handover), Some(stored.exchange));
        self.0.ask(|answer| Job::HandOver { handover, exchange, answer }).await?;
        self.0.store.delivery(message, &recipient).await?.map(delivery_view).ok_or_else(missing)
    }
}

impl Gateway {
    /// The types that begin something and that this body may send to that one in this way, by title.
    #[must_use]
    pub fn types_at_the_desk(
        &self,
        (from, to): (&ParticipantCode, &ParticipantCode),
        channel: HandChannel,
    ) -> Vec<&Entry> {
        let kind = |code: &ParticipantCode| self.0.participant(code).map(|body| body.kind);
        let (from, to) = (kind(from), kind(to));
        let begins = |entry: &&Entry| matches!(entry.role, Role::Request | Role::Notice | Role::Ruling);
        let is_latest =
            |entry: &&Entry| self.0.catalogue.latest(&entry.code).is_some_and(|one| one.version == entry.version);
        let fits = |entry: &&Entry| channel != HandChannel::Phone || can_be_spoken(entry);
        let known = self.0.catalogue.entries().filter(|entry| entry.carries.is_none() && entry.allows(from, to));
        let mut types: Vec<&Entry> = known.filter(begins).filter(is_latest).filter(fits).collect();
        types.sort_by(|one, other| one.title_ru.cmp(&other.title_ru));
        types
    }

    /// The types that answer an obligation, the first of them first.
    ///
    /// # Errors
    /// `not_found`, also for what the actor may not see.
    pub async fn answer_types(&self, on: ObligationId, by: &Actor) -> Result<Vec<TypeCode>, Rejection> {
        Ok(self.row_for(on, by).await?.duty.obligation.answer_types)
    }
}

/// Who registers answers for it with a name: a person of the centre, not a program.
fn may_register(by: &Actor) -> Result<(), Rejection> {
    match by {
        Actor::Participant(_) => Err(Rejection::new(
            RejectionKind::Forbidden,
            "person_needed",
            "a person of the centre registers this and answers for it: log in, or use the board",
        )),
        Actor::Person { role: UserRole::Observer, .. } => Err(Rejection::new(
            RejectionKind::Forbidden,
            "observer",
            "an observer reads only; ask a clerk or a coordinator to register this",
        )),
        Actor::Person { .. } => Ok(()),
    }
}
