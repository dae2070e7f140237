//! What parties and people decide about obligations, alerts, rungs and deliveries.

use crate::domain::alert::Acknowledgement;
use crate::domain::ids::{MessageId, ObligationId, ParticipantCode};
use crate::gateway::Gateway;
use crate::gateway::ports::accounts::UserRole;
use crate::gateway::rejection::{Rejection, RejectionKind};
use crate::gateway::views::{DeliveryView, ObligationView};
use chrono::NaiveDate;
use serde::Deserialize;

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A system of a participant, by key.
    Participant(ParticipantCode),
    /// A person of the centre, by session.
    Person { login: String, name: String, role: UserRole },
}

/// A decision of the controller.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    Release,
    Return {
        #[serde(default)]
        answer: Option<MessageId>,
        reason: String,
    },
    Extend {
        due_on: NaiveDate,
    },
    Withdraw {
        reason: String,
    },
    /// Opened in error; `second` is the login of a second person.
    Void {
        reason: String,
        second: String,
    },
}

/// What a person decides about a prepared rung.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case", deny_unknown_fields)]
pub enum RungDecision {
    Send,
    Decline { reason: String },
}

/// What a recipient says of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistrationNotice {
    pub accepted: bool,
    /// SHA-256 of the content as it was given, lower-case hexadecimal; needed to accept.
    #[serde(default)]
    pub content_sha256: Option<String>,
    /// Its own incoming number; without one, the number of the gateway's register stands.
    #[serde(default)]
    pub number: Option<String>,
    #[serde(default)]
    pub date: Option<NaiveDate>,
    /// Needed to refuse.
    #[serde(default)]
    pub reason: Option<String>,
}

fn outline() -> Rejection {
    Rejection::new(RejectionKind::Unavailable, "unavailable", "outline")
}

impl Gateway {
    /// A decision of the controller about an obligation.
    ///
    /// # Errors
    /// `not_found`, `Conflict` when the state does not allow it, `Forbidden` when the actor may not.
    pub async fn act(&self, on: ObligationId, action: Action, by: Actor) -> Result<ObligationView, Rejection> {
        let _ = (on, action, by);
        Err(outline())
    }

    /// Takes an alert: mine until, because.
    ///
    /// # Errors
    /// As [`Gateway::act`].
    pub async fn acknowledge(
        &self,
        on: ObligationId,
        with: Acknowledgement,
        by: Actor,
    ) -> Result<ObligationView, Rejection> {
        let _ = (on, with, by);
        Err(outline())
    }

    /// Sends or declines the prepared letter of a rung.
    ///
    /// # Errors
    /// As [`Gateway::act`].
    pub async fn decide_rung(
        &self,
        on: (ObligationId, u8),
        decision: RungDecision,
        by: Actor,
    ) -> Result<ObligationView, Rejection> {
        let _ = (on, decision, by);
        Err(outline())
    }

    /// The recipient registers (or refuses) a letter it was given.
    ///
    /// # Errors
    /// `not_found`; `digest_mismatch` when the digest is not of what was given.
    pub async fn register_delivery(
        &self,
        message: MessageId,
        recipient: &ParticipantCode,
        notice: RegistrationNotice,
    ) -> Result<DeliveryView, Rejection> {
        let _ = (message, recipient, notice);
        Err(outline())
    }
}
