import { DRAWN_RECORDS } from "./drawn-records.ts";

/**
 * The records of an account are found through its draws, which are in the order of the line and so in
 * the order in which they were drawn. Spend says how many records there are in a stretch of whole hours:
 * reading ends with the last of them.
 */

/** How long before its instant an event is metered, usually: the clock of a producer may be ahead. */
const USUALLY_AHEAD = "interval '1 hour'";
/** The same, at most. */
export const MOST_AHEAD = "interval '1 day'";

/**
 * The place on the line of account $1 from which on all draws are of `instant` (SQL) or later, those
 * before it older. Found by halving, since draws have no index by time.
 */
export function firstDrawnSince(instant: string): string {
  return `(
    WITH RECURSIVE search (place, step) AS (
      SELECT 0::bigint, 1::bigint << 62
      UNION ALL
      SELECT CASE
               WHEN coalesce((
                 SELECT drawn_at < ${instant}
                 FROM draw
                 WHERE account_id = $1 AND start_position < place + step
                 ORDER BY start_position DESC, version DESC
                 LIMIT 1
               ), true) THEN place + step
               ELSE place
             END,
             step / 2
      FROM search
      WHERE step > 0
    )
    SELECT max(place) FROM search)`;
}

/** The records of the draws of account $1. */
export const FROM_DRAWS = `
  FROM draw
  ${DRAWN_RECORDS}
  WHERE draw.account_id = $1`;

const OCCURRED = `
  record.occurred_at >= span.first AND record.occurred_at < span.last`;

/**
 * The `span.events` records of account $1 that occurred in [span.first, span.last) and fulfil a
 * condition: first those drawn from shortly before `span.first` on, then those drawn before.
 */
export function recordsOfSpan(columns: string, condition = "true"): string {
  const usual = firstDrawnSince(`span.first - ${USUALLY_AHEAD}`);
  const walk = (drawn: string) => `
    SELECT ${columns} ${FROM_DRAWS} AND ${OCCURRED} AND ${condition} AND ${drawn}`;
  return `(
    (${walk(`draw.start_position >= ${usual}`)}
     ORDER BY draw.start_position, draw.version)
    UNION ALL
    (${walk(`draw.start_position < ${usual}`)}
     ORDER BY draw.start_position DESC, draw.version DESC)
    LIMIT span.events)`;
}
