//! Reads a message from XML in one pass, along the plan of its type.
//!
//! Promises: well-formedness first, for the whole document; then every fault of the schema with its path. Never: keeps
//! a generic tree of the document.

use super::door::{Door, Tag, Token};
use super::namespaces::Space;
use crate::catalogue::plan::{Alphabet, ListPlan, Plan, RecordPlan, TextPlan};
use crate::catalogue::scalar::Rule;
use crate::catalogue::{Catalogue, Entry};
use crate::domain::message::{Body, Message, Node};
use crate::format::fault::{BODY_OF_ANOTHER_TYPE, Findings, Malformed, NOT_A_MESSAGE, Step, Stop};
use crate::format::walk::{self, Cursor, Number, Place};
use crate::format::{MESSAGE_NAMESPACE, chars, envelope, text};
use std::borrow::Cow;
use std::sync::Arc;

/// The fields of a record, in the schema's order.
type Fields = Vec<(Arc<str>, Node)>;

/// A record on the way.
struct Record<'c> {
    plan: &'c RecordPlan,
    /// The namespace of its elements.
    space: Space,
    cursor: Cursor,
    fields: Fields,
}

impl<'c> Record<'c> {
    fn new(plan: &'c RecordPlan, space: Space) -> Self {
        Self { plan, space, cursor: Cursor::default(), fields: Vec::with_capacity(plan.fields.len()) }
    }
}

/// Reads a message.
pub(in crate::format) fn read(bytes: &[u8], catalogue: &Catalogue) -> Result<Message, Malformed> {
    text::check(bytes)?;
    // A byte order mark is no part of the text.
    let document = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
    if document.starts_with("\u{FEFF}".as_bytes()) {
        return Err(Stop::ill(0, "one byte order mark is enough").into_malformed(document, String::new()));
    }
    let mut reading = Reading { door: Door::new(document), found: Findings::new(), catalogue };
    let parts = reading.document().map_err(|stop| stop.into_malformed(document, reading.found.path()))?;
    let Some((fields, body)) = parts else {
        let message = format!("the root element must be `message` of the namespace {MESSAGE_NAMESPACE}");
        return Err(Malformed::whole(NOT_A_MESSAGE, message));
    };
    reading.found.into_result()?;
    Ok(Message { envelope: envelope::from_fields(fields)?, body: Body::new(body) })
}

struct Reading<'d, 'c> {
    door: Door<'d>,
    found: Findings<'c>,
    catalogue: &'c Catalogue,
}

impl<'d, 'c> Reading<'d, 'c> {
    /// The whole document: the envelope's fields and the body; none when it is no message.
    fn document(&mut self) -> Result<Option<(Fields, Node)>, Stop> {
        let parts = match self.door.next()? {
            Token::Start(tag) if tag.local == b"message" && self.door.namespace(tag.space) == MESSAGE_NAMESPACE => {
                self.report_strays();
                Some(self.message(tag.space)?)
            }
            _ => None,
        };
        while !matches!(self.door.next()?, Token::Eof) {}
        Ok(parts)
    }

    /// The inside of the root element.
    fn message(&mut self, space: Space) -> Result<(Fields, Node), Stop> {
        let mut record = Record::new(self.catalogue.envelope(), space);
        let mut body = None;
        loop {
            match self.door.next()? {
                Token::Start(tag) if tag.local == b"body" && body.is_none() => {
                    record.cursor.finish(record.plan);
                    self.found.enter(Step::Field("body"));
                    body = Some(self.body(&tag, &record.fields)?);
                    self.found.leave();
                }
                Token::Start(tag) if tag.local == b"body" => {
                    self.found.add_below("body", "duplicate_field", "a message has one body");
                    self.skip()?;
                }
                Token::Start(tag) => self.field(&mut record, &tag)?,
                Token::End | Token::Eof => break,
                Token::Text { text, .. } => self.between(&text),
                Token::Char(one) => self.between(one.encode_utf8(&mut [0; 4])),
            }
        }
        record.cursor.report_missing(record.plan, &mut self.found);
        envelope::report_unknown_type(&record.fields, self.catalogue, &mut self.found);
        let body = body.unwrap_or_else(|| {
            self.found.add_below("body", "missing_field", "add the body; it is required");
            nothing()
        });
        Ok((record.fields, body))
    }

