-- A price may depend on how much an account used in the month: tiers, and packages of the month. What was used is
-- counted per account, version and month, and what is past retention of it stays known. Nothing is rewritten.

-- Up Migration

CREATE TABLE month_usage (
  account_id    text COLLATE "C" NOT NULL,
  meter         text COLLATE "C" NOT NULL,
  valid_from    timestamptz NOT NULL,
  month         timestamptz NOT NULL,
  quantity      numeric NOT NULL CHECK (quantity >= 0),
  past_quantity numeric NOT NULL DEFAULT 0,
  past_credits  numeric NOT NULL DEFAULT 0,
  PRIMARY KEY (account_id, meter, valid_from, month)
) WITH (fillfactor = 50);

COMMENT ON TABLE month_usage IS 'How much an account used of a meter in a month, under a version whose price depends on it.';
COMMENT ON COLUMN month_usage.valid_from IS 'Of the version, as in carried.';
COMMENT ON COLUMN month_usage.month IS 'Its first instant, in UTC. Usage counts in the month in which it occurred.';
COMMENT ON COLUMN month_usage.past_quantity IS 'What of it is past retention.';
COMMENT ON COLUMN month_usage.past_credits IS 'What that cost, in micro-credits.';

ALTER TABLE rate
  ADD COLUMN tiers jsonb,
  DROP CONSTRAINT rate_round_up_check,
  ADD CONSTRAINT rate_round_up_check CHECK (round_up IN ('each_event', 'each_month')),
  ADD CHECK (tiers IS NULL OR credits IS NOT NULL AND round_up IS NULL);
ALTER TABLE own_rate
  ADD COLUMN tiers jsonb,
  DROP CONSTRAINT own_rate_round_up_check,
  ADD CONSTRAINT own_rate_round_up_check CHECK (round_up IN ('each_event', 'each_month')),
  ADD CHECK (tiers IS NULL OR round_up IS NULL);

COMMENT ON COLUMN rate.round_up IS 'each_event: an event pays for each package of per units that it begins; each_month: all usage of a month does. null: single units are sold.';
COMMENT ON COLUMN rate.tiers IS 'Prices by what was used in the month: a list of upTo (the last unit; null: of the last tier), credits and per, as texts. credits and per are of the first tier, in the least multiple of all units.';
COMMENT ON COLUMN own_rate.tiers IS 'As in rate.';

