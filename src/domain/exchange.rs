//! An exchange: a root message, the obligations it opened, and what came before its time.
//!
//! Promises: a reply that overtakes its request is parked here and matched when the request comes.
//! Never: forgets a parked message.

use crate::domain::alert::Alert;
use crate::domain::escalation::Rungs;
use crate::domain::ids::{ExchangeId, MessageId, ObligationId, ParticipantCode, TypeCode};
use crate::domain::obligation::Obligation;
use crate::domain::rule::{BodyFacts, Role};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Messages that may wait for the root of one exchange: our default, far above what bodies write about one matter.
pub const PARKED_MAX: usize = 256;

/// The state that a decision about an exchange reads and writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    pub id: ExchangeId,
    /// `None` while only replies to it have come.
    pub root: Option<Root>,
    pub duties: Vec<Duty>,
    /// Messages that came before the one they answer, and those of senders that owe nothing here (yet).
    pub parked: Vec<Parked>,
}

/// An obligation with its rungs and its alert: what is decided together.
#[derive(Debug, Clone, PartialEq)]
pub struct Duty {
    pub obligation: Obligation,
    pub rungs: Rungs,
    pub alert: Option<Alert>,
}

/// What is remembered of the message that began the exchange.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Root {
    pub message: MessageId,
    pub type_code: TypeCode,
    pub from: ParticipantCode,
    pub to: Vec<ParticipantCode>,
    pub case: Option<String>,
    pub registered_at: DateTime<Utc>,
    /// The gateway's registration number of it, for letters that refer to it.
    pub number: String,
}

/// A message that came before the one it answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parked {
    pub message: MessageId,
    pub type_code: TypeCode,
    pub role: Role,
    pub from: ParticipantCode,
    pub to: Vec<ParticipantCode>,
    pub in_reply_to: Option<MessageId>,
    pub received_at: DateTime<Utc>,
    pub facts: BodyFacts,
    /// It began an exchange of its own, where it is registered; that it fits nothing here is no fault of its sender.
    #[serde(default)]
    pub elsewhere: bool,
}

impl Exchange {
    /// An exchange of which nothing has come yet.
    #[must_use]
    pub fn unseen(id: ExchangeId) -> Self {
        Self { id, root: None, duties: Vec::new(), parked: Vec::new() }
    }

    /// The duty of that obligation.
    #[must_use]
    pub fn duty(&self, id: ObligationId) -> Option<&Duty> {
        self.duties.iter().find(|duty| duty.obligation.id == id)
    }

    /// The duty of that obligation, to be changed.
    pub fn duty_mut(&mut self, id: ObligationId) -> Option<&mut Duty> {
        self.duties.iter_mut().find(|duty| duty.obligation.id == id)
    }

    /// Adds the obligations of the bodies that took these over, and of those that took over from them.
    pub fn add_successors(&self, of: &mut Vec<ObligationId>) {
        let mut place = 0;
        while let Some(id) = of.get(place) {
            let next = self.duty(*id).into_iter().flat_map(|duty| duty.obligation.successors());
            let further: Vec<ObligationId> = next.filter(|id| !of.contains(id)).collect();
            of.extend(further);
            place += 1;
        }
    }

    /// Whether this participant is a party: asker, addressee, performer or controller.
    #[must_use]
    pub fn has_party(&self, code: &ParticipantCode) -> bool {
        self.root.as_ref().is_some_and(|root| root.from == *code || root.to.contains(code))
            || self.duties.iter().any(|duty| duty.obligation.performer == *code || duty.obligation.controller == *code)
    }
}
