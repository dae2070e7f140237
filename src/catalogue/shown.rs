//! The entries as JSON: the same for `GET /catalogue` and `mezhved catalogue --json`.
//!
//! Promises: what is shown is what messages are checked by. Never: leaves out a rule.

use crate::catalogue::{Entry, TermEntry};
use serde_json::{Value, json};

impl Entry {
    /// What a list shows of the type.
    #[must_use]
    pub fn summary(&self) -> Value {
        json!({
            "type": self.code,
            "version": self.version,
            "title": self.title_ru,
            "title_en": self.title_en,
            "role": self.role,
            "parties": self.parties,
            "answer": self.answer,
            "term": self.term,
            "duties": self.duties,
        })
    }

    /// Everything about the type, with the schema of its body.
    #[must_use]
    pub fn shown(&self) -> Value {
        let term = |term: &Option<TermEntry>| json!(term);
        let mut shown = self.summary();
        shown["law"] = json!(self.law);
        shown["source"] = json!(self.source);
        shown["version_from"] = json!(self.version_from);
        let later = |edition: &Entry| {
            json!({"version_from": edition.version_from, "term": edition.term,
            "answer": edition.answer, "law": edition.law, "source": edition.source})
        };
        shown["later"] = self.all_editions().skip(1).map(later).collect();
        shown["extension_max_days"] = json!(self.extension_max_days);
        shown["suspension"] = json!(self.suspension);
        shown["suspensions_max"] = json!(self.suspensions_max());
        shown["sent_within"] = term(&self.sent_within);
        shown["registered_within"] = term(&self.registered_within);
        shown["redirected_within"] = term(&self.redirected_within);
        shown["special_category"] = json!(self.special_category);
        shown["needs_consent"] = json!(self.needs_consent);
        shown["carries"] = json!(self.carries);
        shown["case"] = json!(self.case);
        shown["namespace"] = json!(self.namespace);
        // The schema was read when the catalogue was loaded; it is JSON.
        shown["schema"] = serde_json::from_str(&self.schema).unwrap_or(Value::Null);
        shown
    }
}
