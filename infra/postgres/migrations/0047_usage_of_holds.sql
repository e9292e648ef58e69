-- Usage may name the hold that it uses. Its page keeps the name, and whether the hold took it: usage is metered
-- whatever is held.

-- Up Migration

ALTER TABLE usage_page
  ADD COLUMN hold_ids     text[] COLLATE "C",
  ADD COLUMN hold_numbers smallint[],
  ADD COLUMN holds_used   boolean[];

COMMENT ON COLUMN usage_page.hold_ids IS 'The holds that its events name; null: none does. hold_numbers: as dimension_numbers.';
COMMENT ON COLUMN usage_page.holds_used IS 'Whether each of hold_ids was used: false: it had ended, or the account had none of that name. Null: not known, as in books that were built again.';

CREATE OR REPLACE VIEW usage_record AS
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
       page.last_offset AS page_last_offset,
       coalesce(event.goes_on, false) AS goes_on,
       page.hold_ids[coalesce(event.hold_number, 1)] AS hold_id,
       page.holds_used[coalesce(event.hold_number, 1)] AS hold_used
FROM usage_page AS page
CROSS JOIN LATERAL (
  SELECT *,
         coalesce(sum(listed.credits - coalesce(listed.given_back, 0)) OVER (
           ORDER BY listed.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS drawn_before,
         lag(listed.kafka_offset) OVER (ORDER BY listed.place) = listed.kafka_offset
           AND (cardinality(page.kafka_partitions) = 1
                OR lag(listed.kafka_partition) OVER (ORDER BY listed.place) = listed.kafka_partition)
           AS goes_on
  FROM unnest(page.event_uuids, page.event_ids, page.meter_numbers, page.source_numbers,
              page.dimension_numbers, page.quantities, page.occurred_after, page.credits,
              page.given_back, page.starts, page.kafka_partitions, page.kafka_offsets,
              page.versions_after, page.metered_after, page.hold_numbers)
    WITH ORDINALITY AS listed (event_uuid, event_id, meter_number, source_number, dimension_number,
                               quantity, occurred_after, credits, given_back, start,
                               kafka_partition, kafka_offset, version_after, metered_after,
                               hold_number, place)
) AS event;

COMMENT ON COLUMN usage_record.hold_id IS 'The hold that the event names; null: none.';
COMMENT ON COLUMN usage_record.hold_used IS 'Whether the hold took it; null: not known.';

-- Down Migration

DROP VIEW usage_record;

CREATE VIEW usage_record AS
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
       page.last_offset AS page_last_offset,
       coalesce(event.goes_on, false) AS goes_on
FROM usage_page AS page
CROSS JOIN LATERAL (
  SELECT *,
         coalesce(sum(listed.credits - coalesce(listed.given_back, 0)) OVER (
           ORDER BY listed.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS drawn_before,
         lag(listed.kafka_offset) OVER (ORDER BY listed.place) = listed.kafka_offset
           AND (cardinality(page.kafka_partitions) = 1
                OR lag(listed.kafka_partition) OVER (ORDER BY listed.place) = listed.kafka_partition)
           AS goes_on
  FROM unnest(page.event_uuids, page.event_ids, page.meter_numbers, page.source_numbers,
              page.dimension_numbers, page.quantities, page.occurred_after, page.credits,
              page.given_back, page.starts, page.kafka_partitions, page.kafka_offsets,
              page.versions_after, page.metered_after)
    WITH ORDINALITY AS listed (event_uuid, event_id, meter_number, source_number, dimension_number,
                               quantity, occurred_after, credits, given_back, start,
                               kafka_partition, kafka_offset, version_after, metered_after, place)
) AS event;

COMMENT ON VIEW usage_record IS 'A meter of a metered event: it drew [start_position, start_position + credits - given_back) of the account''s line.';
COMMENT ON COLUMN usage_record.goes_on IS 'True for a further meter of the event whose row is before it: counted without these, rows are events.';

ALTER TABLE usage_page DROP COLUMN holds_used, DROP COLUMN hold_numbers, DROP COLUMN hold_ids;
