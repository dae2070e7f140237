//! The end of the duties of a case: what told it, and which duties it ends.
//!
//! Promises: two cases of one number are held apart by their centre; whether the end or the beginning came first makes
//! no difference. Never: ends what was begun after the end was told (the family is taken on again).

use crate::domain::exchange::Exchange;
use crate::domain::ids::{ExchangeId, MessageId, ParticipantCode, TypeCode};
use crate::domain::obligation::Obligation;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Why a duty is over.
pub const CASE_CLOSED: &str = "дело закрыто";

/// The end of the duties of a case, told by a message or decided by a person of the centre.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    pub case: String,
    /// The message that told it, its type and its sender; none where a person decided.
    pub told: Option<Told>,
    /// It closes the case, and so ends its duties whatever type told it: support is over, not one kind of report.
    #[serde(default)]
    pub closes: bool,
    /// Whose case it is: a number is a centre's own.
    pub centres: Vec<ParticipantCode>,
    pub by: String,
    /// When it was made, by its sender.
    pub made_at: DateTime<Utc>,
    /// When it reached us.
    pub at: DateTime<Utc>,
}

/// The message that told an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub message: MessageId,
    pub type_code: TypeCode,
    pub from: ParticipantCode,
}

impl Ending {
    /// Whether it ends this duty of this exchange.
    #[must_use]
    pub fn ends(&self, one: &Obligation, exchange: &Exchange) -> bool {
        let Some(recurs) = &one.recurs else { return false };
        let by_type = match &self.told {
            Some(told) if !self.closes => recurs.ends.contains(&told.type_code) && exchange.has_party(&told.from),
            _ => !recurs.ends.is_empty(),
        };
        let begins_it = self.told.as_ref().is_some_and(|told| exchange.id == ExchangeId::from(told.message));
        by_type
            && !begins_it
            && one.case.as_ref() == Some(&self.case)
            && self.centres.iter().any(|centre| exchange.has_party(centre))
            && recurs.made_at.is_none_or(|made_at| made_at <= self.made_at)
    }

    /// Whether it ends any duty of this exchange.
    #[must_use]
    pub fn concerns(&self, exchange: &Exchange) -> bool {
        exchange.duties.iter().any(|duty| self.ends(&duty.obligation, exchange))
    }
}
