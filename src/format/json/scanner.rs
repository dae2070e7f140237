//! The tokens of JSON, strictly by RFC 8259: no comments, no trailing commas, no lone surrogates.
//!
//! Promises: linear time, a limit on depth, values and key lengths. Never: allocates for a string without escapes.

use crate::format::fault::{Stop, TOO_DEEP};
use crate::limits;
use std::borrow::Cow;
use std::collections::HashSet;

/// What kind of value comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    Text,
    Number,
    Boolean,
    Null,
}

pub(super) struct Scanner<'d> {
    text: &'d str,
    at: usize,
    depth: usize,
    values: usize,
}

type Scanned<T> = Result<T, Stop>;

const ENDS_EARLY: &str = "the document ends too early";

impl<'d> Scanner<'d> {
    pub(super) fn new(text: &'d str) -> Self {
        Self { text, at: 0, depth: 0, values: 0 }
    }

    /// The byte where the scanner stands.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Another scanner of the same document that stands at an earlier value, within `depth` objects.
    pub(super) fn again_from(&self, at: usize, depth: usize) -> Self {
        Self { text: self.text, at, depth, values: 0 }
    }

    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while self.byte().is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn ill<T>(&self, message: &'static str) -> Scanned<T> {
        Err(Stop::ill(self.at, if self.at >= self.text.len() { ENDS_EARLY } else { message }))
    }

    fn expect(&mut self, byte: u8, message: &'static str) -> Scanned<()> {
        if self.byte() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        self.ill(message)
    }

