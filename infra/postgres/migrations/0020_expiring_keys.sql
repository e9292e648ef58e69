-- Keys that expire or open some accounts only; who revoked a key or a token.

-- Up Migration

ALTER TABLE api_key
  ADD COLUMN expires_at  timestamptz,
  ADD COLUMN account_ids text[],
  ADD COLUMN revoked_by  text;

ALTER TABLE dashboard_token
  ADD COLUMN revoked_at timestamptz,
  ADD COLUMN revoked_by text;

COMMENT ON COLUMN api_key.expires_at IS 'The key opens nothing from this instant on; null: it does not expire.';
COMMENT ON COLUMN api_key.account_ids IS 'The only accounts that it opens; null: all of them.';

-- Down Migration

-- The version before would open all accounts to these, and for ever.
UPDATE api_key SET revoked_at = coalesce(revoked_at, now()) WHERE expires_at IS NOT NULL OR account_ids IS NOT NULL;
DELETE FROM dashboard_token WHERE revoked_at IS NOT NULL;
ALTER TABLE dashboard_token DROP COLUMN revoked_at, DROP COLUMN revoked_by;
ALTER TABLE api_key DROP COLUMN expires_at, DROP COLUMN account_ids, DROP COLUMN revoked_by;
