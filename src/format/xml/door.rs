//! The strict door of XML: the event loop of quick-xml, which accepts much that is not XML, behind checks that refuse
//! everything that is not strictly well-formed, namespaces included.
//!
//! Promises: a document that has passed to [`Token::Eof`] is well-formed by XML 1.0 (fifth edition) and Namespaces in
//! XML 1.0, has no DTD, and keeps the limits. Never: opens anything, expands anything but character references.

use super::attributes::{self, Tag as RawTag};
use super::namespaces::{Namespaces, Space};
use crate::format::chars;
use crate::format::fault::{BAD_ENCODING, DTD_FORBIDDEN, Stop, TOO_DEEP};
use crate::limits;
use quick_xml::errors::{Error, IllFormedError};
use quick_xml::events::Event;
use quick_xml::reader::Reader;
use std::borrow::Cow;

/// What the door lets through. Comments and processing instructions are checked and dropped.
pub(super) enum Token<'d> {
    Start(Tag<'d>),
    End,
    Text(Cow<'d, str>),
    /// From a reference.
    Char(char),
    Eof,
}

/// A start tag.
pub(super) struct Tag<'d> {
    pub space: Space,
    pub local: &'d str,
}

pub(super) struct Door<'d> {
    text: &'d str,
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
const DOCTYPE: &str = "<!DOCTYPE";