CREATE FUNCTION counts_month(round_up text, tiers jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
  SELECT tiers IS NOT NULL OR coalesce(round_up = 'each_month', false)
$$;

CREATE FUNCTION exact_of_month(tiers jsonb, credits bigint, per bigint, used numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN tiers IS NULL THEN div(used + per - 1, per) * per * credits
    ELSE (
      SELECT sum(greatest(least(used, up_to) - begins, 0) * tier.credits * div(exact_of_month.per, tier.per))
      FROM (
        SELECT coalesce((tier ->> 'upTo')::numeric, used) AS up_to,
               lag((tier ->> 'upTo')::numeric, 1, 0) OVER (ORDER BY place) AS begins,
               (tier ->> 'credits')::numeric AS credits, (tier ->> 'per')::numeric AS per
        FROM jsonb_array_elements(tiers) WITH ORDINALITY AS listed (tier, place)
      ) AS tier
    )
  END
$$;

COMMENT ON FUNCTION exact_of_month IS 'What all usage of a month costs in micro-credits, times per.';

CREATE FUNCTION price_of_month(
  of_account text, own_meter text, own_from timestamptz, of_meter text, list_from timestamptz, used numeric
) RETURNS numeric
LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (
      SELECT div(exact_of_month(part.tiers, part.credits, part.per, used), part.per)
      FROM own_rate AS part
      WHERE (part.account_id, part.meter, part.valid_from) = (of_account, own_meter, own_from)
        AND counts_month(part.round_up, part.tiers)
    ),
    (
      SELECT div(
        exact_of_month(rate.tiers, rate.credits, rate.per, used) * ((10000 - less.discount) / gcd(less.discount, 10000)),
        rate.per::numeric * (10000 / gcd(less.discount, 10000)))
      FROM rate
      CROSS JOIN LATERAL (
        SELECT coalesce((
          SELECT discount
          FROM own_terms AS terms
          WHERE (terms.account_id, terms.meter, terms.valid_from) = (of_account, own_meter, own_from)
        ), 0) AS discount
      ) AS less
      WHERE (rate.meter, rate.valid_from) = (of_meter, list_from)
        AND counts_month(rate.round_up, rate.tiers)
    ))
$$;

COMMENT ON FUNCTION price_of_month IS 'What all usage that is counted of a month costs under one of the usage_terms, in whole micro-credits.';

CREATE OR REPLACE FUNCTION rate_price(
  of_meter text, since timestamptz, event_dimensions jsonb, event_quantity bigint
) RETURNS unit_price
LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    CASE WHEN rate.credits IS NOT NULL AND NOT counts_month(rate.round_up, rate.tiers)
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

COMMENT ON FUNCTION rate_price IS 'The price of rate.per units of a meter, under the version of an instant and for an event''s dimensions and quantity; null: no rate, or what was used in the month is counted.';

DROP FUNCTION usage_terms();

CREATE FUNCTION usage_terms() RETURNS TABLE (
  account_id text, meter text, valid_from timestamptz, valid_to timestamptz, list_from timestamptz,
  own_meter text, own_from timestamptz, per numeric, carries boolean, dimensions text[], bands_of text[],
  bands_from bigint[], packages bigint[], counts text
)
LANGUAGE sql STABLE AS $$
  WITH packaged AS MATERIALIZED (
    SELECT '' AS account_id, meter, valid_from, per
    FROM rate
    WHERE round_up = 'each_event'
    UNION
    SELECT '', meter, valid_from, per FROM rate_by_dimensions WHERE round_up IS NOT NULL
    UNION
    SELECT account_id, meter, valid_from, per FROM own_rate WHERE round_up = 'each_event'
  )
  SELECT term.*, (
    SELECT array_agg(DISTINCT packaged.per)
    FROM packaged
    WHERE packaged.account_id = '' AND packaged.meter = term.meter AND packaged.valid_from = term.list_from
      OR packaged.account_id = term.account_id AND packaged.meter = term.own_meter
        AND packaged.valid_from = term.own_from
  ), CASE
    WHEN own.counts THEN 'all'
    WHEN list.counts AND own.is_rates THEN 'rest'
    WHEN list.counts THEN 'all'
  END
  FROM price_terms() AS term
  CROSS JOIN LATERAL (
    SELECT counts_month(round_up, tiers) AS counts
    FROM rate
    WHERE (rate.meter, rate.valid_from) = (term.meter, term.list_from)
  ) AS list
  CROSS JOIN LATERAL (
    SELECT count(*) > 0 AS is_rates, coalesce(bool_or(counts_month(round_up, tiers)), false) AS counts
    FROM own_rate
    WHERE (own_rate.account_id, own_rate.meter, own_rate.valid_from)
          = (term.account_id, term.own_meter, term.own_from)
  ) AS own
$$;

COMMENT ON FUNCTION usage_terms IS 'price_terms, and the sizes of the packages in which their rates sell units. Usage with the same values of dimensions that reaches the same bands has one price, and costs the same where it begins as many packages of each size. counts: all of it counts the usage of its month, or the rest that own rates leave to the list; null: none does.';

CREATE OR REPLACE FUNCTION keep_exact_prices(pages name) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  by_event text[] := (SELECT array_agg(DISTINCT meter) FROM rate WHERE dimensions IS NOT NULL OR round_up IS NOT NULL OR tiers IS NOT NULL);
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
             CASE WHEN term.counts IS NOT NULL THEN
               date_trunc('month', page.first_at + event.occurred_after * interval '0.001 s', 'UTC')
             END AS month,
             any_value(event.dimensions) AS dimensions, any_value(event.quantity) AS like_this,
             count(*) AS events, sum(event.quantity) AS quantity,
             sum(event.credits::numeric) AS credits
      FROM %I AS page
      LEFT JOIN own USING (account_id)
      CROSS JOIN LATERAL (
        SELECT listed.meter_number, listed.occurred_after, listed.quantity, listed.credits,
               page.dimensions[coalesce(listed.dimension_number, 1)] AS dimensions
        FROM unnest(
          page.meter_numbers, page.dimension_numbers, page.occurred_after, page.quantities, page.credits
        ) AS listed (meter_number, dimension_number, occurred_after, quantity, credits)
      ) AS event
      JOIN term
        ON term.account_id = coalesce(own.account_id, '')
        AND term.meter = page.meters[coalesce(event.meter_number, 1)]
        AND page.first_at + event.occurred_after * interval '0.001 s' >= term.valid_from
        AND page.first_at + event.occurred_after * interval '0.001 s' < term.valid_to
      WHERE (page.meters && $1 OR own.account_id IS NOT NULL)
        AND (term.dimensions IS NOT NULL OR term.own_from IS NOT NULL OR term.packages IS NOT NULL
          OR term.counts IS NOT NULL)
      GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    ), met AS MATERIALIZED (
      SELECT card, meter, valid_from, named, reached,
             any_value(dimensions) AS dimensions, any_value(like_this) AS like_this
      FROM used
      GROUP BY 1, 2, 3, 4, 5
    ), priced AS MATERIALIZED (
      SELECT met.card, met.meter, met.valid_from, met.named, met.reached,
             price_of_usage(term.account_id, own_meter, own_from, term.meter, list_from,
                            met.dimensions, met.like_this) AS price,
             term.per, term.counts
      FROM met
      JOIN term
        ON (term.account_id, term.meter, term.valid_from) = (met.card, met.meter, met.valid_from)
    ), of_group AS MATERIALIZED (
      SELECT *, counts = 'all' OR counts = 'rest' AND (price).credits IS NULL AS is_counted
      FROM used JOIN priced USING (card, meter, valid_from, named, reached)
    ), summed AS (
      SELECT account_id, meter, valid_from,
             sum(CASE WHEN is_counted THEN credits * per
                      ELSE exact_price(price, events, quantity, like_this) END) AS exact
      FROM of_group
      GROUP BY account_id, meter, valid_from
    ), past_months AS (
      SELECT account_id, meter, valid_from, month, sum(quantity) AS quantity, sum(credits) AS credits
      FROM of_group
      WHERE is_counted
      GROUP BY account_id, meter, valid_from, month
    ), kept AS (
      UPDATE month_usage AS usage
      SET past_quantity = past_quantity + past_months.quantity, past_credits = past_credits + past_months.credits
      FROM past_months
      WHERE (usage.account_id, usage.meter, usage.valid_from, usage.month)
            = (past_months.account_id, past_months.meter, past_months.valid_from, past_months.month)
    )
    UPDATE usage_past AS past
    SET exact = coalesce(past.exact, 0) + summed.exact
    FROM summed
    WHERE (past.account_id, past.meter, past.valid_from) = (summed.account_id, summed.meter, summed.valid_from)
  $sql$, pages) USING by_event, with_own;
