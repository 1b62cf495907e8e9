-- Migration 1, run by the owner of the schema.
DO $$ BEGIN
	IF to_regnamespace('wolkvox') IS NULL THEN
		CREATE SCHEMA wolkvox;
	END IF;
END $$;
CREATE TABLE wolkvox.migration (
	version    int PRIMARY KEY,
	applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE wolkvox.operation (
	name     text COLLATE "C" PRIMARY KEY,
	version  bigint NOT NULL,  -- rises with each save
	progress bytea NOT NULL,   -- how far the report is read, and counts of rows: in each save
	figures  bytea NOT NULL,   -- counts of label sets: in a save that changes one
	digest   bytea NOT NULL,   -- SHA-256 of the whole state
	saved_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
	toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 5000);
CREATE TABLE wolkvox.seen (    -- what is remembered of chats, in segments; of a chat in several, the last one counts
	operation text COLLATE "C" NOT NULL REFERENCES wolkvox.operation ON UPDATE CASCADE ON DELETE CASCADE,
	version   bigint NOT NULL,
	entries   bytea NOT NULL,  -- 22 bytes for each chat
	PRIMARY KEY (operation, version)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
	toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 5000);
-- Counts and hashes do not compress.
ALTER TABLE wolkvox.operation ALTER figures SET STORAGE EXTERNAL;
ALTER TABLE wolkvox.seen ALTER entries SET STORAGE EXTERNAL;
