-- A charge that the books lack comes back by itself only if nobody can have decided about it: not those that were
-- found before, or by a version before.

-- Up Migration

ALTER TABLE unmatched_charge ADD COLUMN restorable boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN unmatched_charge.restorable IS 'Whether its top-up comes back by itself; false: people decide.';

-- Down Migration

ALTER TABLE unmatched_charge DROP COLUMN restorable;
