-- Units may be sold in packages, of which each event pays for those that it begins. What usage of a version costs is
-- then no sum of its quantities: it is summed by the number of packages that an event begins, too. Nothing is
-- rewritten, and rate_credits, own_rate_credits and price_credits stay, as the version before uses them.

-- Up Migration

ALTER TABLE rate
  ADD COLUMN round_up text CHECK (round_up IN ('each_event')),
  ADD CHECK (round_up IS NULL OR credits IS NOT NULL);
ALTER TABLE rate_by_dimensions ADD COLUMN round_up text CHECK (round_up IN ('each_event'));
ALTER TABLE own_rate ADD COLUMN round_up text CHECK (round_up IN ('each_event'));

COMMENT ON COLUMN rate.round_up IS 'each_event: an event pays for each package of per units that it begins. null: single units are sold.';
COMMENT ON COLUMN rate_by_dimensions.round_up IS 'As in rate.';
COMMENT ON COLUMN own_rate.round_up IS 'As in rate.';

CREATE TYPE unit_price AS (credits numeric, package bigint);

COMMENT ON TYPE unit_price IS 'Micro-credits for per units of the version. An event pays for each package of so many units that it begins; null: for single units.';

-- Of the rates that match, those of one list of patterns lie within all others, so they name the most of the values.
CREATE FUNCTION rate_price(
  of_meter text, since timestamptz, event_dimensions jsonb, event_quantity bigint
) RETURNS unit_price
LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    CASE WHEN rate.credits IS NOT NULL
      THEN (rate.credits, CASE WHEN rate.round_up IS NOT NULL THEN rate.per END)::unit_price
    END,
    (
      WITH matching AS (
        SELECT (part.credits::numeric * (rate.per / part.per),
                CASE WHEN part.round_up IS NOT NULL THEN part.per END)::unit_price AS price,
               band_from,
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
               (array_agg(price ORDER BY band_from DESC) FILTER (WHERE counted >= band_from))[1]
             END
      FROM matching
      WHERE named = (SELECT max(named) FROM matching)
    ))
  FROM rate
  WHERE rate.meter = of_meter AND rate.valid_from = since
$$;

COMMENT ON FUNCTION rate_price IS 'The price of rate.per units of a meter, under the version of an instant and for an event''s dimensions and quantity; null: no rate.';

-- As rate_price does.
CREATE FUNCTION own_rate_price(
  of_account text, of_meter text, since timestamptz, event_dimensions jsonb, event_quantity bigint
) RETURNS unit_price
LANGUAGE sql STABLE AS $$
  WITH matching AS (
    SELECT (part.credits::numeric * (terms.per / part.per),
            CASE WHEN part.round_up IS NOT NULL THEN part.per END)::unit_price AS price,
           band_from,
           CASE
             WHEN band_of IS NULL THEN event_quantity
             ELSE whole_number(event_dimensions ->> band_of)
           END AS counted,
           (SELECT coalesce(sum(length(pattern) + CASE WHEN pattern LIKE '%*' THEN -1 ELSE 1 END), 0)
            FROM unnest(part.patterns) AS pattern) AS named
    FROM own_terms AS terms
    JOIN own_rate AS part USING (account_id, meter, valid_from)
    WHERE terms.account_id = of_account
      AND terms.meter = of_meter
      AND terms.valid_from = since
      AND NOT EXISTS (
        SELECT
        FROM unnest(terms.dimensions, part.patterns) AS each (name, pattern)
        WHERE pattern IS NOT NULL
          AND NOT CASE
            WHEN pattern LIKE '%*'
              THEN starts_with(coalesce(event_dimensions ->> name, ''), left(pattern, -1))
            ELSE coalesce(event_dimensions ->> name, '') = pattern
          END
      )
  )
  SELECT CASE WHEN bool_and(counted IS NOT NULL) THEN
           (array_agg(price ORDER BY band_from DESC) FILTER (WHERE counted >= band_from))[1]
         END
  FROM matching
  WHERE named = (SELECT max(named) FROM matching)
