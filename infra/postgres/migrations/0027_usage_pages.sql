-- The store of usage: a row for each account and transaction, with the events of that stretch column by
-- column. That an event is metered once rests on a unique key of identities, in two tables that take
-- turns, so that the older one is emptied whole.

-- Up Migration

-- Arrays have an element for each event, in the order in which the events drew; where all would be the
-- same, one. Meters, sources and dimensions are listed once each, and the events have their numbers.
CREATE TABLE usage_page (
  account_id        text COLLATE "C" NOT NULL,
  start_position    bigint NOT NULL,
  version           bigint NOT NULL,
  end_position      bigint NOT NULL,
  place             integer NOT NULL,
  metered_at        timestamptz NOT NULL,
  first_at          timestamptz NOT NULL,
  last_at           timestamptz NOT NULL,
  first_offset      bigint NOT NULL,
  last_offset       bigint NOT NULL,
  event_uuids       uuid[],
  event_ids         text[] COLLATE "C",
  meters            text[] COLLATE "C" NOT NULL,
  meter_numbers     smallint[],
  sources           text[] COLLATE "C" NOT NULL,
  source_numbers    smallint[],
  dimensions        jsonb[],
  dimension_numbers smallint[],
  quantities        bigint[] NOT NULL,
  occurred_after    integer[] NOT NULL,
  credits           bigint[] NOT NULL,
  given_back        bigint[],
  starts            bigint[],
  kafka_partitions  integer[] NOT NULL,
  kafka_offsets     bigint[] NOT NULL,
  versions_after    integer[],
  metered_after     integer[],
  CONSTRAINT usage_page_columns CHECK (
    cardinality(quantities) = coalesce(cardinality(event_uuids), cardinality(event_ids))
    AND cardinality(quantities) = cardinality(occurred_after)
    AND cardinality(quantities) = cardinality(credits)
    AND cardinality(quantities) = cardinality(kafka_offsets)
  )
) PARTITION BY RANGE (metered_at);

-- Not unique, since a key of a partitioned table would need the time: the compare-and-set of the account's
-- version lets one transaction write a version.
CREATE INDEX usage_page_line ON usage_page (account_id, start_position, version);

-- Pages are written in the order of their offsets, so a range of offsets is in a few ranges of blocks.
CREATE INDEX usage_page_offsets ON usage_page USING brin (first_offset, last_offset)
  WITH (pages_per_range = 32, autosummarize = on);

COMMENT ON TABLE usage_page IS 'What one transaction drew from an account''s line, with its events column by column; read it as usage_record.';
COMMENT ON COLUMN usage_page.place IS 'How many events of the same account and transaction are on pages before this one.';
COMMENT ON COLUMN usage_page.first_offset IS 'The least of its offsets, of whatever partition; last_offset: the greatest.';
COMMENT ON COLUMN usage_page.event_uuids IS 'The event ids, where all of them are UUIDs in small letters; else null, and event_ids has them.';
COMMENT ON COLUMN usage_page.meter_numbers IS 'Each event''s meter, as a place in meters; null: all have the first. So for sources; for dimensions, 0: none.';
COMMENT ON COLUMN usage_page.occurred_after IS 'Milliseconds from first_at to each event''s occurred_at.';
COMMENT ON COLUMN usage_page.given_back IS 'Micro-credits that expired lots paid; null: none.';
COMMENT ON COLUMN usage_page.starts IS 'Where each event''s stretch begins; null: where the one before it ends, the first at start_position.';
COMMENT ON COLUMN usage_page.versions_after IS 'What to add to version for each event, on a page merged of several; null: nothing. So for metered_after, in milliseconds.';

-- Plain SQL sees one row an event. page_start and page_version lead through the index of the pages.
CREATE VIEW usage_of_pages AS
SELECT coalesce(event.event_id, event.event_uuid::text) COLLATE "C" AS event_id,
       page.account_id,
       page.meters[coalesce(event.meter_number, 1)] AS meter,
       event.quantity,
       page.first_at + event.occurred_after * interval '0.001 s' AS occurred_at,
       page.sources[coalesce(event.source_number, 1)] AS source,
       page.dimensions[coalesce(event.dimension_number, 1)] AS dimensions,
       event.credits,
       coalesce(event.start, page.start_position + event.drawn_before)::bigint AS start_position,
       coalesce(event.kafka_partition, page.kafka_partitions[1]) AS kafka_partition,
       event.kafka_offset,
       page.metered_at + coalesce(event.metered_after, 0) * interval '0.001 s' AS metered_at,
       nullif(event.given_back, 0) AS given_back,
       page.version + coalesce(event.version_after, 0) AS version,
       page.place + event.place AS place,
       page.start_position AS page_start,
       page.version AS page_version,
       page.place AS page_place,
       page.first_at AS page_first_at,
       page.last_at AS page_last_at,
       page.kafka_partitions AS page_partitions,
       page.first_offset AS page_first_offset,
       page.last_offset AS page_last_offset
