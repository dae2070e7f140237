//! The dialect of JSON Schema 2020-12 that the catalogue speaks, compiled into a [`Plan`].
//!
//! Promises: a schema that loads means the same as JSON Schema and as the XSD derived from it; a keyword outside the
//! dialect is refused with its place and a remedy, never ignored. Never: null, fractions, `anyOf`, open objects.

use crate::catalogue::pattern;
use crate::catalogue::plan::{Alphabet, Field, IntegerPlan, ListPlan, Plan, RecordPlan, Shape, TextPlan};
use crate::catalogue::scalar;
use crate::catalogue::source::Json;
use crate::limits;
use std::sync::Arc;

/// The only dialect, as `$schema` names it.
pub const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// How a schema refers to a shared definition.
pub const COMMON_REFERENCE: &str = "../../common.schema.json#/$defs/";

/// How a schema refers to a definition of its own.
pub const LOCAL_REFERENCE: &str = "#/$defs/";

/// A place in a schema and what to do there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFault {
    /// JSON Pointer into the file.
    pub pointer: String,
    pub remedy: String,
}

/// Compiles schemas of one file against the shared definitions.
pub struct Dialect<'s> {
    common: &'s Json,
    own: &'s Json,
}

/// A schema on the way: where it stands, and how deep.
#[derive(Clone, Copy)]
struct Place<'s> {
    schema: &'s Json,
    pointer: &'s str,
    depth: usize,
    /// The definition it is reached through.
    name: Option<&'s str>,
    /// Whether `#/$defs/` means the shared file here.
    in_common: bool,
}

type Compiled<T> = Result<T, SchemaFault>;

impl<'s> Dialect<'s> {
    /// A compiler for the document `own`.
    #[must_use]
    pub fn new(common: &'s Json, own: &'s Json) -> Self {
        Self { common, own }
    }

    /// The plan of the whole document, which must describe an object.
    ///
    /// # Errors
    /// The first [`SchemaFault`].
    pub fn compile(&self) -> Compiled<RecordPlan> {
        if self.own.get("$schema").and_then(Json::as_text) != Some(DIALECT) {
            return Err(fault("/$schema", format!("state \"$schema\": \"{DIALECT}\"")));
        }
        let (own, shared) = (self.own.get("$defs"), self.common.get("$defs"));
        let hides = |name: &str| shared.is_some_and(|defs| defs.get(name).is_some());
        if let Some((name, _)) = own.map(Json::members).unwrap_or_default().iter().find(|(name, _)| hides(name)) {
            return Err(fault(&format!("/$defs/{name}"), "a shared definition has this name; choose another".into()));
        }
        let root = Place { schema: self.own, pointer: "", depth: 0, name: None, in_common: false };
        match self.value(root)? {
            Plan::Record(record) => Ok(record),
            Plan::List(_) | Plan::Text(_) | Plan::Integer(_) | Plan::Boolean => {
                Err(fault("/type", "the root must be \"type\": \"object\"".into()))
            }
        }
    }

    fn value(&self, at: Place<'_>) -> Compiled<Plan> {
        if at.depth > limits::SCHEMA_DEPTH_MAX {
            return Err(fault(
                at.pointer,
                format!("nest at most {} levels; no definition may contain itself", limits::SCHEMA_DEPTH_MAX),
            ));
        }
        if at.schema.get("$ref").is_some() {
            return self.reference(at);
        }
        match at.schema.get("type").and_then(Json::as_text) {
            Some("object") => self.record(at).map(Plan::Record),
            Some("array") => self.list(at).map(Plan::List),
            Some("string") => text(at).map(Plan::Text),
            Some("integer") => integer(at).map(Plan::Integer),
            Some("boolean") => {
                keywords(at, &["type"])?;
                Ok(Plan::Boolean)
            }
            _ => Err(fault(at.pointer, "state \"type\": object, array, string, integer or boolean; or a $ref".into())),
        }
    }

