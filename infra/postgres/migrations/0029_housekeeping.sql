-- What the scheduler deletes because it is past its retention. While the index is built, no dead letter
-- can be written.

-- Up Migration

CREATE TABLE housekeeping (
  table_name text COLLATE "C" PRIMARY KEY,
  kept_for   text NOT NULL,
  ran_at     timestamptz NOT NULL,
  deleted    bigint NOT NULL,
  finished   boolean NOT NULL
);

COMMENT ON TABLE housekeeping IS 'The last run of the scheduler''s housekeeping, by table: how long its rows are kept, and how many were deleted; finished false: the run ended before all that was due was deleted.';

-- Finds the dead letters that were decided about, oldest decision first.
CREATE INDEX dead_letter_decided ON dead_letter ((coalesce(retried_at, dismissed_at)))
  WHERE coalesce(retried_at, dismissed_at) IS NOT NULL;

-- Down Migration

DROP INDEX dead_letter_decided;
DROP TABLE housekeeping;
