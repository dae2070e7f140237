//! Editions: the later versions of a type's rules, each with the first day it holds on.
//!
//! Promises: on every day exactly one edition holds; before the first one's day the first one does. An edition changes
//! who may send, what is owed and by when, never the body's schema: for that the type's version is raised. Never:
//! touches what was decided under an earlier edition (an obligation keeps the rule that it was born under).

use crate::catalogue::Entry;
use crate::catalogue::entry::EntryFile;
use chrono::NaiveDate;
use std::sync::Arc;

impl Entry {
    /// The edition of the rules that holds on a day, by the calendar of the body that registers.
    #[must_use]
    pub fn on(&self, day: NaiveDate) -> &Self {
        self.editions.iter().rev().find(|edition| edition.version_from <= day).map_or(self, AsRef::as_ref)
    }

    /// This edition and the later ones, in the order of their days.
    pub fn all_editions(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(self.editions.iter().map(AsRef::as_ref))
    }

    /// Adds an edition; one of the same day takes the place of the one that was there.
    ///
    /// # Errors
    /// What is wrong with its day.
    pub(super) fn add_edition(&mut self, edition: Self) -> Result<(), String> {
        if edition.version_from <= self.version_from {
            let first = self.version_from;
            return Err(format!("a later edition holds from a day after {first}, on which the first one begins"));
        }
        self.editions.retain(|known| known.version_from != edition.version_from);
        self.editions.push(Arc::new(edition));
        self.editions.sort_by_key(|edition| edition.version_from);
        Ok(())
    }
}

/// The day that a file's name promises: `entry.2027-01-01.toml`.
pub(super) fn day_in(name: &str) -> Option<NaiveDate> {
    name.strip_prefix("entry.")?.strip_suffix(".toml")?.parse().ok()
}

/// Whether a file's name claims to be an edition.
pub(super) fn is_edition(name: &str) -> bool {
    name != "entry.toml" && name.starts_with("entry.") && name.ends_with(".toml")
}

/// Holds a file to its name.
pub(super) fn check_day(name: &str, written: &EntryFile) -> Result<(), String> {
    let from = written.valid_from()?;
    match day_in(name) {
        Some(day) if day == from => Ok(()),
        _ => Err(format!("an edition that holds from {from} stands in entry.{from}.toml")),
    }
}
