-- Usage is dropped by whole months. What proofs need of it is kept: sums by rate, the stretches of the line
-- that it drew, and the offsets at which it was read.

-- Up Migration

CREATE TABLE usage_past (
  account_id text COLLATE "C" NOT NULL,
  meter      text COLLATE "C" NOT NULL,
  valid_from timestamptz NOT NULL,
  events     bigint NOT NULL,
  quantity   numeric NOT NULL,
  credits    bigint NOT NULL,
  given_back bigint NOT NULL,
  PRIMARY KEY (account_id, meter, valid_from)
);

COMMENT ON TABLE usage_past IS 'Sums of an account''s usage whose pages were dropped, by meter and by the rate that priced it.';
COMMENT ON COLUMN usage_past.valid_from IS 'Of the rate; -infinity: it had none.';

CREATE TABLE usage_past_stretch (
  account_id     text COLLATE "C" NOT NULL,
  start_position bigint NOT NULL,
  end_position   bigint NOT NULL,
  version        bigint NOT NULL,
  last_at        timestamptz NOT NULL
);

CREATE INDEX usage_past_stretch_end ON usage_past_stretch (account_id, end_position);

COMMENT ON TABLE usage_past_stretch IS 'What usage whose pages were dropped drew of an account''s line, without a gap between two events of a row.';
COMMENT ON COLUMN usage_past_stretch.version IS 'The account''s version after the last transaction that drew of it.';
COMMENT ON COLUMN usage_past_stretch.last_at IS 'When the latest of its events occurred, or was metered.';

CREATE TABLE usage_past_partition (
  kafka_partition integer PRIMARY KEY,
  first_offset    bigint NOT NULL,
  next_offset     bigint NOT NULL,
  events          bigint NOT NULL,
  credits         bigint NOT NULL,
  last_at         timestamptz NOT NULL
);

COMMENT ON TABLE usage_past_partition IS 'Where the usage whose pages were dropped was read: offsets from first_offset on, below next_offset.';

