//! XSDs derived from the plans: what the JSON Schema refuses, they refuse, and the other way round.
//!
//! Promises: the same plan always gives the same text, so that the checked-in files can be compared. Never: says more
//! than the plan; XML itself forbids the characters that the schemas' `not` forbids.

use crate::catalogue::pattern;
use crate::catalogue::plan::{Alphabet, Field, ListPlan, Plan, RecordPlan, Shape, TextPlan};
use crate::catalogue::scalar;
use crate::catalogue::{Catalogue, Entry};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The envelope's namespace.
const MESSAGE: &str = "urn:mezhved:message:1";

/// `xs:date` knows which days exist; the pattern leaves out its years, signs and zones.
const DATE: &str = "(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}";

/// `xs:dateTime` likewise; the pattern leaves out 24:00, more digits and missing zones.
const DATE_TIME: &str = "(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+\\-](0[0-9]|1[0-3]):[0-5][0-9])";

/// The XSD of a type's body.
#[must_use]
pub fn of_body(entry: &Entry) -> String {
    let mut schema = Schema::new(&entry.namespace, "the body's JSON Schema");
    schema.start("xs:element", &[("name", "body")]);
    schema.annotation(&entry.title_ru);
    schema.record_inline(&entry.body, "");
    schema.end("xs:element");
    schema.finish()
}

/// The XSD of whole messages; `location` says where the XSD of a type's body lies.
#[must_use]
pub fn of_message(catalogue: &Catalogue, location: impl Fn(&Entry) -> String) -> String {
    let mut schema = Schema::new(MESSAGE, "the envelope's JSON Schema");
    for entry in catalogue.entries() {
        schema.empty("xs:import", &[("namespace", &entry.namespace), ("schemaLocation", &location(entry))]);
    }
    schema.start("xs:element", &[("name", "message")]);
    let body = "<xs:any namespace=\"##other\" processContents=\"strict\"/>";
    schema.record_inline(catalogue.envelope(), body);
    schema.end("xs:element");
    schema.finish()
}

/// A schema document on the way.
struct Schema<'p> {
    out: String,
    depth: usize,
    /// Named records that are used and still to be written, by name.
    named: BTreeMap<&'p str, &'p RecordPlan>,
    written: Vec<&'p str>,
    constraints: usize,
}

impl<'p> Schema<'p> {
    fn new(namespace: &str, source: &str) -> Self {
        let mut schema =
            Self { out: String::new(), depth: 0, named: BTreeMap::new(), written: Vec::new(), constraints: 0 };
        let _ = writeln!(
            schema.out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- Derived from {source}; do not edit. -->"
        );
        schema.start(
            "xs:schema",
            &[
                ("xmlns:xs", "http://www.w3.org/2001/XMLSchema"),
                ("xmlns", namespace),
                ("xmlns:m", namespace),
                ("targetNamespace", namespace),
                ("elementFormDefault", "qualified"),
            ],
        );
        schema
    }

    fn finish(mut self) -> String {
        while let Some((name, record)) = self.named.pop_first() {
            self.written.push(name);
            self.start("xs:complexType", &[("name", name)]);
            self.sequence(record, "");
            self.end("xs:complexType");
        }
        self.alphabet("line", "[^\\t\\n\\r&#x7F;-&#x9F;]*");
        self.start("xs:simpleType", &[("name", "text")]);
        self.empty("xs:restriction", &[("base", "xs:string")]);
        self.end("xs:simpleType");
        self.end("xs:schema");
        self.out
    }

    fn alphabet(&mut self, name: &str, pattern: &str) {
        self.start("xs:simpleType", &[("name", name)]);
        self.start("xs:restriction", &[("base", "xs:string")]);
        // Written as it is: the character references are meant.
        self.line(&format!("<xs:pattern value=\"{pattern}\"/>"));
        self.end("xs:restriction");
        self.end("xs:simpleType");
    }

    fn line(&mut self, text: &str) {
        self.out.extend(std::iter::repeat_n("  ", self.depth));
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        let tag = tag(name, attributes);
        self.line(&format!("<{tag}>"));
        self.depth += 1;
    }

    fn end(&mut self, name: &str) {
        self.depth -= 1;
        self.line(&format!("</{name}>"));
    }

    fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        let tag = tag(name, attributes);
        self.line(&format!("<{tag}/>"));
    }

    fn annotation(&mut self, title: &str) {
        self.line(&format!(
            "<xs:annotation><xs:documentation xml:lang=\"ru\">{}</xs:documentation></xs:annotation>",
            escape(title)
        ));
    }

    fn record_inline(&mut self, record: &'p RecordPlan, last: &str) {
        self.start("xs:complexType", &[]);
        self.sequence(record, last);
        self.end("xs:complexType");
    }

    /// The fields in order, then what is given as `last`.
    fn sequence(&mut self, record: &'p RecordPlan, last: &str) {
        self.start("xs:sequence", &[]);
        for (place, field) in record.fields.iter().enumerate() {
            let optional: &[(&str, &str)] = if record.is_required(place) { &[] } else { &[("minOccurs", "0")] };
            self.element(field, optional);
        }
        if !last.is_empty() {
            self.line(last);
        }
        self.end("xs:sequence");
    }

    fn element(&mut self, field: &'p Field, occurs: &[(&str, &str)]) {
        let mut attributes = vec![("name", &*field.name)];
        attributes.extend_from_slice(occurs);
        if let Some(name) = self.named_type(&field.plan) {
            attributes.push(("type", name));
        }
        let named = attributes.iter().any(|(name, _)| *name == "type");
        if named && field.title.is_none() {
            return self.empty("xs:element", &attributes);
        }
        self.start("xs:element", &attributes);
        if let Some(title) = &field.title {
            self.annotation(title);
        }
        if !named {
            self.anonymous_type(&field.plan);
        }
        if let Plan::List(ListPlan { unique: true, .. }) = &*field.plan {
            self.unique();
        }
        self.end("xs:element");
    }

    /// No two equal items; the name must be unique in the document.
    fn unique(&mut self) {
        self.constraints += 1;
        let name = format!("once_{}", self.constraints);
        self.start("xs:unique", &[("name", &name)]);
        self.empty("xs:selector", &[("xpath", "m:item")]);
        self.empty("xs:field", &[("xpath", ".")]);
        self.end("xs:unique");
    }

    /// The name of the type, if it has one; its definition is then owed.
    fn named_type(&mut self, plan: &'p Plan) -> Option<&'p str> {
        match plan {
            Plan::Boolean => Some("xs:boolean"),
            Plan::Record(record) => {
                let name = record.name.as_deref()?;
                if !self.written.contains(&name) {
                    self.named.insert(name, record);
                }
                Some(name)
            }
            Plan::List(_) | Plan::Text(_) | Plan::Integer(_) => None,
        }
    }

    fn anonymous_type(&mut self, plan: &'p Plan) {
        match plan {
            Plan::Record(record) => self.record_inline(record, ""),
            Plan::List(list) => self.list(list),
            Plan::Text(text) => self.text(text),
            Plan::Integer(integer) => {
                let (min, max) = (integer.min.to_string(), integer.max.to_string());
                self.simple("xs:integer", &[("xs:minInclusive", &min), ("xs:maxInclusive", &max)]);
            }
            Plan::Boolean => self.simple("xs:boolean", &[]),
        }
    }

    fn list(&mut self, list: &'p ListPlan) {
        self.start("xs:complexType", &[]);
        self.start("xs:sequence", &[]);
        let (min, max) = (list.items_min.to_string(), list.items_max.to_string());
        let mut attributes = vec![("name", "item"), ("minOccurs", &min), ("maxOccurs", &max)];
        if let Some(name) = self.named_type(&list.item) {
            attributes.push(("type", name));
            self.empty("xs:element", &attributes);
        } else {
            self.start("xs:element", &attributes);
            self.anonymous_type(&list.item);
            if let Plan::List(ListPlan { unique: true, .. }) = &*list.item {
                self.unique();
            }
            self.end("xs:element");
        }
        self.end("xs:sequence");
        self.end("xs:complexType");
    }

    fn text(&mut self, text: &TextPlan) {
        let base = match text.alphabet {
            Alphabet::Line => "line",
            Alphabet::Lines => "text",
        };
        let (min, max) = (text.chars_min.to_string(), text.chars_max.to_string());
        let mut facets: Vec<(&str, &str)> = Vec::new();
        match &text.shape {
            Shape::Date => return self.simple("xs:date", &[("xs:pattern", DATE)]),
            Shape::DateTime => return self.simple("xs:dateTime", &[("xs:pattern", DATE_TIME)]),
            Shape::OneOf(words) => {
                facets.extend(words.iter().map(|word| ("xs:enumeration", &**word)));
                return self.simple("xs:string", &facets);
            }
            Shape::Uuid => facets.extend(pattern::inner(scalar::UUID_PATTERN).map(|inner| ("xs:pattern", inner))),
            Shape::Pattern(regex) => facets.extend(pattern::inner(regex.as_str()).map(|inner| ("xs:pattern", inner))),
            Shape::Free => {}
        }
        if text.chars_min > 0 {
            facets.push(("xs:minLength", &min));
        }
        if text.chars_max < usize::MAX {
            facets.push(("xs:maxLength", &max));
        }
        self.simple(base, &facets);
    }

    fn simple(&mut self, base: &str, facets: &[(&str, &str)]) {
        self.start("xs:simpleType", &[]);
        self.start("xs:restriction", &[("base", base)]);
        for (facet, value) in facets {
            self.empty(facet, &[("value", value)]);
        }
        self.end("xs:restriction");
        self.end("xs:simpleType");
    }
}

fn tag(name: &str, attributes: &[(&str, &str)]) -> String {
    let mut tag = name.to_owned();
    for (name, value) in attributes {
        let _ = write!(tag, " {name}=\"{}\"", escape(value));
    }
    tag
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
