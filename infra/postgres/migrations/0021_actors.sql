-- Who posted an entry, set a price, bought a top-up or requested a retry.

-- Up Migration

ALTER TABLE entry ADD COLUMN posted_by text;
ALTER TABLE rate ADD COLUMN set_by text;
ALTER TABLE plan ADD COLUMN set_by text;
ALTER TABLE add_on ADD COLUMN set_by text;
ALTER TABLE credit_price ADD COLUMN set_by text;
ALTER TABLE payment ADD COLUMN requested_by text;
ALTER TABLE dead_letter ADD COLUMN retry_asked_by text;

COMMENT ON COLUMN entry.posted_by IS 'Who requested it: an API key, a dashboard token''s account or a user of the command line; null: Drawdown itself, or a version before this column.';
COMMENT ON COLUMN rate.set_by IS 'Who set it; null: a version before this column.';
COMMENT ON COLUMN payment.requested_by IS 'Who requested it; null: a low balance, a subscription, or a version before this column.';
COMMENT ON COLUMN dead_letter.retry_asked_by IS 'Who requested the last retry; null: the scheduler, or a version before this column.';

-- Down Migration

ALTER TABLE dead_letter DROP COLUMN retry_asked_by;
ALTER TABLE payment DROP COLUMN requested_by;
ALTER TABLE credit_price DROP COLUMN set_by;
ALTER TABLE add_on DROP COLUMN set_by;
ALTER TABLE plan DROP COLUMN set_by;
ALTER TABLE rate DROP COLUMN set_by;
ALTER TABLE entry DROP COLUMN posted_by;
