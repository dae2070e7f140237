//! Every limit of the gateway, named, in one place.
//!
//! Promises: what comes from outside is bounded before it is kept. Never: a number hidden at the place of its use.

/// Bytes of one document, JSON or XML; attachments travel apart.
pub const DOCUMENT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Elements inside one another, or JSON objects and arrays inside one another.
pub const DEPTH_MAX: usize = 64;

/// Elements of one XML document, or values of one JSON document.
pub const ELEMENTS_MAX: usize = 100_000;

/// Attributes of one element, namespace declarations included.
pub const ATTRIBUTES_MAX: usize = 256;

/// Bytes of one attribute, name and value.
pub const ATTRIBUTE_BYTES_MAX: usize = 64 * 1024;

/// Namespace declarations in force at one place; also distinct namespaces of one document.
pub const NAMESPACES_MAX: usize = 256;

/// Bytes of the name of an element, an attribute, a processing instruction, or of a JSON key.
pub const NAME_BYTES_MAX: usize = 1000;

/// Bytes of one text, markup left out.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// Faults reported for one document; further ones are counted by nobody.
pub const FAULTS_MAX: usize = 100;

/// Fields of one record of a schema: one machine word of marks.
pub const RECORD_FIELDS_MAX: usize = 64;

/// The largest `maxItems` a schema may state.
pub const SCHEMA_ITEMS_MAX: usize = 10_000;

/// The largest `maxLength` a schema may state, in characters.
pub const SCHEMA_TEXT_CHARS_MAX: usize = 200_000;

/// Records and lists of a schema inside one another; the envelope and the body's own element stand above them.
pub const SCHEMA_DEPTH_MAX: usize = 32;

/// Bytes of one file of the catalogue.
pub const CATALOGUE_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Bytes of a quarantined document that are kept.
pub const QUARANTINE_BYTES_MAX: usize = 256 * 1024;

/// Bytes of content that one transaction takes in; with the one that reaches them it is full. A server of PostgreSQL takes
/// no statement of a GiB, and what is written is in memory several times.
pub const BATCH_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Bytes of content that one claim leases; with the one that reaches them it is full.
pub const CLAIM_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Bytes of content that goes from the decision straight to who sends it. What is larger waits to be claimed, and is sooner
/// read twice than kept twice.
pub const PASSED_BYTES_MAX: usize = 64 * 1024;

/// Facts of one obligation: interim replies, returns, extensions.
pub const FACTS_MAX: usize = 1000;

/// Bytes of an evidence file that is verified.
pub const EVIDENCE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Bytes of one attachment, where nothing is configured.
pub const ATTACHMENT_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Bytes of one scan of paper.
pub const SCAN_BYTES_MAX: usize = 20 * 1024 * 1024;

/// Scans of one message at most.
pub const SCANS_MAX: usize = 10;

/// Bytes of one registration at the desk, with all its scans.
pub const DESK_BYTES_MAX: usize = 42 * 1024 * 1024;

/// Calendar days that may lie between what a clerk states and its registration: our default, no source states it.
pub const DESK_BACK_DAYS_MAX: i64 = 60;
