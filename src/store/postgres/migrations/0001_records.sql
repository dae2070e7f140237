-- The records of the gateway in PostgreSQL. A migration is never changed once it has been released: the next one adds
-- to it, and only adds, because an older version may be running beside it.
--
-- What the tables repeat of the domain is the same as in SQLite. Codes and numbers are compared byte by byte
-- (`COLLATE "C"`), so that an order does not depend on the language of the server. Documents are `json`, not `jsonb`:
-- what is read is what was written. Rows refer to each other by a small `n`. Numbers that are cursors (outbox, event,
-- quarantine, disclosure, journal) come from sequences and are given out only under the decision lock (lock.rs), so
-- that the order of cursors is the order of commits.

-- Single figures: `participants_generation`, `latest_instant_us`, and the counters. What is owed is one counter, leased
-- or not, so that a claim touches no counter that decisions touch.
CREATE TABLE figure (
    name  text COLLATE "C" PRIMARY KEY,
    value bigint NOT NULL
) WITH (fillfactor = 50);
INSERT INTO figure (name, value) VALUES
    ('delivery.owed', 0), ('delivery.waiting_retry', 0), ('delivery.delivered', 0), ('delivery.registered', 0),
    ('delivery.rejected', 0), ('delivery.undeliverable', 0), ('obligations_open', 0), ('quarantined', 0),
    ('conflicts', 0), ('accepted_addressees', 0);

CREATE TABLE participant (
    code   text COLLATE "C" PRIMARY KEY,
    route  text NOT NULL CHECK (route IN ('inbox', 'amqp', 'push')),
    record json NOT NULL
);

-- `root` is NULL while only replies have come; `parked` are those replies.
CREATE TABLE exchange (
    n            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           uuid NOT NULL UNIQUE,
    root         json,
    parked       json NOT NULL DEFAULT '[]',
    parked_count integer NOT NULL DEFAULT 0 CHECK (parked_count >= 0)
);
CREATE INDEX exchange_parked ON exchange (parked_count) WHERE parked_count > 0;

-- `content` is what came, byte by byte.
CREATE TABLE message (
    n           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id          uuid NOT NULL UNIQUE,
    exchange    bigint NOT NULL REFERENCES exchange (n),
    sender      text COLLATE "C" NOT NULL,
    recipients  json NOT NULL,
    in_reply_to uuid,
    type_code   text COLLATE "C" NOT NULL,
    version     bigint NOT NULL CHECK (version BETWEEN 0 AND 4294967295),
    received_at timestamptz NOT NULL,
    digest      bytea NOT NULL CHECK (octet_length(digest) = 32),
    outcome     json NOT NULL,
    format      text NOT NULL CHECK (format IN ('json', 'xml')),
    content     bytea NOT NULL
);
CREATE INDEX message_by_exchange ON message (exchange);

-- `record` holds what is only read as a whole: item, answer types, release, the frozen due date with its protocol, the
-- limits of extensions and pauses, the pauses, the facts. The columns beside it are what queries ask for; `due_on` and
-- `due_at` are in force; `renews_at` is when the next period of a duty is to be opened.
CREATE TABLE obligation (
    n            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           uuid NOT NULL UNIQUE,
    exchange     bigint NOT NULL REFERENCES exchange (n),
    performer    text COLLATE "C" NOT NULL,
    controller   text COLLATE "C" NOT NULL,
    request_type text COLLATE "C" NOT NULL,
    urgency      text NOT NULL CHECK (urgency IN ('normal', 'urgent', 'emergency')),
    case_no      text COLLATE "C",
    opened_at    timestamptz NOT NULL,
    state        text COLLATE "C" NOT NULL CHECK (state IN ('running', 'suspended', 'answered', 'fulfilled',
                     'fulfilled_late', 'refused', 'redirected', 'withdrawn', 'void')),
    due_on       date NOT NULL,
    due_at       timestamptz NOT NULL,
    interim      boolean NOT NULL,
    closed_at    timestamptz,
    renews_at    timestamptz,
    record       json NOT NULL,
    CHECK ((state IN ('running', 'suspended', 'answered')) = (closed_at IS NULL))
);
CREATE INDEX obligation_by_exchange ON obligation (exchange);
CREATE INDEX obligation_by_due ON obligation (state, due_at, id);
CREATE INDEX obligation_by_performer ON obligation (performer, state, due_at, id);
CREATE INDEX obligation_by_controller ON obligation (controller, state, due_at, id);
CREATE INDEX obligation_by_case ON obligation (case_no) WHERE case_no IS NOT NULL;
CREATE INDEX obligation_renewing ON obligation (renews_at) WHERE renews_at IS NOT NULL;

