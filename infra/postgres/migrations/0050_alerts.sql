-- What accounts ask to be told of, and what they were told. Whoever raises an alert has locked its account's row.

-- Up Migration

ALTER TABLE account
  ADD COLUMN alert_at bigint,
  ADD COLUMN alerts   bigint NOT NULL DEFAULT 0;

COMMENT ON COLUMN account.alert_at IS 'The position at which a level of the month''s credits is next reached; the largest bigint: at none, for now. Null: the account has no alerts.';
COMMENT ON COLUMN account.alerts IS 'The number of its records for billing.alerts, which is the sequence of the last one.';

CREATE TABLE alert_setting (
  account_id      text COLLATE "C" PRIMARY KEY,
  month_percents  integer[] NOT NULL,
  top_up_percents integer[] NOT NULL,
  runway_days     integer CHECK (runway_days > 0),
  top_ups         boolean NOT NULL,
  runway_low      boolean NOT NULL DEFAULT false,
  runways         bigint NOT NULL DEFAULT 0,
  look_at         timestamptz,
  set_by          text NOT NULL,
  set_at          timestamptz NOT NULL
) WITH (fillfactor = 70);

-- Finds accounts whose runway is to be looked at.
CREATE INDEX alert_setting_look ON alert_setting (look_at) WHERE look_at IS NOT NULL;

COMMENT ON TABLE alert_setting IS 'What an account asks to be told of; without a row: nothing.';
COMMENT ON COLUMN alert_setting.month_percents IS 'Of the month''s credits.';
COMMENT ON COLUMN alert_setting.top_up_percents IS 'Of what may be charged for top-ups in a month.';
COMMENT ON COLUMN alert_setting.runway_low IS 'The credits last for less than runway_days, and it was said.';
COMMENT ON COLUMN alert_setting.runways IS 'How often that was said.';

CREATE TABLE alert (
  account_id  text COLLATE "C" NOT NULL,
  sequence    bigint NOT NULL,
  kind        text COLLATE "C" NOT NULL,
  subject     text COLLATE "C" NOT NULL,
  window_name text COLLATE "C" NOT NULL,
  level       integer NOT NULL,
  used        bigint,
  used_of     bigint,
  currency    text,
  cause       text NOT NULL,
  reason      text NOT NULL,
  occurred_at timestamptz NOT NULL,
  raised_at   timestamptz NOT NULL,
  PRIMARY KEY (account_id, sequence),
  UNIQUE (account_id, kind, subject, window_name, level)
);

-- Finds alerts to delete.
CREATE INDEX alert_age ON alert (raised_at);

COMMENT ON COLUMN alert.used_of IS 'What used is compared with.';
COMMENT ON TABLE alert IS 'What was raised: each level of a kind, subject and window once. Deleted by housekeeping.';

-- Down Migration

DROP TABLE alert, alert_setting;
ALTER TABLE account DROP COLUMN alerts, DROP COLUMN alert_at;
