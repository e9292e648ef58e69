/**
 * Joins each row of `draw` with the records of the events that it names, as `record`, in the order of
 * `drawn.place`. A draw names the source of each event, or one for all. Draws without sources are of a
 * version whose accounts had one record for each event id; what has that id since was metered later.
 * OFFSET 0 keeps the planner to one look-up for each event, so that a LIMIT reads no more than it shows.
 */
export const DRAWN_RECORDS = `
  CROSS JOIN unnest(draw.event_ids, draw.sources) WITH ORDINALITY AS drawn (event_id, of_source, place)
  CROSS JOIN LATERAL (
    SELECT * FROM usage_record
    WHERE event_id = drawn.event_id AND account_id = draw.account_id
      AND CASE
            WHEN draw.sources IS NULL THEN metered_at = draw.drawn_at
            ELSE source = coalesce(drawn.of_source, draw.sources[1])
          END
    OFFSET 0
  ) AS record`;
