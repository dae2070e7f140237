//! Cases as a store lists them, and the log of disclosures.
//!
//! Promises: bounded pages. Never: judges who may see what.

use crate::domain::case::CaseKey;
use crate::domain::case::disclosure::Disclosure;
use crate::domain::case::history::Standing;
use crate::domain::ids::ParticipantCode;
use chrono::{DateTime, NaiveDate, Utc};

/// Which cases.
#[derive(Debug, Clone, Default)]
pub struct CaseFilter {
    /// Kept by these centres.
    pub centres: Vec<ParticipantCode>,
    pub standing: Option<Standing>,
    /// The last row of the page before.
    pub after: Option<CaseKey>,
    pub limit: usize,
}

/// A case as a list shows it; the codes are those of the domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseRow {
    pub key: CaseKey,
    pub standing: String,
    pub opened_on: Option<NaiveDate>,
    pub closed_on: Option<NaiveDate>,
    pub track: Option<String>,
    pub level: Option<String>,
    pub stage: Option<String>,
}

/// Who exchanged messages about a case with its centre.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Correspondents {
    /// Messages to the centre, by its journal.
    pub incoming: Vec<Letters<NaiveDate>>,
    /// Messages of the centre, by the log of disclosures: the journal has one line for all addressees (S3 §6).
    pub outgoing: Vec<Letters<DateTime<Utc>>>,
}

/// The letters of one body in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letters<T> {
    pub body: ParticipantCode,
    pub first: T,
    pub last: T,
    pub count: u64,
}

/// Which lines of the log of disclosures.
#[derive(Debug, Clone)]
pub struct DisclosureFilter {
    pub case: CaseKey,
    /// Only lines before this one.
    pub before: Option<u64>,
    pub limit: usize,
}

/// A line with its number, which is the cursor.
#[derive(Debug, Clone, PartialEq)]
pub struct DisclosureRow {
    pub seq: u64,
    pub line: Disclosure,
}
