//! Bytes that claim to be UTF-8 text.
//!
//! Promises: what passes is UTF-8. Never: guesses another encoding.

use crate::format::fault::{BAD_ENCODING, Malformed, NOT_WELL_FORMED, Stop};
use crate::limits;

/// Refuses a document over the limit of its size, or in UTF-16 or UTF-32.
pub(super) fn check(bytes: &[u8]) -> Result<(), Malformed> {
    if bytes.len() > limits::DOCUMENT_BYTES_MAX {
        let message = format!("send at most {} bytes; annexes travel as attachments", limits::DOCUMENT_BYTES_MAX);
        return Err(Malformed::whole("limit_document_bytes", message));
    }
    // A text of markup has no NUL among its first four bytes, unless it is UTF-16 or UTF-32.
    if bytes.starts_with(&[0xFE, 0xFF]) || bytes.starts_with(&[0xFF, 0xFE]) || is_wide(bytes) {
        return Err(encoding(0).into_malformed(bytes, String::new()));
    }
    Ok(())
}

/// The document as text.
pub(super) fn utf8(bytes: &[u8]) -> Result<&str, Stop> {
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        if is_illegal_character(&bytes[at..]) {
            Stop::new(NOT_WELL_FORMED, at, "remove the surrogate or the character beyond U+10FFFF")
        } else {
            encoding(at)
        }
    })
}

fn encoding(at: usize) -> Stop {
    Stop::new(BAD_ENCODING, at, "write the document in UTF-8")
}

fn is_wide(bytes: &[u8]) -> bool {
    match bytes {
        [0, 0, 0, low, ..] | [low, 0, 0, 0, ..] => *low != 0,
        [0, low, 0, next, ..] | [low, 0, next, 0, ..] => *low != 0 && *next != 0,
        _ => false,
    }
}

/// Whether the bytes spell, in the manner of UTF-8, a number that is no character: a surrogate or one beyond U+10FFFF.
fn is_illegal_character(bytes: &[u8]) -> bool {
    let continued =
        |count: usize| bytes.len() > count && bytes[1..=count].iter().all(|byte| matches!(byte, 0x80..=0xBF));
    match bytes {
        [0xED, 0xA0..=0xBF, ..] => continued(2),
        [0xF4, 0x90..=0xBF, ..] | [0xF5..=0xF7, ..] => continued(3),
        [0xF8..=0xFB, ..] => continued(4),
        [0xFC..=0xFD, ..] => continued(5),
        _ => false,
    }
}