-- At most one rung of an obligation is planned, and only planned ones are searched by time.
CREATE TABLE rung (
    obligation bigint NOT NULL REFERENCES obligation (n),
    no         smallint NOT NULL CHECK (no BETWEEN 0 AND 255),
    planned_at timestamptz NOT NULL,
    state      text NOT NULL CHECK (state IN ('planned', 'fired', 'skipped', 'prepared', 'approved', 'declined',
                   'cancelled')),
    at         timestamptz,
    by_whom    text,
    reason     text,
    PRIMARY KEY (obligation, no),
    CHECK ((state = 'planned') = (at IS NULL)),
    CHECK ((state IN ('approved', 'declined')) = (by_whom IS NOT NULL)),
    CHECK ((state = 'declined') = (reason IS NOT NULL))
);
CREATE UNIQUE INDEX rung_one_planned ON rung (obligation) WHERE state = 'planned';
CREATE INDEX rung_by_time ON rung (planned_at, obligation) WHERE state = 'planned';
CREATE INDEX rung_prepared ON rung (obligation) WHERE state = 'prepared';

CREATE TABLE alert (
    obligation bigint PRIMARY KEY REFERENCES obligation (n),
    raised_at  timestamptz NOT NULL,
    rung       smallint NOT NULL CHECK (rung BETWEEN 0 AND 255),
    state      text NOT NULL CHECK (state IN ('open', 'acknowledged', 'resolved')),
    at         timestamptz,
    owner      text,
    until      timestamptz,
    reason     text,
    CHECK ((state = 'open') = (at IS NULL)),
    CHECK ((state = 'acknowledged') = (owner IS NOT NULL)),
    CHECK ((state = 'acknowledged') = (until IS NOT NULL)),
    CHECK ((state = 'acknowledged') = (reason IS NOT NULL))
);
CREATE INDEX alert_by_end ON alert (until) WHERE state = 'acknowledged';
CREATE INDEX alert_unresolved ON alert (obligation) WHERE state <> 'resolved';

-- Whose leases are whose: every open store has a number of its own and holds a session lock on it (presence.rs).
CREATE SEQUENCE lease_holder AS integer CYCLE;