FROM usage_page AS page
CROSS JOIN LATERAL (
  SELECT *,
         coalesce(sum(listed.credits - coalesce(listed.given_back, 0)) OVER (
           ORDER BY listed.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS drawn_before
  FROM unnest(page.event_uuids, page.event_ids, page.meter_numbers, page.source_numbers,
              page.dimension_numbers, page.quantities, page.occurred_after, page.credits,
              page.given_back, page.starts, page.kafka_partitions, page.kafka_offsets,
              page.versions_after, page.metered_after)
    WITH ORDINALITY AS listed (event_uuid, event_id, meter_number, source_number, dimension_number,
                               quantity, occurred_after, credits, given_back, start,
                               kafka_partition, kafka_offset, version_after, metered_after, place)
) AS event;

COMMENT ON VIEW usage_of_pages IS 'A metered event: it drew [start_position, start_position + credits - given_back) of the account''s line.';

-- Two generations of identities take turns: while one is written to, the other is only looked up, until no
-- event of it can be accepted again.
CREATE TABLE usage_identity_1 (
  event_key      uuid PRIMARY KEY,
  start_position bigint NOT NULL,
  version        bigint NOT NULL
) WITH (autovacuum_vacuum_insert_scale_factor = 1.0);

CREATE TABLE usage_identity_2 (LIKE usage_identity_1 INCLUDING ALL)
  WITH (autovacuum_vacuum_insert_scale_factor = 1.0);

COMMENT ON TABLE usage_identity_1 IS 'Metered events by a key of account, source and event id, with where their page begins; one generation of two.';
COMMENT ON TABLE usage_identity_2 IS 'The other generation of usage_identity_1.';

-- What differs from an event that has the same key.
CREATE TABLE usage_identity_clash (
  identity       bytea PRIMARY KEY,
  account_id     text COLLATE "C" NOT NULL,
  start_position bigint NOT NULL,
  version        bigint NOT NULL,
  metered_at     timestamptz NOT NULL
);

COMMENT ON TABLE usage_identity_clash IS 'Metered events whose key was taken by another identity, by the SHA-256 of account, source and event id.';

CREATE TABLE usage_generation (
  is_only      boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  current      smallint NOT NULL CHECK (current IN (1, 2)),
  since        timestamptz NOT NULL,
  sealed_since timestamptz,
  highest      uuid
);

COMMENT ON TABLE usage_generation IS 'Which table of identities is written to, since when.';
COMMENT ON COLUMN usage_generation.sealed_since IS 'Since when the other table was written to; null: it is empty.';
COMMENT ON COLUMN usage_generation.highest IS 'The highest key in the other table of an id that grows with time; null: it has none.';

INSERT INTO usage_generation (current, since) VALUES (1, now());

-- The services change rows and never tables, so these run with the owner's rights.
CREATE FUNCTION add_usage_month(at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  month timestamptz := date_trunc('month', at, 'UTC');
  name  text := 'usage_page_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM');
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('usage_page'));
  IF to_regclass(name) IS NOT NULL THEN RETURN; END IF;
  EXECUTE format(
    'CREATE TABLE %I (LIKE usage_page INCLUDING ALL)
     WITH (toast_tuple_target = 8160, autovacuum_vacuum_insert_scale_factor = 1.0)', name);
  EXECUTE format(
    'ALTER TABLE usage_page ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
    name, month, date_trunc('month', month + interval '1 month', 'UTC'));
END
$$;

COMMENT ON FUNCTION add_usage_month IS 'Adds the partition of usage_page for the month of an instant, unless it exists.';

CREATE FUNCTION begin_usage_generation(at timestamptz, begun_before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  sealed  text;
  emptied text;
  top     uuid;
  count   bigint;
BEGIN
  -- Transactions that meter have read the row, so all that write to the current table are over.
  LOCK TABLE usage_generation IN ACCESS EXCLUSIVE MODE;
  SELECT 'usage_identity_' || current, 'usage_identity_' || 3 - current
  INTO sealed, emptied FROM usage_generation WHERE since < begun_before;
  IF NOT FOUND THEN RETURN 0; END IF;
  SELECT greatest(reltuples, 0)::bigint INTO count FROM pg_class WHERE oid = to_regclass(emptied);
  EXECUTE format('TRUNCATE %I', emptied);
  -- Ids of version 7 begin with their time: up to the year 2248 with 01.
  EXECUTE format(
    'SELECT event_key FROM %I WHERE event_key < ''02000000-0000-0000-0000-000000000000''
       AND substr(event_key::text, 15, 1) = ''7''
     ORDER BY event_key DESC LIMIT 1', sealed) INTO top;
  UPDATE usage_generation
  SET current = 3 - current, since = at, sealed_since = since, highest = top;
  DELETE FROM usage_identity_clash WHERE metered_at < (SELECT sealed_since FROM usage_generation);
  RETURN count;
END
$$;

COMMENT ON FUNCTION begin_usage_generation IS 'If the current table of identities was begun before an instant: empties the older one and writes to it from then on. Returns about how many identities were in it.';

-- Down Migration

DROP FUNCTION begin_usage_generation(timestamptz, timestamptz), add_usage_month(timestamptz);
DROP TABLE usage_generation, usage_identity_clash, usage_identity_2, usage_identity_1;
DROP VIEW usage_of_pages;
DROP TABLE usage_page;
