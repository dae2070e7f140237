//! What must be so of a message that a clerk registers: it is ours, its instant is plausible, its proof is there.
//!
//! Promises: a fault names the field of the form that it is about. Never: judges the message itself (its type's schema,
//! its parties and its terms do).

use crate::domain::ids::ParticipantCode;
use crate::domain::message::Envelope;
use crate::gateway::act::words;
use crate::gateway::desk::Handed;
use crate::gateway::desk::record::Call;
use crate::gateway::ports::scans::HandChannel;
use crate::gateway::rejection::{FaultView, Rejection, RejectionKind};
use crate::limits::DESK_BACK_DAYS_MAX;
use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use serde_json::Value;

/// The type of a note of a call (S4 annex 7).
pub(super) const PHONE_MESSAGE: &str = "signal.phone-message";

/// Whether it comes to us or goes from us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    In,
    Out,
}

/// A refusal that is about one field.
pub(super) fn fault(path: &str, code: &'static str, message: &str) -> Rejection {
    let faults = vec![FaultView { path: path.to_owned(), code, message: message.to_owned() }];
    Rejection { faults, ..Rejection::new(RejectionKind::Invalid, code, message) }
}

/// In whose name the message is; the desk speaks for it, because paper has no key.
pub(super) fn sender(message: &Value) -> Result<ParticipantCode, Rejection> {
    let from = message.get("from").and_then(Value::as_str).unwrap_or_default();
    ParticipantCode::new(from).map_err(|error| fault("/from", "schema_violation", &error.to_string()))
}

/// Of a call: who dictated it and who took it down. A call is noted as what it is, a telephone message, so that what was
/// spoken counts as the type that it carries; nothing else came by telephone.
pub(super) fn call(
    (channel, at): (HandChannel, DateTime<FixedOffset>),
    message: &Value,
) -> Result<Option<Call>, Rejection> {
    let is_note = message.get("type").and_then(Value::as_str) == Some(PHONE_MESSAGE);
    match (channel, is_note) {
        (HandChannel::Phone, true) => {
            let told = message.pointer("/body/at").and_then(Value::as_str);
            let told = told.and_then(|told| DateTime::parse_from_rfc3339(told).ok());
            if told.is_some_and(|told| (told - at).abs() >= TimeDelta::minutes(1)) {
                let message = "`at` and the note's own `at` are one instant, that of the call; correct one of them";
                return Err(fault("/at", "implausible_time", message));
            }
            let name = |field: &str| message.pointer(&format!("/body/{field}/name")).and_then(Value::as_str);
            let both = name("caller").zip(name("taken_by"));
            // What is missing is said by the schema, at its field.
            Ok(both.map(|(caller, taken)| Call { dictated_by: caller.to_owned(), taken_by: taken.to_owned() }))
        }
        (HandChannel::Paper | HandChannel::Mail, false) => Ok(None),
        (HandChannel::Phone, false) | (HandChannel::Paper | HandChannel::Mail, true) => Err(fault(
            "/channel",
            "channel_mismatch",
            "what came by telephone, and only that, is registered as `signal.phone-message`; `carries` says what was spoken",
        )),
    }
}

/// Comes to us: every addressee is a centre of this gateway. Goes from us: the sender is, and there is one addressee,
/// because each is handed its own paper at its own time.
pub(super) fn side(envelope: &Envelope, ours: &[ParticipantCode]) -> Result<Side, Rejection> {
    let from_us = ours.contains(&envelope.from);
    let to_us = envelope.to.iter().all(|to| ours.contains(to));
    match (from_us, to_us) {
        (true, _) if envelope.to.len() > 1 => {
            let message = "each addressee is handed its own paper: register one message for each";
            Err(fault("/to", "not_at_this_desk", message))
        }
        (true, _) => Ok(Side::Out),
        (false, true) => Ok(Side::In),
        (false, false) => {
            let message = "a desk registers what comes to its centre or goes from it";
            Err(Rejection::new(RejectionKind::Forbidden, "not_at_this_desk", message))
        }
    }
}

/// The stated instant lies in the past, not too long ago, and not before the document itself.
pub(super) fn instant(
    (at, side): (DateTime<FixedOffset>, Side),
    envelope: &Envelope,
    now: DateTime<Utc>,
) -> Result<(), Rejection> {
    within((at, "/at"), (now - TimeDelta::days(DESK_BACK_DAYS_MAX), now))?;
    let dated = envelope.registration.as_ref().map(|one| one.date);
    if side == Side::In && dated.is_some_and(|dated| at.date_naive() < dated) {
        let message = "it cannot have come before the date that it bears; correct one of the two";
        return Err(fault("/at", "implausible_time", message));
    }
    Ok(())
}

/// Between two instants; forms know minutes only.
pub(super) fn within(
    (at, path): (DateTime<FixedOffset>, &str),
    (first, last): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(), Rejection> {
    let at = at.with_timezone(&Utc);
    if at > last {
        return Err(fault(path, "implausible_time", "the stated time lies in the future; correct it"));
    }
    if at + TimeDelta::minutes(1) <= first {
        let message = format!(
            "the stated time is before {}, which cannot be, or is too long ago to be believed; correct it",
            first.format("%Y-%m-%dT%H:%MZ")
        );
        return Err(fault(path, "implausible_time", &message));
    }
    Ok(())
}

/// What went out bears the proof that it was handed over; what came in bears none.
pub(super) fn handed(
    (side, handed): (Side, Option<Handed>),
    envelope: &Envelope,
) -> Result<Option<(ParticipantCode, Handed)>, Rejection> {
    match (side, handed, envelope.to.first()) {
        (Side::Out, Some(handed), Some(to)) => {
            let taken_by = words(handed.taken_by)
                .map_err(|_| fault("/handed/taken_by", "handover_missing", "say who took it there"))?;
            let number = handed.number.filter(|number| !number.trim().is_empty());
            Ok(Some((to.clone(), Handed { taken_by, number, ..handed })))
        }
        (Side::Out, ..) => {
            let message = "say how it was handed over and who took it there: that is the proof of its delivery";
            Err(fault("/handed", "handover_missing", message))
        }
        (Side::In, Some(_), _) => {
            Err(fault("/handed", "handover_missing", "what came to us was handed over by others; leave `handed` out"))
        }
        (Side::In, None, _) => Ok(None),
    }
}
