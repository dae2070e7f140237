//! Consents to the processing and the passing on of personal data, as the centre keeps them (152-ФЗ ст. 9, 10.1).
//!
//! Promises: a message that cites a consent is held to what was consented to, for whom, and from when until when.
//! Never: a name; a consent is known by its number.

use crate::domain::ids::ParticipantCode;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// What is consented to. S4's form is titled as one for dissemination, which is another consent than that for
/// processing and passing on (152-ФЗ ст. 10.1); the registry keeps them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentKind {
    /// На обработку и передачу (152-ФЗ ст. 9).
    Processing,
    /// На распространение неопределённому кругу лиц (152-ФЗ ст. 10.1): allows no passing on to a body.
    Dissemination,
    /// На разглашение врачебной тайны (323-ФЗ ст. 13 ч. 3).
    MedicalSecrecy,
}

impl ConsentKind {
    /// The stable code, as envelopes cite it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::Dissemination => "dissemination",
            Self::MedicalSecrecy => "medical_secrecy",
        }
    }
}

/// What the data tell of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataKind {
    Identity,
    Family,
    Education,
    Health,
    Housing,
    Income,
    Offences,
}

/// A consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Counted within the case, from 1.
    pub no: u32,
    pub kind: ConsentKind,
    /// As envelopes cite it, e.g. «согласие от 02.02.2026 № 7». Unique within kind and case.
    pub reference: String,
    /// The bodies that it covers; none named means every body of the prevention system (120-ФЗ ст. 4).
    pub bodies: Vec<ParticipantCode>,
    /// The kinds of data that it names; none named means all that the support needs. Shown, not checked: a message
    /// does not say which kinds it holds.
    pub data: Vec<DataKind>,
    pub from: NaiveDate,
    /// The last day; none means until it is withdrawn.
    pub until: Option<NaiveDate>,
    pub registered_at: DateTime<Utc>,
    pub registered_by: String,
    pub withdrawn: Option<Withdrawal>,
}

/// The end of a consent before its time (152-ФЗ ст. 9 ч. 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// From this day on it allows nothing.
    pub on: NaiveDate,
    pub reason: Option<String>,
    pub at: DateTime<Utc>,
    pub by: String,
}

/// A message's citation of a consent, as far as it must be true.
#[derive(Debug, Clone, Copy)]
pub struct Citation<'m> {
    pub kind: &'m str,
    pub reference: &'m str,
    /// A day on which it must hold: that of the message, and that on which it is passed on.
    pub on: NaiveDate,
    pub from: &'m ParticipantCode,
    pub to: &'m [ParticipantCode],
}

/// What is wrong with a citation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CitationFault {
    #[error("the case has no consent of the kind `{kind}` by this reference")]
    Unknown { kind: String },
    #[error("a consent to dissemination (152-ФЗ ст. 10.1) does not allow passing on to a body")]
    NoPassingOn,
    #[error("the consent holds from {0}; it is cited for {1}")]
    NotYet(NaiveDate, NaiveDate),
    #[error("the consent held until {0}; it is cited for {1}")]
    Over(NaiveDate, NaiveDate),
    #[error("the consent was withdrawn on {0}; it is cited for {1}")]
    Withdrawn(NaiveDate, NaiveDate),
    /// The places of the addressees that it does not cover.
    #[error("the consent does not cover every addressee")]
    NotCovered(Vec<usize>),
}

/// The consent that a citation names, if it allows what the message does.
///
/// # Errors
/// [`CitationFault`].
pub fn cited<'c>(consents: &'c [Consent], citation: &Citation<'_>) -> Result<&'c Consent, CitationFault> {
    let is_it = |one: &&Consent| one.kind.code() == citation.kind && one.reference == citation.reference;
    let unknown = || CitationFault::Unknown { kind: citation.kind.to_owned() };
    let consent = consents.iter().find(is_it).ok_or_else(unknown)?;
    if consent.kind == ConsentKind::Dissemination {
        return Err(CitationFault::NoPassingOn);
    }
    consent.in_force(citation.on)?;
    let uncovered = |to: &ParticipantCode| !consent.bodies.is_empty() && !consent.bodies.contains(to);
    let places: Vec<usize> = (0..citation.to.len()).filter(|place| uncovered(&citation.to[*place])).collect();
    if places.is_empty() { Ok(consent) } else { Err(CitationFault::NotCovered(places)) }
}

impl Consent {
    fn in_force(&self, on: NaiveDate) -> Result<(), CitationFault> {
        if on < self.from {
            return Err(CitationFault::NotYet(self.from, on));
        }
        if let Some(withdrawal) = self.withdrawn.as_ref().filter(|withdrawal| on >= withdrawal.on) {
            return Err(CitationFault::Withdrawn(withdrawal.on, on));
        }
        match self.until {
            Some(until) if on > until => Err(CitationFault::Over(until, on)),
            _ => Ok(()),
        }
    }

    /// Where it stands on a day: `future`, `in_force`, `over` or `withdrawn`.
    #[must_use]
    pub fn state(&self, on: NaiveDate) -> &'static str {
        match self.in_force(on) {
            Ok(()) => "in_force",
            Err(CitationFault::NotYet(..)) => "future",
            Err(CitationFault::Withdrawn(..)) => "withdrawn",
            Err(_) => "over",
        }
    }
}
