//! What both readers do alike: find a field's place in its record, and read the numbers of XML.
//!
//! Promises: the same verdict for the same value, whichever format carries it. Never: touches the input.

use crate::catalogue::plan::{IntegerPlan, ListPlan, RecordPlan};
use crate::catalogue::scalar::Rule;
use crate::domain::message::Node;
use crate::format::fault::Findings;

/// How far a record is read.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Cursor {
    next: usize,
    seen: u64,
}

/// Where a name belongs.
pub(super) enum Place {
    /// Field, in order.
    Next(usize),
    /// Field, but one that follows it has been seen.
    Late(usize),
    /// Field that has been seen.
    Again,
    Unknown,
}

impl Cursor {
    /// Finds the field of that name and marks it as seen.
    #[inline]
    pub(super) fn find(&mut self, plan: &RecordPlan, name: &[u8]) -> Place {
        let Some(place) = plan.find(name, self.next) else { return Place::Unknown };
        if self.seen & (1 << place) != 0 {
            return Place::Again;
        }
        self.seen |= 1 << place;
        if place < self.next {
            return Place::Late(place);
        }
        self.next = place + 1;
        Place::Next(place)
    }

    /// Nothing may follow any more.
    pub(super) fn finish(&mut self, plan: &RecordPlan) {
        self.next = plan.fields.len();
    }

    /// Reports every required field that was not seen.
    #[inline]
    pub(super) fn report_missing(self, plan: &RecordPlan, found: &mut Findings<'_>) {
        if plan.required & !self.seen == 0 {
            return;
        }
        for (place, field) in plan.fields.iter().enumerate() {
            if plan.is_required(place) && self.seen & (1 << place) == 0 {
                found.add_below(&field.name, "missing_field", "add this field; it is required");
            }
        }
    }
}

/// Checks the length of a list, and that no text stands in it twice where the plan says so.
pub(super) fn check_list(plan: &ListPlan, items: &[Node], count: usize, found: &mut Findings<'_>) {
    if count < plan.items_min {
        found.add_rule(Rule::TooFewItems(plan.items_min));
    } else if count > plan.items_max {
        found.add_rule(Rule::TooManyItems(plan.items_max));
    }
    if plan.unique {
        let mut texts: Vec<&str> = items.iter().filter_map(Node::as_text).collect();
        texts.sort_unstable();
        if texts.windows(2).any(|pair| pair[0] == pair[1]) {
            found.add_rule(Rule::DuplicateItem);
        }
    }
}

/// Checks the bounds of an integer.
pub(super) fn check_integer(plan: &IntegerPlan, value: i64, found: &mut Findings<'_>) -> Node {
    if value < plan.min || value > plan.max {
        found.add_rule(Rule::OutOfRange(plan.min, plan.max));
    }
    Node::Integer(value)
}

/// What a text is as an integer.
pub(super) enum Number {
    Integer(i64),
    /// An integer, but not one of 64 bits.
    Beyond,
    /// No integer at all.
    Other,
}

/// An integer in the lexical space of `xs:integer`: a sign and leading zeros are allowed.
pub(super) fn xsd_integer(text: &str) -> Number {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Number::Other;
    }
    // `i64::from_str` reads the plus sign and leading zeros alike.
    text.parse().map_or(Number::Beyond, Number::Integer)
}
