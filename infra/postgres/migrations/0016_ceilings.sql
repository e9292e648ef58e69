-- The seller's ceilings of top-ups, and auto top-up that outlives a subscription.

-- Up Migration

ALTER TABLE charge_limit
  ADD COLUMN most_amount    bigint CHECK (most_amount > 0),
  ADD COLUMN most_per_day   bigint CHECK (most_per_day > 0),
  ADD COLUMN most_per_month bigint CHECK (most_per_month > 0);

COMMENT ON TABLE charge_limit IS 'What may be charged in a currency, in its minor unit: at least the payment gateway''s minimum (a currency without a row: 1), at most the seller''s ceilings.';
COMMENT ON COLUMN charge_limit.most_amount IS 'The default ceiling of one top-up, with those of a day and a month beside it; null: the usual ones.';

ALTER TABLE auto_top_up
  ADD COLUMN keep_after_subscription boolean NOT NULL DEFAULT false,
  ADD COLUMN most_amount             bigint CHECK (most_amount > 0),
  ADD COLUMN most_per_day            bigint CHECK (most_per_day > 0),
  ADD COLUMN most_per_month          bigint CHECK (most_per_month > 0);

COMMENT ON COLUMN auto_top_up.keep_after_subscription IS 'It goes on when the subscription ends.';
COMMENT ON COLUMN auto_top_up.most_amount IS 'The account''s own ceiling of one top-up, with those of a day and a month beside it; null: the currency''s default.';

-- Down Migration

ALTER TABLE auto_top_up
  DROP COLUMN most_per_month,
  DROP COLUMN most_per_day,
  DROP COLUMN most_amount,
  DROP COLUMN keep_after_subscription;
ALTER TABLE charge_limit
  DROP COLUMN most_per_month,
  DROP COLUMN most_per_day,
  DROP COLUMN most_amount;
COMMENT ON TABLE charge_limit IS 'The minimum that the payment gateway charges in a currency, in its minor unit; a currency without a row: 1.';
