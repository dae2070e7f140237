//! What is wrong with a document: one [`Malformed`] with a stable code and all its faults, each with its place.
//!
//! Promises: every message names the remedy, in plain English. Never: repeats a value, or a name that the sender made
//! up and that might be one: both may be personal data of a child.

use crate::catalogue::scalar::Rule;
use crate::limits;
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::{self, Write as _};

/// The codes of a whole document, with their meaning; the codes of single faults are in [`FAULT_CODES`].
pub const DOCUMENT_CODES: &[(&str, &str)] = &[
    (NOT_WELL_FORMED, "the document is not strictly well-formed XML or JSON"),
    (DTD_FORBIDDEN, "the XML document has a document type declaration"),
    (BAD_ENCODING, "the document is not UTF-8, or declares another encoding"),
    (TOO_DEEP, "elements, objects or arrays are nested too deeply"),
    ("limit_document_bytes", "the document is too large"),
    ("limit_elements", "the document has too many elements or values"),
    ("limit_attributes", "an element has too many attributes"),
    ("limit_attribute_bytes", "an attribute is too long"),
    ("limit_name_bytes", "a name or key is too long"),
    ("limit_text_bytes", "a text is too long"),
    ("limit_namespaces", "the document has too many namespaces"),
    (NOT_A_MESSAGE, "the document is well-formed, but no message"),
    (UNKNOWN_TYPE, "the catalogue has no such message type"),
    (UNKNOWN_VERSION, "the catalogue has no such version of the message type"),
    (BODY_OF_ANOTHER_TYPE, "the body's namespace is not that of the type and version that the envelope states"),
    (SCHEMA_VIOLATION, "the message does not fit its schema"),
];

/// The codes of single faults beside those of [`DOCUMENT_CODES`].
pub const FAULT_CODES: &[(&str, &str)] = &[
    ("missing_field", "a required field is missing"),
    ("unknown_field", "the schema has no such field"),
    ("duplicate_field", "the field stands twice (XML; a duplicate JSON key is not_well_formed)"),
    ("wrong_order", "XML only: the element stands after one that must follow it"),
    ("wrong_type", "the value is of another type than the schema says"),
    ("unexpected_text", "XML only: text stands between elements"),
    ("unknown_attribute", "XML only: messages have no attributes"),
    ("forbidden_character", "the text holds a character that it may not hold"),
    ("too_long", "the text has too many characters"),
    ("too_short", "the text has too few characters"),
    ("not_in_list", "the value is not one of the listed codes"),
    ("bad_date", "the value is no date"),
    ("bad_date_time", "the value is no instant with offset"),
    ("bad_uuid", "the value is no UUID in lower case"),
    ("bad_pattern", "the text does not match its pattern"),
    ("out_of_range", "the integer is outside its bounds"),
    ("too_few_items", "the list has too few items"),
    ("too_many_items", "the list has too many items"),
    ("duplicate_item", "the list names an item twice"),
];

pub(super) const NOT_WELL_FORMED: &str = "not_well_formed";
pub(super) const DTD_FORBIDDEN: &str = "dtd_forbidden";
pub(super) const BAD_ENCODING: &str = "bad_encoding";
pub(super) const TOO_DEEP: &str = "too_deep";
pub(super) const NOT_A_MESSAGE: &str = "not_a_message";
pub(super) const UNKNOWN_TYPE: &str = "unknown_type";
pub(super) const UNKNOWN_VERSION: &str = "unknown_version";
pub(super) const BODY_OF_ANOTHER_TYPE: &str = "body_of_another_type";
pub(super) const SCHEMA_VIOLATION: &str = "schema_violation";

/// One fault of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where: a JSON Pointer, the same for both formats (`/body/questions/2`); empty for the whole document.
    pub path: String,
    /// Stable code of the rule.
    pub code: &'static str,
    /// What to do, in plain English, without the value.
    pub message: String,
}

/// A document that is no message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// Stable code of the document, see [`DOCUMENT_CODES`].
    pub code: &'static str,
    /// Line of the fault, from 1, for what the parsers refuse.
    pub line: Option<u32>,
    /// Column in characters, from 1.
    pub column: Option<u32>,
    /// At least one; all of them for what the schemas refuse, up to [`limits::FAULTS_MAX`].
    pub faults: Vec<Fault>,
}

/// At which gate a document was refused; the answer of a protocol follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Over a limit of size.
    Limit,
    /// Not UTF-8.
    Encoding,
    /// Not well-formed.
    Syntax,
    /// Well-formed, but no message by any schema of the catalogue.
    Schema,
}

impl Malformed {
    /// At which gate it was refused.
    #[must_use]
    pub fn gate(&self) -> Gate {
        match self.code {
            NOT_WELL_FORMED | DTD_FORBIDDEN => Gate::Syntax,
            BAD_ENCODING => Gate::Encoding,
            TOO_DEEP => Gate::Limit,
            code if code.starts_with("limit_") => Gate::Limit,
            _ => Gate::Schema,
        }
    }

