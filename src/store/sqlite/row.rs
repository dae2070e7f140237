//! Rows read back into the domain's types.
//!
//! Promises: what cannot be read is `Inconsistent` with table, column and row, never a panic and never a default.
//! Never: puts the value into the error; it may be personal data.

use crate::domain::ids::{ParticipantCode, TypeCode};
use crate::gateway::ports::StoreError;
use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde::de::value::{Error as CodeError, StrDeserializer};
use std::fmt::Write as _;
use uuid::Uuid;

/// A row of a table; the first column of its query is the row's key.
#[derive(Clone, Copy)]
pub(super) struct Record<'r> {
    row: &'r Row<'r>,
    table: &'static str,
}

impl<'r> Record<'r> {
    pub(super) fn new(row: &'r Row<'r>, table: &'static str) -> Self {
        Self { row, table }
    }

    /// The fault of a column.
    pub(super) fn fault(&self, column: &'static str, problem: impl Into<String>) -> StoreError {
        StoreError::Inconsistent { table: self.table, column, row: self.key(), problem: problem.into() }
    }

    fn key(&self) -> String {
        match self.row.get_ref(0) {
            Ok(ValueRef::Integer(n)) => n.to_string(),
            Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
            Ok(ValueRef::Blob(bytes)) => bytes.iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            }),
            _ => String::new(),
        }
    }

    fn value(&self, column: &'static str) -> Result<ValueRef<'r>, StoreError> {
        self.row.get_ref(column).map_err(|_| self.fault(column, "there is no such column"))
    }

    pub(super) fn opt_text(&self, column: &'static str) -> Result<Option<&'r str>, StoreError> {
        match self.value(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(text) => std::str::from_utf8(text).map(Some).map_err(|_| self.fault(column, "not UTF-8")),
            _ => Err(self.fault(column, "not text")),
        }
    }

    pub(super) fn text(&self, column: &'static str) -> Result<&'r str, StoreError> {
        self.opt_text(column)?.ok_or_else(|| self.fault(column, "missing"))
    }

    pub(super) fn opt_string(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        Ok(self.opt_text(column)?.map(str::to_owned))
    }

    pub(super) fn string(&self, column: &'static str) -> Result<String, StoreError> {
        Ok(self.text(column)?.to_owned())
    }

    pub(super) fn opt_integer(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        match self.value(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(n) => Ok(Some(n)),
            _ => Err(self.fault(column, "not an integer")),
        }
    }

    /// An integer in the range of the type that it is read into.
    pub(super) fn integer<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T, StoreError> {
        let n = self.opt_integer(column)?.ok_or_else(|| self.fault(column, "missing"))?;
        T::try_from(n).map_err(|_| self.fault(column, "out of range"))
    }

    pub(super) fn opt_blob(&self, column: &'static str) -> Result<Option<&'r [u8]>, StoreError> {
        match self.value(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => Ok(Some(bytes)),
            _ => Err(self.fault(column, "not a blob")),
        }
    }

    pub(super) fn blob(&self, column: &'static str) -> Result<&'r [u8], StoreError> {
        self.opt_blob(column)?.ok_or_else(|| self.fault(column, "missing"))
    }

    pub(super) fn digest(&self, column: &'static str) -> Result<[u8; 32], StoreError> {
        self.blob(column)?.try_into().map_err(|_| self.fault(column, "not 32 bytes"))
    }

    pub(super) fn opt_uuid(&self, column: &'static str) -> Result<Option<Uuid>, StoreError> {
        let bytes = self.opt_blob(column)?;
        bytes.map(|id| Uuid::from_slice(id).map_err(|_| self.fault(column, "not 16 bytes"))).transpose()
    }

    pub(super) fn uuid(&self, column: &'static str) -> Result<Uuid, StoreError> {
        self.opt_uuid(column)?.ok_or_else(|| self.fault(column, "missing"))
    }

    pub(super) fn opt_instant(&self, column: &'static str) -> Result<Option<DateTime<Utc>>, StoreError> {
        let instant = |us| DateTime::from_timestamp_micros(us).ok_or_else(|| self.fault(column, "not an instant"));
        self.opt_integer(column)?.map(instant).transpose()
    }

    pub(super) fn instant(&self, column: &'static str) -> Result<DateTime<Utc>, StoreError> {
        self.opt_instant(column)?.ok_or_else(|| self.fault(column, "missing"))
    }

    pub(super) fn opt_date(&self, column: &'static str) -> Result<Option<NaiveDate>, StoreError> {
        let date = |text: &str| text.parse().map_err(|_| self.fault(column, "not a date"));
        self.opt_text(column)?.map(date).transpose()
    }

    pub(super) fn date(&self, column: &'static str) -> Result<NaiveDate, StoreError> {
        self.opt_date(column)?.ok_or_else(|| self.fault(column, "missing"))
    }

    pub(super) fn opt_participant(&self, column: &'static str) -> Result<Option<ParticipantCode>, StoreError> {
        let code = |text| ParticipantCode::new(text).map_err(|bad| self.fault(column, bad.to_string()));
        self.opt_text(column)?.map(code).transpose()
    }

    pub(super) fn participant(&self, column: &'static str) -> Result<ParticipantCode, StoreError> {
        self.opt_participant(column)?.ok_or_else(|| self.fault(column, "missing"))
    }

    pub(super) fn type_code(&self, column: &'static str) -> Result<TypeCode, StoreError> {
        TypeCode::new(self.text(column)?).map_err(|bad| self.fault(column, bad.to_string()))
    }

    /// A code of an enumeration without facts, e.g. `running`.
    pub(super) fn one_of<T: for<'de> Deserialize<'de>>(&self, column: &'static str) -> Result<T, StoreError> {
        let code = StrDeserializer::<CodeError>::new(self.text(column)?);
        T::deserialize(code).map_err(|_| self.fault(column, "not one of the codes"))
    }

    pub(super) fn opt_json<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        // The text of the error would quote the value; its place is enough.
        let fault = |error: serde_json::Error| {
            self.fault(column, format!("{:?} at {}:{}", error.classify(), error.line(), error.column()))
        };
        self.opt_text(column)?.map(|text| serde_json::from_str(text).map_err(fault)).transpose()
    }

    pub(super) fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        self.opt_json(column)?.ok_or_else(|| self.fault(column, "missing"))
    }
}

/// An instant as the tables keep it.
pub(super) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// A count or a limit as SQLite takes it.
pub(super) fn int(n: impl TryInto<i64>) -> i64 {
    n.try_into().unwrap_or(i64::MAX)
}
