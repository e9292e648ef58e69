-- Messages that are too large to keep, and records that Kafka refuses.

-- Up Migration

ALTER TABLE dead_letter
  ADD COLUMN payload_size integer,
  ADD COLUMN payload_sha256 bytea,
  ADD COLUMN publish_refused text,
  ADD CHECK (num_nulls(payload_size, payload_sha256) IN (0, 2)),
  ADD CHECK (retry_asked_at IS NULL OR payload_size IS NULL);

COMMENT ON COLUMN dead_letter.payload_size IS 'The bytes of the whole value, if payload is only its beginning.';
COMMENT ON COLUMN dead_letter.payload_sha256 IS 'Of the whole value, if payload is only its beginning.';
COMMENT ON COLUMN dead_letter.publish_refused IS 'Why Kafka refuses the dead letter on usage.dead-letters.';

ALTER TABLE outbox ADD COLUMN refused text;

COMMENT ON COLUMN outbox.refused IS 'Why Kafka or the topic''s schema refuses the record; the records after it are published.';

CREATE INDEX dead_letter_publish_refused ON dead_letter (topic) WHERE publish_refused IS NOT NULL;
CREATE INDEX outbox_refused ON outbox (topic) WHERE refused IS NOT NULL;

-- Down Migration

DROP INDEX outbox_refused, dead_letter_publish_refused;
ALTER TABLE outbox DROP COLUMN refused;

ALTER TABLE dead_letter
  DROP COLUMN payload_size,
  DROP COLUMN payload_sha256,
  DROP COLUMN publish_refused;