    /// What comes next, without consuming it.
    pub(super) fn kind(&mut self) -> Scanned<Kind> {
        self.space();
        self.values += 1;
        if self.values > limits::ELEMENTS_MAX {
            return Err(Stop::limit(self.at, "limit_elements", limits::ELEMENTS_MAX));
        }
        match self.byte() {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'"') => Ok(Kind::Text),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't' | b'f') => Ok(Kind::Boolean),
            Some(b'n') => Ok(Kind::Null),
            _ => self.ill("a JSON value is expected here"),
        }
    }

    /// Begins an object or array.
    pub(super) fn open(&mut self) -> Scanned<()> {
        self.depth += 1;
        if self.depth > limits::DEPTH_MAX {
            return Err(Stop::limit(self.at, TOO_DEEP, limits::DEPTH_MAX));
        }
        self.at += 1;
        Ok(())
    }

    /// The next key of the open object, its colon consumed; none at the object's end.
    pub(super) fn key(&mut self, first: bool) -> Scanned<Option<Cow<'d, str>>> {
        if self.closes(b'}', first)? {
            return Ok(None);
        }
        let from = self.at;
        if self.byte() != Some(b'"') {
            return self.ill("a key in double quotes is expected here");
        }
        let key = self.string()?;
        if key.len() > limits::NAME_BYTES_MAX {
            return Err(Stop::limit(from, "limit_name_bytes", limits::NAME_BYTES_MAX));
        }
        self.space();
        self.expect(b':', "a colon is expected here")?;
        Ok(Some(key))
    }

    /// Whether the open array has another item.
    pub(super) fn item(&mut self, first: bool) -> Scanned<bool> {
        Ok(!self.closes(b']', first)?)
    }

    fn closes(&mut self, end: u8, first: bool) -> Scanned<bool> {
        self.space();
        if self.byte() == Some(end) {
            self.at += 1;
            self.depth -= 1;
            return Ok(true);
        }
        if !first {
            self.expect(b',', "a comma or the end of the object or array is expected here")?;
            self.space();
        }
        Ok(false)
    }

    /// A string, its opening quote not yet consumed.
    pub(super) fn string(&mut self) -> Scanned<Cow<'d, str>> {
        self.at += 1;
        let from = self.at;
        self.plain();
        if self.byte() == Some(b'"') {
            let text = &self.text[from..self.at];
            self.at += 1;
            return limited(Cow::Borrowed(text), from);
        }
        let mut text = String::from(&self.text[from..self.at]);
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return limited(Cow::Owned(text), from);
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(_) => return self.ill("write control characters in strings as escapes"),
                None => return self.ill(ENDS_EARLY),
            }
            let plain = self.at;
            self.plain();
            text.push_str(&self.text[plain..self.at]);
        }
    }

    /// Passes over characters that stand for themselves.
    fn plain(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F)).unwrap_or(rest.len());
    }

    fn escape(&mut self) -> Scanned<char> {
        let from = self.at;
        self.at += 1;
        let one = match self.byte() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{C}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode(from);
            }
            _ => return self.ill("there is no such escape in JSON"),
        };
        self.at += 1;
        Ok(one)
    }

    fn unicode(&mut self, from: usize) -> Scanned<char> {
        let lone = || Stop::ill(from, "a surrogate stands alone; write characters beyond U+FFFF as a pair");
        let high = self.hex()?;
        if !(0xD800..=0xDFFF).contains(&high) {
            return char::from_u32(high).ok_or_else(lone);
        }
        if high >= 0xDC00 || !self.text.as_bytes()[self.at..].starts_with(b"\\u") {
            return Err(lone());
        }
        self.at += 2;
        let low = self.hex()?;
        if !(0xDC00..=0xDFFF).contains(&low) {
            return Err(lone());
        }
        char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)).ok_or_else(lone)
    }

    fn hex(&mut self) -> Scanned<u32> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = self.byte().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else { return self.ill("four hexadecimal digits are expected here") };
            value = value * 16 + digit;
            self.at += 1;
        }
        Ok(value)
    }

    /// A number, as it is spelled.
    pub(super) fn number(&mut self) -> Scanned<&'d str> {
        let from = self.at;
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        if self.byte() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(&self.text[from..self.at])
    }

    fn digits(&mut self) -> Scanned<()> {
        let from = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == from { self.ill("a digit is expected here") } else { Ok(()) }
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self) -> Scanned<bool> {
        let value = self.byte() == Some(b't');
        self.word(if value { "true" } else { "false" })?;
        Ok(value)
    }

    fn word(&mut self, word: &str) -> Scanned<()> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return self.ill("write true, false or null");
        }
        self.at += word.len();
        Ok(())
    }

    /// Passes over a value of this kind, checking it like every other.
    pub(super) fn skip(&mut self, kind: Kind) -> Scanned<()> {
        match kind {
            Kind::Text => self.string().map(drop),
            Kind::Number => self.number().map(drop),
            Kind::Boolean => self.boolean().map(drop),
            Kind::Null => self.word("null"),
            Kind::Array => {
                self.open()?;
                let mut first = true;
                while self.item(std::mem::take(&mut first))? {
                    let kind = self.kind()?;
                    self.skip(kind)?;
                }
                Ok(())
            }
            Kind::Object => {
                self.open()?;
                let mut keys = HashSet::new();
                loop {
                    let from = self.at;
                    let Some(key) = self.key(keys.is_empty())? else { return Ok(()) };
                    if !keys.insert(key) {
                        return Err(duplicate(from));
                    }
                    let kind = self.kind()?;
                    self.skip(kind)?;
                }
            }
        }
    }

    /// Nothing but white space may follow.
    pub(super) fn finish(&mut self) -> Scanned<()> {
        self.space();
        if self.at == self.text.len() {
            Ok(())
        } else {
            Err(Stop::ill(self.at, "nothing may follow the value of the document"))
        }
    }
}

fn limited(text: Cow<'_, str>, at: usize) -> Scanned<Cow<'_, str>> {
    if text.len() > limits::TEXT_BYTES_MAX {
        return Err(Stop::limit(at, "limit_text_bytes", limits::TEXT_BYTES_MAX));
    }
    Ok(text)
}

/// A key that stands twice: what it means differs between readers, so nobody may guess.
pub(super) fn duplicate(at: usize) -> Stop {
    Stop::ill(at, "a key stands twice in this object; keep one")
}
