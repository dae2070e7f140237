//! A term as an entry writes it: the words of the domain's terms, and the fields of the body that they speak of.
//!
//! Promises: absent words have the domain's defaults. Never: counts; `domain::term` does.

use crate::domain::message::Level;
use crate::domain::term::Term;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The term of the answer, in the words of the domain's terms; absent words have the domain's defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermEntry {
    pub unit: String,
    pub n: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_on: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roll: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub week: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub special: Option<String>,
    /// The field of the body that may state the date itself; `meeting.at` is the field `at` of the record `meeting`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated_in: Option<String>,
    /// How many calendar days before the stated date the term ends; with `roll = "previous_working"` one day is the
    /// last working day before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_before: Option<u32>,
    /// The field of the body that holds the date of the event, for `starts_on` `known`, `signed` and `decided`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_in: Option<String>,
    /// The field of the body whose code chooses one of `cases` instead of the above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen_by: Option<String>,
    /// Other terms, by the code that calls for them (закон о прокуратуре ст. 6: an inspection, a threat).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cases: BTreeMap<String, TermEntry>,
    /// Instead of the above at the crisis level of support (S3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urgent: Option<Box<TermEntry>>,
    /// Instead of the above at the emergency level of support (S3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency: Option<Box<TermEntry>>,
}

/// What names fields of the body, and other terms; the domain's term knows nothing of them.
const NOT_OF_THE_TERM: [&str; 7] =
    ["stated_in", "days_before", "known_in", "chosen_by", "cases", "urgent", "emergency"];

impl TermEntry {
    /// The term in the domain's words.
    ///
    /// # Errors
    /// The word that the domain does not know, or the count that cannot be.
    pub fn term(&self) -> Result<Term, String> {
        let mut words = serde_json::to_value(self).map_err(|error| error.to_string())?;
        if let Some(words) = words.as_object_mut() {
            words.retain(|word, _| !NOT_OF_THE_TERM.contains(&word.as_str()));
        }
        let term: Term = serde_json::from_value(words).map_err(|error| format!("[term]: {error}"))?;
        term.check().map_err(|error| format!("[term]: {error}"))?;
        Ok(term)
    }

    /// The term at a level of support: urgency follows the level that is valid at the message's date (S3).
    #[must_use]
    pub fn at_level(&self, level: Option<Level>) -> &Self {
        let own = match level {
            Some(Level::Emergency) => self.emergency.as_deref().or(self.urgent.as_deref()),
            Some(Level::Crisis) => self.urgent.as_deref(),
            Some(Level::Adaptation | Level::Basic) | None => None,
        };
        own.unwrap_or(self)
    }
}
