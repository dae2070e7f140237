//! The inside of a start tag behind its name: attributes and namespace declarations, production [40].
//!
//! Promises: white space between attributes, quotes, legal names and values, no attribute twice, also by namespace.
//! Never: keeps a value that nobody needs; messages have no attributes.

use super::namespaces::{Namespaces, Refused};
use crate::format::chars;
use crate::format::fault::Stop;
use crate::limits;
use std::borrow::Cow;

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// One attribute as it was read.
struct Attribute<'d> {
    name: &'d str,
    prefix: Option<&'d str>,
    local: &'d str,
    value: Cow<'d, str>,
    at: usize,
}

/// Where the tag stands.
#[derive(Clone, Copy)]
pub(super) struct Tag<'d> {
    /// What follows the name, up to `>` or `/>`.
    pub raw: &'d str,
    /// Its first byte in the document.
    pub at: usize,
    /// Depth of the element; 1 is the root.
    pub depth: usize,
}

/// Reads the attributes, declares the namespaces, and notes in `strays` the names of all others but the root's
/// `xsi:schemaLocation`.
pub(super) fn read<'d>(tag: Tag<'d>, spaces: &mut Namespaces<'d>, strays: &mut Vec<&'d str>) -> Result<(), Stop> {
    let attributes = split(tag)?;
    for one in &attributes {
        let prefix = match (one.prefix, one.local) {
            (None, "xmlns") => "",
            (Some("xmlns"), prefix) => prefix,
            _ => continue,
        };
        declare(prefix, one.value.clone(), (one.at, tag.depth), spaces)?;
    }
    let mut seen = Vec::new();
    for one in attributes.iter().filter(|one| one.prefix != Some("xmlns") && one.name != "xmlns") {
        let space = match one.prefix {
            None => None,
            Some(prefix) => Some(
                spaces
                    .of_prefix(prefix)
                    .ok_or_else(|| Stop::ill(one.at, "declare the prefix of this attribute with xmlns:…"))?,
            ),
        };
        if space.is_some() && seen.contains(&(space, one.local)) {
            return Err(Stop::ill(one.at, "the attribute stands twice under two prefixes; keep one"));
        }
        seen.push((space, one.local));
        let location =
            tag.depth == 1 && one.local == "schemaLocation" && space.is_some_and(|space| spaces.name(space) == XSI);
        if !location {
            strays.push(one.name);
        }
    }
    Ok(())
}

/// Declares a namespace at byte `at`, for an element of this depth and what it holds.
pub(super) fn declare<'d>(
    prefix: &'d str,
    name: Cow<'d, str>,
    (at, depth): (usize, usize),
    spaces: &mut Namespaces<'d>,
) -> Result<(), Stop> {
    spaces.declare(prefix, name, depth).map_err(|refused| match refused {
        Refused::Ill(message) => Stop::ill(at, message),
        Refused::TooMany => Stop::limit(at, "limit_namespaces", limits::NAMESPACES_MAX),
    })
}