    /// The body, by the type and version that stand before it.
    fn body(&mut self, tag: &Tag<'d>, envelope: &Fields) -> Result<Node, Stop> {
        self.report_strays();
        let entry: Option<&'c Entry> = envelope::entry_of(|name| envelope::field(envelope, name), self.catalogue);
        match entry {
            Some(entry) if self.door.namespace(tag.space) == &*entry.namespace => self.record(&entry.body, tag.space),
            Some(entry) => {
                let message = format!("the body's namespace must be {}, by type and version", entry.namespace);
                self.found.add(BODY_OF_ANOTHER_TYPE, message);
                self.skip()
            }
            None => self.skip(),
        }
    }

    fn value(&mut self, plan: &'c Plan, space: Space) -> Result<Node, Stop> {
        match plan {
            Plan::Record(plan) => self.record(plan, space),
            Plan::List(plan) => self.list(plan, space),
            Plan::Text(plan) => self.text(plan),
            Plan::Integer(plan) => {
                let Some((text, _)) = self.content()? else { return Ok(nothing()) };
                match walk::xsd_integer(chars::trim(&text)) {
                    Number::Integer(value) => return Ok(walk::check_integer(plan, value, &mut self.found)),
                    Number::Beyond => self.found.add_rule(Rule::OutOfRange(plan.min, plan.max)),
                    Number::Other => self.found.add("wrong_type", "write an integer"),
                }
                Ok(nothing())
            }
            Plan::Boolean => {
                let Some((text, _)) = self.content()? else { return Ok(nothing()) };
                match chars::trim(&text) {
                    "true" | "1" => return Ok(Node::Boolean(true)),
                    "false" | "0" => return Ok(Node::Boolean(false)),
                    _ => self.found.add("wrong_type", "write true or false"),
                }
                Ok(nothing())
            }
        }
    }

    fn record(&mut self, plan: &'c RecordPlan, space: Space) -> Result<Node, Stop> {
        let mut record = Record::new(plan, space);
        loop {
            match self.door.next()? {
                Token::Start(tag) => self.field(&mut record, &tag)?,
                Token::End | Token::Eof => break,
                Token::Text { text, .. } => self.between(&text),
                Token::Char(one) => self.between(one.encode_utf8(&mut [0; 4])),
            }
        }
        record.cursor.report_missing(plan, &mut self.found);
        Ok(Node::Record(record.fields))
    }

    /// One child element of a record, its start tag read.
    #[inline]
    fn field(&mut self, record: &mut Record<'c>, tag: &Tag<'d>) -> Result<(), Stop> {
        let place = if tag.space == record.space { record.cursor.find(record.plan, tag.local) } else { Place::Unknown };
        let (code, remedy) = match place {
            Place::Next(place) => return self.child(record, place),
            Place::Late(place) => {
                self.found.add_below(&tag.name(), "wrong_order", "put the elements in the order of the schema");
                return self.child(record, place);
            }
            Place::Again => ("duplicate_field", "keep one of the elements of this name"),
            Place::Unknown => {
                ("unknown_field", "remove this element; the schema has none of this name and namespace here")
            }
        };
        self.found.add_below(&tag.name(), code, remedy);
        self.skip().map(drop)
    }

    #[inline]
    fn child(&mut self, record: &mut Record<'c>, place: usize) -> Result<(), Stop> {
        let Some(field) = record.plan.fields.get(place) else { return Ok(()) };
        self.found.enter(Step::Field(&field.name));
        self.report_strays();
        let node = self.value(&field.plan, record.space)?;
        self.found.leave();
        record.fields.push((Arc::clone(&field.name), node));
        Ok(())
    }

