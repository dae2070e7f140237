//! Characters and names of XML 1.0 (fifth edition) and of its namespaces.
//!
//! Promises: exactly the productions of the standard, no more and no less. Never: allocates, unless line ends have to
//! be normalised.

use crate::catalogue::scalar::no_byte;
use std::borrow::Cow;

/// What a piece of character data holds that it may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Illegal {
    /// Byte within the piece.
    pub at: usize,
    pub message: &'static str,
}

const NOT_A_CHARACTER: &str = "remove the character here; XML 1.0 does not allow it";
const CDATA_END: &str = "write `]]>` in text as `]]&gt;`";

/// Production [2] Char.
pub(super) fn is_char(one: char) -> bool {
    matches!(one, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}

/// Production [3] S.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether there is nothing but white space.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(is_space)
}

/// Without the white space around it, as XSD collapses it for numbers, booleans and dates.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(['\t', '\n', '\r', ' '])
}

/// Character data between markup, production [14], with line ends normalised (§2.11).
pub(super) fn text(raw: &str) -> Result<Cow<'_, str>, Illegal> {
    if no_byte(raw.as_bytes(), |byte| {
        ((byte < 0x20) & (byte != b'\n') & (byte != b'\t')) | (byte == b']') | (byte == 0xEF)
    }) {
        return Ok(Cow::Borrowed(raw));
    }
    if let Some(at) = raw.find("]]>") {
        return Err(Illegal { at, message: CDATA_END });
    }
    section(raw)
}

/// The inside of a CDATA section, a comment or a processing instruction, with line ends normalised.
pub(super) fn section(raw: &str) -> Result<Cow<'_, str>, Illegal> {
    check(raw)?;
    if raw.contains('\r') {
        Ok(Cow::Owned(raw.replace("\r\n", "\n").replace('\r', "\n")))
    } else {
        Ok(Cow::Borrowed(raw))
    }
}

/// Only characters of XML.
pub(super) fn check(raw: &str) -> Result<(), Illegal> {
    match raw.char_indices().find(|(_, one)| !is_char(*one)) {
        Some((at, _)) => Err(Illegal { at, message: NOT_A_CHARACTER }),
        None => Ok(()),
    }
}

/// The character that a reference stands for: one of the five entities, or the number of a legal character.
pub(super) fn reference(name: &str) -> Option<char> {
    match name {
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "amp" => return Some('&'),
        "apos" => return Some('\''),
        "quot" => return Some('"'),
        _ => {}
    }
    let number = name.strip_prefix('#')?;
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |hex| (hex, 16));
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    // A number with leading zeros may be as long as it likes.
    let code = u32::from_str_radix(digits, radix).ok()?;
    char::from_u32(code).filter(|one| is_char(*one))
}

/// What a byte may be in a name of ASCII: nothing, only behind the first, or anywhere.
const ASCII_NAMES: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        kinds[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => 2,
            b'0'..=b'9' | b'-' | b'.' => 1,
            _ => 0,
        };
        byte += 1;
    }
    kinds
};

/// Namespaces in XML, production [4] NCName.
pub(super) fn is_ncname(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(is_name_start) && chars.all(is_name_char)
}

/// A qualified name, as prefix and local part.
pub(super) fn qname(name: &str) -> Option<(Option<&str>, &str)> {
    // Nearly every name is ASCII without prefix.
    let kind = |byte: &u8| ASCII_NAMES[usize::from(*byte)];
    if name.as_bytes().first().map(kind) == Some(2) && name.as_bytes().iter().all(|byte| kind(byte) > 0) {
        return Some((None, name));
    }
    match name.split_once(':') {
        None => is_ncname(name).then_some((None, name)),
        Some((prefix, local)) => (is_ncname(prefix) && is_ncname(local)).then_some((Some(prefix), local)),
    }
}

/// Production [4] NameStartChar, the colon left out.
fn is_name_start(one: char) -> bool {
    match one {
        'a'..='z' | 'A'..='Z' | '_' => true,
        '\0'..='\u{BF}' => false,
        _ => matches!(one,
            '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
            | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}'
            | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}'),
    }
}

/// Production [4a] NameChar, the colon left out.
fn is_name_char(one: char) -> bool {
    match one {
        'a'..='z' | 'A'..='Z' | '_' | '0'..='9' | '-' | '.' => true,
        _ => is_name_start(one) || matches!(one, '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}'),
    }
}
