//! What of an obligation is only ever read as a whole, as the text that both stores keep.
//!
//! Promises: what is read is what was written; a field that was added later has a default. Never: holds what a query
//! asks for; that has columns.

use crate::domain::ids::TypeCode;
use crate::domain::obligation::{Fact, FrozenDue, Obligation, Pause};
use crate::domain::rule::{Recurs, Release, Urgency};
use serde::{Deserialize, Serialize};

/// As written.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<&'a str>,
    answer_types: &'a [TypeCode],
    release: Release,
    due: &'a FrozenDue,
    #[serde(skip_serializing_if = "Option::is_none")]
    extension_days_max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suspensions_max: Option<u32>,
    #[serde(skip_serializing_if = "<[Pause]>::is_empty")]
    pauses: &'a [Pause],
    #[serde(skip_serializing_if = "Option::is_none")]
    recurs: Option<&'a Recurs>,
    facts: &'a [Fact],
}

/// As read.
#[derive(Deserialize)]
pub(super) struct Whole {
    #[serde(default)]
    pub(super) item: Option<String>,
    pub(super) answer_types: Vec<TypeCode>,
    pub(super) release: Release,
    pub(super) due: FrozenDue,
    #[serde(default)]
    pub(super) extension_days_max: Option<u32>,
    #[serde(default)]
    pub(super) suspensions_max: u32,
    #[serde(default)]
    pub(super) pauses: Vec<Pause>,
    #[serde(default)]
    pub(super) recurs: Option<Recurs>,
    pub(super) facts: Vec<Fact>,
}

/// The text of an obligation.
pub(super) fn write(one: &Obligation) -> serde_json::Result<String> {
    serde_json::to_string(&Written {
        item: one.item.as_deref(),
        answer_types: &one.answer_types,
        release: one.release,
        due: &one.due,
        extension_days_max: one.extension_days_max,
        suspensions_max: Some(one.suspensions_max).filter(|max| *max > 0),
        pauses: &one.pauses,
        recurs: one.recurs.as_ref(),
        facts: &one.facts,
    })
}

/// The code of an urgency in the tables.
pub(super) fn urgency_code(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Normal => "normal",
        Urgency::Urgent => "urgent",
        Urgency::Emergency => "emergency",
    }
}
