//! A message that was spoken: the type that the note of it names decides who may send it and what it demands.
//!
//! Promises: a spoken request opens the same obligation as a written one, a spoken answer closes it (S4: телефонограмма).
//! Never: takes a spoken receipt for a proof.

use crate::catalogue::{BodyFacts, Entry, Role};
use crate::domain::ids::TypeCode;
use crate::gateway::Inner;
use crate::gateway::rejection::{FaultView, Rejection, RejectionKind};

impl Inner {
    /// The entry of the type that was spoken, in its latest version; `None` where the body names none.
    pub(super) fn spoken(&self, told: &BodyFacts) -> Result<Option<&Entry>, Rejection> {
        let Some(code) = told.carries.as_deref() else { return Ok(None) };
        let entry = TypeCode::new(code).ok().and_then(|code| self.catalogue.latest(&code));
        match entry {
            Some(entry) if entry.role != Role::Receipt && entry.carries.is_none() => Ok(Some(entry)),
            Some(_) => Err(cannot_be_spoken(format!("`{code}` cannot be given by voice; send it as it is"))),
            None => Err(cannot_be_spoken(format!("the catalogue has no type `{code}`; name one that it has, or none"))),
        }
    }
}

fn cannot_be_spoken(message: String) -> Rejection {
    let fault = FaultView { path: "/body/carries".into(), code: "cannot_be_spoken", message: message.clone() };
    let rejection = Rejection::new(RejectionKind::Invalid, "cannot_be_spoken", message);
    Rejection { faults: vec![fault], ..rejection }
}
