-- A rate may hold from a quantity of the event on, or from a number in one of its dimensions: bands. SQL finds the
-- price of an event by its dimensions and its quantity. Nothing is rewritten, and rate_credits of values alone
-- stays, as the version before uses it.

-- Up Migration

ALTER TABLE rate_by_dimensions
  ADD COLUMN band_of text,
  ADD COLUMN band_from bigint NOT NULL DEFAULT 0 CHECK (band_from >= 0),
  ADD CHECK (band_of IS NULL OR band_from > 0);

COMMENT ON COLUMN rate_by_dimensions.band_from IS 'The number from which on it holds. Of the rates with the same patterns, the highest one that an event reaches is its price.';
COMMENT ON COLUMN rate_by_dimensions.band_of IS 'The dimension that has the number; null: the event''s quantity.';

CREATE FUNCTION whole_number(value text) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN coalesce(value, '') = '' THEN 0
    WHEN value !~ '^[0-9]{1,19}$' THEN NULL
    WHEN value::numeric > 9223372036854775807 THEN NULL
    ELSE value::bigint
  END
$$;

COMMENT ON FUNCTION whole_number IS 'What a band counts of a dimension: 0 without a value; null: it is no number from 0 to 2^63-1 in up to 19 digits.';

-- Of the rates that match, those of one list of patterns lie within all others, so they name the most of the values.
CREATE FUNCTION rate_credits(
  of_meter text, since timestamptz, event_dimensions jsonb, event_quantity bigint
) RETURNS numeric
LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    rate.credits::numeric,
    (
      WITH matching AS (
        SELECT part.credits::numeric * (rate.per / part.per) AS credits, band_from,
               CASE
                 WHEN band_of IS NULL THEN event_quantity
                 ELSE whole_number(event_dimensions ->> band_of)
               END AS counted,
               (SELECT coalesce(sum(length(pattern) + CASE WHEN pattern LIKE '%*' THEN -1 ELSE 1 END), 0)
                FROM unnest(part.patterns) AS pattern) AS named
        FROM rate_by_dimensions AS part
        WHERE part.meter = rate.meter
          AND part.valid_from = rate.valid_from
          AND NOT EXISTS (
            SELECT
            FROM unnest(rate.dimensions, part.patterns) AS each (name, pattern)
            WHERE pattern IS NOT NULL
              AND NOT CASE
                WHEN pattern LIKE '%*'
                  THEN starts_with(coalesce(event_dimensions ->> name, ''), left(pattern, -1))
                ELSE coalesce(event_dimensions ->> name, '') = pattern
              END
          )
      )
      SELECT CASE WHEN bool_and(counted IS NOT NULL) THEN
               (array_agg(credits ORDER BY band_from DESC) FILTER (WHERE counted >= band_from))[1]
             END
      FROM matching
      WHERE named = (SELECT max(named) FROM matching)
    ))
  FROM rate
  WHERE rate.meter = of_meter AND rate.valid_from = since
$$;

COMMENT ON FUNCTION rate_credits(text, timestamptz, jsonb, bigint) IS 'Micro-credits for rate.per units of a meter, under the version of an instant and for an event''s dimensions and quantity; null: no rate.';

CREATE FUNCTION rate_terms() RETURNS TABLE (
  meter text, valid_from timestamptz, valid_to timestamptz, dimensions text[], bands_of text[],
  bands_from bigint[]
)
LANGUAGE sql STABLE AS $$
  SELECT rate.meter, rate.valid_from,
         lead(rate.valid_from, 1, 'infinity') OVER (PARTITION BY rate.meter ORDER BY rate.valid_from),
         rate.dimensions, bands.of, bands.begins
  FROM rate
  CROSS JOIN LATERAL (
    SELECT array_agg(band_of ORDER BY band_of, band_from) AS of,
           array_agg(band_from ORDER BY band_of, band_from) AS begins
    FROM (
      SELECT DISTINCT band_of, band_from
      FROM rate_by_dimensions AS part
      WHERE (part.meter, part.valid_from) = (rate.meter, rate.valid_from) AND band_from > 0
    ) AS band
  ) AS bands
