-- An account may have terms of its own: a discount, or rates that come before those of the list. From where they or
-- the list change, it has a version of the meter of its own, with a remainder of its own. Nothing is rewritten:
-- accounts without own terms stay on the list, under the keys that they had.

-- Up Migration

CREATE TABLE own_terms (
  account_id text COLLATE "C" NOT NULL,
  meter      text COLLATE "C" NOT NULL,
  valid_from timestamptz NOT NULL,
  discount   integer CHECK (discount BETWEEN 0 AND 10000),
  dimensions text[],
  per        bigint CHECK (per > 0),
  reason     text NOT NULL,
  set_by     text NOT NULL,
  set_at     timestamptz NOT NULL,
  PRIMARY KEY (account_id, meter, valid_from),
  CHECK ((discount IS NULL) = (dimensions IS NOT NULL)),
  CHECK ((discount IS NULL) = (per IS NOT NULL)),
  CHECK (meter <> '' OR discount IS NOT NULL)
);

COMMENT ON TABLE own_terms IS 'What an account pays instead of the list from an instant on: a discount, or the rates in own_rate. Only added, never changed.';
COMMENT ON COLUMN own_terms.meter IS 'Empty: all meters of which it has no terms by themselves.';
COMMENT ON COLUMN own_terms.discount IS 'In basis points of the list; 0: the list. null: it has rates.';
COMMENT ON COLUMN own_terms.dimensions IS 'The dimensions that its rates depend on; mostly none.';
COMMENT ON COLUMN own_terms.per IS 'The least multiple of each rate''s per.';

CREATE TABLE own_rate (
  account_id text COLLATE "C" NOT NULL,
  meter      text COLLATE "C" NOT NULL,
  valid_from timestamptz NOT NULL,
  place      integer NOT NULL,
  patterns   text[] COLLATE "C" NOT NULL,
  band_of    text,
  band_from  bigint NOT NULL DEFAULT 0 CHECK (band_from >= 0),
  credits    bigint NOT NULL CHECK (credits >= 0),
  per        bigint NOT NULL CHECK (per > 0),
  PRIMARY KEY (account_id, meter, valid_from, place),
  FOREIGN KEY (account_id, meter, valid_from) REFERENCES own_terms,
  CHECK (band_of IS NULL OR band_from > 0)
);

COMMENT ON TABLE own_rate IS 'One of an account''s own rates of a meter, as in rate_by_dimensions. What none of them matches is priced by the list.';
COMMENT ON COLUMN carried.valid_from IS 'Of the version: of the rate, or where the account''s own terms or the list under them begin (price_terms).';
COMMENT ON COLUMN usage_past.valid_from IS 'Of the version, as in carried; -infinity: it had no rate.';
COMMENT ON COLUMN usage_past.exact IS 'The exact price in micro-credits, times per of the version; null: quantity x rate.credits.';

