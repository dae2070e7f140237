//! Writes JSON: fields in the schema's order, no white space, the shortest escapes; the same message always the same
//! bytes, which is why the digest is made of them.
//!
//! Promises: what it writes, the strict door reads back to the same message. Never: escapes what need not be.

use crate::catalogue::Entry;
use crate::catalogue::scalar::no_byte;
use crate::format::chars;
use crate::format::sink::{Sink, Unwritable};
use std::fmt::{Display, Write as _};

/// The document on the way.
pub(in crate::format) struct Writer {
    out: String,
}

impl Writer {
    /// The root's opening brace.
    pub(in crate::format) fn new() -> Self {
        let mut out = String::with_capacity(4096);
        out.push('{');
        Self { out }
    }

    /// The root's closing brace and the bytes.
    pub(in crate::format) fn finish(mut self) -> Vec<u8> {
        self.out.push('}');
        self.out.into_bytes()
    }

    /// The comma, if one is due, and the key. Names come from schemas: they need no escapes.
    fn name(&mut self, name: Option<&str>) {
        if !self.out.ends_with(['{', '[']) {
            self.out.push(',');
        }
        if let Some(name) = name {
            self.out.push('"');
            self.out.push_str(name);
            self.out.push_str("\":");
        }
    }

    fn escape(&mut self, text: &str) {
        let mut from = 0;
        for (at, byte) in text.bytes().enumerate() {
            if !matches!(byte, b'"' | b'\\' | 0..=0x1F) {
                continue;
            }
            self.out.push_str(&text[from..at]);
            let _ = match byte {
                b'"' => self.out.write_str("\\\""),
                b'\\' => self.out.write_str("\\\\"),
                b'\n' => self.out.write_str("\\n"),
                b'\r' => self.out.write_str("\\r"),
                b'\t' => self.out.write_str("\\t"),
                _ => write!(self.out, "\\u{byte:04x}"),
            };
            from = at + 1;
        }
        self.out.push_str(&text[from..]);
    }
}

impl Sink for Writer {
    fn open_record(&mut self, name: Option<&str>) {
        self.name(name);
        self.out.push('{');
    }

    fn close_record(&mut self, _name: Option<&str>) {
        self.out.push('}');
    }

    fn open_list(&mut self, name: Option<&str>) {
        self.name(name);
        self.out.push('[');
    }

    fn close_list(&mut self, _name: Option<&str>) {
        self.out.push(']');
    }

    fn open_body(&mut self, _entry: &Entry) {
        self.open_record(Some("body"));
    }

    fn text(&mut self, name: Option<&str>, text: &str) -> Result<(), Unwritable> {
        self.name(name);
        self.out.push('"');
        if no_byte(text.as_bytes(), |byte| (byte < 0x20) | (byte == b'"') | (byte == b'\\') | (byte == 0xEF)) {
            self.out.push_str(text);
        } else {
            chars::check(text).map_err(|_| Unwritable::character(name))?;
            self.escape(text);
        }
        self.out.push('"');
        Ok(())
    }

    fn literal(&mut self, name: Option<&str>, value: &dyn Display) {
        self.name(name);
        let _ = write!(self.out, "{value}");
    }
}
