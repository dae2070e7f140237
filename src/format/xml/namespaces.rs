//! Namespaces in force, by prefix (Namespaces in XML 1.0, third edition).
//!
//! Promises: equal namespaces have equal [`Space`]s, so that comparing costs one integer. Never: lets the reserved
//! prefixes `xml` and `xmlns` be bound otherwise.

use crate::limits;
use std::borrow::Cow;

const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// A namespace of one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Space(u32);

/// No namespace.
const NONE: Space = Space(0);
const XML_SPACE: Space = Space(1);

/// Why a declaration is refused.
pub(super) enum Refused {
    Ill(&'static str),
    TooMany,
}

struct Binding<'d> {
    /// Empty for the default namespace.
    prefix: &'d str,
    space: Space,
    depth: usize,
}

/// The declarations in force.
pub(super) struct Namespaces<'d> {
    names: Vec<Cow<'d, str>>,
    bindings: Vec<Binding<'d>>,
}

impl<'d> Namespaces<'d> {
    pub(super) fn new() -> Self {
        Self { names: vec![Cow::Borrowed(""), Cow::Borrowed(XML)], bindings: Vec::with_capacity(4) }
    }

    /// Declares `prefix` (empty: the default) at an element of this depth.
    pub(super) fn declare(&mut self, prefix: &'d str, name: Cow<'d, str>, depth: usize) -> Result<(), Refused> {
        match (prefix, &*name) {
            ("xmlns", _) => return Err(Refused::Ill("the prefix `xmlns` is reserved; do not declare it")),
            ("xml", XML) => return Ok(()),
            ("xml", _) | (_, XML) => return Err(Refused::Ill("the prefix `xml` and its namespace belong together")),
            (_, XMLNS) => return Err(Refused::Ill("no prefix may stand for the namespace of `xmlns`")),
            ("", "") => {}
            (_, "") => return Err(Refused::Ill("a prefix cannot be declared as empty; leave the declaration out")),
            _ => {}
        }
        if self.bindings.len() >= limits::NAMESPACES_MAX {
            return Err(Refused::TooMany);
        }
        let space = match self.names.iter().position(|known| *known == name) {
            Some(place) => place,
            None if self.names.len() >= limits::NAMESPACES_MAX => return Err(Refused::TooMany),
            None => {
                self.names.push(name);
                self.names.len() - 1
            }
        };
        // The list is limited far below 2³².
        self.bindings.push(Binding { prefix, space: Space(u32::try_from(space).unwrap_or(u32::MAX)), depth });
        Ok(())
    }

    /// The default namespace.
    #[inline]
    pub(super) fn default_space(&self) -> Space {
        self.bindings.iter().rev().find(|binding| binding.prefix.is_empty()).map_or(NONE, |binding| binding.space)
    }

    /// The namespace of a prefix, if it is bound.
    pub(super) fn of_prefix(&self, prefix: &str) -> Option<Space> {
        match prefix {
            "xml" => Some(XML_SPACE),
            "xmlns" => None,
            _ => self.bindings.iter().rev().find(|binding| binding.prefix == prefix).map(|binding| binding.space),
        }
    }

    /// The name of a namespace.
    pub(super) fn name(&self, space: Space) -> &str {
        self.names.get(space.0 as usize).map_or("", |name| name)
    }

    /// Ends an element of this depth.
    #[inline]
    pub(super) fn close(&mut self, depth: usize) {
        while self.bindings.last().is_some_and(|binding| binding.depth >= depth) {
            self.bindings.pop();
        }
    }
}
