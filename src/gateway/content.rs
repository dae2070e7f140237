//! Content as the gateway hands it out: its media type and its digest.
//!
//! Promises: the digest is of the very bytes that are handed out. Never: reads the content.

use crate::domain::message::Format;
use crate::format::{JSON_MEDIA_TYPE, XML_MEDIA_TYPE};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The media type of a message in this format.
#[must_use]
pub fn media_type(format: Format) -> &'static str {
    match format {
        Format::Json => JSON_MEDIA_TYPE,
        Format::Xml => XML_MEDIA_TYPE,
    }
}

/// SHA-256 of bytes, lower-case hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes as lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
