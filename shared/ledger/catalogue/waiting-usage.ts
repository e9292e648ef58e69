import type { Instant } from "../../core/line/account.ts";
import { textArray } from "../postgres/array-literal.ts";
import { type Queryable, queryRow, queryRows } from "../postgres/database.ts";

/** Open dead letters that a price of their meter resolves, as the indexes of 0007 have them. */
const WAITING = `
  reason IN ('unknown_meter', 'no_price') AND retry_asked_at IS NULL AND retry_refused IS NULL
  AND dismissed_at IS NULL AND occurred_at IS NOT NULL`;

const OLDEST = `
  SELECT meter, min(occurred_at) AS oldest
  FROM dead_letter
  WHERE meter = ANY($1::text[]) AND ${WAITING}
  GROUP BY meter`;

/**
 * When the oldest usage occurred that waits for a price, by meter. A meter's first price begins there
 * unless it states an instant, or that usage could never be metered: no price is set before another.
 */
export async function readWaitingSince(
  database: Queryable,
  meters: readonly string[],
): Promise<Map<string, Instant>> {
  if (meters.length === 0) return new Map();
  type Row = { readonly meter: string; readonly oldest: Instant };
  const rows = await queryRows<Row>(database, OLDEST, [textArray(meters)]);
  return new Map(rows.map(({ meter, oldest }) => [meter, oldest]));
}

const STRANDED = `
  SELECT count(*)::integer AS stranded
  FROM dead_letter
  WHERE meter = $1 AND occurred_at < to_timestamp($2 / 1000.0) AND ${WAITING}`;

/** How much waiting usage a meter's first price leaves without one, if it begins at an instant. */
export async function countStranded(
  database: Queryable,
  meter: string,
  validFrom: Instant,
): Promise<number> {
  const row = await queryRow<{ stranded: number }>(database, STRANDED, [meter, validFrom]);
  return row?.stranded ?? 0;
}
