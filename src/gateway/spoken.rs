//! A message that was spoken: the type that the note of it names decides who may send it and what it demands.
//!
//! Promises: a spoken request opens the same obligation as a written one, a spoken answer closes it (S4: телефонограмма).
//! Never: takes a spoken receipt for a proof; takes by voice what only the document itself says: which orders, measures or
//! circumstances, known since when.

use crate::catalogue::{BodyFacts, Entry, Role};
use crate::domain::ids::TypeCode;
use crate::gateway::Inner;
use crate::gateway::rejection::{FaultView, Rejection, RejectionKind};
use chrono::NaiveDate;

impl Inner {
    /// The entry of the type that was spoken, in its latest version and the edition that holds today; `None`
    /// where the body names none.
    pub(super) fn spoken(&self, told: &BodyFacts, today: NaiveDate) -> Result<Option<&Entry>, Rejection> {
        let Some(code) = told.carries.as_deref() else { return Ok(None) };
        let entry = TypeCode::new(code).ok().and_then(|code| self.catalogue.latest(&code)).map(|entry| entry.on(today));
        match entry {
            Some(entry) if can_be_spoken(entry) => Ok(Some(entry)),
            Some(_) => Err(cannot_be_spoken("this type cannot be given by voice; send the document itself")),
            None => Err(cannot_be_spoken("the catalogue has no such type; name one that it has, or none")),
        }
    }
}

/// A note of a call says who, when and in what words; it has no field for what the terms of these types ask for.
pub(super) fn can_be_spoken(entry: &Entry) -> bool {
    let by_items = entry.answer.as_ref().is_some_and(|answer| answer.each.is_some());
    let answers_items = entry.facts.answered_item.is_some() || entry.facts.answered_items.is_some();
    let by_circumstances = entry.term.as_ref().is_some_and(|term| term.chosen_by.is_some());
    let asks_more = by_items || answers_items || by_circumstances || entry.known_in().is_some();
    entry.role != Role::Receipt && entry.carries.is_none() && !asks_more
}

fn cannot_be_spoken(message: &str) -> Rejection {
    let fault = FaultView { path: "/body/carries".into(), code: "cannot_be_spoken", message: message.to_owned() };
    let rejection = Rejection::new(RejectionKind::Invalid, "cannot_be_spoken", message);
    Rejection { faults: vec![fault], ..rejection }
}