$$;

COMMENT ON FUNCTION rate_terms IS 'The versions of meters, until when each holds, and the bands of its rates: what each counts (null: the quantity) and where it begins. Usage with the same values of dimensions that reaches the same bands has one price.';

CREATE OR REPLACE FUNCTION keep_exact_prices(pages name) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  by_dimensions text[] := (SELECT array_agg(DISTINCT meter) FROM rate WHERE dimensions IS NOT NULL);
BEGIN
  IF by_dimensions IS NULL THEN RETURN; END IF;
  EXECUTE format($sql$
    WITH term AS MATERIALIZED (
      SELECT * FROM rate_terms()
    ), used AS MATERIALIZED (
      SELECT page.account_id, term.meter, term.valid_from,
             ARRAY(SELECT event.dimensions ->> name FROM unnest(term.dimensions) AS name) AS named,
             ARRAY(SELECT CASE WHEN counted IS NULL THEN event.quantity
                          ELSE whole_number(event.dimensions ->> counted) END >= begins
                   FROM unnest(term.bands_of, term.bands_from) AS band (counted, begins)) AS reached,
             any_value(event.dimensions) AS dimensions, any_value(event.quantity) AS like_this,
             sum(event.quantity) AS quantity
      FROM %I AS page
      CROSS JOIN LATERAL (
        SELECT listed.meter_number, listed.occurred_after, listed.quantity,
               page.dimensions[coalesce(listed.dimension_number, 1)] AS dimensions
        FROM unnest(
          page.meter_numbers, page.dimension_numbers, page.occurred_after, page.quantities
        ) AS listed (meter_number, dimension_number, occurred_after, quantity)
      ) AS event
      JOIN term
        ON term.meter = page.meters[coalesce(event.meter_number, 1)]
        AND page.first_at + event.occurred_after * interval '0.001 s' >= term.valid_from
        AND page.first_at + event.occurred_after * interval '0.001 s' < term.valid_to
      WHERE page.meters && $1 AND term.dimensions IS NOT NULL
      GROUP BY 1, 2, 3, 4, 5
    ), priced AS MATERIALIZED (
      SELECT meter, valid_from, named, reached,
             rate_credits(meter, valid_from, any_value(dimensions), any_value(like_this)) AS each
      FROM used
      GROUP BY 1, 2, 3, 4
    ), summed AS (
      SELECT account_id, meter, valid_from, sum(quantity * each) AS exact
      FROM used JOIN priced USING (meter, valid_from, named, reached)
      GROUP BY account_id, meter, valid_from
    )
    UPDATE usage_past AS past
    SET exact = coalesce(past.exact, 0) + summed.exact
    FROM summed
    WHERE (past.account_id, past.meter, past.valid_from) = (summed.account_id, summed.meter, summed.valid_from)
  $sql$, pages) USING by_dimensions;
END
$$;

COMMENT ON FUNCTION keep_exact_prices IS 'Adds to usage_past what the usage of a month costs under rates by dimensions and bands.';

-- Down Migration

CREATE OR REPLACE FUNCTION keep_exact_prices(pages name) RETURNS void
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

DROP FUNCTION rate_terms();
DROP FUNCTION rate_credits(text, timestamptz, jsonb, bigint);
DROP FUNCTION whole_number(text);

DELETE FROM rate_by_dimensions AS part
WHERE EXISTS (
  SELECT FROM rate_by_dimensions AS banded
  WHERE (banded.meter, banded.valid_from) = (part.meter, part.valid_from) AND banded.band_from > 0
);
DELETE FROM rate
WHERE dimensions IS NOT NULL AND NOT EXISTS (
  SELECT FROM rate_by_dimensions AS part WHERE (part.meter, part.valid_from) = (rate.meter, rate.valid_from)
);

ALTER TABLE rate_by_dimensions DROP COLUMN band_of, DROP COLUMN band_from;