fn split(tag: Tag<'_>) -> Result<Vec<Attribute<'_>>, Stop> {
    let mut found: Vec<Attribute<'_>> = Vec::new();
    let mut rest = tag.raw;
    loop {
        let trimmed = rest.trim_start_matches(['\t', '\n', '\r', ' ']);
        let at = tag.at + tag.raw.len() - trimmed.len();
        if trimmed.is_empty() {
            return Ok(found);
        }
        if trimmed.len() == rest.len() {
            return Err(Stop::ill(at, "put white space between attributes"));
        }
        if found.len() >= limits::ATTRIBUTES_MAX {
            return Err(Stop::limit(at, "limit_attributes", limits::ATTRIBUTES_MAX));
        }
        let (attribute, after) = one(trimmed, at)?;
        if found.iter().any(|known| known.name == attribute.name) {
            return Err(Stop::ill(at, "the attribute stands twice; keep one"));
        }
        found.push(attribute);
        rest = after;
    }
}

/// One attribute from its name on, and what follows it.
fn one(from: &str, at: usize) -> Result<(Attribute<'_>, &str), Stop> {
    let missing = || Stop::ill(at, "write an attribute as name=\"value\"");
    let (name, behind) = from.split_once('=').ok_or_else(missing)?;
    let name = name.trim_end_matches(['\t', '\n', '\r', ' ']);
    if name.len() > limits::NAME_BYTES_MAX {
        return Err(Stop::limit(at, "limit_name_bytes", limits::NAME_BYTES_MAX));
    }
    let (prefix, local) = chars::qname(name).ok_or_else(|| Stop::ill(at, "the name of the attribute is not legal"))?;
    let behind = behind.trim_start_matches(['\t', '\n', '\r', ' ']);
    let quote = behind.chars().next().filter(|quote| matches!(quote, '"' | '\'')).ok_or_else(missing)?;
    let (raw, after) = behind[1..].split_once(quote).ok_or_else(missing)?;
    if name.len() + raw.len() > limits::ATTRIBUTE_BYTES_MAX {
        return Err(Stop::limit(at, "limit_attribute_bytes", limits::ATTRIBUTE_BYTES_MAX));
    }
    let value = value(raw, at + from.len() - behind.len() + 1)?;
    Ok((Attribute { name, prefix, local, value, at }, after))
}

/// The value with references resolved and white space normalised (§3.3.3), production [10].
fn value(raw: &str, at: usize) -> Result<Cow<'_, str>, Stop> {
    chars::check(raw).map_err(|illegal| Stop::ill(at + illegal.at, illegal.message))?;
    if let Some(place) = raw.find('<') {
        return Err(Stop::ill(at + place, "write `<` in an attribute as `&lt;`"));
    }
    if !raw.bytes().any(|byte| matches!(byte, b'&' | b'\t' | b'\n' | b'\r')) {
        return Ok(Cow::Borrowed(raw));
    }
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(place) = rest.find('&') {
        push_normalised(&mut value, &rest[..place]);
        let bad = || Stop::ill(at + raw.len() - rest.len() + place, "this is no reference; write `&` as `&amp;`");
        let (name, after) = rest[place + 1..].split_once(';').ok_or_else(bad)?;
        value.push(chars::reference(name).ok_or_else(bad)?);
        rest = after;
    }
    push_normalised(&mut value, rest);
    Ok(Cow::Owned(value))
}

fn push_normalised(value: &mut String, raw: &str) {
    value.push_str(&raw.replace("\r\n", " ").replace(['\t', '\n', '\r'], " "));
}

/// The XML declaration behind `<?xml`, production [23]. The encoding it states, if it states one.
pub(super) fn declaration(raw: &str, at: usize) -> Result<Option<Cow<'_, str>>, Stop> {
    let attributes = split(Tag { raw, at, depth: 0 })?;
    let bad = || Stop::ill(at, "write the declaration as <?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    // No reference is one here, so an `&` in the raw text can only be a fault.
    if raw.contains('&') {
        return Err(bad());
    }
    let mut rest = attributes.into_iter().peekable();
    let version = rest.next().filter(|one| one.name == "version").ok_or_else(bad)?;
    if version.value != "1.0" {
        return Err(Stop::ill(at, "only XML 1.0 is read"));
    }
    let encoding = rest.next_if(|one| one.name == "encoding");
    let standalone = rest.next_if(|one| one.name == "standalone");
    if rest.next().is_some() || standalone.is_some_and(|one| one.value != "yes" && one.value != "no") {
        return Err(bad());
    }
    match encoding {
        Some(one) if !is_encoding_name(&one.value) => Err(bad()),
        Some(one) => Ok(Some(one.value)),
        None => Ok(None),
    }
}

/// Production [81] EncName.
fn is_encoding_name(name: &str) -> bool {
    name.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}
