-- Files of messages: who has put which, and which messages name them.

-- A row is there before its file is in its place, so that no file is forgotten: `coming` until it is, `leaving` while it
-- is being removed because no message names it. `named` is what the search for left-overs goes by.
CREATE TABLE attachment (
    sha256     TEXT PRIMARY KEY CHECK (length(sha256) = 64),
    state      TEXT NOT NULL CHECK (state = 'coming' OR state = 'kept' OR state = 'leaving'),
    bytes      INTEGER CHECK (bytes >= 0),
    named      INTEGER NOT NULL CHECK (named = 0 OR named = 1),
    touched_at INTEGER NOT NULL,
    CHECK (state <> 'kept' OR bytes IS NOT NULL),
    CHECK (state <> 'leaving' OR named = 0)
) STRICT, WITHOUT ROWID;
CREATE INDEX attachment_left_over ON attachment (touched_at) WHERE named = 0;

CREATE TABLE attachment_owner (
    sha256      TEXT NOT NULL REFERENCES attachment (sha256),
    participant TEXT NOT NULL,
    media_type  TEXT NOT NULL,
    put_at      INTEGER NOT NULL,
    PRIMARY KEY (sha256, participant)
) STRICT, WITHOUT ROWID;

-- What a message names, whether the file is there or not.
CREATE TABLE message_attachment (
    message BLOB NOT NULL CHECK (length(message) = 16),
    sha256  TEXT NOT NULL CHECK (length(sha256) = 64),
    PRIMARY KEY (message, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_attachment_by_digest ON message_attachment (sha256);
