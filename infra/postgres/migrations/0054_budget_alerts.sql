-- What accounts are told of their budgets. A level is raised once in a window for each amount that the budget has:
-- one that was raised is armed anew.

-- Up Migration

ALTER TABLE alert_setting ADD COLUMN budget_percents integer[] NOT NULL DEFAULT '{50, 80, 100}';

COMMENT ON COLUMN alert_setting.budget_percents IS 'Of what a value of a dimension may spend in a window.';

ALTER TABLE alert DROP CONSTRAINT alert_account_id_kind_subject_window_name_level_key;

CREATE UNIQUE INDEX alert_once ON alert (
  account_id, kind, subject, window_name, level, (CASE kind WHEN 'budget' THEN used_of ELSE 0 END)
);

COMMENT ON TABLE alert IS 'What was raised: each level of a kind, subject and window once, and of a budget once for each amount of it. Deleted by housekeeping.';

-- Down Migration

DELETE FROM alert WHERE kind = 'budget';
DROP INDEX alert_once;
ALTER TABLE alert ADD UNIQUE (account_id, kind, subject, window_name, level);
COMMENT ON TABLE alert IS 'What was raised: each level of a kind, subject and window once. Deleted by housekeeping.';
ALTER TABLE alert_setting DROP COLUMN budget_percents;
