//! A JSON document of the catalogue, with its fields in the order they were written: the order is part of a schema,
//! because it is the order of the elements in XML.
//!
//! Promises: no key twice. Never: reads messages (that is the strict door's work).

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt::{self, Write as _};

/// A JSON value, ordered.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Null,
    Boolean(bool),
    Integer(i64),
    Fraction(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The member of an object, by name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.members().iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The members, if it is an object.
    #[must_use]
    pub fn members(&self) -> &[(String, Json)] {
        if let Self::Object(members) = self { members } else { &[] }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// An object of these members.
    #[must_use]
    pub fn object<const N: usize>(members: [(&str, Json); N]) -> Self {
        Self::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// A text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The document, indented by two blanks, with a line end.
    #[must_use]
    pub fn pretty(&self) -> String {
        let mut out = String::new();
        self.render(&mut out, 0);
        out.push('\n');
        out
    }

    fn render(&self, out: &mut String, depth: usize) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Boolean(value) => _ = write!(out, "{value}"),
            Self::Integer(value) => _ = write!(out, "{value}"),
            Self::Fraction(value) => _ = write!(out, "{value}"),
            Self::Text(text) => render_text(out, text),
            Self::List(items) => {
                out.push('[');
                for (place, item) in items.iter().enumerate() {
                    begin_item(out, place, depth + 1);
                    item.render(out, depth + 1);
                }
                end_items(out, items.is_empty(), depth);
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (place, (key, value)) in members.iter().enumerate() {
                    begin_item(out, place, depth + 1);
                    render_text(out, key);
                    out.push_str(": ");
                    value.render(out, depth + 1);
                }
                end_items(out, members.is_empty(), depth);
                out.push('}');
            }
        }
    }
}

fn begin_item(out: &mut String, place: usize, depth: usize) {
    out.push_str(if place == 0 { "\n" } else { ",\n" });
    out.extend(std::iter::repeat_n("  ", depth));
}

fn end_items(out: &mut String, empty: bool, depth: usize) {
    if !empty {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    }
}

fn render_text(out: &mut String, text: &str) {
    out.push('"');
    for one in text.chars() {
        match one {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\0'..='\u{1F}' => _ = write!(out, "\\u{:04X}", u32::from(one)),
            _ => out.push(one),
        }
    }
    out.push('"');
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Ordered)
    }
}

struct Ordered;

impl<'de> Visitor<'de> for Ordered {
    type Value = Json;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Json, E> {
        i64::try_from(value).map(Json::Integer).map_err(|_| E::custom("an integer beyond 64 bits"))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Fraction(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
        let mut members: Vec<(String, Json)> = Vec::new();
        while let Some((key, value)) = from.next_entry::<String, Json>()? {
            if members.iter().any(|(known, _)| *known == key) {
                return Err(de::Error::custom(format!("the key `{key}` stands twice in one object")));
            }
            members.push((key, value));
        }
        Ok(Json::Object(members))
    }
}
