-- Deliveries that came several times without an answer: how often their handling was begun and did not end. What breaks
-- a gateway leaves its row, and is kept apart after a few times.
CREATE TABLE handling (
    delivery bytea PRIMARY KEY CHECK (length(delivery) = 32),
    begun    bigint NOT NULL CHECK (begun > 0),
    begun_at timestamptz NOT NULL
);
