-- Counters for metrics and the board, so that a scrape never counts rows: deliveries by state, open obligations,
-- quarantined things, conflicts. What was accepted is counted by the messages, what became of it by the deliveries, so
-- that a lost delivery shows as a gap between the two.

INSERT INTO figure (name, value)
    SELECT 'delivery.' || state, count(*) FROM outbox GROUP BY state;
INSERT OR IGNORE INTO figure (name, value) VALUES
    ('delivery.queued', 0), ('delivery.sending', 0), ('delivery.waiting_retry', 0), ('delivery.delivered', 0),
    ('delivery.registered', 0), ('delivery.rejected', 0), ('delivery.undeliverable', 0);
INSERT INTO figure (name, value) VALUES
    ('obligations_open', (SELECT count(*) FROM obligation WHERE state = 'running')),
    ('quarantined', (SELECT count(*) FROM quarantine)),
    ('conflicts', (SELECT count(*) FROM event WHERE kind = 'message.conflict')),
    -- What is owed: each message to each of its addressees, and beyond that what was forwarded, and the receipts.
    ('accepted_addressees',
        (SELECT count(*) FROM message m, json_each(m.recipients) r)
        + (SELECT count(*) FROM outbox o WHERE NOT EXISTS (
            SELECT 1 FROM message m, json_each(m.recipients) r WHERE m.id = o.message AND r.value = o.recipient)));

-- The store never deletes these rows. Whoever does shows as a gap.
CREATE TRIGGER outbox_uncounted AFTER DELETE ON outbox BEGIN
    UPDATE figure SET value = value - 1 WHERE name = 'delivery.' || old.state;
END;
CREATE TRIGGER obligation_uncounted AFTER DELETE ON obligation WHEN old.state = 'running' BEGIN
    UPDATE figure SET value = value - 1 WHERE name = 'obligations_open';
END;