END
$$;

COMMENT ON FUNCTION keep_exact_prices IS 'Adds to usage_past what the usage of a month costs under rates by dimensions, bands and packages, and under own terms, and to month_usage what was counted of it.';

-- Down Migration

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

DROP FUNCTION usage_terms();

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

CREATE OR REPLACE FUNCTION rate_price(
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

DROP FUNCTION price_of_month(text, text, timestamptz, text, timestamptz, numeric);
DROP FUNCTION exact_of_month(jsonb, bigint, bigint, numeric);
ALTER TABLE own_rate DROP COLUMN tiers;
ALTER TABLE rate DROP COLUMN tiers;
DROP FUNCTION counts_month(text, jsonb);
UPDATE own_rate SET round_up = NULL WHERE round_up = 'each_month';
UPDATE rate SET round_up = NULL WHERE round_up = 'each_month';
ALTER TABLE own_rate
  DROP CONSTRAINT own_rate_round_up_check,
  ADD CONSTRAINT own_rate_round_up_check CHECK (round_up IN ('each_event'));
ALTER TABLE rate
  DROP CONSTRAINT rate_round_up_check,
  ADD CONSTRAINT rate_round_up_check CHECK (round_up IN ('each_event'));
COMMENT ON COLUMN rate.round_up IS 'each_event: an event pays for each package of per units that it begins. null: single units are sold.';
DROP TABLE month_usage;
