//! The limits of this door, named, in one place.
//!
//! Promises: whatever comes over HTTP is bounded in bytes, in number and in time. Never: a number at its place of use.

use chrono::TimeDelta;
use std::time::Duration;

/// Bytes of a document that a program submits: the gateway's own limit of one document.
pub use crate::limits::DOCUMENT_BYTES_MAX;

/// Bytes of a form or a small command.
pub const FORM_BYTES_MAX: usize = 64 * 1024;

/// A document above this needs one of [`LARGE_DOCUMENTS_MAX`] permits, so that memory stays bounded under load.
pub const SMALL_DOCUMENT_BYTES: usize = 64 * 1024;

/// Documents above [`SMALL_DOCUMENT_BYTES`] that are read at the same time.
pub const LARGE_DOCUMENTS_MAX: usize = 32;

/// Bytes of the request line and the headers together.
pub const HEADER_BYTES_MAX: usize = 64 * 1024;

/// Live streams at the same time, of programs and boards together.
pub const STREAMS_MAX: usize = 256;

/// Bytes that are read and thrown away after a refusal, so that the client sees the answer and not a reset.
pub const LINGER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Rows of one page of the API, where the caller states no limit, and at most.
pub const PAGE_ROWS: usize = 100;
/// Rows of one page of the API at most: what the verbs give.
pub use crate::gateway::show::PAGE_MAX as PAGE_ROWS_MAX;

/// Letters of an inbox that are read at a time, and bytes of them after which a page is full: letters can be large.
pub const INBOX_BATCH: usize = 10;
/// Bytes of letters after which a page of an inbox is full.
pub const INBOX_PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Rows of one page of the board.
pub const BOARD_ROWS_MAX: usize = 100;

/// Open obligations that a board looks through; with more, it says that it shows a part.
pub const BOARD_LOOKS_THROUGH_MAX: usize = 1000;

/// Lines of one page of a journal: what the verb gives.
pub use crate::gateway::journal::JOURNAL_LINES_MAX;

/// Passwords that are checked at the same time: each costs 19 MiB.
pub const PASSWORD_CHECKS_MAX: usize = 2;

/// Bytes of a password at most.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// Characters of a new password at least.
pub const PASSWORD_CHARS_MIN: usize = 10;

/// Names and addresses whose failed logins are remembered.
pub const THROTTLE_KEYS_MAX: usize = 10_000;

/// How long a session lasts.
pub const SESSION_HOURS: i64 = 12;

/// How long one live stream lasts before the client has to come again, with its key or session checked anew.
pub const STREAM_LIFE: Duration = Duration::from_secs(15 * 60);

/// How often a silent stream says that it lives.
pub const STREAM_BEAT: Duration = Duration::from_secs(10);

/// Without any event, a board is gathered anew after this: time passes, and what is today's becomes overdue.
pub const BOARD_AGE_MAX: TimeDelta = TimeDelta::seconds(1);

/// Boards are told of changes at most this often.
pub const BOARD_PACE: Duration = Duration::from_millis(500);

/// Forms with files that are held at the same time: each may have the bytes of two large scans.
pub const UPLOADS_MAX: usize = 4;

/// How long a form with files waits for its turn.
pub const UPLOAD_WAIT: Duration = Duration::from_secs(20);

/// Scans that are read and documents that are made (registers, journals, case files) at the same time.
pub const DOCUMENTS_MAX: usize = 4;

/// How long one of them waits for its turn.
pub const DOCUMENT_WAIT: Duration = Duration::from_secs(20);

/// Attachments that are sent at the same time: each holds two parts of 5 MiB at most.
pub const UPLOADS_IN_MAX: usize = 8;

/// Of these, of one participant.
pub const UPLOADS_OF_ONE_MAX: usize = 3;

/// Attachments that are fetched at the same time.
pub const DOWNLOADS_MAX: usize = 64;

/// How long a transfer waits for its turn.
pub const TRANSFER_WAIT: Duration = Duration::from_secs(10);

/// Bytes that an attachment brings in a second at least, beyond the time that every body has.
pub const ATTACHMENT_BYTES_PER_SECOND: u64 = 32 * 1024;

/// Fields of one form.
pub const FORM_FIELDS_MAX: usize = 1000;

/// Bytes of the text of one form with files.
pub const TEXT_FORM_BYTES_MAX: usize = 1024 * 1024;
