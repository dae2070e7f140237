//! What a store consists of, as both databases hold it: tables in the order of their references, columns by kind.
//!
//! Promises: every table and column of both schemas stands here (a test asks the databases). Never: holds a row.

/// A table that is copied row by row.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// What SQLite reads instead of the table, where PostgreSQL keeps it otherwise.
    pub(super) source: Option<&'static str>,
    /// The columns of the key, in whose order rows are read on both sides.
    pub(super) key: &'static str,
    /// The column whose numbers a sequence gives out.
    pub(super) sequence: Option<&'static str>,
    pub(super) columns: &'static [(&'static str, Kind)],
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Bool,
    Text,
    /// Text of a document; it stays as it was written.
    Json,
    Id,
    Bytes,
    Instant,
    Date,
}

use Kind::{Bool, Bytes, Date, Id, Instant, Int, Json, Text};

/// A table whose rows have a number `n` or `seq` of their own.
const fn numbered(name: &'static str, key: &'static str, columns: &'static [(&'static str, Kind)]) -> Table {
    Table { name, source: None, key, sequence: Some(key), columns }
}

/// A table with another key.
const fn keyed(name: &'static str, key: &'static str, columns: &'static [(&'static str, Kind)]) -> Table {
    Table { name, source: None, key, sequence: None, columns }
}

/// What is owed is one counter in PostgreSQL, leased or not.
const FIGURES: &str =
    "(SELECT CASE WHEN name IN ('delivery.queued', 'delivery.sending') THEN 'delivery.owed' ELSE name END
         AS name, sum(value) AS value FROM figure GROUP BY 1)";

/// Who takes part, and who may come in.
const ACCESS: &[Table] = &[
    keyed("participant", "code", &[("code", Text), ("route", Text), ("record", Json)]),
    keyed(
        "api_key",
        "sha256",
        &[
            ("sha256", Bytes),
            ("participant", Text),
            ("created_at", Instant),
            ("expires_at", Instant),
            ("revoked_at", Instant),
        ],
    ),
    numbered("webhook_secret", "n", &[("n", Int), ("participant", Text), ("secret", Bytes), ("created_at", Instant)]),
    keyed(
        "person",
        "login",
        &[("login", Text), ("name", Text), ("role", Text), ("password", Text), ("created_at", Instant)],
    ),
    keyed(
        "session",
        "sha256",
        &[
            ("sha256", Bytes),
            ("login", Text),
            ("name", Text),
            ("role", Text),
            ("csrf", Text),
            ("created_at", Instant),
            ("expires_at", Instant),
        ],
    ),
];

/// Exchanges, what is owed in them, and the ladder.
const EXCHANGES: &[Table] = &[
    numbered("exchange", "n", &[("n", Int), ("id", Id), ("root", Json), ("parked", Json), ("parked_count", Int)]),
    numbered(
        "message",
        "n",
        &[
            ("n", Int),
            ("id", Id),
            ("exchange", Int),
            ("sender", Text),
            ("recipients", Json),
            ("in_reply_to", Id),
            ("type_code", Text),
            ("version", Int),
            ("received_at", Instant),
            ("digest", Bytes),
            ("outcome", Json),
            ("format", Text),
            ("content", Bytes),
        ],
    ),
    numbered(
        "obligation",
        "n",
        &[
            ("n", Int),
            ("id", Id),
            ("exchange", Int),
            ("performer", Text),
            ("controller", Text),
            ("request_type", Text),
            ("urgency", Text),
            ("case_no", Text),
            ("opened_at", Instant),
            ("state", Text),
            ("due_on", Date),
            ("due_at", Instant),
            ("interim", Bool),
            ("closed_at", Instant),
            ("renews_at", Instant),
            ("record", Json),
        ],
    ),
    keyed(
        "rung",
        "obligation, no",
        &[
            ("obligation", Int),
            ("no", Int),
            ("planned_at", Instant),
            ("state", Text),
            ("at", Instant),
            ("by_whom", Text),
            ("reason", Text),
        ],
    ),
    keyed(
        "alert",
        "obligation",
        &[
            ("obligation", Int),
            ("raised_at", Instant),
            ("rung", Int),
            ("state", Text),
            ("at", Instant),
            ("owner", Text),
            ("until", Instant),
            ("reason", Text),
        ],
    ),
    numbered("case_ending", "n", &[("n", Int), ("case_no", Text), ("record", Json)]),
];

