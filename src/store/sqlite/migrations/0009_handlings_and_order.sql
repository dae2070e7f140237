-- Deliveries that came several times without an answer: how often their handling was begun and did not end. What breaks
-- the gateway leaves its row, and is kept apart after a few times.
CREATE TABLE handling (
    delivery BLOB PRIMARY KEY CHECK (length(delivery) = 32),
    begun    INTEGER NOT NULL CHECK (begun > 0),
    begun_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Of what is due at one instant, obligations of one exchange stand together: they are loaded and written together.
DROP INDEX rung_by_time;
CREATE INDEX rung_by_time ON rung (planned_at, obligation) WHERE state = 'planned';
