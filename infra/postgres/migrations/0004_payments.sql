-- Payments, payment methods and refunds. The outcome of a payment is written with its account's row
-- locked; claiming a payment for a call to the gateway needs no such lock.

-- Up Migration

CREATE TABLE payment_method (
  account_id text COLLATE "C" PRIMARY KEY,
  customer   text NOT NULL,
  method     text NOT NULL,
  set_by     text NOT NULL,
  set_at     timestamptz NOT NULL
);

COMMENT ON TABLE payment_method IS 'The gateway''s ids of an account''s payer and payment method; never a card number.';

CREATE TABLE auto_top_up (
  account_id      text COLLATE "C" PRIMARY KEY,
  enabled         boolean NOT NULL,
  amount          bigint CHECK (amount > 0),
  limit_per_day   bigint CHECK (limit_per_day > 0),
  limit_per_month bigint CHECK (limit_per_month > 0),
  declines        integer NOT NULL,
  paused_until    timestamptz,
  stopped         text,
  look_at         timestamptz,
  told            bigint NOT NULL
) WITH (fillfactor = 70);

-- Finds accounts to re-check for a top-up.
CREATE INDEX auto_top_up_look ON auto_top_up (look_at) WHERE look_at IS NOT NULL;

COMMENT ON TABLE auto_top_up IS 'An account''s auto top-up settings (null: the default) and state; without a row, all defaults.';
COMMENT ON COLUMN auto_top_up.stopped IS 'Why it charges nothing until the customer acts; null: it is not stopped.';
COMMENT ON COLUMN auto_top_up.told IS 'The number of records published on billing.top-ups, which is the last one''s sequence.';

CREATE TABLE payment (
  account_id      text COLLATE "C" NOT NULL,
  payment_id      text COLLATE "C" NOT NULL,
  kind            text NOT NULL CHECK (kind IN ('top_up', 'fee')),
  status          text NOT NULL CHECK (status IN ('pending', 'retrying', 'succeeded', 'failed')),
  amount          bigint NOT NULL CHECK (amount > 0),
  currency        text COLLATE "C" NOT NULL,
  credits         bigint CHECK (credits > 0),
  life            text CHECK (life IN ('usual', 'months', 'never')),
  life_months     integer CHECK (life_months > 0),
  subscription    integer,
  period          integer,
  periods         integer CHECK (periods > 0),
  plan_id         text COLLATE "C",
  attempt         integer NOT NULL,
  calls           integer NOT NULL,
  next_try_at     timestamptz,
  customer        text,
  method          text,
  gateway         text,
  gateway_payment text,
  reason          text NOT NULL,
  created_at      timestamptz NOT NULL,
  attempted_at    timestamptz NOT NULL,
  settled_at      timestamptz,
  PRIMARY KEY (account_id, payment_id),
  CHECK ((kind = 'top_up') = (num_nulls(credits, life) = 0)),
  CHECK ((life IS NOT DISTINCT FROM 'months') = (life_months IS NOT NULL)),
  CHECK ((kind = 'fee') = (num_nulls(subscription, period, periods, plan_id) = 0)),
  CHECK (kind = 'fee' OR status <> 'retrying')
) WITH (fillfactor = 70);

-- Allows one pending top-up per account.
CREATE UNIQUE INDEX top_up_in_flight ON payment (account_id)
  WHERE kind = 'top_up' AND status = 'pending';

-- Finds payments to charge.
CREATE INDEX payment_next_try ON payment (next_try_at) WHERE next_try_at IS NOT NULL;

-- Finds long-pending payments.
CREATE INDEX payment_unknown ON payment (attempted_at) WHERE status = 'pending' AND calls > 0;

COMMENT ON TABLE payment IS 'Money charged for credits (top_up) or for periods of a subscription (fee), in the currency''s minor unit.';
COMMENT ON COLUMN payment.attempt IS 'Counts from 1; each attempt has its own key at the gateway. A top-up has one attempt.';
COMMENT ON COLUMN payment.calls IS 'How often the gateway was called for this attempt; above 0 its outcome may be unknown.';
COMMENT ON COLUMN payment.customer IS 'The gateway''s id of the payer, fixed with the method at the attempt''s first call, so that repeats are identical.';
COMMENT ON COLUMN payment.next_try_at IS 'When to charge it or to ask the gateway about it; null: never.';

CREATE TABLE refund (
  account_id text COLLATE "C" NOT NULL,
  refund_id  text COLLATE "C" NOT NULL,
  payment_id text COLLATE "C" NOT NULL,
  kind       text NOT NULL CHECK (kind IN ('refund', 'chargeback')),
  status     text NOT NULL CHECK (status IN ('pending', 'posted', 'refused')),
  amount     bigint NOT NULL CHECK (amount > 0),
  withdrawn  bigint NOT NULL,
  owed       bigint NOT NULL,
  reason     text NOT NULL,
  asked_by   text NOT NULL,
  created_at timestamptz NOT NULL,
  posted_at  timestamptz,
  PRIMARY KEY (account_id, payment_id, refund_id)
);

COMMENT ON TABLE refund IS 'Money refunded or charged back: unspent credits of its lot are withdrawn, spent ones are owed.';

ALTER TABLE schedule
  ADD COLUMN currency   text COLLATE "C",
  ADD COLUMN paid_price bigint,
  ADD COLUMN withheld   integer[];

UPDATE schedule
SET currency = account.currency,
    paid_price = coalesce((
      SELECT CASE schedule.interval WHEN 'year' THEN yearly ELSE monthly END
      FROM plan_price
      WHERE plan_price.plan_id = schedule.plan_id
        AND plan_price.currency = account.currency
        AND valid_from <= now()
      ORDER BY valid_from DESC
      LIMIT 1), 0)
FROM account
WHERE account.account_id = schedule.account_id AND schedule.plan_id IS NOT NULL;

ALTER TABLE schedule
  ADD CHECK (num_nulls(plan_id, currency, paid_price) IN (0, 3)),
  ADD CHECK (plan_id IS NOT NULL OR withheld IS NULL);

COMMENT ON COLUMN schedule.paid_price IS 'The price, of a month or a year, of the periods up to paid_until.';
COMMENT ON COLUMN schedule.withheld IS 'While suspended: the periods that began without credits; null: not suspended.';

-- Down Migration

ALTER TABLE schedule DROP COLUMN withheld, DROP COLUMN paid_price, DROP COLUMN currency;
DROP TABLE refund, payment, auto_top_up, payment_method;
