-- What feeds a meter, when it is other events than those named like it: said with its price, so that
-- versions are only ever added and an event comes to the same usage whenever it is sent.

-- Up Migration

ALTER TABLE rate
  ADD COLUMN fed_by text COLLATE "C",
  ADD COLUMN value_path text,
  ADD COLUMN dimension_paths jsonb,
  ADD CHECK ((fed_by IS NOT NULL) = (dimension_paths IS NOT NULL)),
  ADD CHECK (fed_by IS NOT NULL OR value_path IS NULL);

COMMENT ON COLUMN rate.fed_by IS 'The type of the events that feed the meter from then on; null: those named like it.';
COMMENT ON COLUMN rate.value_path IS 'Where in the event''s data the quantity stands ($.tokens); null: each event counts 1.';
COMMENT ON COLUMN rate.dimension_paths IS 'By dimension, where in the event''s data it stands.';

-- Down Migration

ALTER TABLE rate DROP COLUMN fed_by, DROP COLUMN value_path, DROP COLUMN dimension_paths;
