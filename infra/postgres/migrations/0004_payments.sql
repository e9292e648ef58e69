-- Money: what is charged, with what, and what went back. What a payment comes to is written only by
-- whoever holds its account's row; who is to call the gateway next is claimed without it.

-- Up Migration

CREATE TABLE payment_method (
  account_id text COLLATE "C" PRIMARY KEY,
  customer   text NOT NULL,
  method     text NOT NULL,
  set_by     text NOT NULL,
  set_at     timestamptz NOT NULL
);

COMMENT ON TABLE payment_method IS 'Who pays for an account and with what, by the payment gateway''s ids; never a card''s number.';

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

-- Whoever tops up finds accounts to look at again by this index.
CREATE INDEX auto_top_up_look ON auto_top_up (look_at) WHERE look_at IS NOT NULL;

COMMENT ON TABLE auto_top_up IS 'An account''s settings of auto top-up (null: the default) and where it stands; none: all of it as it is at first.';
COMMENT ON COLUMN auto_top_up.stopped IS 'Why it charges nothing until the customer acts; null: it is not stopped.';
COMMENT ON COLUMN auto_top_up.told IS 'How many records of billing.top-ups there were; the last one''s sequence.';

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

-- One top-up in flight for each account, whoever asks for another.
CREATE UNIQUE INDEX top_up_in_flight ON payment (account_id)
  WHERE kind = 'top_up' AND status = 'pending';

-- Whoever charges finds what is to be done by this index.
CREATE INDEX payment_next_try ON payment (next_try_at) WHERE next_try_at IS NOT NULL;

-- Whoever watches finds what the gateway was called for and is pending for long by this index.
CREATE INDEX payment_unknown ON payment (attempted_at) WHERE status = 'pending' AND calls > 0;

COMMENT ON TABLE payment IS 'Money charged for credits (top_up) or for periods of a subscription (fee), in the currency''s minor unit.';
COMMENT ON COLUMN payment.attempt IS 'Counts from 1; each attempt has a key of its own at the gateway. A top-up has one.';
COMMENT ON COLUMN payment.calls IS 'How often the gateway was called for this attempt; above 0 its outcome may be unknown.';
COMMENT ON COLUMN payment.customer IS 'Who pays, and with which method, by the gateway''s ids: as of the attempt''s first call, so that each repeat says the same.';
COMMENT ON COLUMN payment.next_try_at IS 'When to charge it, or to ask the gateway about it; null: nothing is to be done.';

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

COMMENT ON TABLE refund IS 'Money that went back: unspent credits of its lot are withdrawn, spent ones are owed.';

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

COMMENT ON COLUMN schedule.paid_price IS 'The price, of a month or a year, that the periods up to paid_until are charged at.';
COMMENT ON COLUMN schedule.withheld IS 'While a fee is given up: the periods that began without credits; null: none is given up.';

-- Down Migration

ALTER TABLE schedule DROP COLUMN withheld, DROP COLUMN paid_price, DROP COLUMN currency;
DROP TABLE refund, payment, auto_top_up, payment_method;
