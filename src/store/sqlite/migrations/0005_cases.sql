-- Cases as their centres keep them: facts in `record`, what follows from them in the columns that lists search.
CREATE TABLE support_case (
    n         INTEGER PRIMARY KEY,
    centre    TEXT NOT NULL,
    number    TEXT NOT NULL CHECK (length(number) BETWEEN 1 AND 64),
    standing  TEXT NOT NULL CHECK (standing = 'named' OR standing = 'open' OR standing = 'closed'),
    opened_on TEXT CHECK (opened_on GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    closed_on TEXT CHECK (closed_on GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    track     TEXT CHECK (track = 'difficult_situation' OR track = 'dangerous_position'),
    level     TEXT CHECK (level = 'adaptation' OR level = 'basic' OR level = 'crisis' OR level = 'emergency'),
    stage     TEXT,
    record    TEXT NOT NULL,
    UNIQUE (number, centre),
    CHECK ((standing = 'closed') = (closed_on IS NOT NULL))
) STRICT;

-- The registry of consents (152-ФЗ ст. 9, 10.1). A consent is never deleted; it is withdrawn.
CREATE TABLE consent (
    support_case INTEGER NOT NULL REFERENCES support_case (n),
    no           INTEGER NOT NULL CHECK (no > 0),
    kind         TEXT NOT NULL CHECK (kind = 'processing' OR kind = 'dissemination' OR kind = 'medical_secrecy'),
    reference    TEXT NOT NULL,
    valid_from   TEXT NOT NULL CHECK (valid_from GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    valid_until  TEXT CHECK (valid_until >= valid_from),
    withdrawn_on TEXT CHECK (withdrawn_on GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    record       TEXT NOT NULL,
    PRIMARY KEY (support_case, no),
    UNIQUE (support_case, kind, reference)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER consent_is_kept BEFORE DELETE ON consent BEGIN SELECT RAISE(ABORT, 'a consent is kept'); END;

-- Who got what of a case: lines are only added.
CREATE TABLE disclosure (
    seq      INTEGER PRIMARY KEY,
    centre   TEXT NOT NULL,
    case_no  TEXT NOT NULL,
    at       INTEGER NOT NULL,
    kind     TEXT NOT NULL CHECK (kind = 'message' OR kind = 'evidence' OR kind = 'case_file' OR kind = 'message_read'
                                  OR kind = 'record_read'),
    what     TEXT NOT NULL,
    message  BLOB CHECK (length(message) = 16),
    exchange BLOB CHECK (length(exchange) = 16),
    by_whom  TEXT NOT NULL,
    to_whom  TEXT NOT NULL,
    ground   TEXT NOT NULL
) STRICT;
CREATE INDEX disclosure_by_case ON disclosure (centre, case_no, seq);
CREATE TRIGGER disclosure_stays BEFORE DELETE ON disclosure BEGIN SELECT RAISE(ABORT, 'a disclosure stays'); END;
CREATE TRIGGER disclosure_is_final BEFORE UPDATE ON disclosure BEGIN SELECT RAISE(ABORT, 'a disclosure is final'); END;

-- Bodies of a case: who exchanged messages about it stands in the journal of its centre.
CREATE INDEX journal_by_case ON journal (participant, case_no, date) WHERE case_no IS NOT NULL;
