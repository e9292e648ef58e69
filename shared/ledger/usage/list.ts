import type { AccountId, Instant } from "../../core/line/account.ts";
import { MAX_BIGINT } from "../../core/line/credit-line.ts";
import { type SpentHour, spanOf } from "../../core/usage/usage-steps.ts";
import { queryRow, type Transaction } from "../postgres/database.ts";
import { RECORD_COLUMNS, type RecordRow, toRecord, type UsageRecord } from "./explain.ts";
import { readHours } from "./read-hours.ts";
import { rowsInTime } from "./rows-in-time.ts";
import { FROM_DRAWS, firstDrawnSince, MOST_AHEAD, recordsOfSpan } from "./walk-records.ts";

/** Which usage: of events that occurred in [from, to), of one meter or of all. */
export interface UsageRange {
  readonly from: Instant;
  readonly to: Instant;
  readonly meter: string | null;
}

/** A record's position in the list of its account's usage. */
export interface UsagePlace {
  readonly start: bigint;
  readonly version: bigint;
  readonly place: number;
}

type ListedRow = RecordRow & {
  readonly drawStart: bigint;
  readonly drawVersion: bigint;
  readonly place: number;
};

const LISTED = `
  ${RECORD_COLUMNS}, draw.start_position AS "drawStart", draw.version AS "drawVersion",
  drawn.place::integer`;

/** From the place `($4, $5, $6)` backwards. */
const BACKWARDS = `
  SELECT ${LISTED}
  ${FROM_DRAWS}
    AND draw.start_position >= ${firstDrawnSince(`to_timestamp($2::bigint / 1000.0) - ${MOST_AHEAD}`)}
    AND (draw.start_position, draw.version) <= ($4::bigint, $5::bigint)
    AND (draw.start_position, draw.version, drawn.place) < ($4::bigint, $5::bigint, $6::bigint)
    AND record.occurred_at >= to_timestamp($2::bigint / 1000.0)
    AND record.occurred_at < to_timestamp($3::bigint / 1000.0)
    AND ($7::text IS NULL OR record.meter = $7)
  ORDER BY draw.start_position DESC, draw.version DESC, drawn.place DESC
  LIMIT $8`;

/** All records of whole hours, of which the last ones in the range are listed. */
const ALL = `
  SELECT listed.*
  FROM (
    SELECT to_timestamp($4::bigint / 1000.0) AS first, to_timestamp($5::bigint / 1000.0) AS last,
           $6::bigint AS events
  ) AS span
  CROSS JOIN LATERAL ${recordsOfSpan(LISTED, "($7::text IS NULL OR record.meter = $7)")} AS listed
  WHERE "occurredAt" >= to_timestamp($2::bigint / 1000.0)
    AND "occurredAt" < to_timestamp($3::bigint / 1000.0)
  ORDER BY "drawStart" DESC, "drawVersion" DESC, place DESC
  LIMIT $8`;

const LAST: UsagePlace = { start: MAX_BIGINT, version: MAX_BIGINT, place: Number.MAX_SAFE_INTEGER };

/**
 * Up to `limit` records of an account, last metered first, after the position `before` (null: from the
 * start). Throws TooMuchUsage.
 */
export async function listUsage(
  transaction: Transaction,
  accountId: AccountId,
  range: UsageRange,
  page: { readonly before: UsagePlace | null; readonly limit: number },
): Promise<(UsageRecord & { readonly at: UsagePlace })[]> {
  const hours = await readHours(transaction, accountId, range);
  if (hours.length === 0) return [];
  const { from, to, events } = spanOf(hours);
  // The list begins with what was metered last: behind the range, unless some of it was late.
  const isPast = page.before === null && events < (await countSince(transaction, accountId, to));
  const { start, version, place } = page.before ?? LAST;
  const within = [accountId, range.from, range.to];
  const rows = isPast
    ? await rowsInTime<ListedRow>(transaction, ALL, [
        ...[...within, from, to, events, range.meter, page.limit],
      ])
    : await rowsInTime<ListedRow>(transaction, BACKWARDS, [
        ...[...within, start, version, place, range.meter, page.limit],
      ]);
  return rows.map(({ drawStart, drawVersion, place: drawPlace, ...row }) => {
    return { ...toRecord(row), at: { start: drawStart, version: drawVersion, place: drawPlace } };
  });
}

const COUNT = `
  SELECT coalesce(sum(events), 0)::bigint AS events
  FROM spend
  WHERE account_id = $1 AND hour >= to_timestamp($2::bigint / 1000.0)`;

/** The number of an account's events since the start of an hour. */
async function countSince(
  transaction: Transaction,
  accountId: AccountId,
  hour: Instant,
): Promise<bigint> {
  const row = await queryRow<SpentHour>(transaction, COUNT, [accountId, hour]);
  return row?.events ?? 0n;
}
