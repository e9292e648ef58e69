-- Limits on what a value of a dimension (a team, a user, a key) may spend in a window, over one pool of credits.
-- Metering counts what is spent in its own transaction, and only of accounts that have budgets: their rows name
-- what is counted. Nothing is rewritten.

-- Up Migration

ALTER TABLE account ADD COLUMN budgets jsonb;

COMMENT ON COLUMN account.budgets IS 'What is counted for its budgets: a list of [dimension, window, from], usage that occurred before from (milliseconds since 1970) being left out. null: it has no budgets.';

CREATE TABLE budget (
  account_id  text COLLATE "C" NOT NULL,
  dimension   text COLLATE "C" NOT NULL,
  window_name text COLLATE "C" NOT NULL CHECK (window_name IN ('day', 'week', 'month', 'all')),
  value       text COLLATE "C" NOT NULL,
  credits     bigint NOT NULL CHECK (credits >= 0),
  set_by      text NOT NULL,
  set_at      timestamptz NOT NULL,
  PRIMARY KEY (account_id, dimension, window_name, value)
);

COMMENT ON TABLE budget IS 'The most that a value of a dimension may spend of an account''s credits in a window.';
COMMENT ON COLUMN budget.window_name IS 'day, week or month, in the account''s time zone; all: of all time.';
COMMENT ON COLUMN budget.value IS 'Empty: of every value that has no budget of its own.';
COMMENT ON COLUMN budget.credits IS 'In micro-credits; 0: nothing.';

CREATE TABLE budget_spend (
  account_id  text COLLATE "C" NOT NULL,
  dimension   text COLLATE "C" NOT NULL,
  window_name text COLLATE "C" NOT NULL,
  starts_at   timestamptz NOT NULL,
  value       text COLLATE "C" NOT NULL,
  ends_at     timestamptz,
  spent       bigint NOT NULL,
  PRIMARY KEY (account_id, dimension, window_name, starts_at, value)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- Finds windows to delete.
CREATE INDEX budget_spend_end ON budget_spend (ends_at) WHERE ends_at IS NOT NULL;

COMMENT ON TABLE budget_spend IS 'What a value of a dimension has spent in a window: the usage that occurred in [starts_at, ends_at).';
COMMENT ON COLUMN budget_spend.ends_at IS 'null: it is of all time.';
COMMENT ON COLUMN budget_spend.spent IS 'In micro-credits.';

CREATE TABLE budget_unlisted (
  account_id  text COLLATE "C" NOT NULL,
  dimension   text COLLATE "C" NOT NULL,
  window_name text COLLATE "C" NOT NULL,
  starts_at   timestamptz NOT NULL,
  value       text COLLATE "C" NOT NULL,
  credits     numeric NOT NULL,
  PRIMARY KEY (account_id, dimension, window_name, starts_at, value)
);

COMMENT ON TABLE budget_unlisted IS 'What budget_spend has besides the usage records that are kept: usage past retention.';

CREATE TABLE budget_kept (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  since   timestamptz NOT NULL
);

COMMENT ON TABLE budget_kept IS 'Windows that ended at or before since are counted no more: housekeeping deletes them.';

INSERT INTO budget_kept (since) VALUES (to_timestamp(0));

CREATE VIEW budget_counted AS
SELECT account_id, budget ->> 0 AS dimension, budget ->> 1 AS window_name,
       to_timestamp((budget ->> 2)::float8 / 1000) AS counts_from
FROM account
CROSS JOIN LATERAL jsonb_array_elements(budgets) AS budget
WHERE budgets IS NOT NULL;

COMMENT ON VIEW budget_counted IS 'What is counted for budgets: a dimension in a window, of usage that occurred from counts_from on.';

-- Whoever meters never writes these rows, so it is not held up.
CREATE FUNCTION keep_budget_spend(pages name) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM account WHERE budgets IS NOT NULL) THEN RETURN; END IF;
  EXECUTE format($sql$
    WITH used AS (
      SELECT page.account_id, page.dimensions[coalesce(listed.dimension_number, 1)] AS dimensions,
             page.first_at + listed.occurred_after * interval '0.001 s' AS occurred_at, listed.credits
      FROM %I AS page
      JOIN account ON account.account_id = page.account_id AND account.budgets IS NOT NULL
      CROSS JOIN LATERAL unnest(page.dimension_numbers, page.occurred_after, page.credits)
        AS listed (dimension_number, occurred_after, credits)
    )
    INSERT INTO budget_unlisted AS past (account_id, dimension, window_name, starts_at, value, credits)
    SELECT spend.account_id, spend.dimension, spend.window_name, spend.starts_at, spend.value, sum(used.credits)
    FROM used
    JOIN budget_counted AS counted
      ON counted.account_id = used.account_id AND used.occurred_at >= counts_from
    JOIN budget_spend AS spend
      ON spend.account_id = used.account_id AND spend.dimension = counted.dimension
      AND spend.window_name = counted.window_name AND spend.value = used.dimensions ->> counted.dimension
      AND used.occurred_at >= starts_at AND (ends_at IS NULL OR used.occurred_at < ends_at)
    GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (account_id, dimension, window_name, starts_at, value) DO UPDATE
    SET credits = past.credits + excluded.credits
  $sql$, pages);
END
$$;

COMMENT ON FUNCTION keep_budget_spend IS 'Adds to budget_unlisted what budgets have counted of the usage of a month that is dropped.';

-- Replaced, it keeps its rights.
DO $$
DECLARE
  before text := pg_get_functiondef('drop_usage_month(timestamptz)'::regprocedure);
  mark   text := '  -- A stretch goes on where';
BEGIN
  IF position(mark IN before) = 0 THEN RAISE EXCEPTION 'drop_usage_month has changed'; END IF;
  EXECUTE replace(before, mark, E'  PERFORM keep_budget_spend(name);\n\n' || mark);
END
$$;

-- Down Migration

DO $$
BEGIN
  EXECUTE replace(
    pg_get_functiondef('drop_usage_month(timestamptz)'::regprocedure),
    E'  PERFORM keep_budget_spend(name);\n\n', '');
END
$$;

DROP FUNCTION keep_budget_spend(name);
DROP VIEW budget_counted;
DROP TABLE budget_kept, budget_unlisted, budget_spend, budget;
ALTER TABLE account DROP COLUMN budgets;
