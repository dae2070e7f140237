//! The strict door of XML: the event loop of quick-xml, which accepts much that is not XML, behind checks that refuse
//! everything that is not strictly well-formed, namespaces included.
//!
//! Promises: a document that has passed to [`Token::Eof`] is well-formed by XML 1.0 (fifth edition) and Namespaces in
//! XML 1.0, has no DTD, and keeps the limits. Never: opens anything, expands anything but character references.

use super::attributes::{self, Tag as RawTag};
use super::namespaces::{Namespaces, Space};
use crate::catalogue::scalar::{is_suspect, no_byte};
use crate::format::fault::{BAD_ENCODING, DTD_FORBIDDEN, Stop, TOO_DEEP};
use crate::format::{chars, text};
use crate::limits;
use quick_xml::errors::{Error, IllFormedError};
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use std::borrow::Cow;

/// What the door lets through. Comments and processing instructions are checked and dropped.
pub(super) enum Token<'d> {
    Start(Tag<'d>),
    End,
    /// Character data; `plain` when it is one line and needs no second look.
    Text {
        text: Cow<'d, str>,
        plain: bool,
    },
    /// From a reference.
    Char(char),
    Eof,
}

/// A start tag.
#[derive(Clone, Copy)]
pub(super) struct Tag<'d> {
    pub space: Space,
    /// The name without prefix: bytes of the document, known to be UTF-8.
    pub local: &'d [u8],
}

impl Tag<'_> {
    /// The name without prefix, for a report.
    pub(super) fn name(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.local)
    }
}

pub(super) struct Door<'d> {
    bytes: &'d [u8],
    reader: Reader<&'d [u8]>,
    spaces: Namespaces<'d>,
    strays: Vec<&'d str>,
    /// Elements that are open.
    depth: usize,
    elements: usize,
    /// The last tag was `<name/>`: its end is still owed.
    empty: bool,
}

const OUTSIDE: &str =
    "nothing but white space, comments and processing instructions may stand outside the root element";
const EARLY: &str = "the document ends too early; close every element";
const DOCTYPE: &[u8] = b"<!DOCTYPE";

impl<'d> Door<'d> {
    /// A door before a document without byte order mark. What is no UTF-8 is refused where it is met.
    pub(super) fn new(bytes: &'d [u8]) -> Self {
        let mut reader = Reader::from_reader(bytes);
        reader.config_mut().check_comments = true;
        Self { bytes, reader, spaces: Namespaces::new(), strays: Vec::new(), depth: 0, elements: 0, empty: false }
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Result<Token<'d>, Stop> {
        loop {
            if self.empty {
                self.empty = false;
                return Ok(self.close());
            }
            let from = self.here();
            if self.depth == 0 {
                if self.bytes[from..].starts_with(DOCTYPE) {
                    return Err(dtd(from));
                }
                if let Some(token) = self.outside(from)? {
                    return Ok(token);
                }
                continue;
            }
            match self.reader.read_event() {
                Ok(Event::Start(event)) => return self.open(&event, from),
                Ok(Event::End(_)) => return Ok(self.close()),
                Ok(Event::Text(event)) => return plain_text(event.into_inner(), from),
                Ok(event) => {
                    if let Some(token) = self.rare(event, from)? {
                        return Ok(token);
                    }
                }
                Err(error) => return Err(self.refuse(from, &error)),
            }
        }
    }

