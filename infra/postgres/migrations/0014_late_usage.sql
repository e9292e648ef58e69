-- Late usage gets back what it needs of an expiry. expired_until says without reading lots whether an
-- event may be late; given_back is the part of a record's credits that did not draw on the line.

-- Up Migration

ALTER TABLE account ADD COLUMN expired_until timestamptz;
ALTER TABLE usage_record ADD COLUMN given_back bigint;

COMMENT ON COLUMN account.expired_until IS 'The end of the last lot whose expiry was posted; null: none.';
COMMENT ON COLUMN usage_record.given_back IS 'Micro-credits that expired lots paid; null: none. The record draws credits - given_back from start_position on.';

-- Down Migration

ALTER TABLE usage_record DROP COLUMN given_back;
ALTER TABLE account DROP COLUMN expired_until;