-- Deliveries. `seq` is the cursor of an inbox. `ready_at` is when a waiting row may be taken: when it was queued, when
-- its lease runs out, when it is tried again. `holder` is whose lease it is; without one a lease ends by the clock only.
-- `content` is a receipt's own; a message's stands in `message`. Rows change a few times and then never: what is dead
-- in the indexes of those under way is cleaned early. A refusal may name an exchange that we do not hold:
-- `exchange` is as it was said, `exchange_n` is set where we hold it.
CREATE TABLE outbox (
    seq            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message        uuid NOT NULL,
    recipient      text COLLATE "C" NOT NULL,
    route          text COLLATE "C" NOT NULL CHECK (route IN ('inbox', 'amqp', 'push')),
    exchange       uuid,
    exchange_n     bigint REFERENCES exchange (n),
    state          text NOT NULL CHECK (state IN ('queued', 'sending', 'waiting_retry', 'delivered', 'registered',
                       'rejected', 'undeliverable')),
    attempts       integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    queued_at      timestamptz NOT NULL,
    ready_at       timestamptz,
    holder         integer,
    delivered_at   timestamptz,
    content_sha256 text,
    number         text,
    registered_on  date,
    error          text,
    format         text CHECK (format IN ('json', 'xml')),
    content        bytea,
    UNIQUE (message, recipient),
    CHECK ((state IN ('queued', 'sending', 'waiting_retry')) = (ready_at IS NOT NULL)),
    CHECK (route <> 'inbox' OR state NOT IN ('sending', 'waiting_retry')),
    CHECK (holder IS NULL OR state = 'sending'),
    CHECK ((number IS NULL) = (registered_on IS NULL)),
    CHECK (state <> 'registered' OR number IS NOT NULL),
    CHECK (state NOT IN ('waiting_retry', 'rejected', 'undeliverable') OR error IS NOT NULL),
    CHECK ((format IS NULL) = (content IS NULL))
) WITH (autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX outbox_by_exchange ON outbox (exchange_n) WHERE exchange_n IS NOT NULL;
CREATE INDEX outbox_ready ON outbox (route, ready_at, seq) WHERE ready_at IS NOT NULL AND route <> 'inbox';
CREATE INDEX outbox_leased ON outbox (recipient, exchange, seq) WHERE state = 'sending';
CREATE INDEX outbox_held ON outbox (holder) WHERE holder IS NOT NULL;
CREATE INDEX outbox_inbox ON outbox (recipient, seq) WHERE route = 'inbox' AND state = 'queued';
CREATE INDEX outbox_waiting ON outbox (queued_at) WHERE ready_at IS NOT NULL;
CREATE INDEX outbox_undeliverable ON outbox (seq) WHERE state = 'undeliverable';

-- The last number given in each register (S3 §6).
CREATE TABLE register (
    participant text COLLATE "C" NOT NULL,
    year        integer NOT NULL,
    direction   text COLLATE "C" NOT NULL CHECK (direction IN ('incoming', 'outgoing')),
    last        bigint NOT NULL CHECK (last >= 0),
    PRIMARY KEY (participant, year, direction)
) WITH (fillfactor = 70);

-- The journal of incoming and outgoing documents (S3 §6): a number is given once in its register.
CREATE TABLE journal (
    n            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    participant  text COLLATE "C" NOT NULL,
    year         integer NOT NULL,
    direction    text COLLATE "C" NOT NULL CHECK (direction IN ('incoming', 'outgoing')),
    number       bigint NOT NULL CHECK (number > 0),
    date         date NOT NULL,
    message      uuid NOT NULL,
    type_code    text COLLATE "C" NOT NULL,
    exchange     uuid NOT NULL,
    counterparty text COLLATE "C" NOT NULL,
    case_no      text COLLATE "C",
    annexes      text NOT NULL,
    summary      text NOT NULL,
    UNIQUE (participant, year, direction, number)
);
CREATE INDEX journal_by_date ON journal (participant, date, n);
CREATE INDEX journal_by_case ON journal (participant, case_no, date) WHERE case_no IS NOT NULL;
CREATE INDEX journal_by_message ON journal (message);

-- The chronology and the live stream. The ids are as they were said; `exchange_n` and `obligation_n` are set where we
-- hold such a record.
CREATE TABLE event (
    seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL,
    kind         text COLLATE "C" NOT NULL,
    exchange     uuid,
    obligation   uuid,
    message      uuid,
    participant  text COLLATE "C",
    detail       text,
    exchange_n   bigint REFERENCES exchange (n),
    obligation_n bigint REFERENCES obligation (n)
);
CREATE INDEX event_by_exchange ON event (exchange_n, seq) WHERE exchange_n IS NOT NULL;
CREATE INDEX event_by_obligation ON event (obligation_n, seq) WHERE obligation_n IS NOT NULL;

CREATE TABLE quarantine (
    seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL,
    source       text NOT NULL,
    participant  text COLLATE "C",
    message      uuid,
    code         text NOT NULL,
    reason       text NOT NULL,
    content_type text NOT NULL,
    content      bytea NOT NULL
);

CREATE TABLE api_key (
    sha256      bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
    participant text COLLATE "C" NOT NULL REFERENCES participant (code),
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz,
    revoked_at  timestamptz
);
CREATE INDEX api_key_by_participant ON api_key (participant);

CREATE TABLE webhook_secret (
    n           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    participant text COLLATE "C" NOT NULL REFERENCES participant (code),
    secret      bytea NOT NULL,
    created_at  timestamptz NOT NULL
);
CREATE INDEX webhook_secret_by_participant ON webhook_secret (participant);

CREATE TABLE person (
    login      text COLLATE "C" PRIMARY KEY,
    name       text NOT NULL,
    role       text NOT NULL CHECK (role IN ('coordinator', 'observer', 'administrator', 'clerk')),
    password   text NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE session (
    sha256     bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
    login      text COLLATE "C" NOT NULL,
    name       text NOT NULL,
    role       text NOT NULL CHECK (role IN ('coordinator', 'observer', 'administrator', 'clerk')),
    csrf       text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX session_by_end ON session (expires_at);

-- The ends of cases as they were told: a message that begins a duty of the case and comes after its end finds it here.
CREATE TABLE case_ending (
    n       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_no text COLLATE "C" NOT NULL,
    record  json NOT NULL
);
CREATE INDEX case_ending_by_case ON case_ending (case_no);

-- Cases as their centres keep them: facts in `record`, what follows from them in the columns that lists search.
CREATE TABLE support_case (
    n         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    centre    text COLLATE "C" NOT NULL,
    number    text COLLATE "C" NOT NULL CHECK (char_length(number) BETWEEN 1 AND 64),
    standing  text NOT NULL CHECK (standing IN ('named', 'open', 'closed')),
    opened_on date,
    closed_on date,
    track     text CHECK (track IN ('difficult_situation', 'dangerous_position')),
    level     text CHECK (level IN ('adaptation', 'basic', 'crisis', 'emergency')),
    stage     text,
    record    json NOT NULL,
    UNIQUE (number, centre),
    CHECK ((standing = 'closed') = (closed_on IS NOT NULL))
);
CREATE INDEX support_case_by_centre ON support_case (centre, number);

-- The registry of consents (152-ФЗ ст. 9, 10.1). A consent is never deleted; it is withdrawn.
CREATE TABLE consent (
    support_case bigint NOT NULL REFERENCES support_case (n),
    no           bigint NOT NULL CHECK (no > 0),
    kind         text COLLATE "C" NOT NULL CHECK (kind IN ('processing', 'dissemination', 'medical_secrecy')),
    reference    text COLLATE "C" NOT NULL,
    valid_from   date NOT NULL,
    valid_until  date CHECK (valid_until >= valid_from),
    withdrawn_on date,
    record       json NOT NULL,
    PRIMARY KEY (support_case, no),
    UNIQUE (support_case, kind, reference)
);

-- Who got what of a case: lines are only added.
CREATE TABLE disclosure (
    seq      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    centre   text COLLATE "C" NOT NULL,
    case_no  text COLLATE "C" NOT NULL,
    at       timestamptz NOT NULL,
    kind     text NOT NULL CHECK (kind IN ('message', 'evidence', 'case_file', 'message_read', 'record_read')),
    what     text NOT NULL,
    message  uuid,
    exchange uuid,
    by_whom  text NOT NULL,
    to_whom  text COLLATE "C" NOT NULL,
    ground   json NOT NULL
);
CREATE INDEX disclosure_by_case ON disclosure (centre, case_no, seq);

-- Mails and webhooks that tell people of rungs, and the digests of the morning. `day` is set for a digest: the row is
-- its timer, one for each person and day; `empty` says that there was nothing to tell that day.
CREATE TABLE notice (
    n            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           uuid NOT NULL UNIQUE,
    medium       text COLLATE "C" NOT NULL CHECK (medium IN ('mail', 'webhook')),
    recipient    text COLLATE "C" NOT NULL,
    whom         text COLLATE "C" NOT NULL,
    obligation_n bigint REFERENCES obligation (n),
    day          date,
    state        text NOT NULL CHECK (state IN ('queued', 'sending', 'waiting_retry', 'sent', 'undeliverable', 'empty')),
    attempts     integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    queued_at    timestamptz NOT NULL,
    ready_at     timestamptz,
    holder       integer,
    sent_at      timestamptz,
    error        text,
    subject      text NOT NULL,
    content      text NOT NULL,
    CHECK ((state IN ('queued', 'sending', 'waiting_retry')) = (ready_at IS NOT NULL)),
    CHECK (holder IS NULL OR state = 'sending'),
    CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
    CHECK (state NOT IN ('waiting_retry', 'undeliverable') OR error IS NOT NULL),
    CHECK (state <> 'empty' OR day IS NOT NULL)
) WITH (autovacuum_vacuum_scale_factor = 0.02);
CREATE UNIQUE INDEX notice_digest ON notice (recipient, whom, day) WHERE day IS NOT NULL;
CREATE INDEX notice_digest_day ON notice (day) WHERE day IS NOT NULL;
CREATE INDEX notice_ready ON notice (medium, ready_at, n) WHERE ready_at IS NOT NULL;
CREATE INDEX notice_held ON notice (holder) WHERE holder IS NOT NULL;
CREATE INDEX notice_undeliverable ON notice (n) WHERE state = 'undeliverable';
CREATE INDEX notice_by_obligation ON notice (obligation_n) WHERE obligation_n IS NOT NULL;

-- The desk's note of a message. `at` is when it came or was handed over, by the clerk's word; `recorded_at` is when that
-- was registered.
CREATE TABLE by_hand (
    message     uuid PRIMARY KEY,
    channel     text NOT NULL CHECK (channel IN ('paper', 'mail', 'phone')),
    at          timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    by_whom     text NOT NULL,
    dictated_by text,
    taken_by    text,
    CHECK (at <= recorded_at),
    CHECK (channel <> 'phone' OR (dictated_by IS NOT NULL AND taken_by IS NOT NULL))
);

-- The proof of a delivery that people made: its row of the outbox is delivered, and shown as `handled_manually`.
CREATE TABLE handover (
    message     uuid NOT NULL,
    recipient   text COLLATE "C" NOT NULL,
    way         text NOT NULL CHECK (way IN ('hand', 'post', 'mail', 'phone')),
    at          timestamptz NOT NULL,
    taken_by    text NOT NULL CHECK (taken_by <> ''),
    number      text,
    date        date,
    by_whom     text NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (message, recipient),
    CHECK (at <= recorded_at)
);

-- One file per digest; the file was on disk before this row.
CREATE TABLE scan (
    sha256     text COLLATE "C" PRIMARY KEY CHECK (char_length(sha256) = 64),
    media_type text NOT NULL CHECK (media_type IN ('application/pdf', 'image/jpeg', 'image/png')),
    bytes      bigint NOT NULL CHECK (bytes > 0)
);

CREATE TABLE message_scan (
    message uuid NOT NULL,
    annex   bigint NOT NULL CHECK (annex > 0),
    sha256  text COLLATE "C" NOT NULL REFERENCES scan (sha256),
    PRIMARY KEY (message, annex)
);
CREATE INDEX message_scan_by_digest ON message_scan (sha256);

-- What is refused whoever asks: the error is one of constraints, so that the store says `Rejected`.
CREATE FUNCTION record_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % stay as they are', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER consent_is_kept BEFORE DELETE OR TRUNCATE ON consent
    FOR EACH STATEMENT EXECUTE FUNCTION record_stays();
CREATE TRIGGER disclosure_stays BEFORE DELETE OR UPDATE OR TRUNCATE ON disclosure
    FOR EACH STATEMENT EXECUTE FUNCTION record_stays();

-- The store never deletes these rows. Whoever does shows as a gap.
CREATE FUNCTION outbox_uncount() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE figure SET value = value - 1
    WHERE name = 'delivery.' || CASE WHEN old.state IN ('queued', 'sending') THEN 'owed' ELSE old.state END;
    RETURN NULL;
END $$;
CREATE TRIGGER outbox_uncounted AFTER DELETE ON outbox FOR EACH ROW EXECUTE FUNCTION outbox_uncount();
CREATE FUNCTION obligation_uncount() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE figure SET value = value - 1 WHERE name = 'obligations_open';
    RETURN NULL;
END $$;
CREATE TRIGGER obligation_uncounted AFTER DELETE ON obligation
    FOR EACH ROW WHEN (old.state = 'running') EXECUTE FUNCTION obligation_uncount();
