-- What was given up is looked for by people: few rows among millions.
CREATE INDEX outbox_undeliverable ON outbox (seq) WHERE state = 'undeliverable';