$$;

COMMENT ON FUNCTION own_rate_price IS 'The price of own_terms.per units under an account''s own rates; null: none of them matches.';

CREATE FUNCTION price_of_usage(
  of_account text, own_meter text, own_from timestamptz, of_meter text, list_from timestamptz,
  event_dimensions jsonb, event_quantity bigint
) RETURNS unit_price
LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN own_from IS NULL THEN rate_price(of_meter, list_from, event_dimensions, event_quantity)
    ELSE (
      SELECT CASE
        WHEN terms.discount IS NOT NULL
          THEN (list.credits * ((10000 - terms.discount) / gcd(terms.discount, 10000)),
                list.package)::unit_price
        WHEN own.credits IS NOT NULL
          THEN (own.credits * div(counted.per, terms.per), own.package)::unit_price
        ELSE (list.credits * div(counted.per, rate.per), list.package)::unit_price
      END
      FROM own_terms AS terms
      CROSS JOIN rate
      CROSS JOIN LATERAL (SELECT lcm(terms.per::numeric, rate.per::numeric) AS per) AS counted
      CROSS JOIN LATERAL rate_price(of_meter, list_from, event_dimensions, event_quantity) AS list
      CROSS JOIN LATERAL own_rate_price(of_account, own_meter, own_from, event_dimensions, event_quantity)
        AS own
      WHERE (terms.account_id, terms.meter, terms.valid_from) = (of_account, own_meter, own_from)
        AND (rate.meter, rate.valid_from) = (of_meter, list_from)
    )
  END
$$;

COMMENT ON FUNCTION price_of_usage IS 'The price of per units of one of the usage_terms, for an event''s dimensions and quantity; its credits are null: no rate.';

CREATE FUNCTION exact_price(price unit_price, events numeric, quantity numeric, like_this bigint) RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN (price).package IS NULL THEN quantity * (price).credits
    ELSE events * div(like_this::numeric + (price).package - 1, (price).package)
         * (price).package * (price).credits
  END
$$;

COMMENT ON FUNCTION exact_price IS 'What so many events with a quantity in all cost in micro-credits, times per, each of which begins as many packages as one with the quantity like_this.';

CREATE FUNCTION usage_terms() RETURNS TABLE (
  account_id text, meter text, valid_from timestamptz, valid_to timestamptz, list_from timestamptz,
  own_meter text, own_from timestamptz, per numeric, carries boolean, dimensions text[], bands_of text[],
  bands_from bigint[], packages bigint[]
)
LANGUAGE sql STABLE AS $$
  WITH packaged AS MATERIALIZED (
    SELECT '' AS account_id, meter, valid_from, per
    FROM rate
    WHERE round_up IS NOT NULL
    UNION
    SELECT '', meter, valid_from, per FROM rate_by_dimensions WHERE round_up IS NOT NULL
    UNION
    SELECT account_id, meter, valid_from, per FROM own_rate WHERE round_up IS NOT NULL
  )
  SELECT term.*, (
    SELECT array_agg(DISTINCT packaged.per)
    FROM packaged
    WHERE packaged.account_id = '' AND packaged.meter = term.meter AND packaged.valid_from = term.list_from
      OR packaged.account_id = term.account_id AND packaged.meter = term.own_meter
        AND packaged.valid_from = term.own_from
  )
  FROM price_terms() AS term
$$;

COMMENT ON FUNCTION usage_terms IS 'price_terms, and the sizes of the packages in which their rates sell units. Usage with the same values of dimensions that reaches the same bands has one price, and costs the same where it begins as many packages of each size.';

CREATE OR REPLACE FUNCTION keep_exact_prices(pages name) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  by_event text[] := (SELECT array_agg(DISTINCT meter) FROM rate WHERE dimensions IS NOT NULL OR round_up IS NOT NULL);
  with_own text[] := (SELECT array_agg(DISTINCT account_id) FROM own_terms);
