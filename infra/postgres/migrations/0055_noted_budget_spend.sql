-- What a transaction has spent of a window with several values is noted in one row: a row for each value would cost as
-- much as all else that metering does for an event. Notes go into the sums (budget_spend) once there are many.

-- Up Migration

CREATE TABLE budget_added (
  account_id  text COLLATE "C" NOT NULL,
  dimension   text COLLATE "C" NOT NULL,
  window_name text COLLATE "C" NOT NULL,
  starts_at   timestamptz NOT NULL,
  place       integer NOT NULL,
  ends_at     timestamptz,
  named       text[] NOT NULL,
  credits     bigint[] NOT NULL,
  PRIMARY KEY (account_id, dimension, window_name, starts_at, place)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX budget_added_end ON budget_added (ends_at) WHERE ends_at IS NOT NULL;

COMMENT ON TABLE budget_added IS 'What values have spent in a window besides budget_spend: a row for each transaction that noted several.';
COMMENT ON COLUMN budget_added.place IS 'How many values this row and those before it have.';
COMMENT ON COLUMN budget_added.named IS 'Values, each once.';
COMMENT ON COLUMN budget_added.credits IS 'Of each value, in micro-credits.';
COMMENT ON TABLE budget_spend IS 'What a value of a dimension has spent in a window, without what is noted in budget_added: the usage that occurred in [starts_at, ends_at).';

CREATE VIEW budget_spent AS
SELECT account_id, dimension, window_name, starts_at, value, ends_at, spent
FROM budget_spend
UNION ALL
SELECT account_id, dimension, window_name, starts_at, listed.value, ends_at, listed.spent
FROM budget_added
CROSS JOIN LATERAL unnest(named, credits) AS listed (value, spent);

COMMENT ON VIEW budget_spent IS 'What a value of a dimension has spent in a window is the sum of its rows.';

-- Replaced, it keeps its rights.
DO $$
DECLARE
  before text := pg_get_functiondef('keep_budget_spend(name)'::regprocedure);
  mark   text := E'    JOIN budget_spend AS spend\n'
    || E'      ON spend.account_id = used.account_id AND spend.dimension = counted.dimension\n'
    || E'      AND spend.window_name = counted.window_name AND spend.value = used.dimensions ->> counted.dimension\n'
    || E'      AND used.occurred_at >= starts_at AND (ends_at IS NULL OR used.occurred_at < ends_at)\n';
BEGIN
  IF position(mark IN before) = 0 THEN RAISE EXCEPTION 'keep_budget_spend has changed'; END IF;
  EXECUTE replace(before, mark,
       E'    CROSS JOIN LATERAL (\n'
    || E'      SELECT DISTINCT account_id, dimension, window_name, starts_at, value\n'
    || E'      FROM budget_spent\n'
    || E'      WHERE account_id = used.account_id AND dimension = counted.dimension\n'
    || E'        AND window_name = counted.window_name AND value = used.dimensions ->> counted.dimension\n'
    || E'        AND used.occurred_at >= starts_at AND (ends_at IS NULL OR used.occurred_at < ends_at)\n'
    || E'    ) AS spend\n');
END
$$;

-- Down Migration

INSERT INTO budget_spend AS spend (account_id, dimension, window_name, starts_at, value, ends_at, spent)
SELECT account_id, dimension, window_name, starts_at, listed.value, ends_at, sum(listed.credits)
FROM budget_added
CROSS JOIN LATERAL unnest(named, credits) AS listed (value, credits)
GROUP BY account_id, dimension, window_name, starts_at, listed.value, ends_at
ON CONFLICT (account_id, dimension, window_name, starts_at, value) DO UPDATE
SET spent = spend.spent + excluded.spent;

DO $$
BEGIN
  EXECUTE replace(
    pg_get_functiondef('keep_budget_spend(name)'::regprocedure),
       E'    CROSS JOIN LATERAL (\n'
    || E'      SELECT DISTINCT account_id, dimension, window_name, starts_at, value\n'
    || E'      FROM budget_spent\n'
    || E'      WHERE account_id = used.account_id AND dimension = counted.dimension\n'
    || E'        AND window_name = counted.window_name AND value = used.dimensions ->> counted.dimension\n'
    || E'        AND used.occurred_at >= starts_at AND (ends_at IS NULL OR used.occurred_at < ends_at)\n'
    || E'    ) AS spend\n',
       E'    JOIN budget_spend AS spend\n'
    || E'      ON spend.account_id = used.account_id AND spend.dimension = counted.dimension\n'
    || E'      AND spend.window_name = counted.window_name AND spend.value = used.dimensions ->> counted.dimension\n'
    || E'      AND used.occurred_at >= starts_at AND (ends_at IS NULL OR used.occurred_at < ends_at)\n');
END
$$;

DROP VIEW budget_spent;
DROP TABLE budget_added;
COMMENT ON TABLE budget_spend IS 'What a value of a dimension has spent in a window: the usage that occurred in [starts_at, ends_at).';
