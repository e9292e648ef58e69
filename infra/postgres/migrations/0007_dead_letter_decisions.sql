-- What becomes of a dead letter: its bytes are published again, or it is dismissed; until then it is
-- open. Meter and time stand beside the account, so that what waits for a price is found by itself.

-- Up Migration

ALTER TABLE dead_letter
  ADD COLUMN meter text COLLATE "C",
  ADD COLUMN occurred_at timestamptz,
  ADD COLUMN retry_asked_at timestamptz,
  ADD COLUMN retried_at timestamptz,
  ADD COLUMN retry_refused text,
  ADD COLUMN dismissed_at timestamptz,
  ADD COLUMN dismissed_by text,
  ADD COLUMN dismissed_reason text,
  ADD CHECK (retry_asked_at IS NULL OR octet_length(payload) > 0),
  ADD CHECK (retried_at IS NULL OR retry_asked_at IS NOT NULL),
  ADD CHECK (retry_refused IS NULL OR retry_asked_at IS NULL),
  ADD CHECK (dismissed_at IS NULL OR retry_asked_at IS NULL),
  ADD CHECK (num_nulls(dismissed_at, dismissed_by, dismissed_reason) IN (0, 3));

COMMENT ON COLUMN dead_letter.meter IS 'The event''s, where it could be read.';
COMMENT ON COLUMN dead_letter.occurred_at IS 'The event''s, where it could be read and Postgres'' calendar has it.';
COMMENT ON COLUMN dead_letter.retry_asked_at IS 'Somebody, or the scheduler, wants it published again.';
COMMENT ON COLUMN dead_letter.retried_at IS 'Kafka has acknowledged it again; asked for once more, it is to be published once more.';
COMMENT ON COLUMN dead_letter.retry_refused IS 'Why Kafka does not take it again; it is open, and retried only when somebody asks.';

CREATE INDEX dead_letter_open ON dead_letter (recorded_at, topic, kafka_partition, kafka_offset)
  INCLUDE (reason)
  WHERE retried_at IS NULL AND dismissed_at IS NULL;

CREATE INDEX dead_letter_to_retry ON dead_letter (topic, kafka_partition, kafka_offset)
  WHERE retry_asked_at IS NOT NULL AND retried_at IS NULL;

CREATE INDEX dead_letter_without_account ON dead_letter (account_id)
  WHERE reason = 'unknown_account'
    AND retry_asked_at IS NULL AND retry_refused IS NULL AND dismissed_at IS NULL;

CREATE INDEX dead_letter_without_price ON dead_letter (meter, occurred_at)
  WHERE reason IN ('unknown_meter', 'no_price')
    AND retry_asked_at IS NULL AND retry_refused IS NULL AND dismissed_at IS NULL;

-- Down Migration

DROP INDEX dead_letter_open, dead_letter_to_retry, dead_letter_without_account, dead_letter_without_price;

ALTER TABLE dead_letter
  DROP COLUMN meter,
  DROP COLUMN occurred_at,
  DROP COLUMN retry_asked_at,
  DROP COLUMN retried_at,
  DROP COLUMN retry_refused,
  DROP COLUMN dismissed_at,
  DROP COLUMN dismissed_by,
  DROP COLUMN dismissed_reason;
