//! Reads a message from JSON in one pass, along the plan of its type; a body that stands before its type is read when
//! the type is known.
//!
//! Promises: well-formedness first, for the whole document; then every fault of the schema with its path. Never: keeps
//! one of two equal keys.

use super::number;
use super::scanner::{self, Kind, Scanner};
use crate::catalogue::plan::{ListPlan, Plan, RecordPlan, TextPlan};
use crate::catalogue::scalar::Rule;
use crate::catalogue::{Catalogue, Entry};
use crate::domain::message::{Body, Message, Node};
use crate::format::fault::{Findings, Malformed, NOT_A_MESSAGE, Step, Stop};
use crate::format::walk::{self, Cursor, Number, Place};
use crate::format::{envelope, text};
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

/// The fields of a record, in the schema's order.
type Fields = Vec<(Arc<str>, Node)>;

/// Reads a message.
pub(in crate::format) fn read(bytes: &[u8], catalogue: &Catalogue) -> Result<Message, Malformed> {
    text::check(bytes)?;
    let document = text::utf8(bytes).map_err(|stop| stop.into_malformed(bytes, String::new()))?;
    if document.starts_with('\u{FEFF}') {
        return Err(Stop::ill(0, "remove the byte order mark; JSON has none").into_malformed(bytes, String::new()));
    }
    let mut reading = Reading { scanner: Scanner::new(document), found: Findings::new(), catalogue };
    let parts = reading.document().map_err(|stop| stop.into_malformed(bytes, reading.found.path()))?;
    let Some((fields, body)) = parts else {
        return Err(Malformed::whole(
            NOT_A_MESSAGE,
            "a message is an object with the fields of the envelope and a body",
        ));
    };
    reading.found.into_result()?;
    Ok(Message { envelope: envelope::from_fields(fields)?, body: Body::new(body) })
}

struct Reading<'d, 'c> {
    scanner: Scanner<'d>,
    found: Findings<'c>,
    catalogue: &'c Catalogue,
}

/// An object on the way.
struct Record<'d, 'c> {
    plan: &'c RecordPlan,
    slots: Vec<Option<Node>>,
    cursor: Cursor,
    /// Keys that the schema does not have: each may stand once, too.
    strangers: HashSet<Cow<'d, str>>,
}

impl<'c> Record<'_, 'c> {
    fn new(plan: &'c RecordPlan) -> Self {
        Self { plan, slots: vec![None; plan.fields.len()], cursor: Cursor::default(), strangers: HashSet::new() }
    }

    fn field(&self, name: &str) -> Option<&Node> {
        self.plan.find(name.as_bytes(), 0).and_then(|place| self.slots.get(place)?.as_ref())
    }

    /// The filled slots, in the plan's order.
    fn into_fields(self, found: &mut Findings<'_>) -> Fields {
        self.cursor.report_missing(self.plan, found);
        let named = self.plan.fields.iter().zip(self.slots);
        named.filter_map(|(field, slot)| slot.map(|node| (Arc::clone(&field.name), node))).collect()
    }
}

impl<'d, 'c> Reading<'d, 'c> {
    /// The whole document: the envelope's fields and the body; none when it is no message.
    fn document(&mut self) -> Result<Option<(Fields, Node)>, Stop> {
        let kind = self.scanner.kind()?;
        let parts = if kind == Kind::Object {
            self.message()?
        } else {
            self.scanner.skip(kind)?;
            None
        };
        self.scanner.finish()?;
        Ok(parts)
    }

    fn message(&mut self) -> Result<Option<(Fields, Node)>, Stop> {
        let mut record = Record::new(self.catalogue.envelope());
        let (mut body, mut body_at) = (None, None);
        self.scanner.open()?;
        let mut first = true;
        loop {
            let from = self.scanner.at();
            let Some(key) = self.scanner.key(std::mem::take(&mut first))? else { break };
            if key != "body" {
                self.member(&mut record, key, from)?;
                continue;
            }
            if body_at.replace((self.scanner.at(), self.scanner.depth())).is_some() {
                return Err(scanner::duplicate(from));
            }
            self.found.enter(Step::Field("body"));
            // In the canonical order the type is known by now, and the body is read where it stands.
            body = match envelope::entry_of(|name| record.field(name), self.catalogue) {
                Some(entry) => Some(self.body(entry)?),
                None => self.skip()?,
            };
            self.found.leave();
        }
        if body_at.is_none() && record.field("id").or(record.field("type")).is_none() {
            return Ok(None);
        }
        let fields = record.into_fields(&mut self.found);
        envelope::report_unknown_type(&fields, self.catalogue, &mut self.found);
        let body = match (body, body_at) {
            (Some(body), _) => body,
            (None, Some(at)) => self.late_body(at, &fields)?,
            (None, None) => {
                self.found.add_below("body", "missing_field", "add the body; it is required");
                nothing()
            }
        };
        Ok(Some((fields, body)))
    }