    fn reference(&self, at: Place<'_>) -> Compiled<Plan> {
        keywords(at, &["$ref", "minLength", "maxLength", "pattern"])?;
        let target = at.schema.get("$ref").and_then(Json::as_text).unwrap_or_default();
        let (home, name, in_common) = if let Some(name) = target.strip_prefix(COMMON_REFERENCE) {
            (self.common, name, true)
        } else if let Some(name) = target.strip_prefix(LOCAL_REFERENCE) {
            (if at.in_common { self.common } else { self.own }, name, at.in_common)
        } else {
            return Err(fault(at.pointer, format!("refer to {LOCAL_REFERENCE}… or {COMMON_REFERENCE}… only")));
        };
        let Some(schema) = home.get("$defs").and_then(|defs| defs.get(name)) else {
            return Err(fault(at.pointer, format!("`{target}` is not defined")));
        };
        let pointer = format!("{}/$ref", at.pointer);
        let there = Place { schema, pointer: &pointer, depth: at.depth + 1, name: Some(name), in_common };
        narrow(self.value(there)?, at)
    }

    fn record(&self, at: Place<'_>) -> Compiled<RecordPlan> {
        keywords(at, &["type", "properties", "required", "additionalProperties", "$schema", "$id", "$defs"])?;
        if at.schema.get("additionalProperties") != Some(&Json::Boolean(false)) {
            return Err(fault(
                at.pointer,
                "state \"additionalProperties\": false; an open object cannot be checked".into(),
            ));
        }
        let members = at.schema.get("properties").map(Json::members).unwrap_or_default();
        if members.len() > limits::RECORD_FIELDS_MAX {
            return Err(fault(
                at.pointer,
                format!("an object has at most {} properties; group them", limits::RECORD_FIELDS_MAX),
            ));
        }
        let mut fields = Vec::with_capacity(members.len());
        for (name, schema) in members {
            let pointer = format!("{}/properties/{name}", at.pointer);
            if !is_field_name(name) {
                return Err(fault(&pointer, "name a property with a-z, 0-9 and _, beginning with a letter".into()));
            }
            let plan = self.value(Place {
                schema,
                pointer: &pointer,
                depth: at.depth + 1,
                name: None,
                in_common: at.in_common,
            })?;
            let words = |key| schema.get(key).and_then(Json::as_text).map(Into::into);
            let (title, note) = (words("title"), words("description"));
            fields.push(Field { name: Arc::from(name.as_str()), title, note, plan: Arc::new(plan) });
        }
        let required = required(at, &fields)?;
        Ok(RecordPlan { name: at.name.map(Arc::from), fields, required })
    }

    fn list(&self, at: Place<'_>) -> Compiled<ListPlan> {
        keywords(at, &["type", "items", "minItems", "maxItems", "uniqueItems"])?;
        let items_max = count(at, "maxItems", limits::SCHEMA_ITEMS_MAX)?
            .ok_or_else(|| fault(at.pointer, "state \"maxItems\"; everything has a limit".into()))?;
        let items_min = count(at, "minItems", items_max)?.unwrap_or(0);
        let Some(schema) = at.schema.get("items") else {
            return Err(fault(at.pointer, "state \"items\"".into()));
        };
        let pointer = format!("{}/items", at.pointer);
        let item =
            self.value(Place { schema, pointer: &pointer, depth: at.depth + 1, name: None, in_common: at.in_common })?;
        let unique = match at.schema.get("uniqueItems") {
            None | Some(Json::Boolean(false)) => false,
            Some(Json::Boolean(true)) if matches!(item, Plan::Text(_)) => true,
            Some(_) => return Err(fault(at.pointer, "\"uniqueItems\" is for lists of strings".into())),
        };
        Ok(ListPlan { item: Arc::new(item), items_min, items_max, unique })
    }
}

