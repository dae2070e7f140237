//! Rows read back into the domain's types.
//!
//! Promises: what cannot be read is `Inconsistent` with table, column and row, never a panic and never a default.
//! Never: puts the value into the error; it may be personal data.

use crate::domain::ids::{ParticipantCode, TypeCode};
use crate::gateway::ports::StoreError;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde::de::value::{Error as CodeError, StrDeserializer};
use sqlx::postgres::{PgRow, PgValueRef};
use sqlx::{Decode, Postgres, Row, TypeInfo, ValueRef};
use std::fmt::Write as _;
use uuid::Uuid;

/// A row of a table; the first column of its query is the row's key.
#[derive(Clone, Copy)]
pub(super) struct Record<'r> {
    row: &'r PgRow,
    table: &'static str,
}

impl<'r> Record<'r> {
    pub(super) fn new(row: &'r PgRow, table: &'static str) -> Self {
        Self { row, table }
    }

    /// The fault of a column.
    pub(super) fn fault(&self, column: &'static str, problem: impl Into<String>) -> StoreError {
        StoreError::Inconsistent { table: self.table, column, row: self.key(), problem: problem.into() }
    }

    fn key(&self) -> String {
        let Ok(value) = self.row.try_get_raw(0) else { return String::new() };
        let name = value.type_info().name().to_owned();
        let read = match &*name {
            "INT8" | "INT4" | "INT2" => integer(&name, value).map(|n| n.to_string()),
            "TEXT" => value.as_str().ok().map(str::to_owned),
            "UUID" => Uuid::decode(value).ok().map(|id| id.simple().to_string()),
            "BYTEA" => value.as_bytes().ok().map(|bytes| {
                bytes.iter().fold(String::new(), |mut hex, byte| {
                    let _ = write!(hex, "{byte:02x}");
                    hex
                })
            }),
            _ => None,
        };
        read.unwrap_or_default()
    }

    /// The value of a column, if it is one of these types of PostgreSQL.
    fn value(&self, column: &'static str, types: &[&str]) -> Result<Option<PgValueRef<'r>>, StoreError> {
        let value = self.row.try_get_raw(column).map_err(|_| self.fault(column, "there is no such column"))?;
        if value.is_null() {
            return Ok(None);
        }
        let fits = types.contains(&value.type_info().name());
        if fits { Ok(Some(value)) } else { Err(self.fault(column, "of another type")) }
    }

    /// A value that the driver decodes.
    fn decoded<T: Decode<'r, Postgres>>(
        &self,
        column: &'static str,
        (of, problem): (&'static str, &'static str),
    ) -> Result<Option<T>, StoreError> {
        self.value(column, &[of])?.map(|value| T::decode(value).map_err(|_| self.fault(column, problem))).transpose()
    }

    fn there<T>(&self, column: &'static str, value: Option<T>) -> Result<T, StoreError> {
        value.ok_or_else(|| self.fault(column, "missing"))
    }

