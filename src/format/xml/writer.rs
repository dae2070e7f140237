//! Writes XML: elements in the schema's order, no white space between them, the same message always the same bytes.
//!
//! Promises: what it writes, the strict door reads back to the same message. Never: writes a character that XML cannot
//! carry.

use crate::catalogue::Entry;
use crate::catalogue::scalar::no_byte;
use crate::format::MESSAGE_NAMESPACE;
use crate::format::chars;
use crate::format::sink::{Sink, Unwritable};
use std::fmt::{Display, Write as _};

/// The document on the way.
pub(in crate::format) struct Writer {
    out: String,
}

impl Writer {
    /// The declaration and the root's start tag.
    pub(in crate::format) fn new() -> Self {
        let mut out = String::with_capacity(4096);
        out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<message xmlns=\"");
        out.push_str(MESSAGE_NAMESPACE);
        out.push_str("\">");
        Self { out }
    }

    /// The root's end tag and the bytes.
    pub(in crate::format) fn finish(mut self) -> Vec<u8> {
        self.out.push_str("</message>");
        self.out.into_bytes()
    }

    fn open(&mut self, name: Option<&str>) {
        self.out.push('<');
        self.out.push_str(name.unwrap_or("item"));
        self.out.push('>');
    }

    fn close(&mut self, name: Option<&str>) {
        self.out.push_str("</");
        self.out.push_str(name.unwrap_or("item"));
        self.out.push('>');
    }

    fn escape(&mut self, text: &str) {
        let mut from = 0;
        for (at, byte) in text.bytes().enumerate() {
            let escaped = match byte {
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'&' => "&amp;",
                // A bare carriage return would be read as a line feed (§2.11).
                b'\r' => "&#13;",
                _ => continue,
            };
            self.out.push_str(&text[from..at]);
            self.out.push_str(escaped);
            from = at + 1;
        }
        self.out.push_str(&text[from..]);
    }
}

impl Sink for Writer {
    fn open_record(&mut self, name: Option<&str>) {
        self.open(name);
    }

    fn close_record(&mut self, name: Option<&str>) {
        self.close(name);
    }

    fn open_list(&mut self, name: Option<&str>) {
        self.open(name);
    }

    fn close_list(&mut self, name: Option<&str>) {
        self.close(name);
    }

    fn open_body(&mut self, entry: &Entry) {
        self.out.push_str("<body xmlns=\"");
        self.out.push_str(&entry.namespace);
        self.out.push_str("\">");
    }

    fn text(&mut self, name: Option<&str>, text: &str) -> Result<(), Unwritable> {
        self.open(name);
        if no_byte(text.as_bytes(), |byte| {
            (byte < 0x20) | (byte == b'<') | (byte == b'>') | (byte == b'&') | (byte == 0xEF)
        }) {
            self.out.push_str(text);
        } else {
            chars::check(text).map_err(|_| Unwritable::character(name))?;
            self.escape(text);
        }
        self.close(name);
        Ok(())
    }

    fn literal(&mut self, name: Option<&str>, value: &dyn Display) {
        self.open(name);
        let _ = write!(self.out, "{value}");
        self.close(name);
    }
}
