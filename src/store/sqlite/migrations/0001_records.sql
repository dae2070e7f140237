-- The records of the gateway. A migration is never changed once it has been released: the next one adds to it.
--
-- Ids are BLOB(16), instants INTEGER microseconds UTC, dates TEXT ISO 8601, lists and facts TEXT JSON. The tables repeat
-- the invariants of the domain as CHECKs. Rows refer to each other by a small integer `n` rather than by the id: a
-- random id would cost one more scattered page per index and row. Rows that are cursors (outbox, event, quarantine)
-- are never deleted from the end, so that `max + 1` never gives a number twice. CHECKs spell alternatives with OR: for
-- `IN` with three or more values SQLite builds a temporary table at every single write.

-- Single figures: `participants_generation`, `latest_instant_us`, and the counters of the next migration.
CREATE TABLE figure (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE participant (
    code   TEXT PRIMARY KEY,
    route  TEXT NOT NULL CHECK (route = 'inbox' OR route = 'amqp' OR route = 'push'),
    record TEXT NOT NULL CHECK (json_valid(record))
) STRICT, WITHOUT ROWID;

-- `root` is NULL while only replies have come; `parked` are those replies.
CREATE TABLE exchange (
    n            INTEGER PRIMARY KEY,
    id           BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    root         TEXT,
    parked       TEXT NOT NULL DEFAULT '[]',
    parked_count INTEGER NOT NULL DEFAULT 0 CHECK (parked_count >= 0)
) STRICT;
CREATE INDEX exchange_parked ON exchange (parked_count) WHERE parked_count > 0;

-- `content` is what came, byte by byte; it stands last so that other columns are read without it.
CREATE TABLE message (
    n           INTEGER PRIMARY KEY,
    id          BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    exchange    INTEGER NOT NULL REFERENCES exchange (n),
    sender      TEXT NOT NULL,
    recipients  TEXT NOT NULL,
    in_reply_to BLOB CHECK (length(in_reply_to) = 16),
    type_code   TEXT NOT NULL,
    version     INTEGER NOT NULL CHECK (version BETWEEN 0 AND 4294967295),
    received_at INTEGER NOT NULL,
    digest      BLOB NOT NULL CHECK (length(digest) = 32),
    outcome     TEXT NOT NULL,
    format      TEXT NOT NULL CHECK (format IN ('json', 'xml')),
    content     BLOB NOT NULL
) STRICT;
CREATE INDEX message_by_exchange ON message (exchange);

-- `record` holds what is only read as a whole: item, answer types, release, the frozen due date with its protocol, the
-- limits of extensions and pauses, the pauses, the facts. The columns beside it are what queries ask for; `due_on` and `due_at` are in force.
CREATE TABLE obligation (
    n            INTEGER PRIMARY KEY,
    id           BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    exchange     INTEGER NOT NULL REFERENCES exchange (n),
    performer    TEXT NOT NULL,
    controller   TEXT NOT NULL,
    request_type TEXT NOT NULL,
    urgency      TEXT NOT NULL CHECK (urgency = 'normal' OR urgency = 'urgent' OR urgency = 'emergency'),
    case_no      TEXT,
    opened_at    INTEGER NOT NULL,
    state        TEXT NOT NULL CHECK (state = 'running' OR state = 'suspended' OR state = 'answered' OR state = 'fulfilled'
                                   OR state = 'fulfilled_late' OR state = 'refused' OR state = 'redirected'
                                   OR state = 'withdrawn' OR state = 'void'),
    due_on       TEXT NOT NULL CHECK (due_on GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    due_at       INTEGER NOT NULL,
    interim      INTEGER NOT NULL CHECK (interim IN (0, 1)),
    closed_at    INTEGER,
    record       TEXT NOT NULL,
    -- Three values behind IN would be looked up in a table of their own, built at every insert.
    CHECK ((state = 'running' OR state = 'suspended' OR state = 'answered') = (closed_at IS NULL))
) STRICT;
CREATE INDEX obligation_by_exchange ON obligation (exchange);
CREATE INDEX obligation_by_due ON obligation (state, due_at, id);
CREATE INDEX obligation_by_performer ON obligation (performer, state, due_at, id);
CREATE INDEX obligation_by_controller ON obligation (controller, state, due_at, id);
CREATE INDEX obligation_by_case ON obligation (case_no) WHERE case_no IS NOT NULL;

-- At most one rung of an obligation is planned, and only planned ones are searched by time.
CREATE TABLE rung (
    obligation INTEGER NOT NULL REFERENCES obligation (n),
    no         INTEGER NOT NULL CHECK (no BETWEEN 0 AND 255),
    planned_at INTEGER NOT NULL,
    state      TEXT NOT NULL CHECK (state = 'planned' OR state = 'fired' OR state = 'skipped' OR state = 'prepared'
                                 OR state = 'approved' OR state = 'declined' OR state = 'cancelled'),
    at         INTEGER,
    by_whom    TEXT,
    reason     TEXT,
    PRIMARY KEY (obligation, no),
    CHECK ((state = 'planned') = (at IS NULL)),
    CHECK ((state IN ('approved', 'declined')) = (by_whom IS NOT NULL)),
    CHECK ((state = 'declined') = (reason IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX rung_one_planned ON rung (obligation) WHERE state = 'planned';
CREATE INDEX rung_by_time ON rung (planned_at) WHERE state = 'planned';
CREATE INDEX rung_prepared ON rung (obligation) WHERE state = 'prepared';

CREATE TABLE alert (
    obligation INTEGER PRIMARY KEY REFERENCES obligation (n),
    raised_at  INTEGER NOT NULL,
    rung       INTEGER NOT NULL CHECK (rung BETWEEN 0 AND 255),
    state      TEXT NOT NULL CHECK (state = 'open' OR state = 'acknowledged' OR state = 'resolved'),
    at         INTEGER,
    owner      TEXT,
    until      INTEGER,
    reason     TEXT,
    CHECK ((state = 'open') = (at IS NULL)),
    CHECK ((state = 'acknowledged') = (owner IS NOT NULL)),
    CHECK ((state = 'acknowledged') = (until IS NOT NULL)),
    CHECK ((state = 'acknowledged') = (reason IS NOT NULL))
) STRICT;
CREATE INDEX alert_by_end ON alert (until) WHERE state = 'acknowledged';
CREATE INDEX alert_unresolved ON alert (obligation) WHERE state <> 'resolved';

-- Deliveries. `seq` is the cursor of an inbox. `ready_at` is when a waiting row may be taken: when it was queued, when
-- its lease runs out, when it is tried again. `content` is a receipt's own; a message's stands in `message`. A refusal
-- may name an exchange that we do not hold: `exchange` is as it was said, `exchange_n` is set where we hold it.
CREATE TABLE outbox (
    seq            INTEGER PRIMARY KEY,
    message        BLOB NOT NULL CHECK (length(message) = 16),
    recipient      TEXT NOT NULL,
    route          TEXT NOT NULL CHECK (route = 'inbox' OR route = 'amqp' OR route = 'push'),
    exchange       BLOB CHECK (length(exchange) = 16),
    exchange_n     INTEGER REFERENCES exchange (n),
    state          TEXT NOT NULL CHECK (state = 'queued' OR state = 'sending' OR state = 'waiting_retry'
                                     OR state = 'delivered' OR state = 'registered' OR state = 'rejected'
                                     OR state = 'undeliverable'),
    attempts       INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    queued_at      INTEGER NOT NULL,
    ready_at       INTEGER,
    delivered_at   INTEGER,
    content_sha256 TEXT,
    number         TEXT,
    registered_on  TEXT,
    error          TEXT,
    format         TEXT CHECK (format IN ('json', 'xml')),
    content        BLOB,
    UNIQUE (message, recipient),
    CHECK ((state = 'queued' OR state = 'sending' OR state = 'waiting_retry') = (ready_at IS NOT NULL)),
    CHECK (route <> 'inbox' OR state NOT IN ('sending', 'waiting_retry')),
    CHECK ((number IS NULL) = (registered_on IS NULL)),
    CHECK (state <> 'registered' OR number IS NOT NULL),
    CHECK ((state <> 'waiting_retry' AND state <> 'rejected' AND state <> 'undeliverable') OR error IS NOT NULL),
    CHECK ((format IS NULL) = (content IS NULL))
) STRICT;
CREATE INDEX outbox_by_exchange ON outbox (exchange_n) WHERE exchange_n IS NOT NULL;
CREATE INDEX outbox_ready ON outbox (route, ready_at) WHERE ready_at IS NOT NULL AND route <> 'inbox';
CREATE INDEX outbox_inbox ON outbox (recipient, seq) WHERE route = 'inbox' AND state = 'queued';
CREATE INDEX outbox_waiting ON outbox (queued_at) WHERE ready_at IS NOT NULL;

-- The last number given in each register (S3 §6).
CREATE TABLE register (
    participant TEXT NOT NULL,
    year        INTEGER NOT NULL,
    direction   TEXT NOT NULL CHECK (direction IN ('incoming', 'outgoing')),
    last        INTEGER NOT NULL CHECK (last >= 0),
    PRIMARY KEY (participant, year, direction)
) STRICT, WITHOUT ROWID;

-- The journal of incoming and outgoing documents (S3 §6): a number is given once in its register.
CREATE TABLE journal (
    n            INTEGER PRIMARY KEY,
    participant  TEXT NOT NULL,
    year         INTEGER NOT NULL,
    direction    TEXT NOT NULL CHECK (direction IN ('incoming', 'outgoing')),
    number       INTEGER NOT NULL CHECK (number > 0),
    date         TEXT NOT NULL CHECK (date GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    message      BLOB NOT NULL CHECK (length(message) = 16),
    type_code    TEXT NOT NULL,
    exchange     BLOB NOT NULL CHECK (length(exchange) = 16),
    counterparty TEXT NOT NULL,
    case_no      TEXT,
    annexes      TEXT NOT NULL,
    summary      TEXT NOT NULL,
    UNIQUE (participant, year, direction, number)
) STRICT;
CREATE INDEX journal_by_date ON journal (participant, date);

-- The chronology and the live stream. The ids are as they were said; `exchange_n` and `obligation_n` are set where we
-- hold such a record.
CREATE TABLE event (
    seq          INTEGER PRIMARY KEY,
    at           INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    exchange     BLOB CHECK (length(exchange) = 16),
    obligation   BLOB CHECK (length(obligation) = 16),
    message      BLOB CHECK (length(message) = 16),
    participant  TEXT,
    detail       TEXT,
    exchange_n   INTEGER REFERENCES exchange (n),
    obligation_n INTEGER REFERENCES obligation (n)
) STRICT;
CREATE INDEX event_by_exchange ON event (exchange_n) WHERE exchange_n IS NOT NULL;
CREATE INDEX event_by_obligation ON event (obligation_n) WHERE obligation_n IS NOT NULL;

CREATE TABLE quarantine (
    seq          INTEGER PRIMARY KEY,
    at           INTEGER NOT NULL,
    source       TEXT NOT NULL,
    participant  TEXT,
    message      BLOB CHECK (length(message) = 16),
    code         TEXT NOT NULL,
    reason       TEXT NOT NULL,
    content_type TEXT NOT NULL,
    content      BLOB NOT NULL
) STRICT;

CREATE TABLE api_key (
    sha256      BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    participant TEXT NOT NULL REFERENCES participant (code),
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER,
    revoked_at  INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX api_key_by_participant ON api_key (participant);

CREATE TABLE webhook_secret (
    n           INTEGER PRIMARY KEY,
    participant TEXT NOT NULL REFERENCES participant (code),
    secret      BLOB NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX webhook_secret_by_participant ON webhook_secret (participant);

CREATE TABLE person (
    login      TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL CHECK (role = 'coordinator' OR role = 'observer' OR role = 'administrator'),
    password   TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    sha256     BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    login      TEXT NOT NULL,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL CHECK (role = 'coordinator' OR role = 'observer' OR role = 'administrator'),
    csrf       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_end ON session (expires_at);