fn fault(pointer: &str, remedy: String) -> SchemaFault {
    SchemaFault { pointer: pointer.to_owned(), remedy }
}

/// Refuses every keyword but these and the two that only speak to people.
fn keywords(at: Place<'_>, allowed: &[&str]) -> Compiled<()> {
    let foreign = at
        .schema
        .members()
        .iter()
        .find(|(key, _)| !allowed.contains(&key.as_str()) && !matches!(key.as_str(), "title" | "description"));
    match foreign {
        None => Ok(()),
        Some((key, _)) => Err(fault(
            &format!("{}/{key}", at.pointer),
            format!("`{key}` has no place here; this schema may hold: {}, title, description", allowed.join(", ")),
        )),
    }
}

fn is_field_name(name: &str) -> bool {
    name.len() <= 64
        && name.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

fn required(at: Place<'_>, fields: &[Field]) -> Compiled<u64> {
    let pointer = format!("{}/required", at.pointer);
    let names = match at.schema.get("required") {
        None => return Ok(0),
        Some(Json::List(names)) => names,
        Some(_) => return Err(fault(&pointer, "\"required\" is a list of property names".into())),
    };
    let mut mask = 0;
    for name in names {
        let place = fields.iter().position(|field| Some(&*field.name) == name.as_text());
        mask |= 1 << place.ok_or_else(|| fault(&pointer, "a required property is not among \"properties\"".into()))?;
    }
    Ok(mask)
}

fn count(at: Place<'_>, keyword: &str, max: usize) -> Compiled<Option<usize>> {
    match at.schema.get(keyword) {
        None => Ok(None),
        Some(Json::Integer(count)) => match usize::try_from(*count) {
            Ok(count) if count <= max => Ok(Some(count)),
            _ => Err(fault(&format!("{}/{keyword}", at.pointer), format!("write an integer from 0 to {max}"))),
        },
        Some(_) => Err(fault(&format!("{}/{keyword}", at.pointer), format!("write an integer from 0 to {max}"))),
    }
}

fn integer(at: Place<'_>) -> Compiled<IntegerPlan> {
    keywords(at, &["type", "minimum", "maximum"])?;
    match (at.schema.get("minimum"), at.schema.get("maximum")) {
        (Some(Json::Integer(min)), Some(Json::Integer(max))) if min <= max => Ok(IntegerPlan { min: *min, max: *max }),
        _ => Err(fault(at.pointer, "state \"minimum\" and \"maximum\", both 64-bit integers".into())),
    }
}

fn text(at: Place<'_>) -> Compiled<TextPlan> {
    keywords(at, &["type", "enum", "pattern", "not", "format", "minLength", "maxLength"])?;
    if let Some(allowed) = at.schema.get("enum") {
        return enumeration(at, allowed);
    }
    let alphabet = match at.schema.get("not").and_then(|not| not.get("pattern")).and_then(Json::as_text) {
        Some(scalar::LINE_FORBIDS) => Alphabet::Line,
        Some(scalar::LINES_FORBID) => Alphabet::Lines,
        _ => {
            return Err(fault(
                at.pointer,
                format!(
                    "refer to {COMMON_REFERENCE}line or {COMMON_REFERENCE}text, which forbid what XML cannot carry"
                ),
            ));
        }
    };
    let shape = shape(at)?;
    let chars_min = count(at, "minLength", limits::SCHEMA_TEXT_CHARS_MAX)?;
    let chars_max = count(at, "maxLength", limits::SCHEMA_TEXT_CHARS_MAX)?;
    if is_fixed(&shape) && (chars_min.is_some() || chars_max.is_some()) {
        return Err(fault(at.pointer, "dates and ids need no lengths".into()));
    }
    // The shared `line` and `text` leave the length to those who refer to them; `narrow` checks that they do.
    if chars_max.is_none() && at.name.is_none() && !is_fixed(&shape) {
        return Err(fault(at.pointer, "state \"maxLength\"; everything has a limit".into()));
    }
    let (chars_min, chars_max) = (chars_min.unwrap_or(0), chars_max.unwrap_or(usize::MAX));
    Ok(TextPlan { shape, alphabet, chars_min, chars_max })
}

fn enumeration(at: Place<'_>, allowed: &Json) -> Compiled<TextPlan> {
    keywords(at, &["type", "enum"])?;
    let Json::List(items) = allowed else {
        return Err(fault(at.pointer, "\"enum\" is a list of strings".into()));
    };
    let words: Vec<Box<str>> = items.iter().filter_map(Json::as_text).map(Into::into).collect();
    let plain = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.'))
    };
    if words.len() != items.len() || words.is_empty() || !words.iter().all(|word| plain(word)) {
        return Err(fault(
            at.pointer,
            "write \"enum\" as codes of a-z, 0-9, _, - and .; titles belong to the pages".into(),
        ));
    }
    Ok(TextPlan { shape: Shape::OneOf(words), alphabet: Alphabet::Line, chars_min: 0, chars_max: usize::MAX })
}

