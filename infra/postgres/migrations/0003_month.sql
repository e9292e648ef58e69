-- The month: what accounts are subscribed to, what falls due on them, and who changed what.

-- Up Migration

-- The index finds accounts to settle; metering changes settle_at only when it settles.
ALTER TABLE account ADD COLUMN settle_at timestamptz;

CREATE INDEX account_settle ON account (settle_at, account_id) WHERE settle_at IS NOT NULL;

COMMENT ON COLUMN account.settle_at IS 'When the clock makes something due: a turn of the month, or an entry that waits for usage and its grace.';

CREATE TABLE schedule (
  account_id     text COLLATE "C" PRIMARY KEY,
  subscriptions  integer NOT NULL,
  changes        integer NOT NULL,
  plan_id        text COLLATE "C",
  interval       text CHECK (interval IN ('month', 'year')),
  renewal        text CHECK (renewal IN ('first_of_month', 'day_of_month')),
  anchor_date    date,
  subscribed_at  timestamptz,
  period         integer,
  next_period_at timestamptz,
  period_credits bigint,
  paid_until     integer,
  next_plan_id   text COLLATE "C",
  next_interval  text CHECK (next_interval IN ('month', 'year')),
  cancelled      boolean NOT NULL,
  add_ons        jsonb NOT NULL,
  due_charges    jsonb NOT NULL,
  CHECK (num_nulls(plan_id, interval, renewal, anchor_date, subscribed_at, period, next_period_at,
                   period_credits, paid_until) IN (0, 9))
) WITH (fillfactor = 70);

COMMENT ON TABLE schedule IS 'What falls due on an account month by month: its subscription (null plan_id: none), add-ons, and charges that wait for usage.';

CREATE TABLE subscription_change (
  account_id text COLLATE "C" NOT NULL,
  sequence   integer NOT NULL,
  kind       text NOT NULL,
  changed_by text NOT NULL,
  changed_at timestamptz NOT NULL,
  detail     jsonb NOT NULL,
  PRIMARY KEY (account_id, sequence)
);

COMMENT ON TABLE subscription_change IS 'The history of an account''s subscription: who changed what, and when.';

-- Prevents charging a unit of an add-on twice in a period, and expiring a lot twice. The key of lots
-- already prevents granting a month twice.
CREATE UNIQUE INDEX entry_once ON entry (account_id, reference)
  WHERE kind IN ('add_on_charge', 'expiry');

ALTER TABLE lot ADD COLUMN noticed_at timestamptz;

CREATE INDEX lot_unnoticed ON lot (expires_at, account_id)
  WHERE noticed_at IS NULL AND expires_at IS NOT NULL;

COMMENT ON COLUMN lot.noticed_at IS 'When its expiry notice was published, or skipped because nothing was left.';

CREATE TABLE usage_complete (
  consumer text NOT NULL,
  topic    text NOT NULL,
  until    timestamptz NOT NULL,
  PRIMARY KEY (consumer, topic)
);

COMMENT ON TABLE usage_complete IS 'The latest instant up to which all usage in the topic is known to be metered.';

-- Down Migration

DROP TABLE usage_complete;
DROP INDEX lot_unnoticed, entry_once;
ALTER TABLE lot DROP COLUMN noticed_at;
DROP TABLE subscription_change, schedule;
DROP INDEX account_settle;
ALTER TABLE account DROP COLUMN settle_at;
