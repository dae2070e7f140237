//! Why a due date could not be computed.
//!
//! Promises: each fault names what is wrong, where, and the remedy, and has a stable code. Never: hides a fault behind
//! a guessed date.

use super::{TERM_COUNT_MAX, Unit};
use crate::domain::calendar::NotCovered;

/// A term that cannot be counted here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TermError {
    /// The calendar ends before the term does, or begins after it.
    #[error(transparent)]
    NotCovered(#[from] NotCovered),
    /// A counted unit without a count.
    #[error("a term in {} needs `n` of at least 1", unit.name())]
    NoCount { unit: Unit },
    /// More units than any law gives.
    #[error("`n` is {n}; a term has {TERM_COUNT_MAX} units at most")]
    CountTooLarge { n: u32 },
    /// A field that belongs to another unit.
    #[error("`{field}` belongs to a term in {} only; remove it or change the unit", unit.name())]
    Misplaced { field: &'static str, unit: Unit },
    /// Fixed dates, and neither the document nor the term has one.
    #[error(
        "no date: the document states none and the term has no `dates`; state the date, or list `dates` as `MM-DD`"
    )]
    NoDate,
    /// The event is of another kind than the one the term starts on.
    #[error("the term starts on `{expected}`, the event is `{given}`; give the event that the term asks for")]
    WrongEvent { expected: &'static str, given: &'static str },
    /// The result leaves the range of dates.
    #[error("the due date lies outside the range of dates; correct the event or `n`")]
    OutOfRange,
}

impl TermError {
    /// The stable code, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotCovered(_) => "calendar_not_covered",
            Self::NoCount { .. } | Self::CountTooLarge { .. } | Self::Misplaced { .. } => "bad_term",
            Self::NoDate => "no_date",
            Self::WrongEvent { .. } => "wrong_event",
            Self::OutOfRange => "date_out_of_range",
        }
    }
}