    /// Passes over a value of any kind.
    fn skip(&mut self) -> Result<Option<Node>, Stop> {
        let kind = self.scanner.kind()?;
        self.scanner.skip(kind)?;
        Ok(None)
    }

    /// The body, where the scanner stands.
    fn body(&mut self, entry: &'c Entry) -> Result<Node, Stop> {
        match self.scanner.kind()? {
            Kind::Object => self.record(&entry.body),
            kind => self.wrong_type(kind, "an object"),
        }
    }

    /// A body that stands before its type, from where it stands.
    fn late_body(&mut self, (at, depth): (usize, usize), fields: &Fields) -> Result<Node, Stop> {
        let Some(entry) = envelope::entry_of(|name| envelope::field(fields, name), self.catalogue) else {
            return Ok(nothing());
        };
        let again = self.scanner.again_from(at, depth);
        let here = std::mem::replace(&mut self.scanner, again);
        self.found.enter(Step::Field("body"));
        let body = self.body(entry)?;
        self.found.leave();
        self.scanner = here;
        Ok(body)
    }

    fn value(&mut self, plan: &'c Plan) -> Result<Node, Stop> {
        let kind = self.scanner.kind()?;
        match (plan, kind) {
            (Plan::Text(plan), Kind::Text) => self.text(plan),
            (Plan::Record(plan), Kind::Object) => self.record(plan),
            (Plan::List(plan), Kind::Array) => self.list(plan),
            (Plan::Boolean, Kind::Boolean) => self.scanner.boolean().map(Node::Boolean),
            (Plan::Integer(plan), Kind::Number) => {
                match number::integer(self.scanner.number()?) {
                    Number::Integer(value) => return Ok(walk::check_integer(plan, value, &mut self.found)),
                    Number::Beyond => self.found.add_rule(Rule::OutOfRange(plan.min, plan.max)),
                    Number::Other => self.found.add("wrong_type", "write an integer"),
                }
                Ok(nothing())
            }
            (Plan::Text(_), _) => self.wrong_type(kind, "a string"),
            (Plan::Record(_), _) => self.wrong_type(kind, "an object"),
            (Plan::List(_), _) => self.wrong_type(kind, "an array"),
            (Plan::Boolean, _) => self.wrong_type(kind, "true or false"),
            (Plan::Integer(_), _) => self.wrong_type(kind, "an integer"),
        }
    }

    fn wrong_type(&mut self, kind: Kind, expected: &str) -> Result<Node, Stop> {
        self.scanner.skip(kind)?;
        self.found.add("wrong_type", format!("write {expected} here"));
        Ok(nothing())
    }

    fn text(&mut self, plan: &'c TextPlan) -> Result<Node, Stop> {
        let text = self.scanner.string()?;
        plan.check(&text, None, |rule| self.found.add_rule(rule));
        Ok(Node::Text(text.into_owned()))
    }

    fn record(&mut self, plan: &'c RecordPlan) -> Result<Node, Stop> {
        let mut record = Record::new(plan);
        self.scanner.open()?;
        let mut first = true;
        loop {
            let from = self.scanner.at();
            let Some(key) = self.scanner.key(std::mem::take(&mut first))? else { break };
            self.member(&mut record, key, from)?;
        }
        Ok(Node::Record(record.into_fields(&mut self.found)))
    }

    /// One member of an object, its key read, which stands at byte `from`.
    fn member(&mut self, record: &mut Record<'d, 'c>, key: Cow<'d, str>, from: usize) -> Result<(), Stop> {
        let plan = record.plan;
        match record.cursor.find(plan, key.as_bytes()) {
            Place::Next(place) | Place::Late(place) => {
                if let (Some(field), Some(slot)) = (plan.fields.get(place), record.slots.get_mut(place)) {
                    self.found.enter(Step::Field(&field.name));
                    *slot = Some(self.value(&field.plan)?);
                    self.found.leave();
                }
                Ok(())
            }
            Place::Again => {
                let known = plan.find(key.as_bytes(), 0).and_then(|place| plan.fields.get(place));
                self.found.enter(Step::Field(known.map_or("?", |field| &field.name)));
                Err(scanner::duplicate(from))
            }
            Place::Unknown => {
                self.found.add_below(&key, "unknown_field", "remove this field; the schema has none of this name here");
                if !record.strangers.insert(key) {
                    return Err(scanner::duplicate(from));
                }
                self.skip().map(drop)
            }
        }
    }

    fn list(&mut self, plan: &'c ListPlan) -> Result<Node, Stop> {
        self.scanner.open()?;
        let mut items = Vec::new();
        let mut first = true;
        while self.scanner.item(std::mem::take(&mut first))? {
            self.found.enter(Step::Item(items.len()));
            let node = self.value(&plan.item)?;
            self.found.leave();
            items.push(node);
        }
        walk::check_list(plan, &items, items.len(), &mut self.found);
        Ok(Node::List(items))
    }
}

/// Stands where a fault was reported; a message with a fault is never built.
fn nothing() -> Node {
    Node::Boolean(false)
}
