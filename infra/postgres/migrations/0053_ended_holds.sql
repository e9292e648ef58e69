-- Lists an account's ended holds, the last one first.

-- Up Migration

CREATE INDEX IF NOT EXISTS hold_ended ON hold (account_id, ended_at, hold_id) WHERE ended_at IS NOT NULL;

-- Down Migration

DROP INDEX hold_ended;
