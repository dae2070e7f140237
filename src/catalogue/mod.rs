//! The catalogue: every message type that the exchange knows, as data compiled into plans.
//!
//! Promises: adding a type is adding a folder; a faulty folder is refused with its file, place and remedy before
//! anything is exchanged. Never: reads a file after loading, never holds a message.

pub mod calendars;
pub mod case_rule;
pub mod dialect;
mod editions;
pub mod entry;
pub mod export;
pub mod facts;
mod fields;
mod loader;
pub mod page;
pub mod pattern;
pub mod plan;
pub mod scalar;
mod shown;
pub mod source;
pub mod term_entry;
pub mod words;
pub mod xsd;

pub use case_rule::CaseRule;
pub use entry::{Action, Answer, Each, Entry, InHouse, Parties, Party, Recurring, Release, Role, Suspension};
pub use facts::{BodyFacts, Item};
pub use term_entry::TermEntry;

use crate::domain::ids::TypeCode;
use plan::RecordPlan;
use source::Json;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

/// The types, with the envelope that they share.
#[derive(Debug, Clone)]
pub struct Catalogue {
    entries: BTreeMap<Arc<str>, BTreeMap<u32, Entry>>,
    /// The envelope's fields; the body follows them.
    envelope: RecordPlan,
    envelope_schema: Json,
    common_schema: Json,
}

/// A catalogue that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}{place}: {remedy}", if place.is_empty() { "" } else { " at " })]
pub struct CatalogueError {
    /// The file, below the catalogue's folder.
    pub file: String,
    /// JSON Pointer or TOML key; empty for the whole file.
    pub place: String,
    pub remedy: String,
}

impl Catalogue {
    /// The types that are compiled in.
    #[must_use]
    pub fn builtin() -> &'static Arc<Self> {
        static BUILTIN: LazyLock<Arc<Catalogue>> = LazyLock::new(|| match loader::builtin() {
            Ok(catalogue) => Arc::new(catalogue),
            #[expect(clippy::panic, reason = "the compiled-in files are a constant; a test loads every one of them")]
            Err(error) => panic!("the compiled-in catalogue is faulty: {error}"),
        });
        &BUILTIN
    }

    /// The compiled-in types and those of `folder`, one folder `<type>/<version>/` each. A folder of a compiled-in type
    /// and version replaces its entry (a region's terms, for example), not its schema.
    ///
    /// # Errors
    /// The first [`CatalogueError`].
    pub fn load(folder: &Path) -> Result<Self, CatalogueError> {
        let mut catalogue = Self::builtin().as_ref().clone();
        loader::add_folder(&mut catalogue, folder)?;
        Ok(catalogue)
    }

    /// The entry of a type's version.
    #[must_use]
    pub fn entry(&self, code: &TypeCode, version: u32) -> Option<&Entry> {
        self.entry_named(code.as_str(), i64::from(version))
    }

    /// The newest version of a type.
    #[must_use]
    pub fn latest(&self, code: &TypeCode) -> Option<&Entry> {
        self.entries.get(code.as_str())?.values().next_back()
    }

    /// All entries, by code and version.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values().flat_map(BTreeMap::values)
    }

    /// The fields of the envelope, without the body.
    #[must_use]
    pub fn envelope(&self) -> &RecordPlan {
        &self.envelope
    }

    /// Whether any version of the type is known.
    #[must_use]
    pub fn knows(&self, code: &str) -> bool {
        self.entries.contains_key(code)
    }

    /// The entry by the values that a message states.
    #[must_use]
    pub fn entry_named(&self, code: &str, version: i64) -> Option<&Entry> {
        self.entries.get(code)?.get(&u32::try_from(version).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::Catalogue;

    #[test]
    fn the_compiled_in_catalogue_loads() {
        assert!(Catalogue::builtin().entries().count() >= 76);
    }
}
