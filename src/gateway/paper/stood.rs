//! What stood on record when a letter was sent.
//!
//! Promises: what came later changes no letter that has gone: a due date that was moved, an arrival, a registration.
//! Never: changes the record.

use crate::domain::decision::EventKind;
use crate::domain::exchange::Duty;
use crate::gateway::ports::reads::{DeliveryRow, ExchangeRecord};
use chrono::{DateTime, Utc};

/// An answer by which a body says over its channel that it has registered a letter.
const REGISTRATION: &str = "receipt.registration";

/// Without what was recorded after that instant.
pub(super) fn duty(duty: &Duty, at: DateTime<Utc>) -> Duty {
    let mut stood = duty.clone();
    stood.obligation.facts.retain(|fact| fact.at() <= at);
    stood.obligation.pauses.retain(|pause| pause.from <= at);
    stood
}

/// The way of a message as the record of its exchange told it then. The row has only a date of the registration, and
/// that is the addressee's own: when we learned of it stands in the events and the receipts.
pub(super) fn delivery(row: DeliveryRow, record: Option<&ExchangeRecord>, at: DateTime<Utc>) -> DeliveryRow {
    let told: Vec<(EventKind, DateTime<Utc>)> = record.map_or_else(Vec::new, |record| {
        let of_row = record
            .events
            .iter()
            .filter(|event| event.message == Some(row.message) && event.participant.as_ref() == Some(&row.recipient));
        let receipts = record
            .messages
            .iter()
            .filter(|line| line.sender == row.recipient && line.type_code.as_str() == REGISTRATION);
        let receipts = receipts.map(|line| (EventKind::DeliveryRegistered, line.outcome.received_at));
        of_row.map(|event| (event.kind, event.at)).chain(receipts).collect()
    });
    let first = |kinds: &[EventKind]| told.iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, at)| *at).min();
    let registered_at = first(&[EventKind::DeliveryRegistered]);
    let arrived_at = first(&[EventKind::Delivered, EventKind::HandledManually, EventKind::DeliveryRegistered]);
    let arrived_at = arrived_at.into_iter().chain(row.delivered_at).min();
    DeliveryRow {
        registration: row.registration.filter(|_| registered_at.is_none_or(|known| known <= at)),
        delivered_at: arrived_at.filter(|known| *known <= at),
        ..row
    }
}
