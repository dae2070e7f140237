//! One value in its canonical text, the same from both databases; the digest of rows; the text that COPY reads.
//!
//! Promises: two rows have one digest only if every value is the same, and absent values are not empty ones. Never:
//! loses or rounds: instants are whole microseconds in both databases, documents are the text that was written.

use super::tables::Kind;
use chrono::DateTime;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// Rows of a table, counted and digested in the order of its key.
#[derive(Default)]
pub(super) struct Digest {
    sum: Sha256,
    pub(super) rows: u64,
}

impl Digest {
    /// Adds one value of the present row.
    pub(super) fn value(&mut self, canonical: Option<&[u8]>) {
        match canonical {
            None => self.sum.update([0]),
            Some(bytes) => {
                self.sum.update([1]);
                self.sum.update((bytes.len() as u64).to_be_bytes());
                self.sum.update(bytes);
            }
        }
    }

    /// Ends the present row.
    pub(super) fn row(&mut self) {
        self.rows += 1;
    }

    /// The digest, in hexadecimal.
    pub(super) fn end(self) -> (u64, String) {
        let mut hex = String::with_capacity(64);
        self.sum.finalize().iter().for_each(|byte| push_hex(&mut hex, *byte));
        (self.rows, hex)
    }
}

fn push_hex(into: &mut String, byte: u8) {
    // Writing into a string does not fail.
    let _ = write!(into, "{byte:02x}");
}

/// Writes a canonical value as a field of COPY's text format; `None` when it is none of its kind.
pub(super) fn copy_field(into: &mut Vec<u8>, kind: Kind, canonical: Option<&[u8]>) -> Option<()> {
    let Some(value) = canonical else {
        into.extend_from_slice(b"\\N");
        return Some(());
    };
    match kind {
        Kind::Int | Kind::Id | Kind::Date => into.extend_from_slice(value),
        Kind::Bool => into.push(if value == b"0" { b'f' } else { b't' }),
        Kind::Text | Kind::Json => escape(into, value),
        Kind::Bytes => {
            let mut hex = String::with_capacity(2 * value.len() + 3);
            hex.push_str("\\\\x");
            value.iter().for_each(|byte| push_hex(&mut hex, *byte));
            into.extend_from_slice(hex.as_bytes());
        }
        Kind::Instant => {
            let us = std::str::from_utf8(value).ok()?.parse().ok()?;
            let at = DateTime::from_timestamp_micros(us)?;
            into.extend_from_slice(at.format("%Y-%m-%d %H:%M:%S%.6f+00").to_string().as_bytes());
        }
    }
    Some(())
}

fn escape(into: &mut Vec<u8>, text: &[u8]) {
    for byte in text {
        match byte {
            b'\\' => into.extend_from_slice(b"\\\\"),
            b'\n' => into.extend_from_slice(b"\\n"),
            b'\r' => into.extend_from_slice(b"\\r"),
            b'\t' => into.extend_from_slice(b"\\t"),
            other => into.push(*other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Digest, copy_field};
    use crate::store::copy::tables::Kind;

    fn field(kind: Kind, canonical: Option<&[u8]>) -> String {
        let mut field = Vec::new();
        copy_field(&mut field, kind, canonical).expect("a value of its kind");
        String::from_utf8(field).expect("text")
    }

    #[test]
    fn a_field_says_what_the_value_says() {
        assert_eq!(field(Kind::Text, Some(b"a\\b\n\tc")), r"a\\b\n\tc");
        assert_eq!(field(Kind::Text, Some(b"")), "");
        assert_eq!(field(Kind::Text, None), r"\N");
        assert_eq!(field(Kind::Bytes, Some(&[0, 255])), r"\\x00ff");
        assert_eq!(field(Kind::Bool, Some(b"1")), "t");
        assert_eq!(field(Kind::Instant, Some(b"1768208400000001")), "2026-01-12 09:00:00.000001+00");
        assert_eq!(field(Kind::Instant, Some(b"-1")), "1969-12-31 23:59:59.999999+00");
    }

    #[test]
    fn absent_is_not_empty_and_values_do_not_run_into_each_other() {
        let sum = |values: &[Option<&[u8]>]| {
            let mut digest = Digest::default();
            values.iter().for_each(|value| digest.value(*value));
            digest.end().1
        };
        assert_ne!(sum(&[None]), sum(&[Some(b"")]));
        assert_ne!(sum(&[Some(b"ab"), Some(b"c")]), sum(&[Some(b"a"), Some(b"bc")]));
    }
}