-- As rate_credits does.
CREATE FUNCTION own_rate_credits(
  of_account text, of_meter text, since timestamptz, event_dimensions jsonb, event_quantity bigint
) RETURNS numeric
LANGUAGE sql STABLE AS $$
  WITH matching AS (
    SELECT part.credits::numeric * (terms.per / part.per) AS credits, band_from,
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
           (array_agg(credits ORDER BY band_from DESC) FILTER (WHERE counted >= band_from))[1]
         END
  FROM matching
  WHERE named = (SELECT max(named) FROM matching)
$$;

COMMENT ON FUNCTION own_rate_credits IS 'Micro-credits for own_terms.per units under an account''s own rates; null: none of them matches.';

CREATE FUNCTION price_terms() RETURNS TABLE (
  account_id text, meter text, valid_from timestamptz, valid_to timestamptz, list_from timestamptz,
  own_meter text, own_from timestamptz, per numeric, carries boolean, dimensions text[], bands_of text[],
  bands_from bigint[]
)
LANGUAGE sql STABLE AS $$
  WITH list AS MATERIALIZED (
    SELECT term.*, rate.per, NOT rounds_each AND (credits IS NULL OR credits % per <> 0) AS carries
    FROM rate_terms() AS term JOIN rate USING (meter, valid_from)
  ), own AS MATERIALIZED (
    SELECT terms.account_id, terms.meter, terms.valid_from, terms.discount, terms.per, terms.dimensions,
           lead(terms.valid_from, 1, 'infinity')
             OVER (PARTITION BY terms.account_id, terms.meter ORDER BY terms.valid_from) AS valid_to,
           bands.of AS bands_of, bands.begins AS bands_from
    FROM own_terms AS terms
    CROSS JOIN LATERAL (
      SELECT array_agg(band_of ORDER BY band_of, band_from) AS of,
             array_agg(band_from ORDER BY band_of, band_from) AS begins
      FROM (
        SELECT DISTINCT band_of, band_from
        FROM own_rate AS part
        WHERE (part.account_id, part.meter, part.valid_from)
              = (terms.account_id, terms.meter, terms.valid_from)
          AND band_from > 0
      ) AS band
    ) AS bands
  ), begun AS (
    SELECT of.account_id, list.meter, list.valid_from
    FROM (SELECT DISTINCT own.account_id FROM own) AS of CROSS JOIN list
    UNION
    SELECT own.account_id, list.meter, own.valid_from
    FROM own
    JOIN list
      ON own.meter IN ('', list.meter)
      AND own.valid_from > list.valid_from AND own.valid_from < list.valid_to
  ), piece AS (
    SELECT begun.*,
           lead(begun.valid_from, 1, 'infinity')
             OVER (PARTITION BY begun.account_id, begun.meter ORDER BY begun.valid_from) AS valid_to
    FROM begun
  )
  SELECT '', list.meter, list.valid_from, list.valid_to, list.valid_from, NULL, NULL, list.per,
         list.carries, list.dimensions, list.bands_of, list.bands_from
  FROM list
  UNION ALL
  SELECT piece.account_id, piece.meter, piece.valid_from, piece.valid_to, list.valid_from, own.meter,
         own.valid_from, counted.per,
         CASE WHEN own.meter IS NULL THEN list.carries ELSE counted.per <= 9223372036854775807 END,
         own.dimensions || list.dimensions, own.bands_of || list.bands_of,
         own.bands_from || list.bands_from
  FROM piece
  JOIN list
    ON list.meter = piece.meter
    AND piece.valid_from >= list.valid_from AND piece.valid_from < list.valid_to
  LEFT JOIN own AS of_meter
    ON of_meter.account_id = piece.account_id AND of_meter.meter = piece.meter
    AND piece.valid_from >= of_meter.valid_from AND piece.valid_from < of_meter.valid_to
  LEFT JOIN own AS of_all
    ON of_all.account_id = piece.account_id AND of_all.meter = ''
    AND piece.valid_from >= of_all.valid_from AND piece.valid_from < of_all.valid_to
  LEFT JOIN own
    ON own.account_id = piece.account_id
    AND own.meter = coalesce(of_meter.meter, of_all.meter)
    AND own.valid_from = coalesce(of_meter.valid_from, of_all.valid_from)
  CROSS JOIN LATERAL (
    SELECT CASE
             WHEN own.meter IS NULL THEN list.per
             WHEN own.discount IS NOT NULL THEN list.per::numeric * (10000 / gcd(own.discount, 10000))
             ELSE lcm(own.per::numeric, list.per::numeric)
           END AS per
  ) AS counted
$$;

COMMENT ON FUNCTION price_terms IS 'What meters cost from when to when: on the list (account_id is empty), and for each account with own terms, whose terms (own_meter, own_from; null: the list alone) lie over a version of the list (list_from). Remainders are counted in per. Usage with the same values of dimensions that reaches the same bands has one price.';

CREATE FUNCTION price_credits(
  of_account text, own_meter text, own_from timestamptz, of_meter text, list_from timestamptz,
  event_dimensions jsonb, event_quantity bigint
) RETURNS numeric
LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN own_from IS NULL THEN rate_credits(of_meter, list_from, event_dimensions, event_quantity)
    ELSE (
      SELECT CASE
        WHEN terms.discount IS NOT NULL
          THEN rate_credits(of_meter, list_from, event_dimensions, event_quantity)
               * ((10000 - terms.discount) / gcd(terms.discount, 10000))
        ELSE coalesce(
          own_rate_credits(of_account, own_meter, own_from, event_dimensions, event_quantity)
            * div(lcm(terms.per::numeric, rate.per::numeric), terms.per),
          rate_credits(of_meter, list_from, event_dimensions, event_quantity)
            * div(lcm(terms.per::numeric, rate.per::numeric), rate.per))
      END
      FROM own_terms AS terms, rate
      WHERE (terms.account_id, terms.meter, terms.valid_from) = (of_account, own_meter, own_from)
        AND (rate.meter, rate.valid_from) = (of_meter, list_from)
    )
  END
$$;

COMMENT ON FUNCTION price_credits IS 'Micro-credits for per units of one of the price_terms, for an event''s dimensions and quantity; null: no rate.';

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

-- Replaced, it keeps its rights.
DO $$
DECLARE
  before text := pg_get_functiondef('drop_usage_month(timestamptz)'::regprocedure);
  terms  text := '    ), term AS (
      SELECT meter, valid_from,
             lead(valid_from, 1, ''infinity'') OVER (PARTITION BY meter ORDER BY valid_from) AS valid_to
      FROM rate
    ), summed AS (';
  joined text := '      LEFT JOIN term
        ON term.meter = event.meter AND';
BEGIN
  IF position(terms IN before) = 0 OR position(joined IN before) = 0 THEN
    RAISE EXCEPTION 'drop_usage_month has changed';
  END IF;
  EXECUTE replace(replace(before,
    terms,
    '    ), term AS MATERIALIZED (
      SELECT account_id AS card, meter, valid_from, valid_to FROM price_terms()
    ), own AS MATERIALIZED (
      SELECT DISTINCT account_id AS card FROM own_terms
    ), summed AS ('),
    joined,
    '      LEFT JOIN own ON own.card = event.account_id
      LEFT JOIN term
        ON term.card = coalesce(own.card, '''') AND term.meter = event.meter AND');
END
$$;

-- Down Migration

DO $$
BEGIN
  EXECUTE replace(replace(pg_get_functiondef('drop_usage_month(timestamptz)'::regprocedure),
    '    ), term AS MATERIALIZED (
      SELECT account_id AS card, meter, valid_from, valid_to FROM price_terms()
    ), own AS MATERIALIZED (
      SELECT DISTINCT account_id AS card FROM own_terms
    ), summed AS (',
    '    ), term AS (
      SELECT meter, valid_from,
             lead(valid_from, 1, ''infinity'') OVER (PARTITION BY meter ORDER BY valid_from) AS valid_to
      FROM rate
    ), summed AS ('),
    '      LEFT JOIN own ON own.card = event.account_id
      LEFT JOIN term
        ON term.card = coalesce(own.card, '''') AND term.meter = event.meter AND',
    '      LEFT JOIN term
        ON term.meter = event.meter AND');
END
$$;

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

DROP FUNCTION price_credits(text, text, timestamptz, text, timestamptz, jsonb, bigint);
DROP FUNCTION price_terms();
DROP FUNCTION own_rate_credits(text, text, timestamptz, jsonb, bigint);
COMMENT ON COLUMN usage_past.exact IS 'The exact price in micro-credits, times rate.per; null: quantity x rate.credits.';
COMMENT ON COLUMN usage_past.valid_from IS 'Of the rate; -infinity: it had none.';
COMMENT ON COLUMN carried.valid_from IS NULL;
DROP TABLE own_rate, own_terms;