    /// A document refused as a whole, with its place if it has one.
    pub(super) fn whole(code: &'static str, message: impl Into<String>) -> Self {
        let fault = Fault { path: String::new(), code, message: message.into() };
        Self { code, line: None, column: None, faults: vec![fault] }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.code)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(out, " at line {line}, column {column}")?;
        }
        for fault in &self.faults {
            let path = if fault.path.is_empty() { "the document" } else { &fault.path };
            write!(out, "; {path}: {} ({})", fault.message, fault.code)?;
        }
        Ok(())
    }
}

impl std::error::Error for Malformed {}

/// Why a parser stopped, and where in the bytes. Boxed: it is made once, while its place in results is moved always.
#[derive(Debug)]
pub(super) struct Stop(Box<Reason>);

#[derive(Debug)]
struct Reason {
    code: &'static str,
    at: usize,
    message: Cow<'static, str>,
}

impl Stop {
    /// Refused with `code` at byte `at`.
    #[cold]
    pub(super) fn new(code: &'static str, at: usize, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Reason { code, at, message: message.into() }))
    }

    /// Not well-formed at byte `at`.
    #[cold]
    pub(super) fn ill(at: usize, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(NOT_WELL_FORMED, at, message)
    }

    /// Over a limit at byte `at`.
    #[cold]
    pub(super) fn limit(at: usize, code: &'static str, max: usize) -> Self {
        Self::new(code, at, format!("the limit is {max}"))
    }

    /// The refusal, with line and column counted in `document`.
    pub(super) fn into_malformed(self, document: &[u8], path: String) -> Malformed {
        let Reason { code, at, message } = *self.0;
        let (line, column) = line_and_column(document, at);
        let fault = Fault { path, code, message: message.into_owned() };
        Malformed { code, line: Some(line), column: Some(column), faults: vec![fault] }
    }
}

/// Line and column, from 1, of a byte; columns are characters, line ends are those of XML 1.0 §2.11.
pub(super) fn line_and_column(document: &[u8], at: usize) -> (u32, u32) {
    let before = &document[..at.min(document.len())];
    let (mut line, mut column) = (1, 1);
    for (place, byte) in before.iter().enumerate() {
        match byte {
            b'\n' => (line, column) = (line + 1, 1),
            b'\r' if document.get(place + 1) != Some(&b'\n') => (line, column) = (line + 1, 1),
            0x80..=0xBF | b'\r' => {}
            _ => column += 1,
        }
    }
    (line, column)
}

/// One step of a path.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'p> {
    Field(&'p str),
    Item(usize),
}

/// The faults found so far, and the place where the reader stands.
#[derive(Debug)]
pub(super) struct Findings<'p> {
    trail: Vec<Step<'p>>,
    pub faults: Vec<Fault>,
}

impl<'p> Findings<'p> {
    pub(super) fn new() -> Self {
        Self { trail: Vec::with_capacity(16), faults: Vec::new() }
    }

    pub(super) fn enter(&mut self, step: Step<'p>) {
        self.trail.push(step);
    }

    pub(super) fn leave(&mut self) {
        self.trail.pop();
    }

    /// The place where the reader stands.
    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.trail {
            let _ = match step {
                Step::Field(name) => write!(path, "/{name}"),
                Step::Item(place) => write!(path, "/{place}"),
            };
        }
        path
    }

    /// Records a fault here.
    #[cold]
    pub(super) fn add(&mut self, code: &'static str, message: impl Into<String>) {
        if self.faults.len() < limits::FAULTS_MAX {
            self.faults.push(Fault { path: self.path(), code, message: message.into() });
        }
    }

    /// Records a broken rule here.
    #[cold]
    pub(super) fn add_rule(&mut self, rule: Rule<'_>) {
        self.add(rule.code(), rule.remedy());
    }

    /// Records a fault at a name below this place that the sender made up: shown only when it looks like a name.
    #[cold]
    pub(super) fn add_below(&mut self, name: &str, code: &'static str, message: impl Into<String>) {
        let plain = name.len() <= 64
            && name
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'@' | b':'));
        let shown = if plain && !name.is_empty() { name } else { "?" };
        if self.faults.len() < limits::FAULTS_MAX {
            self.faults.push(Fault { path: format!("{}/{shown}", self.path()), code, message: message.into() });
        }
    }

    /// The refusal, if anything was found. What kind of message it is comes before what is wrong with it.
    pub(super) fn into_result(self) -> Result<(), Malformed> {
        let identity = |fault: &&Fault| matches!(fault.code, UNKNOWN_TYPE | UNKNOWN_VERSION | BODY_OF_ANOTHER_TYPE);
        let code = match self.faults.iter().find(identity) {
            Some(fault) => fault.code,
            None if self.faults.is_empty() => return Ok(()),
            None => SCHEMA_VIOLATION,
        };
        Err(Malformed { code, line: None, column: None, faults: self.faults })
    }
}
