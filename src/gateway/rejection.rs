//! Why a verb did not do what it was asked: one shape for every door.
//!
//! Promises: a stable code, the place, and the remedy; no personal data. Never: a status of HTTP or of a broker (the
//! doors translate the kind).

use crate::format::{Fault, Gate, Malformed};
use crate::gateway::ports::StoreError;
use serde::Serialize;

/// A refusal, or a fault of the world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Rejection {
    #[serde(skip)]
    pub kind: RejectionKind,
    /// Stable, listed in `docs/ERRORS.md`.
    pub code: &'static str,
    /// In English, with the remedy.
    pub message: String,
    /// Of the document, where it is not well-formed; from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// Every fault of the schema, 100 at most.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultView>,
}

/// One fault of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FaultView {
    /// JSON-Pointer-like, the same for both formats.
    pub path: String,
    pub code: &'static str,
    pub message: String,
}

/// What sort of no it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectionKind {
    /// Not well-formed, or not a message.
    Malformed,
    TooLarge,
    UnsupportedFormat,
    /// Well-formed, but against the schema or the rules.
    Invalid,
    Forbidden,
    NotFound,
    /// The state, or an earlier message of the same id, does not allow it.
    Conflict,
    /// No such bytes of a file.
    RangeNotSatisfiable,
    /// The world is down; try again.
    Unavailable,
}

impl Rejection {
    /// A rejection without a place.
    #[must_use]
    pub fn new(kind: RejectionKind, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), line: None, column: None, faults: Vec::new() }
    }

    /// Nothing of that name, or nothing that this caller may see: the two are not told apart.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(RejectionKind::NotFound, "not_found", format!("there is no such {what}, or it is not yours to see"))
    }

    /// Whether trying again later may help.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        self.kind == RejectionKind::Unavailable
    }
}

impl From<Malformed> for Rejection {
    fn from(malformed: Malformed) -> Self {
        let kind = match malformed.gate() {
            Gate::Limit if malformed.code == "limit_document_bytes" => RejectionKind::TooLarge,
            Gate::Limit | Gate::Encoding | Gate::Syntax => RejectionKind::Malformed,
            Gate::Schema => RejectionKind::Invalid,
        };
        let message = match malformed.faults.as_slice() {
            [only] => only.message.clone(),
            faults => format!("{} faults; see `faults`", faults.len()),
        };
        let view = |fault: Fault| FaultView { path: fault.path, code: fault.code, message: fault.message };
        let Malformed { code, line, column, faults } = malformed;
        Self { kind, code, message, line, column, faults: faults.into_iter().map(view).collect() }
    }
}

impl From<StoreError> for Rejection {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = %error, "the store did not do what it was asked");
        Self::new(RejectionKind::Unavailable, "unavailable", "the store is not available; nothing was taken; try again")
    }
}