impl<'d> Door<'d> {
    /// A door before `text`, which has no byte order mark.
    pub(super) fn new(text: &'d str) -> Self {
        let mut reader = Reader::from_reader(text.as_bytes());
        reader.config_mut().check_comments = true;
        Self { text, reader, spaces: Namespaces::new(), strays: Vec::new(), depth: 0, elements: 0, empty: false }
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Result<Token<'d>, Stop> {
        loop {
            if self.empty {
                self.empty = false;
                return Ok(self.close());
            }
            let from = self.here();
            if self.depth == 0 && self.text[from..].starts_with(DOCTYPE) {
                return Err(dtd(from));
            }
            let event = match self.reader.read_event() {
                Ok(event) => event,
                Err(error) => return Err(self.refuse(from, &error)),
            };
            let raw = &self.text[from..self.here()];
            if let Some(token) = self.token(&event, raw, from)? {
                return Ok(token);
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

    fn here(&self) -> usize {
        // The reader stands within a slice, so its position fits.
        usize::try_from(self.reader.buffer_position()).unwrap_or(self.text.len()).min(self.text.len())
    }

    /// The token of an event, `raw` being its bytes from `from` on; none for what is dropped.
    #[inline]
    fn token(&mut self, event: &Event<'_>, raw: &'d str, from: usize) -> Result<Option<Token<'d>>, Stop> {
        let ill = |illegal: chars::Illegal, before: usize| Stop::ill(from + before + illegal.at, illegal.message);
        match event {
            Event::Start(_) => self.open(&raw[1..raw.len() - 1], from).map(Some),
            Event::Empty(_) => {
                self.empty = true;
                self.open(&raw[1..raw.len() - 2], from).map(Some)
            }
            Event::End(_) => Ok(Some(self.close())),
            Event::Text(_) if self.depth == 0 => {
                if chars::is_blank(raw) {
                    Ok(None)
                } else {
                    Err(Stop::ill(from, OUTSIDE))
                }
            }
            Event::Text(_) => {
                within(raw.len(), limits::TEXT_BYTES_MAX, from, "limit_text_bytes")?;
                Ok(Some(Token::Text(chars::text(raw).map_err(|illegal| ill(illegal, 0))?)))
            }
            Event::GeneralRef(_) | Event::CData(_) if self.depth == 0 => Err(Stop::ill(from, OUTSIDE)),
            Event::GeneralRef(_) => match chars::reference(&raw[1..raw.len() - 1]) {
                Some(one) => Ok(Some(Token::Char(one))),
                None => Err(Stop::ill(from, "this is no reference to a character; write `&` as `&amp;`")),
            },
            Event::CData(_) => {
                within(raw.len(), limits::TEXT_BYTES_MAX, from, "limit_text_bytes")?;
                let inside = &raw["<![CDATA[".len()..raw.len() - "]]>".len()];
                Ok(Some(Token::Text(chars::section(inside).map_err(|illegal| ill(illegal, 9))?)))
            }
            Event::Comment(_) => chars::check(raw).map_err(|illegal| ill(illegal, 0)).map(|()| None),
            Event::PI(_) => instruction(raw, from).map(|()| None),
            Event::Decl(_) if from > 0 => {
                Err(Stop::ill(from, "the XML declaration stands at the very beginning or nowhere"))
            }
            Event::Decl(_) => match attributes::declaration(&raw["<?xml".len()..raw.len() - "?>".len()], from + 5)? {
                Some(name) if !name.eq_ignore_ascii_case("UTF-8") => Err(encoding(from)),
                _ => Ok(None),
            },
            Event::DocType(_) => Err(dtd(from)),
            Event::Eof if self.depth > 0 => {
                Err(Stop::ill(self.text.len(), "the document ends too early; close every element"))
            }
            Event::Eof if self.elements == 0 => Err(Stop::ill(self.text.len(), "the document has no root element")),
            Event::Eof => Ok(Some(Token::Eof)),
        }
    }

    /// A start tag, `inside` being what stands between `<` and `>` or `/>`.
    #[inline]
    fn open(&mut self, inside: &'d str, from: usize) -> Result<Token<'d>, Stop> {
        if self.depth == 0 && self.elements > 0 {
            return Err(Stop::ill(from, "a document has one root element"));
        }
        self.depth += 1;
        self.elements += 1;
        within(self.depth, limits::DEPTH_MAX, from, TOO_DEEP)?;
        within(self.elements, limits::ELEMENTS_MAX, from, "limit_elements")?;
        let end = inside.bytes().position(chars::is_space).unwrap_or(inside.len());
        let (name, rest) = inside.split_at(end);
        within(name.len(), limits::NAME_BYTES_MAX, from, "limit_name_bytes")?;
        let (prefix, local) =
            chars::qname(name).ok_or_else(|| Stop::ill(from, "the name of the element is not legal"))?;
        self.strays.clear();
        if !rest.is_empty() {
            let tag = RawTag { raw: rest, at: from + 1 + end, depth: self.depth };
            attributes::read(tag, &mut self.spaces, &mut self.strays)?;
        }
        let space = match prefix {
            None => self.spaces.default_space(),
            // Namespaces in XML: an element may not have the prefix `xmlns`.
            Some(prefix) => self
                .spaces
                .of_prefix(prefix)
                .ok_or_else(|| Stop::ill(from, "declare the prefix of this element with xmlns:…"))?,
        };
        Ok(Token::Start(Tag { space, local }))
    }

    #[inline]
    fn close(&mut self) -> Token<'d> {
        self.spaces.close(self.depth);
        self.depth -= 1;
        Token::End
    }

    #[cold]
    fn refuse(&self, from: usize, error: &Error) -> Stop {
        if self.text[from..].starts_with(DOCTYPE) {
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
            _ => "this is no well-formed XML",
        };
        Stop::ill(at, message)
    }
}

fn within(found: usize, max: usize, at: usize, code: &'static str) -> Result<(), Stop> {
    if found <= max { Ok(()) } else { Err(Stop::limit(at, code, max)) }
}

#[cold]
fn dtd(at: usize) -> Stop {
    Stop { code: DTD_FORBIDDEN, at, message: "remove the document type declaration".into() }
}

#[cold]
fn encoding(at: usize) -> Stop {
    Stop { code: BAD_ENCODING, at, message: "write the document in UTF-8 and declare it so, or not at all".into() }
}

/// A processing instruction: its target is a name without colon and not `xml`, production [16].
fn instruction(raw: &str, from: usize) -> Result<(), Stop> {
    let inside = &raw[2..raw.len() - 2];
    let end = inside.bytes().position(chars::is_space).unwrap_or(inside.len());
    let target = &inside[..end];
    within(target.len(), limits::NAME_BYTES_MAX, from, "limit_name_bytes")?;
    if !chars::is_ncname(target) || target.eq_ignore_ascii_case("xml") {
        return Err(Stop::ill(from, "the target of the processing instruction is not legal"));
    }
    chars::check(inside).map_err(|illegal| Stop::ill(from + 2 + illegal.at, illegal.message))
}
