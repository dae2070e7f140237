-- Mails and webhooks that tell people of rungs, and the digests of the morning: a row is written in the transaction
-- that decides it, leased, sent, and tried again at times that stand here. `day` is set for a digest: the row is its
-- timer, one for each person and day; `empty` says that there was nothing to tell that day.
CREATE TABLE notice (
    n            INTEGER PRIMARY KEY,
    id           BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    medium       TEXT NOT NULL CHECK (medium = 'mail' OR medium = 'webhook'),
    recipient    TEXT NOT NULL,
    whom         TEXT NOT NULL,
    obligation_n INTEGER REFERENCES obligation (n),
    day          TEXT CHECK (day GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    state        TEXT NOT NULL CHECK (state = 'queued' OR state = 'sending' OR state = 'waiting_retry' OR state = 'sent'
                                   OR state = 'undeliverable' OR state = 'empty'),
    attempts     INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    queued_at    INTEGER NOT NULL,
    ready_at     INTEGER,
    sent_at      INTEGER,
    error        TEXT,
    subject      TEXT NOT NULL,
    content      TEXT NOT NULL,
    CHECK ((state = 'queued' OR state = 'sending' OR state = 'waiting_retry') = (ready_at IS NOT NULL)),
    CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
    CHECK ((state <> 'waiting_retry' AND state <> 'undeliverable') OR error IS NOT NULL),
    CHECK (state <> 'empty' OR day IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX notice_digest ON notice (recipient, whom, day) WHERE day IS NOT NULL;
CREATE INDEX notice_digest_day ON notice (day) WHERE day IS NOT NULL;
CREATE INDEX notice_ready ON notice (medium, ready_at) WHERE ready_at IS NOT NULL;
CREATE INDEX notice_undeliverable ON notice (n) WHERE state = 'undeliverable';
CREATE INDEX notice_by_obligation ON notice (obligation_n) WHERE obligation_n IS NOT NULL;
