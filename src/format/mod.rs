//! Messages as bytes: two formats, one model, driven by the plans of the catalogue.
//!
//! Promises: strict front doors (what is not strictly well-formed is refused before anything else); every fault of the
//! schema with its path; JSON and XML carry exactly the same messages, without loss. Never: does I/O, reads the time,
//! prints a body.

mod chars;
mod digest;
mod envelope;
mod fault;
mod json;
mod sink;
mod text;
mod walk;
mod xml;

pub use digest::digest;
pub use fault::{DOCUMENT_CODES, FAULT_CODES, Fault, Gate, Malformed};
pub use sink::Unwritable;

use crate::catalogue::Catalogue;
use crate::domain::message::{Format, Message};

/// The namespace of the envelope in XML.
pub const MESSAGE_NAMESPACE: &str = "urn:mezhved:message:1";

/// Media type of a message as JSON.
pub const JSON_MEDIA_TYPE: &str = "application/vnd.mezhved.message+json";

/// Media type of a message as XML.
pub const XML_MEDIA_TYPE: &str = "application/vnd.mezhved.message+xml";

/// The format of a content type: the media types of the surface, in any case, with no charset but UTF-8.
#[must_use]
pub fn recognise(content_type: &str) -> Option<Format> {
    let mut parts = content_type.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
    let utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    match media_type.as_str() {
        _ if !utf8 => None,
        "application/json" | JSON_MEDIA_TYPE => Some(Format::Json),
        "application/xml" | "text/xml" | XML_MEDIA_TYPE => Some(Format::Xml),
        _ => None,
    }
}

/// Reads a message: limits and well-formedness, then what kind of message it is, then its schema.
///
/// # Errors
/// [`Malformed`] with a stable code and all faults.
pub fn read(bytes: &[u8], format: Format, catalogue: &Catalogue) -> Result<Message, Malformed> {
    match format {
        Format::Json => json::read(bytes, catalogue),
        Format::Xml => xml::read(bytes, catalogue),
    }
}

/// Writes a message in its canonical form: the same message always gives the same bytes.
///
/// # Errors
/// [`Unwritable`] when its body does not have the shape of its type's schema; a message that was read always has.
pub fn write(message: &Message, format: Format, catalogue: &Catalogue) -> Result<Vec<u8>, Unwritable> {
    match format {
        Format::Json => {
            let mut writer = json::Writer::new();
            sink::write_message(message, catalogue, &mut writer)?;
            Ok(writer.finish())
        }
        Format::Xml => {
            let mut writer = xml::Writer::new();
            sink::write_message(message, catalogue, &mut writer)?;
            Ok(writer.finish())
        }
    }
}

/// Checks a message of our own making against the schemas: lengths, patterns and all.
///
/// # Errors
/// [`Malformed`], as if it had come from outside.
pub fn check(message: &Message, catalogue: &Catalogue) -> Result<(), Malformed> {
    let bytes = write(message, Format::Json, catalogue)
        .map_err(|error| Malformed::whole(fault::SCHEMA_VIOLATION, error.to_string()))?;
    read(&bytes, Format::Json, catalogue).map(drop)
}