fn shape(at: Place<'_>) -> Compiled<Shape> {
    let pattern = at.schema.get("pattern").and_then(Json::as_text);
    let known = |expected: &str, shape: Shape| {
        if pattern == Some(expected) {
            Ok(shape)
        } else {
            Err(fault(at.pointer, format!("this format goes with \"pattern\": \"{expected}\"")))
        }
    };
    match (at.schema.get("format").map(Json::as_text), pattern) {
        (Some(Some("date")), _) => known(scalar::DATE_PATTERN, Shape::Date),
        (Some(Some("date-time")), _) => known(scalar::DATE_TIME_PATTERN, Shape::DateTime),
        (Some(Some("uuid")), _) => known(scalar::UUID_PATTERN, Shape::Uuid),
        (Some(_), _) => Err(fault(at.pointer, "the formats are date, date-time and uuid".into())),
        (None, None) => Ok(Shape::Free),
        (None, Some(pattern)) => compiled(at, pattern),
    }
}

fn compiled(at: Place<'_>, pattern: &str) -> Compiled<Shape> {
    pattern::compile(pattern).map(Shape::Pattern).map_err(|remedy| fault(&format!("{}/pattern", at.pointer), remedy))
}

/// Whether the shape itself limits the length.
fn is_fixed(shape: &Shape) -> bool {
    matches!(shape, Shape::OneOf(_) | Shape::Date | Shape::DateTime | Shape::Uuid)
}

/// Applies what stands beside a `$ref`: it may only narrow a string.
fn narrow(plan: Plan, at: Place<'_>) -> Compiled<Plan> {
    let mut text = match plan {
        Plan::Text(text) => text,
        other
            if at.schema.members().iter().all(|(key, _)| matches!(key.as_str(), "$ref" | "title" | "description")) =>
        {
            return Ok(other);
        }
        _ => return Err(fault(at.pointer, "beside this $ref only title and description may stand".into())),
    };
    if let Some(min) = count(at, "minLength", limits::SCHEMA_TEXT_CHARS_MAX)? {
        text.chars_min = text.chars_min.max(min);
    }
    if let Some(max) = count(at, "maxLength", limits::SCHEMA_TEXT_CHARS_MAX)? {
        text.chars_max = text.chars_max.min(max);
    }
    if let Some(pattern) = at.schema.get("pattern").and_then(Json::as_text) {
        if !matches!(text.shape, Shape::Free) {
            return Err(fault(at.pointer, "the definition has a shape of its own already; drop this pattern".into()));
        }
        text.shape = compiled(at, pattern)?;
    }
    if text.chars_max == usize::MAX && !is_fixed(&text.shape) && at.name.is_none() {
        return Err(fault(at.pointer, "state \"maxLength\" beside the $ref; everything has a limit".into()));
    }
    Ok(Plan::Text(text))
}
