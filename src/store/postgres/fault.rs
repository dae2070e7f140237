//! What PostgreSQL says, in the words of the port.
//!
//! Promises: a constraint or an unfit value is `Rejected`, damaged pages are `Inconsistent`, everything else (connections
//! lost, the pool exhausted, a deadlock, a shutdown) is `Unavailable`. Never: puts a value of a row into a text: of what
//! the server says about values only the names of table and constraint are kept.

use crate::gateway::ports::StoreError;
use sqlx::error::DatabaseError;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(said) => of_server(&*said),
            sqlx::Error::Encode(_) | sqlx::Error::InvalidArgument(_) => {
                Self::Rejected("a value that PostgreSQL does not take".into())
            }
            other => Self::Unavailable(Box::new(other)),
        }
    }
}

/// What the server said, without values.
#[derive(Debug, thiserror::Error)]
#[error("PostgreSQL says {code}: {words}")]
struct Said {
    code: String,
    words: String,
}

/// By SQLSTATE: the class is its first two characters.
fn of_server(said: &dyn DatabaseError) -> StoreError {
    let code = said.code().unwrap_or_default().into_owned();
    match code.get(..2).unwrap_or_default() {
        // Data, cardinality, integrity constraint, program limit: the rows themselves are at fault. The server's own
        // words may quote them.
        "21" | "22" | "23" | "54" => {
            let (table, constraint) = (said.table().unwrap_or("?"), said.constraint().unwrap_or("?"));
            let words = format!("table {table}, constraint {constraint}");
            StoreError::Rejected(Box::new(Said { code, words }))
        }
        "XX" if matches!(&*code, "XX001" | "XX002") => StoreError::Inconsistent {
            table: "postgresql",
            column: "file",
            row: String::new(),
            problem: "the database is damaged; restore a backup".to_owned(),
        },
        _ => StoreError::Unavailable(Box::new(Said { code, words: said.message().to_owned() })),
    }
}

/// Others were in the way (a wait for a lock that was given up, a deadlock): it may go well the next time.
pub(super) fn is_in_the_way(fault: &StoreError) -> bool {
    let StoreError::Unavailable(cause) = fault else { return false };
    cause.downcast_ref::<Said>().is_some_and(|said| matches!(&*said.code, "55P03" | "40P01"))
}

/// The store could not do it now.
pub(super) fn unavailable(why: &'static str) -> StoreError {
    StoreError::Unavailable(why.into())
}

/// JSON that could not be written: the value itself is at fault.
pub(super) fn unwritable(error: serde_json::Error) -> StoreError {
    StoreError::Rejected(Box::new(error))
}
