-- A dead letter is open until its bytes are published again or it is dismissed. Meter and time are
-- columns, so that dead letters whose meter now has a price can be found.

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

COMMENT ON COLUMN dead_letter.meter IS 'The event''s meter, if it could be read.';
COMMENT ON COLUMN dead_letter.occurred_at IS 'The event''s time, if it could be read and Postgres can store it.';
COMMENT ON COLUMN dead_letter.retry_asked_at IS 'When a retry was requested, by a person or the scheduler.';
COMMENT ON COLUMN dead_letter.retried_at IS 'When Kafka acknowledged the retry; a later request publishes it again.';
COMMENT ON COLUMN dead_letter.retry_refused IS 'Why Kafka refuses the retry; it stays open until a person requests another.';

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
