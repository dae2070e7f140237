-- (Since this one a migration may also take off what no query needs; the first says that it only adds.)
--
-- References that cost a look at another table for every row of every message, a quarter of the server's work. The numbers
-- that they hold are got in the transaction that writes them, from rows that it has read or written itself, and those
-- rows stay: that is what is guarded now, once for a statement. References of what is written seldom stay as they are.
ALTER TABLE message DROP CONSTRAINT message_exchange_fkey;
ALTER TABLE obligation DROP CONSTRAINT obligation_exchange_fkey;
ALTER TABLE rung DROP CONSTRAINT rung_obligation_fkey;
ALTER TABLE outbox DROP CONSTRAINT outbox_exchange_n_fkey;
ALTER TABLE event DROP CONSTRAINT event_exchange_n_fkey;
ALTER TABLE event DROP CONSTRAINT event_obligation_n_fkey;
CREATE TRIGGER exchange_stays BEFORE DELETE OR TRUNCATE ON exchange
    FOR EACH STATEMENT EXECUTE FUNCTION record_stays();
CREATE TRIGGER obligation_stays BEFORE DELETE OR TRUNCATE ON obligation
    FOR EACH STATEMENT EXECUTE FUNCTION record_stays();

-- Documents are packed by the quicker of the two ways that a server may have; what is there stays as it is.
DO $$
BEGIN
    ALTER TABLE message ALTER COLUMN content SET COMPRESSION lz4;
    ALTER TABLE message ALTER COLUMN outcome SET COMPRESSION lz4;
    ALTER TABLE exchange ALTER COLUMN root SET COMPRESSION lz4;
    ALTER TABLE exchange ALTER COLUMN parked SET COMPRESSION lz4;
    ALTER TABLE obligation ALTER COLUMN record SET COMPRESSION lz4;
    ALTER TABLE outbox ALTER COLUMN content SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported OR invalid_parameter_value THEN
    RAISE NOTICE 'this server packs by pglz only';
END $$;
