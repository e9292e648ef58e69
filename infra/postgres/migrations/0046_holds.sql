-- Credits set aside for usage to come. What changes a hold has locked its account's row, and changes the sum of
-- open holds there by as much. Neither moves the line, so neither raises the version that debits compare.

-- Up Migration

ALTER TABLE account
  ADD COLUMN held         bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
  ADD COLUMN hold_changes bigint NOT NULL DEFAULT 0;

COMMENT ON COLUMN account.held IS 'The sum of what its open holds set aside, in micro-credits.';
COMMENT ON COLUMN account.hold_changes IS 'The number of its records for billing.holds, which is the sequence of the last one.';

CREATE TABLE hold (
  account_id   text COLLATE "C" NOT NULL,
  hold_id      text COLLATE "C" NOT NULL,
  request      bytea NOT NULL CHECK (octet_length(request) = 32),
  asked        bigint NOT NULL CHECK (asked > 0),
  credits      bigint NOT NULL CHECK (credits > 0 AND credits <= asked),
  used         bigint NOT NULL DEFAULT 0 CHECK (used >= 0),
  captured     bigint CHECK (captured BETWEEN 0 AND credits),
  status       text NOT NULL CHECK (status IN ('open', 'captured', 'released', 'expired')),
  requested_by text NOT NULL,
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  ended_at     timestamptz,
  PRIMARY KEY (account_id, hold_id),
  CHECK ((status = 'captured') = (captured IS NOT NULL)),
  CHECK (status = 'captured' OR (status = 'open') = (ended_at IS NULL))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- Finds an account's open holds, and those of them whose time is over.
CREATE INDEX hold_open ON hold (account_id, expires_at, hold_id) WHERE ended_at IS NULL;

-- Finds holds whose time is over, of all accounts.
CREATE INDEX hold_expiry ON hold (expires_at) WHERE ended_at IS NULL;

-- Finds holds to delete.
CREATE INDEX hold_end ON hold (ended_at) WHERE ended_at IS NOT NULL;

COMMENT ON TABLE hold IS 'Credits set aside for usage to come. Until it has ended, a hold sets aside what was given, or captured, less what usage has used of it.';
COMMENT ON COLUMN hold.request IS 'The SHA-256 of what was asked for: asked again, it is the same hold.';
COMMENT ON COLUMN hold.asked IS 'In micro-credits; credits is less where a part was given.';
COMMENT ON COLUMN hold.used IS 'By usage that named it, in micro-credits.';
COMMENT ON COLUMN hold.captured IS 'The final amount; null: it is not captured.';
COMMENT ON COLUMN hold.ended_at IS 'Since when it sets nothing aside; null: it still does.';

-- Down Migration

DROP TABLE hold;
ALTER TABLE account DROP COLUMN hold_changes, DROP COLUMN held;
