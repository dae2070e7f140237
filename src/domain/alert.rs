//! An alert: who knows that an answer is late or soon will be.
//!
//! Promises: one open alert per obligation; an acknowledgement has an owner, a reason and an end.
//! Never: stops the legal clock; changes after it is resolved.

use crate::domain::ids::ObligationId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The one alert of an obligation; it carries the obligation's id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    pub obligation: ObligationId,
    pub raised_at: DateTime<Utc>,
    /// The rung it last rose to.
    pub rung: u8,
    pub state: AlertState,
}

/// Its life: open → acknowledged → resolved; a higher rung opens it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AlertState {
    Open,
    /// «Mine until …, because …».
    Acknowledged {
        owner: String,
        until: DateTime<Utc>,
        reason: String,
        at: DateTime<Utc>,
    },
    Resolved {
        at: DateTime<Utc>,
    },
}

impl Alert {
    /// The alert when a rung fires: a new one, or the old one risen.
    #[must_use]
    pub fn risen(old: Option<Self>, obligation: ObligationId, rung: u8, now: DateTime<Utc>) -> Self {
        let raised_at = match &old {
            Some(alert) if !matches!(alert.state, AlertState::Resolved { .. }) => alert.raised_at,
            _ => now,
        };
        Self { obligation, raised_at, rung, state: AlertState::Open }
    }

    /// Acknowledged, if it is not resolved; after the resolution an acknowledgement does nothing.
    #[must_use]
    pub fn acknowledged(&self, by: Acknowledgement, now: DateTime<Utc>) -> Option<Self> {
        match self.state {
            AlertState::Resolved { .. } => None,
            AlertState::Open | AlertState::Acknowledged { .. } => {
                let Acknowledgement { owner, until, reason } = by;
                Some(Self { state: AlertState::Acknowledged { owner, until, reason, at: now }, ..self.clone() })
            }
        }
    }

    /// Resolved, unless it already was.
    #[must_use]
    pub fn resolved(&self, now: DateTime<Utc>) -> Option<Self> {
        match self.state {
            AlertState::Resolved { .. } => None,
            AlertState::Open | AlertState::Acknowledged { .. } => {
                Some(Self { state: AlertState::Resolved { at: now }, ..self.clone() })
            }
        }
    }

    /// Open again, if its acknowledgement has run out.
    #[must_use]
    pub fn lapsed(&self, now: DateTime<Utc>) -> Option<Self> {
        match &self.state {
            AlertState::Acknowledged { until, .. } if *until <= now => {
                Some(Self { state: AlertState::Open, ..self.clone() })
            }
            AlertState::Open | AlertState::Acknowledged { .. } | AlertState::Resolved { .. } => None,
        }
    }

    /// The stable code of its state.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.state {
            AlertState::Open => "open",
            AlertState::Acknowledged { .. } => "acknowledged",
            AlertState::Resolved { .. } => "resolved",
        }
    }
}

/// What a person says who takes an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    pub owner: String,
    pub until: DateTime<Utc>,
    pub reason: String,
}
