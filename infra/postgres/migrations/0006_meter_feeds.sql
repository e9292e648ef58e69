-- The feed of a meter, if it is not the events named like it. It is a part of the price's version, so an
-- event becomes the same usage whenever it is sent.

-- Up Migration

ALTER TABLE rate
  ADD COLUMN fed_by text COLLATE "C",
  ADD COLUMN value_path text,
  ADD COLUMN dimension_paths jsonb,
  ADD CHECK ((fed_by IS NOT NULL) = (dimension_paths IS NOT NULL)),
  ADD CHECK (fed_by IS NOT NULL OR value_path IS NULL);

COMMENT ON COLUMN rate.fed_by IS 'The type of the events that feed the meter from then on; null: those named like it.';
COMMENT ON COLUMN rate.value_path IS 'The path of the quantity in the event''s data ($.tokens); null: each event counts 1.';
COMMENT ON COLUMN rate.dimension_paths IS 'The path of each dimension in the event''s data.';

-- Down Migration

ALTER TABLE rate DROP COLUMN fed_by, DROP COLUMN value_path, DROP COLUMN dimension_paths;
