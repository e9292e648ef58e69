-- The tables of single records go. ../carry-usage.ts has dropped them where they had rows, once these were
-- on pages.

-- Up Migration

DO $$
BEGIN
  IF to_regclass('usage_record') IS NULL THEN RETURN; END IF;
  LOCK TABLE usage_record, draw IN ACCESS EXCLUSIVE MODE;
  IF EXISTS (SELECT FROM usage_record) THEN
    RAISE EXCEPTION 'usage_record has records that are on no page yet: run set-up again';
  END IF;
END
$$;

DROP TABLE IF EXISTS draw, usage_record;
ALTER VIEW usage_of_pages RENAME TO usage_record;

-- Down Migration

ALTER VIEW usage_record RENAME TO usage_of_pages;

CREATE TABLE usage_record (
  event_id        text COLLATE "C" NOT NULL,
  account_id      text COLLATE "C" NOT NULL,
  meter           text COLLATE "C" NOT NULL,
  quantity        bigint NOT NULL,
  occurred_at     timestamptz NOT NULL,
  source          text NOT NULL,
  dimensions      jsonb,
  credits         bigint NOT NULL,
  start_position  bigint NOT NULL,
  kafka_partition integer NOT NULL,
  kafka_offset    bigint NOT NULL,
  metered_at      timestamptz NOT NULL,
  given_back      bigint
) WITH (autovacuum_vacuum_insert_scale_factor = 1.0);

CREATE TABLE draw (
  account_id     text COLLATE "C" NOT NULL,
  start_position bigint NOT NULL,
  version        bigint NOT NULL,
  end_position   bigint NOT NULL,
  event_ids      text[] COLLATE "C" NOT NULL,
  drawn_at       timestamptz NOT NULL,
  sources        text[] COLLATE "C",
  PRIMARY KEY (account_id, start_position, version)
) WITH (autovacuum_vacuum_insert_scale_factor = 1.0);

INSERT INTO usage_record
SELECT event_id, account_id, meter, quantity, occurred_at, source, dimensions, credits, start_position,
       kafka_partition, kafka_offset, metered_at, given_back
FROM usage_of_pages;

INSERT INTO draw
SELECT account_id, min(start_position), version,
       max(start_position + credits - coalesce(given_back, 0)),
       array_agg(event_id ORDER BY start_position, place), max(metered_at),
       array_agg(source ORDER BY start_position, place)
FROM usage_of_pages
GROUP BY account_id, version;

CREATE INDEX usage_record_offsets ON usage_record USING brin (kafka_offset)
  WITH (pages_per_range = 32, autosummarize = on);

-- Carried anew on the way up.
TRUNCATE usage_page, usage_identity_1, usage_identity_2, usage_identity_clash;

CREATE UNIQUE INDEX usage_record_identity ON usage_record (
  event_id,
  account_id,
  (CASE
     WHEN length(source) <= 128 THEN source
     ELSE left(source, 128) || encode(sha256(decode(replace(source, '\', '\\'), 'escape')), 'hex')
   END) COLLATE "C"
);
