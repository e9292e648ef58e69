-- The history of an account's settings: threshold, time zone, auto top-up.

-- Up Migration

CREATE TABLE setting_change (
  account_id text COLLATE "C" NOT NULL,
  sequence   integer NOT NULL,
  changed_at timestamptz NOT NULL,
  changed_by text NOT NULL,
  detail     jsonb NOT NULL,
  PRIMARY KEY (account_id, sequence)
);

COMMENT ON TABLE setting_change IS 'All settings of an account from an instant on; the first row is from the account''s creation, or this table''s.';

INSERT INTO setting_change
SELECT account_id, 1, now(), 'migration',
       jsonb_build_object(
         'time_zone', time_zone,
         'threshold', threshold::text,
         'auto_top_up', jsonb_build_object(
           'enabled', coalesce(enabled, true),
           'amount', amount::text,
           'limit_per_day', limit_per_day::text,
           'limit_per_month', limit_per_month::text))
FROM account LEFT JOIN auto_top_up USING (account_id);

-- Down Migration

DROP TABLE setting_change;