-- It reads whole months, and sorts them. Whoever meters waits behind it for the lock at its end, so it tries
-- to get that for a moment only, and again.
CREATE FUNCTION drop_usage_month(before timestamptz)
RETURNS TABLE (month timestamptz, events bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
SET enable_seqscan = on
SET enable_hashjoin = on
SET work_mem = '64MB'
SET lock_timeout = '5s'
AS $$
DECLARE
  name text;
BEGIN
  SELECT relname, since
  INTO name, month
  FROM pg_inherits
  JOIN pg_class ON pg_class.oid = inhrelid
  CROSS JOIN LATERAL (
    SELECT make_timestamptz(split_part(relname, '_', 3)::integer, split_part(relname, '_', 4)::integer,
                            1, 0, 0, 0, 'UTC') AS since
  ) AS named
  WHERE inhparent = 'usage_page'::regclass
    AND date_trunc('month', since + interval '1 month', 'UTC') <= before
  ORDER BY since
  LIMIT 1;
  IF NOT FOUND THEN RETURN; END IF;

  -- Repairs of that month wait; whoever meters or reads does not.
  EXECUTE format('LOCK TABLE %I IN SHARE MODE', name);
  PERFORM set_config('lock_timeout', '200ms', true);

  EXECUTE format($sql$
    WITH event AS (
      SELECT page.account_id,
             page.meters[coalesce(listed.meter_number, 1)] AS meter,
             page.first_at + listed.occurred_after * interval '0.001 s' AS occurred_at,
             page.metered_at + coalesce(listed.metered_after, 0) * interval '0.001 s' AS metered_at,
             listed.quantity, listed.credits, coalesce(listed.given_back, 0) AS given_back,
             coalesce(listed.kafka_partition, page.kafka_partitions[1]) AS kafka_partition,
             listed.kafka_offset
      FROM %I AS page
      CROSS JOIN LATERAL unnest(
        page.meter_numbers, page.occurred_after, page.metered_after, page.quantities, page.credits,
        page.given_back, page.kafka_partitions, page.kafka_offsets
      ) AS listed (meter_number, occurred_after, metered_after, quantity, credits, given_back,
                   kafka_partition, kafka_offset)
    ), term AS (
      SELECT meter, valid_from,
             lead(valid_from, 1, 'infinity') OVER (PARTITION BY meter ORDER BY valid_from) AS valid_to
      FROM rate
    ), summed AS (
      SELECT grouping(kafka_partition) = 1 AS is_of_account, account_id, event.meter,
             coalesce(valid_from, '-infinity') AS valid_from, kafka_partition,
             count(*) AS events, sum(quantity) AS quantity, sum(credits)::bigint AS credits,
             sum(given_back)::bigint AS given_back,
             min(kafka_offset) AS first_offset, max(kafka_offset) + 1 AS next_offset,
             max(greatest(occurred_at, metered_at)) AS last_at
      FROM event
      LEFT JOIN term
        ON term.meter = event.meter AND occurred_at >= valid_from AND occurred_at < valid_to
      GROUP BY GROUPING SETS ((account_id, event.meter, valid_from), (kafka_partition))
    ), of_partition AS (
      INSERT INTO usage_past_partition AS past
        (kafka_partition, first_offset, next_offset, events, credits, last_at)
      SELECT kafka_partition, first_offset, next_offset, events, credits, last_at
      FROM summed
      WHERE NOT is_of_account
      ON CONFLICT (kafka_partition) DO UPDATE
      SET first_offset = least(past.first_offset, excluded.first_offset),
          next_offset = greatest(past.next_offset, excluded.next_offset),
          events = past.events + excluded.events,
          credits = past.credits + excluded.credits,
          last_at = greatest(past.last_at, excluded.last_at)
      RETURNING 1
    ), of_account AS (
      INSERT INTO usage_past AS past
        (account_id, meter, valid_from, events, quantity, credits, given_back)
      SELECT account_id, meter, valid_from, events, quantity, credits, given_back
      FROM summed
      WHERE is_of_account
      ON CONFLICT (account_id, meter, valid_from) DO UPDATE
      SET events = past.events + excluded.events,
          quantity = past.quantity + excluded.quantity,
          credits = past.credits + excluded.credits,
          given_back = past.given_back + excluded.given_back
      RETURNING 1
    )
    SELECT coalesce(sum(events), 0)::bigint FROM summed WHERE is_of_account
  $sql$, name) INTO events;

  -- A stretch goes on where one of an earlier month has ended.
  EXECUTE format($sql$
    WITH drawn AS (
      SELECT page.account_id, listed.start_position, listed.end_position,
             CASE WHEN versions_after IS NULL THEN version
               ELSE version + (SELECT max(after) FROM unnest(versions_after) AS after)
             END AS version,
             CASE WHEN metered_after IS NULL THEN greatest(last_at, metered_at)
               ELSE greatest(last_at, metered_at + (SELECT max(after) FROM unnest(metered_after) AS after)
                                                   * interval '0.001 s')
             END AS last_at
      FROM %I AS page
      CROSS JOIN LATERAL (
        SELECT page.start_position, page.end_position
        WHERE page.starts IS NULL
        UNION ALL
        SELECT start, start + credits - coalesce(given_back, 0)
        FROM unnest(page.starts, page.credits, page.given_back) AS each (start, credits, given_back)
        WHERE page.starts IS NOT NULL
      ) AS listed
    ), parted AS (
      SELECT *, start_position IS DISTINCT FROM lag(end_position) OVER line AS begins
      FROM drawn
      WINDOW line AS (PARTITION BY account_id ORDER BY start_position, end_position)
    ), numbered AS (
      SELECT *, count(*) FILTER (WHERE begins) OVER line AS number
      FROM parted
      WINDOW line AS (PARTITION BY account_id ORDER BY start_position, end_position)
    ), stretch AS (
      SELECT account_id, min(start_position) AS start_position, max(end_position) AS end_position,
             max(version) AS version, max(last_at) AS last_at
      FROM numbered
      GROUP BY account_id, number
    ), grown AS (
      UPDATE usage_past_stretch AS past
      SET end_position = stretch.end_position,
          version = greatest(past.version, stretch.version),
          last_at = greatest(past.last_at, stretch.last_at)
      FROM stretch
      WHERE past.account_id = stretch.account_id AND past.end_position = stretch.start_position
        AND past.start_position = (
          SELECT max(start_position)
          FROM usage_past_stretch AS ending
          WHERE ending.account_id = past.account_id AND ending.end_position = past.end_position
        )
      RETURNING stretch.account_id, stretch.start_position
    )
    INSERT INTO usage_past_stretch (account_id, start_position, end_position, version, last_at)
    SELECT account_id, start_position, end_position, version, last_at
    FROM stretch
    WHERE (account_id, start_position) NOT IN (SELECT * FROM grown)
  $sql$, name);

  FOR attempt IN 1..5 LOOP
    BEGIN
      LOCK TABLE ONLY usage_page IN ACCESS EXCLUSIVE MODE;
      EXECUTE format('DROP TABLE %I', name);
      RETURN NEXT;
      RETURN;
    EXCEPTION WHEN lock_not_available THEN
      PERFORM pg_sleep(1);
    END;
  END LOOP;
  RAISE EXCEPTION 'usage_page is being read: % cannot be dropped now', name
    USING ERRCODE = 'lock_not_available', HINT = 'Another run of housekeeping tries again.';
END
$$;

COMMENT ON FUNCTION drop_usage_month IS 'Drops the oldest month of usage_page if it ended before an instant, and keeps its sums. No row: none did. Fails with lock_not_available, and changes nothing, while usage_page is read for long.';

-- Down Migration

DROP FUNCTION drop_usage_month(timestamptz);
DROP TABLE usage_past_partition, usage_past_stretch, usage_past;
