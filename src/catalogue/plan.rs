//! The plan: a schema compiled into the shape that the formats walk, field by field, in the schema's order.
//!
//! Promises: what a plan allows, the JSON Schema and the derived XSD allow, and nothing else. Never: holds a message.

use crate::catalogue::scalar::{self, Rule};
use regex::Regex;
use std::sync::Arc;

/// What a value may be.
#[derive(Debug, Clone)]
pub enum Plan {
    Record(RecordPlan),
    List(ListPlan),
    Text(TextPlan),
    Integer(IntegerPlan),
    Boolean,
}

/// An object with a closed set of fields.
#[derive(Debug, Clone)]
pub struct RecordPlan {
    /// The `$defs` name it comes from, if any: the name of its type in the XSD.
    pub name: Option<Arc<str>>,
    /// In the schema's order, which is the order of the elements in XML.
    pub fields: Vec<Field>,
    /// Bit i: field i must be present.
    pub required: u64,
}

impl RecordPlan {
    /// The place of a field in the order, searched from `from` on and then from the beginning.
    #[inline]
    #[must_use]
    pub fn find(&self, name: &[u8], from: usize) -> Option<usize> {
        let rest = self.fields.get(from..).unwrap_or_default();
        match rest.iter().position(|field| field.name.as_bytes() == name) {
            Some(place) => Some(from + place),
            None => self.fields.iter().take(from).position(|field| field.name.as_bytes() == name),
        }
    }

    /// Whether field `place` must be present.
    #[must_use]
    pub fn is_required(&self, place: usize) -> bool {
        self.required & (1 << place) != 0
    }
}

/// One field of a record.
#[derive(Debug, Clone)]
pub struct Field {
    pub name: Arc<str>,
    /// Russian title, as pages and letters show it.
    pub title: Option<Box<str>>,
    /// What a page adds to the title: what the codes mean (the schema's `description` beside the field).
    pub note: Option<Box<str>>,
    pub plan: Arc<Plan>,
}

/// A list; in XML a wrapper element with `item` children.
#[derive(Debug, Clone)]
pub struct ListPlan {
    pub item: Arc<Plan>,
    pub items_min: usize,
    pub items_max: usize,
    /// No two equal texts.
    pub unique: bool,
}

/// A text. Lengths are in characters (Unicode scalar values), as in JSON Schema and XSD.
#[derive(Debug, Clone)]
pub struct TextPlan {
    pub shape: Shape,
    /// Which characters it may hold at all.
    pub alphabet: Alphabet,
    pub chars_min: usize,
    pub chars_max: usize,
}

/// What a text must look like.
#[derive(Debug, Clone)]
pub enum Shape {
    Free,
    OneOf(Vec<Box<str>>),
    Date,
    DateTime,
    Uuid,
    /// Anchored at both ends.
    Pattern(Regex),
}

/// Which characters a text may hold: never those that XML cannot carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// One line: no control characters at all.
    Line,
    /// Several lines: tab, line feed and carriage return too.
    Lines,
}

/// An integer within bounds.
#[derive(Debug, Clone, Copy)]
pub struct IntegerPlan {
    pub min: i64,
    pub max: i64,
}

impl TextPlan {
    /// Calls `fault` with every rule that the text breaks. `known`: an alphabet that it is known to keep to.
    #[inline]
    pub fn check(&self, text: &str, known: Option<Alphabet>, mut fault: impl FnMut(Rule)) {
        let known = known.is_some_and(|known| known == Alphabet::Line || known == self.alphabet);
        if !known && !scalar::in_alphabet(text, self.alphabet) {
            fault(Rule::ForbiddenCharacter(self.alphabet));
        }
        // A character has at least one byte and at most four, so most texts need no counting.
        if text.len() > self.chars_max && text.chars().count() > self.chars_max {
            fault(Rule::TooLong(self.chars_max));
        } else if text.len() < self.chars_min.saturating_mul(4) && text.chars().count() < self.chars_min {
            fault(Rule::TooShort(self.chars_min));
        }
        match &self.shape {
            Shape::Free => {}
            Shape::OneOf(allowed) if !allowed.iter().any(|one| **one == *text) => fault(Rule::NotInList(allowed)),
            Shape::Date if !scalar::is_date(text.as_bytes()) => fault(Rule::BadDate),
            Shape::DateTime if !scalar::is_date_time(text.as_bytes()) => fault(Rule::BadDateTime),
            Shape::Uuid if !scalar::is_uuid(text.as_bytes()) => fault(Rule::BadUuid),
            Shape::Pattern(pattern) if !pattern.is_match(text) => fault(Rule::BadPattern(pattern.as_str())),
            Shape::OneOf(_) | Shape::Date | Shape::DateTime | Shape::Uuid | Shape::Pattern(_) => {}
        }
    }

    /// Whether XML white space around it is no part of it (XSD `whiteSpace="collapse"` of dates).
    #[must_use]
    pub fn trims(&self) -> bool {
        matches!(self.shape, Shape::Date | Shape::DateTime)
    }
}
