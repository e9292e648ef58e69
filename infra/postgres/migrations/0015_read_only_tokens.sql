-- Dashboard tokens that only show an account.

-- Up Migration

ALTER TABLE dashboard_token ADD COLUMN read_only boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN dashboard_token.read_only IS 'It may read its account and change nothing.';

-- Down Migration

-- The version before would let these change their account.
DELETE FROM dashboard_token WHERE read_only;
ALTER TABLE dashboard_token DROP COLUMN read_only;
