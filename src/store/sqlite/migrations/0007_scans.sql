-- What came or went without a wire (a clerk's desk): the desk's note of a message, who took what was handed over, the
-- scans; and the role of the clerk.

-- `at` is when it came or was handed over, by the clerk's word; `recorded_at` is when that was registered.
CREATE TABLE by_hand (
    message     BLOB PRIMARY KEY CHECK (length(message) = 16),
    channel     TEXT NOT NULL CHECK (channel = 'paper' OR channel = 'mail' OR channel = 'phone'),
    at          INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    by_whom     TEXT NOT NULL,
    dictated_by TEXT,
    taken_by    TEXT,
    CHECK (at <= recorded_at),
    CHECK (channel <> 'phone' OR (dictated_by IS NOT NULL AND taken_by IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- The proof of a delivery that people made: its row of the outbox is delivered, and shown as `handled_manually`.
CREATE TABLE handover (
    message     BLOB NOT NULL CHECK (length(message) = 16),
    recipient   TEXT NOT NULL,
    way         TEXT NOT NULL CHECK (way = 'hand' OR way = 'post' OR way = 'mail' OR way = 'phone'),
    at          INTEGER NOT NULL,
    taken_by    TEXT NOT NULL CHECK (taken_by <> ''),
    number      TEXT,
    date        TEXT CHECK (date GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    by_whom     TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (message, recipient),
    CHECK (at <= recorded_at)
) STRICT, WITHOUT ROWID;

-- One file per digest; the file was on disk before this row.
CREATE TABLE scan (
    sha256     TEXT PRIMARY KEY CHECK (length(sha256) = 64),
    media_type TEXT NOT NULL CHECK (media_type = 'application/pdf' OR media_type = 'image/jpeg' OR media_type = 'image/png'),
    bytes      INTEGER NOT NULL CHECK (bytes > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE message_scan (
    message BLOB NOT NULL CHECK (length(message) = 16),
    annex   INTEGER NOT NULL CHECK (annex > 0),
    sha256  TEXT NOT NULL REFERENCES scan (sha256),
    PRIMARY KEY (message, annex)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_scan_by_digest ON message_scan (sha256);

-- A clerk registers what came on paper and decides nothing. SQLite changes no CHECK in place.
CREATE TABLE person_with_clerks (
    login      TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL CHECK (role = 'coordinator' OR role = 'observer' OR role = 'administrator' OR role = 'clerk'),
    password   TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO person_with_clerks SELECT login, name, role, password, created_at FROM person;
DROP TABLE person;
ALTER TABLE person_with_clerks RENAME TO person;

CREATE TABLE session_with_clerks (
    sha256     BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    login      TEXT NOT NULL,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL CHECK (role = 'coordinator' OR role = 'observer' OR role = 'administrator' OR role = 'clerk'),
    csrf       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO session_with_clerks SELECT sha256, login, name, role, csrf, created_at, expires_at FROM session;
DROP TABLE session;
ALTER TABLE session_with_clerks RENAME TO session;
CREATE INDEX session_by_end ON session (expires_at);