/// Deliveries, registers, and what is shown of them.
const PAPERS: &[Table] = &[
    numbered(
        "outbox",
        "seq",
        &[
            ("seq", Int),
            ("message", Id),
            ("recipient", Text),
            ("route", Text),
            ("exchange", Id),
            ("exchange_n", Int),
            ("state", Text),
            ("attempts", Int),
            ("queued_at", Instant),
            ("ready_at", Instant),
            ("delivered_at", Instant),
            ("content_sha256", Text),
            ("number", Text),
            ("registered_on", Date),
            ("error", Text),
            ("format", Text),
            ("content", Bytes),
        ],
    ),
    keyed(
        "register",
        "participant, year, direction",
        &[("participant", Text), ("year", Int), ("direction", Text), ("last", Int)],
    ),
    numbered(
        "journal",
        "n",
        &[
            ("n", Int),
            ("participant", Text),
            ("year", Int),
            ("direction", Text),
            ("number", Int),
            ("date", Date),
            ("message", Id),
            ("type_code", Text),
            ("exchange", Id),
            ("counterparty", Text),
            ("case_no", Text),
            ("annexes", Text),
            ("summary", Text),
        ],
    ),
    numbered(
        "event",
        "seq",
        &[
            ("seq", Int),
            ("at", Instant),
            ("kind", Text),
            ("exchange", Id),
            ("obligation", Id),
            ("message", Id),
            ("participant", Text),
            ("detail", Text),
            ("exchange_n", Int),
            ("obligation_n", Int),
        ],
    ),
    numbered(
        "quarantine",
        "seq",
        &[
            ("seq", Int),
            ("at", Instant),
            ("source", Text),
            ("participant", Text),
            ("message", Id),
            ("code", Text),
            ("reason", Text),
            ("content_type", Text),
            ("content", Bytes),
        ],
    ),
    numbered(
        "notice",
        "n",
        &[
            ("n", Int),
            ("id", Id),
            ("medium", Text),
            ("recipient", Text),
            ("whom", Text),
            ("obligation_n", Int),
            ("day", Date),
            ("state", Text),
            ("attempts", Int),
            ("queued_at", Instant),
            ("ready_at", Instant),
            ("sent_at", Instant),
            ("error", Text),
            ("subject", Text),
            ("content", Text),
        ],
    ),
];

/// Cases, and what came or went without a wire.
const CASES: &[Table] = &[
    numbered(
        "support_case",
        "n",
        &[
            ("n", Int),
            ("centre", Text),
            ("number", Text),
            ("standing", Text),
            ("opened_on", Date),
            ("closed_on", Date),
            ("track", Text),
            ("level", Text),
            ("stage", Text),
            ("record", Json),
        ],
    ),
    keyed(
        "consent",
        "support_case, no",
        &[
            ("support_case", Int),
            ("no", Int),
            ("kind", Text),
            ("reference", Text),
            ("valid_from", Date),
            ("valid_until", Date),
            ("withdrawn_on", Date),
            ("record", Json),
        ],
    ),
    numbered(
        "disclosure",
        "seq",
        &[
            ("seq", Int),
            ("centre", Text),
            ("case_no", Text),
            ("at", Instant),
            ("kind", Text),
            ("what", Text),
            ("message", Id),
            ("exchange", Id),
            ("by_whom", Text),
            ("to_whom", Text),
            ("ground", Json),
        ],
    ),
    keyed("handling", "delivery", &[("delivery", Bytes), ("begun", Int), ("begun_at", Instant)]),
    keyed(
        "by_hand",
        "message",
        &[
            ("message", Id),
            ("channel", Text),
            ("at", Instant),
            ("recorded_at", Instant),
            ("by_whom", Text),
            ("dictated_by", Text),
            ("taken_by", Text),
        ],
    ),
    keyed(
        "handover",
        "message, recipient",
        &[
            ("message", Id),
            ("recipient", Text),
            ("way", Text),
            ("at", Instant),
            ("taken_by", Text),
            ("number", Text),
            ("date", Date),
            ("by_whom", Text),
            ("recorded_at", Instant),
        ],
    ),
    keyed("scan", "sha256", &[("sha256", Text), ("media_type", Text), ("bytes", Int)]),
    keyed(
        "attachment",
        "sha256",
        &[("sha256", Text), ("state", Text), ("bytes", Int), ("named", Bool), ("touched_at", Instant)],
    ),
    keyed(
        "attachment_owner",
        "sha256, participant",
        &[("sha256", Text), ("participant", Text), ("media_type", Text), ("put_at", Instant)],
    ),
    keyed("message_attachment", "message, sha256", &[("message", Id), ("sha256", Text)]),
    keyed("message_scan", "message, annex", &[("message", Id), ("annex", Int), ("sha256", Text)]),
];

/// Generations and counters.
const COUNTERS: &[Table] = &[Table {
    name: "figure",
    source: Some(FIGURES),
    key: "name",
    sequence: None,
    columns: &[("name", Text), ("value", Int)],
}];

/// All of them; what refers to a table comes after it.
pub(super) fn all() -> impl Iterator<Item = &'static Table> {
    [ACCESS, EXCHANGES, PAPERS, CASES, COUNTERS].into_iter().flatten()
}

impl Table {
    /// The names of the columns, parted by commas.
    pub(super) fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}
