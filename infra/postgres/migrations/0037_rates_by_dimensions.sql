-- A meter's price may depend on an event's dimensions: its version then has a row for each rate. All rates of a
-- version have one remainder, so the keys of carried and of usage_past stay. Nothing large is rewritten.

-- Up Migration

ALTER TABLE rate
  ADD COLUMN dimensions text[],
  ALTER COLUMN credits DROP NOT NULL,
  ADD CHECK ((credits IS NULL) = (dimensions IS NOT NULL));

COMMENT ON TABLE rate IS 'What a meter costs from an instant on: credits micro-credits for every per units, or by dimensions.';
COMMENT ON COLUMN rate.dimensions IS 'The dimensions that the price depends on; null: none. Otherwise rate_by_dimensions has the prices.';
COMMENT ON COLUMN rate.per IS 'With dimensions: a multiple of each rate''s per, the least; remainders are counted in it.';

CREATE TABLE rate_by_dimensions (
  meter      text COLLATE "C" NOT NULL,
  valid_from timestamptz NOT NULL,
  place      integer NOT NULL,
  patterns   text[] COLLATE "C" NOT NULL,
  credits    bigint NOT NULL CHECK (credits >= 0),
  per        bigint NOT NULL CHECK (per > 0),
  PRIMARY KEY (meter, valid_from, place),
  FOREIGN KEY (meter, valid_from) REFERENCES rate
);

COMMENT ON TABLE rate_by_dimensions IS 'One of the rates of a meter''s version: credits micro-credits for every per units.';
COMMENT ON COLUMN rate_by_dimensions.patterns IS 'For each of the version''s dimensions a value, what values begin with and a * (gpt-5-*), or null: whatever it is.';

COMMENT ON TABLE carried IS 'What an account''s usage under one version of a meter is owed beyond the credits drawn: remainder / rate.per micro-credits, below 1.';

-- Of the rates that match, one lies within all others, so it names the most of the values.
CREATE FUNCTION rate_credits(of_meter text, since timestamptz, named text[]) RETURNS numeric
LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    rate.credits::numeric,
    (
      SELECT part.credits::numeric * (rate.per / part.per)
      FROM rate_by_dimensions AS part
      WHERE part.meter = rate.meter
        AND part.valid_from = rate.valid_from
        AND NOT EXISTS (
          SELECT
          FROM unnest(part.patterns, named) AS each (pattern, value)
          WHERE pattern IS NOT NULL
            AND NOT CASE
              WHEN pattern LIKE '%*' THEN starts_with(coalesce(value, ''), left(pattern, -1))
              ELSE coalesce(value, '') = pattern
            END
        )
      ORDER BY (
        SELECT coalesce(sum(length(pattern) + CASE WHEN pattern LIKE '%*' THEN -1 ELSE 1 END), 0)
        FROM unnest(part.patterns) AS pattern
      ) DESC
      LIMIT 1
    ))
  FROM rate
  WHERE rate.meter = of_meter AND rate.valid_from = since
$$;

COMMENT ON FUNCTION rate_credits IS 'Micro-credits for rate.per units of a meter, under the version of an instant and for these values of its dimensions; null: no rate.';

ALTER TABLE usage_past ADD COLUMN exact numeric;

COMMENT ON COLUMN usage_past.exact IS 'The exact price in micro-credits, times rate.per; null: quantity x rate.credits.';

CREATE FUNCTION keep_exact_prices(pages name) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  by_dimensions text[] := (SELECT array_agg(DISTINCT meter) FROM rate WHERE dimensions IS NOT NULL);
BEGIN
  IF by_dimensions IS NULL THEN RETURN; END IF;
  EXECUTE format($sql$
    WITH term AS (
      SELECT meter, valid_from, dimensions,
             lead(valid_from, 1, 'infinity') OVER (PARTITION BY meter ORDER BY valid_from) AS valid_to
      FROM rate
    ), used AS MATERIALIZED (
      SELECT page.account_id, term.meter, term.valid_from,
             ARRAY(SELECT page.dimensions[coalesce(listed.dimension_number, 1)] ->> name
                   FROM unnest(term.dimensions) AS name) AS named,
             sum(listed.quantity) AS quantity
      FROM %I AS page
      CROSS JOIN LATERAL unnest(
        page.meter_numbers, page.dimension_numbers, page.occurred_after, page.quantities
      ) AS listed (meter_number, dimension_number, occurred_after, quantity)
      JOIN term
        ON term.meter = page.meters[coalesce(listed.meter_number, 1)]
        AND page.first_at + listed.occurred_after * interval '0.001 s' >= term.valid_from
        AND page.first_at + listed.occurred_after * interval '0.001 s' < term.valid_to
      WHERE page.meters && $1 AND term.dimensions IS NOT NULL
      GROUP BY 1, 2, 3, 4
    ), priced AS MATERIALIZED (
      SELECT meter, valid_from, named, rate_credits(meter, valid_from, named) AS each
      FROM (SELECT DISTINCT meter, valid_from, named FROM used) AS met
    ), summed AS (
      SELECT account_id, meter, valid_from, sum(quantity * each) AS exact
      FROM used JOIN priced USING (meter, valid_from, named)
      GROUP BY account_id, meter, valid_from
    )
    UPDATE usage_past AS past
    SET exact = coalesce(past.exact, 0) + summed.exact
    FROM summed
    WHERE (past.account_id, past.meter, past.valid_from) = (summed.account_id, summed.meter, summed.valid_from)
  $sql$, pages) USING by_dimensions;
END
$$;

COMMENT ON FUNCTION keep_exact_prices IS 'Adds to usage_past what the usage of a month costs under rates by dimensions.';

-- Replaced, it keeps its rights.
DO $$
DECLARE
  before text := pg_get_functiondef('drop_usage_month(timestamptz)'::regprocedure);
  mark   text := '  -- A stretch goes on where';
BEGIN
  IF position(mark IN before) = 0 THEN RAISE EXCEPTION 'drop_usage_month has changed'; END IF;
  EXECUTE replace(before, mark, E'  PERFORM keep_exact_prices(name);\n\n' || mark);
END
$$;

-- Down Migration

DO $$
BEGIN
  EXECUTE replace(
    pg_get_functiondef('drop_usage_month(timestamptz)'::regprocedure),
    E'  PERFORM keep_exact_prices(name);\n\n', '');
END
$$;

DROP FUNCTION keep_exact_prices(name);
ALTER TABLE usage_past DROP COLUMN exact;
DROP FUNCTION rate_credits(text, timestamptz, text[]);
DROP TABLE rate_by_dimensions;
DELETE FROM rate WHERE credits IS NULL;
ALTER TABLE rate DROP COLUMN dimensions, ALTER COLUMN credits SET NOT NULL;
