-- A version of a meter may get more rates, which price only what it left without a price. Whoever keeps rates in
-- memory notices it by their number and by completions, and dead letters from before are tried again.

-- Up Migration

ALTER TABLE rate
  ADD COLUMN completions integer NOT NULL DEFAULT 0,
  ADD COLUMN completed_at timestamptz,
  ADD CHECK ((completions = 0) = (completed_at IS NULL));

COMMENT ON COLUMN rate.completions IS 'How often rates were added to the version.';
COMMENT ON COLUMN rate.completed_at IS 'When that was the last time.';

ALTER TABLE rate_by_dimensions ADD COLUMN set_by text;

COMMENT ON COLUMN rate_by_dimensions.set_by IS 'Who added it to its version; null: it was set with it, or by nobody who is known.';

-- Down Migration

ALTER TABLE rate_by_dimensions DROP COLUMN set_by;
ALTER TABLE rate DROP COLUMN completed_at, DROP COLUMN completions;
