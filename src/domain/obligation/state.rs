//! Where an obligation stands, as its facts make it.
//!
//! Promises: its codes are stable. Never: derives itself; the obligation does.

use serde::{Deserialize, Serialize};

/// Where an obligation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Open: the answer is owed.
    Running,
    /// Open, and the clock stands: the performer has asked back and waits for the answer.
    Suspended,
    /// An answer or a reasoned refusal lies with the controller.
    Answered,
    Fulfilled,
    FulfilledLate,
    Refused,
    Redirected,
    Withdrawn,
    Void,
}

impl State {
    /// Whether the performer still owes something.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Running | Self::Suspended)
    }

    /// Whether the clock runs; only then does the ladder climb.
    #[must_use]
    pub fn is_running(self) -> bool {
        self == Self::Running
    }

    /// The stable code, as in the API and the store.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Suspended => "suspended",
            Self::Answered => "answered",
            Self::Fulfilled => "fulfilled",
            Self::FulfilledLate => "fulfilled_late",
            Self::Refused => "refused",
            Self::Redirected => "redirected",
            Self::Withdrawn => "withdrawn",
            Self::Void => "void",
        }
    }
}
