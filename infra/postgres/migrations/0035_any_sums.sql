-- The credits of one account fit into 64 bits, but not those of several together. Another type rewrites a
-- table under an exclusive lock, which takes no time here: one row for each partition, one for each night.

-- Up Migration

ALTER TABLE usage_past_partition ALTER COLUMN credits TYPE numeric;
ALTER TABLE reconciliation ALTER COLUMN credits TYPE numeric;

-- It sums by account, which is stored as bigint, and by partition. Replaced, it keeps its rights.
DO $$
BEGIN
  EXECUTE regexp_replace(
    pg_get_functiondef('drop_usage_month(timestamptz)'::regprocedure),
    'sum\((credits|given_back)\)::bigint AS', 'sum(\1) AS', 'g');
END
$$;

-- Down Migration

DO $$
BEGIN
  EXECUTE regexp_replace(
    pg_get_functiondef('drop_usage_month(timestamptz)'::regprocedure),
    'sum\((credits|given_back)\) AS', 'sum(\1)::bigint AS', 'g');
END
$$;

ALTER TABLE reconciliation ALTER COLUMN credits TYPE bigint;
ALTER TABLE usage_past_partition ALTER COLUMN credits TYPE bigint;