    /// The names of the attributes of the last start tag that are neither declarations nor tolerated.
    pub(super) fn strays(&mut self) -> &mut Vec<&'d str> {
        &mut self.strays
    }

    /// The name of a namespace.
    pub(super) fn namespace(&self, space: Space) -> &str {
        self.spaces.name(space)
    }

    #[inline]
    fn here(&self) -> usize {
        // The reader stands within a slice, so its position fits.
        usize::try_from(self.reader.buffer_position()).unwrap_or(self.bytes.len()).min(self.bytes.len())
    }

    /// The next token before or behind the root element; none for what is dropped.
    fn outside(&mut self, from: usize) -> Result<Option<Token<'d>>, Stop> {
        match self.reader.read_event() {
            Ok(Event::Start(_) | Event::Empty(_)) if self.elements > 0 => {
                Err(Stop::ill(from, "a document has one root element"))
            }
            Ok(Event::Start(event)) => self.open(&event, from).map(Some),
            Ok(Event::Text(event)) if !chars::is_blank(&event) => Err(Stop::ill(from, OUTSIDE)),
            Ok(Event::Text(_)) => Ok(None),
            Ok(Event::GeneralRef(_) | Event::CData(_)) => Err(Stop::ill(from, OUTSIDE)),
            Ok(Event::Decl(_)) if from > 0 => {
                Err(Stop::ill(from, "the XML declaration stands at the very beginning or nowhere"))
            }
            Ok(Event::Decl(event)) if &*event == "xml version=\"1.0\" encoding=\"UTF-8\"" => Ok(None),
            Ok(Event::Decl(event)) => {
                let inside = event.strip_prefix("xml").unwrap_or_default();
                match attributes::declaration(inside, from + "<?xml".len())? {
                    Some(name) if !name.eq_ignore_ascii_case("UTF-8") => Err(encoding(from)),
                    _ => Ok(None),
                }
            }
            Ok(Event::Eof) if self.elements == 0 => Err(Stop::ill(from, "the document has no root element")),
            Ok(Event::Eof) => Ok(Some(Token::Eof)),
            Ok(event) => self.rare(event, from),
            Err(error) => Err(self.refuse(from, &error)),
        }
    }

    /// The token of an event that few messages have; none for what is dropped.
    fn rare(&mut self, event: Event<'d>, from: usize) -> Result<Option<Token<'d>>, Stop> {
        match event {
            Event::Empty(event) => {
                self.empty = true;
                self.open(&event, from).map(Some)
            }
            Event::GeneralRef(event) => match chars::reference(&event) {
                Some(one) => Ok(Some(Token::Char(one))),
                None => Err(Stop::ill(from, "this is no reference to a character; write `&` as `&amp;`")),
            },
            Event::CData(event) => content(event.into_inner(), from, "<![CDATA[".len(), chars::section).map(Some),
            Event::Comment(event) => legal(&event, from + "<!--".len()).map(|()| None),
            Event::PI(event) => instruction(&event, from + "<?".len()).map(|()| None),
            Event::DocType(_) if self.bytes[from..].starts_with(DOCTYPE) => Err(dtd(from)),
            Event::DocType(_) => Err(Stop::ill(from, "this is no markup of XML")),
            Event::Eof => Err(Stop::ill(from, EARLY)),
            // Within the root element; the rest was read by those who call.
            Event::Decl(_) | Event::Start(_) | Event::End(_) | Event::Text(_) => {
                Err(Stop::ill(from, "the XML declaration stands at the very beginning or nowhere"))
            }
        }
    }

    #[inline]
    fn open(&mut self, event: &BytesStart<'_>, from: usize) -> Result<Token<'d>, Stop> {
        self.depth += 1;
        self.elements += 1;
        within(self.depth, limits::DEPTH_MAX, from, TOO_DEEP)?;
        within(self.elements, limits::ELEMENTS_MAX, from, "limit_elements")?;
        let name = event.name().into_inner();
        within(name.len(), limits::NAME_BYTES_MAX, from, "limit_name_bytes")?;
        let Some((prefix, local)) = chars::qname(name) else {
            return Err(Stop::ill(from, "the name of the element is not legal"));
        };
        self.strays.clear();
        if event.len() > name.len() {
            self.attributes(from + 1 + name.len(), event.len() - name.len())?;
        }
        let space = match prefix {
            None => self.spaces.default_space(),
            // Namespaces in XML: an element may not have the prefix `xmlns`.
            Some(prefix) => match self.spaces.of_prefix(prefix) {
                Some(space) => space,
                None => return Err(Stop::ill(from, "declare the prefix of this element with xmlns:…")),
            },
        };
        let end = from + 1 + name.len();
        Ok(Token::Start(Tag { space, local: self.bytes.get(end - local.len()..end).unwrap_or_default() }))
    }

    /// The attributes of the tag being opened, `length` bytes at `at`. Few elements have any.
    fn attributes(&mut self, at: usize, length: usize) -> Result<(), Stop> {
        let raw = self.bytes.get(at..at + length).unwrap_or_default();
        // What messages have: one default namespace, spelled plainly.
        if let Some(name) = plain_default(raw) {
            return attributes::declare("", name.into(), (at, self.depth), &mut self.spaces);
        }
        let tag = RawTag { raw: text::utf8(raw)?, at, depth: self.depth };
        attributes::read(tag, &mut self.spaces, &mut self.strays)
    }

    #[inline]
    fn close(&mut self) -> Token<'d> {
        self.spaces.close(self.depth);
        self.depth -= 1;
        Token::End
    }

    #[cold]
    fn refuse(&self, from: usize, error: &Error) -> Stop {
        if self.bytes[from..].starts_with(DOCTYPE) {
            return dtd(from);
        }
        let at = usize::try_from(self.reader.error_position()).unwrap_or(from).max(from);
        // The error's own text would repeat names of the document.
        let message = match error {
            Error::IllFormed(IllFormedError::MismatchedEndTag { .. }) => "this end tag does not match its start tag",
            Error::IllFormed(IllFormedError::UnmatchedEndTag(_)) => "this end tag has no start tag",
            Error::IllFormed(IllFormedError::UnclosedReference) => "write `&` as `&amp;`",
            Error::IllFormed(IllFormedError::DoubleHyphenInComment) => "write no `--` inside a comment",
            Error::Syntax(_) => "the document ends inside this markup, or it is no markup of XML",
            Error::Encoding(_) => match text::utf8(self.bytes) {
                Err(stop) => return stop,
                Ok(_) => "this is no well-formed XML",
            },
            _ => "this is no well-formed XML",
        };
        Stop::ill(at, message)
    }
}

