-- Duties that no single request opens. `renews_at` is when the next period of a duty is to be opened: its own timer, so
-- that it comes though no rung is left. What is on record is looked at once and then says itself when that is.
ALTER TABLE obligation ADD COLUMN renews_at INTEGER;
UPDATE obligation SET renews_at = due_at WHERE json_extract(record, '$.recurs') IS NOT NULL;
CREATE INDEX obligation_renewing ON obligation (renews_at) WHERE renews_at IS NOT NULL;

-- The ends of cases as they were told: a message that begins a duty of the case and comes after its end finds it here.
CREATE TABLE case_ending (
    n       INTEGER PRIMARY KEY,
    case_no TEXT NOT NULL,
    record  TEXT NOT NULL CHECK (json_valid(record))
) STRICT;
CREATE INDEX case_ending_by_case ON case_ending (case_no);