BEGIN
  IF by_event IS NULL AND with_own IS NULL THEN RETURN; END IF;
  EXECUTE format($sql$
    WITH term AS MATERIALIZED (
      SELECT * FROM usage_terms()
    ), own AS MATERIALIZED (
      SELECT unnest($2) AS account_id
    ), used AS MATERIALIZED (
      SELECT page.account_id, term.account_id AS card, term.meter, term.valid_from,
             ARRAY(SELECT event.dimensions ->> name FROM unnest(term.dimensions) AS name) AS named,
             ARRAY(SELECT CASE WHEN counted IS NULL THEN event.quantity
                          ELSE whole_number(event.dimensions ->> counted) END >= begins
                   FROM unnest(term.bands_of, term.bands_from) AS band (counted, begins)) AS reached,
             ARRAY(SELECT div(event.quantity::numeric + size - 1, size)
                   FROM unnest(term.packages) AS size) AS begun,
             any_value(event.dimensions) AS dimensions, any_value(event.quantity) AS like_this,
             count(*) AS events, sum(event.quantity) AS quantity
      FROM %I AS page
      LEFT JOIN own USING (account_id)
      CROSS JOIN LATERAL (
        SELECT listed.meter_number, listed.occurred_after, listed.quantity,
               page.dimensions[coalesce(listed.dimension_number, 1)] AS dimensions
        FROM unnest(
          page.meter_numbers, page.dimension_numbers, page.occurred_after, page.quantities
        ) AS listed (meter_number, dimension_number, occurred_after, quantity)
      ) AS event
      JOIN term
        ON term.account_id = coalesce(own.account_id, '')
        AND term.meter = page.meters[coalesce(event.meter_number, 1)]
        AND page.first_at + event.occurred_after * interval '0.001 s' >= term.valid_from
        AND page.first_at + event.occurred_after * interval '0.001 s' < term.valid_to
      WHERE (page.meters && $1 OR own.account_id IS NOT NULL)
        AND (term.dimensions IS NOT NULL OR term.own_from IS NOT NULL OR term.packages IS NOT NULL)
      GROUP BY 1, 2, 3, 4, 5, 6, 7
    ), met AS MATERIALIZED (
      SELECT card, meter, valid_from, named, reached,
             any_value(dimensions) AS dimensions, any_value(like_this) AS like_this
      FROM used
      GROUP BY 1, 2, 3, 4, 5
    ), priced AS MATERIALIZED (
      SELECT met.card, met.meter, met.valid_from, met.named, met.reached,
             price_of_usage(term.account_id, own_meter, own_from, term.meter, list_from,
                            met.dimensions, met.like_this) AS price
      FROM met
      JOIN term
        ON (term.account_id, term.meter, term.valid_from) = (met.card, met.meter, met.valid_from)
    ), summed AS (
      SELECT account_id, meter, valid_from, sum(exact_price(price, events, quantity, like_this)) AS exact
      FROM used JOIN priced USING (card, meter, valid_from, named, reached)
      GROUP BY account_id, meter, valid_from
    )
    UPDATE usage_past AS past
    SET exact = coalesce(past.exact, 0) + summed.exact
    FROM summed
    WHERE (past.account_id, past.meter, past.valid_from) = (summed.account_id, summed.meter, summed.valid_from)
  $sql$, pages) USING by_event, with_own;
END
$$;

COMMENT ON FUNCTION keep_exact_prices IS 'Adds to usage_past what the usage of a month costs under rates by dimensions, bands and packages, and under own terms.';

-- Down Migration

CREATE OR REPLACE FUNCTION keep_exact_prices(pages name) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  by_dimensions text[] := (SELECT array_agg(DISTINCT meter) FROM rate WHERE dimensions IS NOT NULL);
  with_own text[] := (SELECT array_agg(DISTINCT account_id) FROM own_terms);