#[inline]
fn within(found: usize, max: usize, at: usize, code: &'static str) -> Result<(), Stop> {
    if found <= max { Ok(()) } else { Err(Stop::limit(at, code, max)) }
}

/// How a piece of character data is checked and its line ends normalised.
type Normalise = fn(&str) -> Result<Cow<'_, str>, chars::Illegal>;

/// The token of character data between markup.
#[inline]
fn plain_text(raw: Cow<'_, str>, from: usize) -> Result<Token<'_>, Stop> {
    if raw.len() <= limits::TEXT_BYTES_MAX && no_byte(raw.as_bytes(), |byte| is_suspect(byte) | (byte == b']')) {
        return Ok(Token::Text { text: raw, plain: true });
    }
    content(raw, from, 0, chars::text)
}

/// The token of a text that begins `before` bytes behind `from`.
fn content(raw: Cow<'_, str>, from: usize, before: usize, normalise: Normalise) -> Result<Token<'_>, Stop> {
    within(raw.len(), limits::TEXT_BYTES_MAX, from, "limit_text_bytes")?;
    let normalised = match normalise(&raw) {
        // Nothing had to be changed: the text of the document itself.
        Ok(Cow::Borrowed(_)) => None,
        Ok(Cow::Owned(text)) => Some(text),
        Err(illegal) => return Err(Stop::ill(from + before + illegal.at, illegal.message)),
    };
    Ok(Token::Text { text: normalised.map_or(raw, Cow::Owned), plain: false })
}

/// The namespace of ` xmlns="…"` alone, if it needs no second look.
fn plain_default(raw: &[u8]) -> Option<&str> {
    let name = raw.strip_prefix(b" xmlns=\"")?.strip_suffix(b"\"")?;
    let plain = !name.is_empty()
        && name.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b':' | b'.' | b'-' | b'_'));
    if plain { std::str::from_utf8(name).ok() } else { None }
}

fn legal(raw: &str, at: usize) -> Result<(), Stop> {
    chars::check(raw).map_err(|illegal| Stop::ill(at + illegal.at, illegal.message))
}

#[cold]
fn dtd(at: usize) -> Stop {
    Stop::new(DTD_FORBIDDEN, at, "remove the document type declaration")
}

#[cold]
fn encoding(at: usize) -> Stop {
    Stop::new(BAD_ENCODING, at, "write the document in UTF-8 and declare it so, or not at all")
}

/// A processing instruction: its target is a name without colon and not `xml`, production [16].
fn instruction(inside: &str, at: usize) -> Result<(), Stop> {
    let end = inside.bytes().position(chars::is_space).unwrap_or(inside.len());
    let target = &inside[..end];
    within(target.len(), limits::NAME_BYTES_MAX, at, "limit_name_bytes")?;
    if !chars::is_ncname(target) || target.eq_ignore_ascii_case("xml") {
        return Err(Stop::ill(at, "the target of the processing instruction is not legal"));
    }
    legal(inside, at)
}
