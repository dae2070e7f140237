//! A message at the door: who brings it is known before a byte of it is read.
//!
//! Promises: limits, well-formedness, schema, sender and roles are checked before the core is asked; all faults at
//! once. Never: believes the envelope about its sender.

use crate::catalogue::{Entry, InHouse};
use crate::domain::case::{Move, What};
use crate::domain::decision::Arrived;
use crate::domain::ids::{ExchangeId, MessageId, ParticipantCode, TypeCode};
use crate::domain::message::{Envelope, Format, Message};
use crate::domain::participant::Directory;
use crate::domain::rule::{Role, Urgency};
use crate::failpoint;
use crate::format;
use crate::gateway::committer::Job;
use crate::gateway::desk::record::Noted;
use crate::gateway::policy::facts_of;
use crate::gateway::ports::decisions::Accepted;
use crate::gateway::rejection::{FaultView, Rejection, RejectionKind};
use crate::gateway::{Gateway, Inner};
use bytes::Bytes;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A message may be dated this far ahead of our clock, in hours: clocks differ, days do not.
const AHEAD_HOURS_MAX: i64 = 24;

/// What a door hands in.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The authenticated sender.
    pub sender: ParticipantCode,
    pub format: Format,
    pub content: Bytes,
    pub channel: ChannelKind,
    /// The id that the transport names; must be the envelope's, where given.
    pub transport_id: Option<String>,
}

/// The door it came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelKind {
    Http,
    Amqp,
    /// A clerk's desk: paper, mail, a call.
    Desk,
}

/// What the sender is told: the message is on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct Submitted {
    pub message: MessageId,
    pub accepted: Accepted,
    /// It was here before; this is the original outcome again.
    pub duplicate: bool,
    /// Digests of attachments that the sender has not put yet.
    pub awaited: Vec<String>,
}

/// A message that has passed every check that needs no state.
pub(super) struct Received {
    pub message: Arc<Message>,
    pub arrived: Arrived,
    /// The type as which it answers what it names in `in_reply_to`, though it begins an exchange of its own.
    pub answers_as: Option<TypeCode>,
    /// It ends duties of the case that it names.
    pub ends_duties: bool,
    /// As what it does: the type, or the one that was spoken.
    pub ending_type: TypeCode,
    /// What it does to the case that it names.
    pub case_moves: Vec<Move>,
    pub title: String,
    pub format: Format,
    pub content: Bytes,
    pub digest: [u8; 32],
    pub channel: ChannelKind,
    /// Digests of attachments that the sender has not put yet.
    pub awaited: Vec<String>,
    /// What the desk says of it.
    pub by_hand: Option<Box<Noted>>,
}

impl Received {
    /// Whether it closes the case that it names, or that of its request.
    pub(super) fn closes_case(&self) -> bool {
        self.case_moves.iter().any(|one| matches!(one.what, What::Closed { .. }))
    }

    /// Whether whoever sends it decides by it: about an obligation, or that a case begins or ends.
    pub(super) fn decides(&self) -> bool {
        let is_of_case = |one: &Move| matches!(one.what, What::Opened { .. } | What::Closed { .. });
        matches!(self.arrived.rule.role, Role::Control(control) if control.decides())
            || self.ends_duties
            || self.case_moves.iter().any(is_of_case)
    }
}

impl Gateway {
    /// Takes a message: parses, checks, decides, and answers after the commit.
    ///
    /// # Errors
    /// [`Rejection`] of any kind; only `Unavailable` is worth a retry.
    pub async fn submit(&self, arrival: Arrival) -> Result<Submitted, Rejection> {
        let mut received = self.0.check(arrival, self.now())?;
        received.awaited = self.awaited_files(&received.message.envelope).await?;
        self.0.ask(|answer| Job::Receive { received: Box::new(received), answer }).await
    }
}

/// The gateway is going down; nothing was taken.
pub(super) fn stopping() -> Rejection {
    Rejection::new(RejectionKind::Unavailable, "unavailable", "the gateway is stopping; nothing was taken; try again")
}