BEGIN
  IF by_dimensions IS NULL AND with_own IS NULL THEN RETURN; END IF;
  EXECUTE format($sql$
    WITH term AS MATERIALIZED (
      SELECT * FROM price_terms()
    ), own AS MATERIALIZED (
      SELECT unnest($2) AS account_id
    ), used AS MATERIALIZED (
      SELECT page.account_id, term.account_id AS card, term.meter, term.valid_from,
             ARRAY(SELECT event.dimensions ->> name FROM unnest(term.dimensions) AS name) AS named,
             ARRAY(SELECT CASE WHEN counted IS NULL THEN event.quantity
                          ELSE whole_number(event.dimensions ->> counted) END >= begins
                   FROM unnest(term.bands_of, term.bands_from) AS band (counted, begins)) AS reached,
             any_value(event.dimensions) AS dimensions, any_value(event.quantity) AS like_this,
             sum(event.quantity) AS quantity
      FROM %I AS page
      LEFT JOIN own USING (account_id)
      CROSS JOIN LATERAL (
        SELECT listed.meter_number, listed.occurred_after, listed.quantity,
               page.dimensions[coalesce(listed.dimension_number, 1)] AS dimensions
        FROM unnest(
          page.meter_numbers, page.dimension_numbers, page.occurred_after, page.quantities
        ) AS listed (meter_number, dimension_number, occurred_after, quantity)
      ) AS event
      JOIN term
        ON term.account_id = coalesce(own.account_id, '')
        AND term.meter = page.meters[coalesce(event.meter_number, 1)]
        AND page.first_at + event.occurred_after * interval '0.001 s' >= term.valid_from
        AND page.first_at + event.occurred_after * interval '0.001 s' < term.valid_to
      WHERE (page.meters && $1 OR own.account_id IS NOT NULL)
        AND (term.dimensions IS NOT NULL OR term.own_from IS NOT NULL)
      GROUP BY 1, 2, 3, 4, 5, 6
    ), met AS MATERIALIZED (
      SELECT card, meter, valid_from, named, reached,
             any_value(dimensions) AS dimensions, any_value(like_this) AS like_this
      FROM used
      GROUP BY 1, 2, 3, 4, 5
    ), priced AS MATERIALIZED (
      SELECT met.card, met.meter, met.valid_from, met.named, met.reached,
             price_credits(term.account_id, own_meter, own_from, term.meter, list_from,
                           met.dimensions, met.like_this) AS each
      FROM met
      JOIN term
        ON (term.account_id, term.meter, term.valid_from) = (met.card, met.meter, met.valid_from)
    ), summed AS (
      SELECT account_id, meter, valid_from, sum(quantity * each) AS exact
      FROM used JOIN priced USING (card, meter, valid_from, named, reached)
      GROUP BY account_id, meter, valid_from
    )
    UPDATE usage_past AS past
    SET exact = coalesce(past.exact, 0) + summed.exact
    FROM summed
    WHERE (past.account_id, past.meter, past.valid_from) = (summed.account_id, summed.meter, summed.valid_from)
  $sql$, pages) USING by_dimensions, with_own;
END
$$;

COMMENT ON FUNCTION keep_exact_prices IS 'Adds to usage_past what the usage of a month costs under rates by dimensions and bands, and under own terms.';

DROP FUNCTION usage_terms();
DROP FUNCTION exact_price(unit_price, numeric, numeric, bigint);
DROP FUNCTION price_of_usage(text, text, timestamptz, text, timestamptz, jsonb, bigint);
DROP FUNCTION own_rate_price(text, text, timestamptz, jsonb, bigint);
DROP FUNCTION rate_price(text, timestamptz, jsonb, bigint);
DROP TYPE unit_price;
ALTER TABLE own_rate DROP COLUMN round_up;
ALTER TABLE rate_by_dimensions DROP COLUMN round_up;
ALTER TABLE rate DROP COLUMN round_up;
