-- What a plan says of its first month, accounts that are invoiced elsewhere, and credits that wait for
-- the payment of a fee. Existing subscriptions go on as they are.

-- Up Migration

ALTER TABLE plan
  ADD COLUMN first_credits text NOT NULL DEFAULT 'when_paid'
    CHECK (first_credits IN ('when_paid', 'immediately')),
  ADD COLUMN first_month text NOT NULL DEFAULT 'whole' CHECK (first_month IN ('whole', 'by_days'));

COMMENT ON COLUMN plan.first_credits IS 'When the credits of the first month, and the difference to a larger plan, come if there is a fee for them.';
COMMENT ON COLUMN plan.first_month IS 'What the first part of a month costs and brings: a whole month''s, or its days'' share.';

ALTER TABLE schedule
  ADD COLUMN first_days    integer,
  ADD COLUMN first_of_days integer;

COMMENT ON COLUMN schedule.first_days IS 'The days of period 0 that are charged, of first_of_days; null: the whole month.';

CREATE TABLE invoiced_elsewhere (
  account_id text COLLATE "C" PRIMARY KEY,
  set_by     text NOT NULL,
  set_at     timestamptz NOT NULL
);

COMMENT ON TABLE invoiced_elsewhere IS 'Accounts whose plan fees the seller collects by an invoice of its own; nothing is charged for them here.';

ALTER TABLE payment ADD COLUMN brings jsonb;

COMMENT ON COLUMN payment.brings IS 'Of a fee: the lot that its payment brings (lotId, credits, life); null: none waits for it.';

-- Wider than the check before, so no row needs to be read.
ALTER TABLE payment DROP CONSTRAINT payment_status_check;
ALTER TABLE payment ADD CONSTRAINT payment_status_check
  CHECK (status IN ('pending', 'retrying', 'succeeded', 'failed', 'invoiced')) NOT VALID;

-- Down Migration

UPDATE payment SET status = 'succeeded' WHERE status = 'invoiced';
ALTER TABLE payment DROP CONSTRAINT payment_status_check;
ALTER TABLE payment ADD CONSTRAINT payment_status_check
  CHECK (status IN ('pending', 'retrying', 'succeeded', 'failed'));
ALTER TABLE payment DROP COLUMN brings;
DROP TABLE invoiced_elsewhere;
ALTER TABLE schedule DROP COLUMN first_of_days, DROP COLUMN first_days;
ALTER TABLE plan DROP COLUMN first_month, DROP COLUMN first_credits;