    fn list(&mut self, plan: &'c ListPlan, space: Space) -> Result<Node, Stop> {
        let mut items = Vec::new();
        let mut count = 0;
        loop {
            match self.door.next()? {
                Token::Start(tag) if tag.local == b"item" && tag.space == space => {
                    self.found.enter(Step::Item(count));
                    self.report_strays();
                    count += 1;
                    let node = self.value(&plan.item, space)?;
                    self.found.leave();
                    items.push(node);
                }
                Token::Start(tag) => {
                    self.found.add_below(&tag.name(), "unknown_field", "a list holds `item` elements only");
                    self.skip()?;
                }
                Token::End | Token::Eof => break,
                Token::Text { text, .. } => self.between(&text),
                Token::Char(one) => self.between(one.encode_utf8(&mut [0; 4])),
            }
        }
        walk::check_list(plan, &items, count, &mut self.found);
        Ok(Node::List(items))
    }

    #[inline]
    fn text(&mut self, plan: &'c TextPlan) -> Result<Node, Stop> {
        let Some((text, plain)) = self.content()? else { return Ok(nothing()) };
        let text = if plan.trims() { Cow::Borrowed(chars::trim(&text)) } else { text };
        let alphabet = if plain { Alphabet::Line } else { Alphabet::Lines };
        plan.check(&text, Some(alphabet), |rule| self.found.add_rule(rule));
        Ok(Node::Text(text.into_owned()))
    }

    /// The text of an element up to its end tag, and whether it is plain; none, with a fault, when elements stand in it.
    #[inline]
    fn content(&mut self) -> Result<Option<(Cow<'d, str>, bool)>, Stop> {
        match self.door.next()? {
            Token::End => Ok(Some((Cow::Borrowed(""), true))),
            Token::Text { text, plain } => match self.door.next()? {
                Token::End => Ok(Some((text, plain))),
                next => self.mixed_content(text, next),
            },
            next => self.mixed_content(Cow::Borrowed(""), next),
        }
    }

    /// The text of an element of which a part, and then `next`, have been read.
    fn mixed_content(
        &mut self,
        mut content: Cow<'d, str>,
        mut next: Token<'d>,
    ) -> Result<Option<(Cow<'d, str>, bool)>, Stop> {
        let mut elements = false;
        loop {
            match next {
                Token::Text { text, .. } => content.to_mut().push_str(&text),
                Token::Char(one) => content.to_mut().push(one),
                Token::End | Token::Eof => return Ok((!elements).then_some((content, false))),
                Token::Start(_) => {
                    if !std::mem::replace(&mut elements, true) {
                        self.found.add("wrong_type", "write plain text here, without elements");
                    }
                    self.skip()?;
                }
            }
            next = self.door.next()?;
        }
    }

    /// Passes over an element whose start tag is read.
    fn skip(&mut self) -> Result<Node, Stop> {
        let mut open = 1_usize;
        while open > 0 {
            match self.door.next()? {
                Token::Start(_) => open += 1,
                Token::End | Token::Eof => open -= 1,
                Token::Text { .. } | Token::Char(_) => {}
            }
        }
        Ok(nothing())
    }

    /// Text between elements: white space or a fault.
    fn between(&mut self, text: &str) {
        if !chars::is_blank(text) {
            self.found.add("unexpected_text", "remove the text between the elements");
        }
    }

    #[inline]
    fn report_strays(&mut self) {
        if !self.door.strays().is_empty() {
            self.report_each_stray();
        }
    }

    #[cold]
    fn report_each_stray(&mut self) {
        for name in self.door.strays().drain(..) {
            self.found.add_below(&format!("@{name}"), "unknown_attribute", "remove this attribute; messages have none");
        }
    }
}

/// Stands where a fault was reported; a message with a fault is never built.
fn nothing() -> Node {
    Node::Boolean(false)
}
