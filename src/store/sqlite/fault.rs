//! What SQLite says, in the words of the port.
//!
//! Promises: a constraint is `Rejected`, a damaged file is `Inconsistent`, everything else is `Unavailable`.
//! Never: puts a value of a row into a text; SQLite names tables and columns only.

use crate::gateway::ports::StoreError;
use rusqlite::ErrorCode;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig) => {
                Self::Rejected(Box::new(error))
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Inconsistent {
                table: "sqlite",
                column: "file",
                row: String::new(),
                problem: "the database file is damaged; restore a backup".to_owned(),
            },
            _ => Self::Unavailable(Box::new(error)),
        }
    }
}

/// The store's own thread or connection is gone, or could not answer in time.
pub(super) fn unavailable(why: &'static str) -> StoreError {
    StoreError::Unavailable(why.into())
}

/// JSON that could not be written: the value itself is at fault.
pub(super) fn unwritable(error: serde_json::Error) -> StoreError {
    StoreError::Rejected(Box::new(error))
}
