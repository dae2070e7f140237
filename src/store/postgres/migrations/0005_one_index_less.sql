-- Of what is being sent by recipient and exchange: claims ask by exchange now, and every letter went in and out of it.
DROP INDEX outbox_leased;