impl Inner {
    /// Hands a job in and waits until it is committed, or refused.
    pub(super) async fn ask<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, Rejection>>) -> Job,
    ) -> Result<T, Rejection> {
        let (answer, answered) = oneshot::channel();
        self.hand_in(job(answer)).await?;
        answered.await.map_err(|_| stopping())?
    }

    pub(super) async fn hand_in(&self, job: Job) -> Result<(), Rejection> {
        self.jobs.send(job).await.map_err(|_| stopping())
    }

    /// Checks what needs no state; `came_at` says which editions rule it: the present, or what a clerk states.
    pub(super) fn check(&self, arrival: Arrival, came_at: DateTime<Utc>) -> Result<Received, Rejection> {
        let message = format::read(&arrival.content, arrival.format, &self.catalogue)?;
        failpoint::reach("after-decode");
        let now = self.now();
        let envelope = &message.envelope;
        check_sender(envelope, &arrival)?;
        let directory = self.directory();
        let came_on = came_on(envelope, &directory, came_at);
        let entry = self.entry_of(envelope)?.on(came_on);
        let told = entry.facts(&message);
        // What was spoken counts as the message that was spoken.
        let ruling = self.spoken(&told, came_on)?.unwrap_or(entry);
        check_parties(envelope, ruling, &directory)?;
        check_dates(envelope, now)?;
        check_consent(envelope, entry)?;
        let digest = format::digest(&message, &self.catalogue)
            .map_err(|fault| Rejection::new(RejectionKind::Invalid, "schema_violation", fault.to_string()))?;
        let rule = self.policies.rule(ruling, told.term_case.as_deref());
        let rule = rule.ok_or_else(|| unknown_type(envelope))?;
        let is_opening = rule.role == Role::Opening;
        let arrived = Arrived {
            message: envelope.id,
            type_code: if is_opening { envelope.type_code.clone() } else { ruling.code.clone() },
            rule: rule.clone(),
            from: envelope.from.clone(),
            to: envelope.to.clone(),
            exchange: exchange_of(envelope, rule.role)?,
            in_reply_to: envelope.in_reply_to,
            case: envelope.case.clone(),
            urgency: Urgency::from(envelope.support.and_then(|support| support.level)),
            reply_by: envelope.reply_by,
            facts: facts_of(told),
            received_at: now,
            created_at: envelope.created_at.instant().with_timezone(&Utc),
            created_on: envelope.created_at.instant().date_naive(),
            number: String::new(),
        };
        Ok(Received {
            arrived,
            answers_as: is_opening.then(|| ruling.code.clone()).filter(|code| self.policies.opens_and_answers(code)),
            ends_duties: self.policies.ends_duties(&ruling.code),
            ending_type: ruling.code.clone(),
            // Of what was spoken: its fields are not in the note, so what hangs on a field is not done.
            case_moves: ruling.case_moves(&message),
            title: entry.title_ru.clone(),
            format: arrival.format,
            content: arrival.content,
            digest,
            channel: arrival.channel,
            awaited: Vec::new(),
            by_hand: None,
            message: Arc::new(message),
        })
    }

    fn entry_of(&self, envelope: &Envelope) -> Result<&Entry, Rejection> {
        self.catalogue.entry(&envelope.type_code, envelope.version).ok_or_else(|| unknown_type(envelope))
    }
}

/// The day whose rules hold for a message: that on which it came to the first addressee, by that body's zone (ours: no
/// source says it; terms run from the same instant).
fn came_on(envelope: &Envelope, directory: &Directory, at: DateTime<Utc>) -> NaiveDate {
    let zone = envelope.to.first().and_then(|to| directory.get(to)).map(|body| body.zone);
    zone.map_or(at.date_naive(), |zone| zone.date(at))
}

/// A message that opens an exchange bears its id; what it may be «in reply to» does not change that.
fn exchange_of(envelope: &Envelope, role: Role) -> Result<ExchangeId, Rejection> {
    let own = ExchangeId::from(envelope.id);
    match (role, envelope.exchange) {
        (Role::Opening, Some(other)) if other != own => Err(Rejection::new(
            RejectionKind::Invalid,
            "opens_no_exchange",
            "a message of this type begins an exchange: leave `exchange` out; `in_reply_to` may name what it refers to",
        )),
        (Role::Opening, _) => Ok(own),
        _ => Ok(envelope.exchange_id()),
    }
}