    pub(super) fn opt_text(&self, column: &'static str) -> Result<Option<&'r str>, StoreError> {
        let value = self.value(column, &["TEXT"])?;
        value.map(|value| value.as_str().map_err(|_| self.fault(column, "not UTF-8"))).transpose()
    }

    pub(super) fn text(&self, column: &'static str) -> Result<&'r str, StoreError> {
        self.there(column, self.opt_text(column)?)
    }

    pub(super) fn opt_string(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        Ok(self.opt_text(column)?.map(str::to_owned))
    }

    pub(super) fn string(&self, column: &'static str) -> Result<String, StoreError> {
        Ok(self.text(column)?.to_owned())
    }

    pub(super) fn opt_integer(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        let Some(value) = self.value(column, &["INT8", "INT4", "INT2"])? else { return Ok(None) };
        let name = value.type_info().name().to_owned();
        integer(&name, value).map(Some).ok_or_else(|| self.fault(column, "not an integer"))
    }

    /// An integer in the range of the type that it is read into.
    pub(super) fn integer<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T, StoreError> {
        let n = self.there(column, self.opt_integer(column)?)?;
        T::try_from(n).map_err(|_| self.fault(column, "out of range"))
    }

    pub(super) fn boolean(&self, column: &'static str) -> Result<bool, StoreError> {
        self.there(column, self.decoded(column, ("BOOL", "not a boolean"))?)
    }

    pub(super) fn opt_blob(&self, column: &'static str) -> Result<Option<&'r [u8]>, StoreError> {
        self.decoded(column, ("BYTEA", "not bytes"))
    }

    pub(super) fn blob(&self, column: &'static str) -> Result<&'r [u8], StoreError> {
        self.there(column, self.opt_blob(column)?)
    }

    pub(super) fn digest(&self, column: &'static str) -> Result<[u8; 32], StoreError> {
        self.blob(column)?.try_into().map_err(|_| self.fault(column, "not 32 bytes"))
    }

    pub(super) fn opt_uuid(&self, column: &'static str) -> Result<Option<Uuid>, StoreError> {
        self.decoded(column, ("UUID", "not an id"))
    }

    pub(super) fn uuid(&self, column: &'static str) -> Result<Uuid, StoreError> {
        self.there(column, self.opt_uuid(column)?)
    }

    pub(super) fn opt_instant(&self, column: &'static str) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.decoded(column, ("TIMESTAMPTZ", "not an instant"))
    }

    pub(super) fn instant(&self, column: &'static str) -> Result<DateTime<Utc>, StoreError> {
        self.there(column, self.opt_instant(column)?)
    }

    pub(super) fn opt_date(&self, column: &'static str) -> Result<Option<NaiveDate>, StoreError> {
        self.decoded(column, ("DATE", "not a date"))
    }

    pub(super) fn date(&self, column: &'static str) -> Result<NaiveDate, StoreError> {
        self.there(column, self.opt_date(column)?)
    }

    pub(super) fn opt_participant(&self, column: &'static str) -> Result<Option<ParticipantCode>, StoreError> {
        let code = |text| ParticipantCode::new(text).map_err(|bad| self.fault(column, bad.to_string()));
        self.opt_text(column)?.map(code).transpose()
    }

    pub(super) fn participant(&self, column: &'static str) -> Result<ParticipantCode, StoreError> {
        self.there(column, self.opt_participant(column)?)
    }

    pub(super) fn type_code(&self, column: &'static str) -> Result<TypeCode, StoreError> {
        TypeCode::new(self.text(column)?).map_err(|bad| self.fault(column, bad.to_string()))
    }

    /// A code of an enumeration without facts, e.g. `running`.
    pub(super) fn one_of<T: for<'de> Deserialize<'de>>(&self, column: &'static str) -> Result<T, StoreError> {
        let code = StrDeserializer::<CodeError>::new(self.text(column)?);
        T::deserialize(code).map_err(|_| self.fault(column, "not one of the codes"))
    }

    /// A document. A `json` comes over the wire as the text that was written.
    pub(super) fn opt_json<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        // The text of the error would quote the value; its place is enough.
        let fault = |error: serde_json::Error| {
            self.fault(column, format!("{:?} at {}:{}", error.classify(), error.line(), error.column()))
        };
        let Some(value) = self.value(column, &["JSON"])? else { return Ok(None) };
        let bytes = value.as_bytes().map_err(|_| self.fault(column, "missing"))?;
        serde_json::from_slice(bytes).map(Some).map_err(fault)
    }

    pub(super) fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        self.there(column, self.opt_json(column)?)
    }
}

/// An integer of any width.
fn integer(name: &str, value: PgValueRef<'_>) -> Option<i64> {
    match name {
        "INT8" => i64::decode(value).ok(),
        "INT4" => i32::decode(value).ok().map(i64::from),
        _ => i16::decode(value).ok().map(i64::from),
    }
}

/// A count or a limit as PostgreSQL takes it.
pub(super) fn int(n: impl TryInto<i64>) -> i64 {
    n.try_into().unwrap_or(i64::MAX)
}
