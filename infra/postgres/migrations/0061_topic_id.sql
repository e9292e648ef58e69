-- Which topic offsets are of: one that is made anew has the same name, and other messages at the same offsets.

-- Up Migration

ALTER TABLE consumer_offset ADD COLUMN topic_id uuid;

COMMENT ON COLUMN consumer_offset.topic_id IS 'Kafka''s id of the topic; null: not seen yet, or the consumer does not need it.';

-- Down Migration

ALTER TABLE consumer_offset DROP COLUMN topic_id;
