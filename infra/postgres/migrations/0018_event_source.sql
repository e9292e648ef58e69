-- An event's identity is its account, its source and its event id.

-- Up Migration

-- Built before the migrations, without a lock (../build-indexes.ts). A key has at most 2,700 bytes: of a
-- long source it has the beginning and a digest.
CREATE UNIQUE INDEX IF NOT EXISTS usage_record_identity ON usage_record (
  event_id,
  account_id,
  (CASE
     WHEN length(source) <= 128 THEN source
     ELSE left(source, 128) || encode(sha256(decode(replace(source, '\', '\\'), 'escape')), 'hex')
   END) COLLATE "C"
);

ALTER TABLE usage_record DROP CONSTRAINT usage_record_pkey;

-- Null for the draws of earlier versions, whose accounts had one record for each event id.
ALTER TABLE draw ADD COLUMN sources text[] COLLATE "C";

COMMENT ON COLUMN draw.sources IS 'The source of each event in event_ids, or one for all of them.';

-- Down Migration

ALTER TABLE draw DROP COLUMN sources;
ALTER TABLE usage_record ADD PRIMARY KEY (event_id, account_id);
DROP INDEX usage_record_identity;