fn unknown_type(envelope: &Envelope) -> Rejection {
    let message = format!("the catalogue has no type `{}` version {}", envelope.type_code, envelope.version);
    Rejection::new(RejectionKind::Invalid, "unknown_type", message)
}

fn check_sender(envelope: &Envelope, arrival: &Arrival) -> Result<(), Rejection> {
    if envelope.from != arrival.sender {
        tracing::warn!(authenticated = %arrival.sender, "security: a message in another participant's name");
        let message = format!("`from` must be `{}`, the participant that was authenticated", arrival.sender);
        return Err(Rejection::new(RejectionKind::Forbidden, "sender_mismatch", message));
    }
    match &arrival.transport_id {
        Some(id) if *id != envelope.id.to_string() => Err(Rejection::new(
            RejectionKind::Invalid,
            "message_id_mismatch",
            "the transport's message id and the envelope's `id` differ; make them the same",
        )),
        _ => Ok(()),
    }
}

/// What a type may only carry with the consent of the person, or on a stated ground for going without (152-ФЗ ст. 6,
/// 323-ФЗ ст. 13).
fn check_consent(envelope: &Envelope, entry: &Entry) -> Result<(), Rejection> {
    if !entry.needs_consent || envelope.consent.is_some() || envelope.no_consent_ground.is_some() {
        return Ok(());
    }
    let message = "this type needs the person's consent: state `consent`, or `no_consent_ground` with its reason";
    Err(Rejection::new(RejectionKind::Invalid, "consent_missing", message))
}

/// Who may send this to whom; every addressee is known, and none is named twice or is the sender.
fn check_parties(envelope: &Envelope, entry: &Entry, directory: &Directory) -> Result<(), Rejection> {
    let from = directory.get(&envelope.from).ok_or_else(|| {
        let message = format!("participant `{}` is not known; ask the operator to import it", envelope.from);
        Rejection::new(RejectionKind::Forbidden, "unknown_participant", message)
    })?;
    let mut faults = Vec::new();
    let mut named = HashSet::new();
    for (place, to) in envelope.to.iter().enumerate() {
        let fault = |code, message: String| FaultView { path: format!("/to/{place}"), code, message };
        match directory.get(to) {
            None => faults.push(fault("unknown_participant", format!("participant `{to}` is not known"))),
            Some(_) if *to == envelope.from && entry.in_house.is_none() => {
                faults.push(fault("to_oneself", "the sender is its own addressee".into()))
            }
            Some(_) if !named.insert(to) => faults.push(fault("named_twice", format!("`{to}` is named twice"))),
            Some(_) if *to != envelope.from && entry.in_house == Some(InHouse::Only) => faults.push(fault(
                "role_not_allowed",
                format!("`{}` stays with its sender: address it to `{}` alone", entry.code, envelope.from),
            )),
            Some(body) if !entry.allows(Some(from.kind), Some(body.kind)) => faults.push(fault(
                "role_not_allowed",
                format!("`{}` may not be sent by `{}` to `{to}`: see the type's roles", entry.code, envelope.from),
            )),
            Some(_) => {}
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    let (kind, code) = match faults.iter().all(|fault| fault.code == "role_not_allowed") {
        true => (RejectionKind::Forbidden, "role_not_allowed"),
        false => (RejectionKind::Invalid, "bad_addressee"),
    };
    Err(Rejection { faults, ..Rejection::new(kind, code, "the addressees are not right; see `faults`") })
}

/// The time of receipt is ours; the sender's may lie in the past, but not days ahead.
fn check_dates(envelope: &Envelope, now: DateTime<Utc>) -> Result<(), Rejection> {
    if envelope.created_at.instant().with_timezone(&Utc) > now + TimeDelta::hours(AHEAD_HOURS_MAX) {
        let message = "`created_at` lies more than a day in the future; correct the sender's clock";
        let fault = FaultView { path: "/created_at".into(), code: "created_in_the_future", message: message.into() };
        let rejection = Rejection::new(RejectionKind::Invalid, "created_in_the_future", message);
        return Err(Rejection { faults: vec![fault], ..rejection });
    }
    Ok(())
}
