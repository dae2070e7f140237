-- Files of messages: who has put which, and which messages name them.

-- A row is there before its file is in its place, so that no file is forgotten: `coming` until it is, `leaving` while it
-- is being removed because no message names it. `named` is what the search for left-overs goes by.
CREATE TABLE attachment (
    sha256     text COLLATE "C" PRIMARY KEY CHECK (length(sha256) = 64),
    state      text NOT NULL CHECK (state IN ('coming', 'kept', 'leaving')),
    bytes      bigint CHECK (bytes >= 0),
    named      boolean NOT NULL,
    touched_at timestamptz NOT NULL,
    CHECK (state <> 'kept' OR bytes IS NOT NULL),
    CHECK (state <> 'leaving' OR NOT named)
);
CREATE INDEX attachment_left_over ON attachment (touched_at) WHERE NOT named;

CREATE TABLE attachment_owner (
    sha256      text COLLATE "C" NOT NULL REFERENCES attachment (sha256),
    participant text COLLATE "C" NOT NULL,
    media_type  text NOT NULL,
    put_at      timestamptz NOT NULL,
    PRIMARY KEY (sha256, participant)
);

-- What a message names, whether the file is there or not.
CREATE TABLE message_attachment (
    message uuid NOT NULL,
    sha256  text COLLATE "C" NOT NULL CHECK (length(sha256) = 64),
    PRIMARY KEY (message, sha256)
);
CREATE INDEX message_attachment_by_digest ON message_attachment (sha256);
