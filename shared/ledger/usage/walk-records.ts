/**
 * The records of an account are found through its pages, which are in the order of the line and so in
 * the order in which they were drawn. Spend says how many records there are in a stretch of whole hours:
 * reading ends with the last of them.
 */

/** How long before its instant an event is metered, usually: the clock of a producer may be ahead. */
const USUALLY_AHEAD = "interval '1 hour'";
/** The same, at most; a page merged of several may have begun a day before. */
export const MOST_AHEAD = "interval '2 days'";

/**
 * The place on the line of account $1 from which on all pages begin at `instant` (SQL) or later, those
 * before it earlier. Found by halving, since pages have no index by time.
 */
export function firstDrawnSince(instant: string): string {
  return `(
    WITH RECURSIVE search (place, step) AS (
      SELECT 0::bigint, 1::bigint << 62
      UNION ALL
      SELECT CASE
               WHEN coalesce((
                 SELECT metered_at < ${instant}
                 FROM usage_page
                 WHERE account_id = $1 AND start_position < search.place + search.step
                 ORDER BY start_position DESC, version DESC
                 LIMIT 1
               ), true) THEN search.place + search.step
               ELSE search.place
             END,
             search.step / 2
      FROM search
      WHERE search.step > 0
    )
    SELECT max(place) FROM search)`;
}

/** The records of account $1. `page_start` and `page_version` lead through the index of the pages. */
export const OF_ACCOUNT = `
  FROM usage_record AS record
  WHERE record.account_id = $1`;

/** The order in which an account's events drew, and its reverse. */
export const AS_DRAWN = "record.page_start, record.page_version, record.place";
export const LAST_DRAWN_FIRST =
  "record.page_start DESC, record.page_version DESC, record.place DESC";

/** Records that occurred in [from, to), in SQL; other pages are passed over unread. */
export function occurredIn(from: string, to: string): string {
  return `record.page_last_at >= ${from} AND record.page_first_at < ${to}
    AND record.occurred_at >= ${from} AND record.occurred_at < ${to}`;
}

/**
 * The `span.events` records of account $1 that occurred in [span.first, span.last) and fulfil a
 * condition: first those drawn from shortly before `span.first` on, then those drawn before. In the order
 * of pages only: to sort the events of a page, the one behind it would be read as well.
 */
export function recordsOfSpan(columns: string, condition = "true"): string {
  const usual = firstDrawnSince(`span.first - ${USUALLY_AHEAD}`);
  const walk = (drawn: string) => `
    SELECT ${columns} ${OF_ACCOUNT} AND ${occurredIn("span.first", "span.last")}
      AND ${condition} AND ${drawn}`;
  return `(
    (${walk(`record.page_start >= ${usual}`)}
     ORDER BY record.page_start, record.page_version)
    UNION ALL
    (${walk(`record.page_start < ${usual}`)}
     ORDER BY record.page_start DESC, record.page_version DESC)
    LIMIT span.events)`;
}
