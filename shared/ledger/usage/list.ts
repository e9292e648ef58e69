import type { AccountId, Instant } from "../../core/line/account.ts";
import { MAX_BIGINT } from "../../core/line/credit-line.ts";
import { type SpentHour, spanOf } from "../../core/usage/usage-steps.ts";
import { queryRow, type Transaction } from "../postgres/database.ts";
import { RECORD_COLUMNS, type RecordRow, toRecord, type UsageRecord } from "./explain.ts";
import { requireUsage } from "./past-usage.ts";
import { readHours } from "./read-hours.ts";
import { rowsInTime } from "./rows-in-time.ts";
import {
  firstDrawnSince,
  LAST_DRAWN_FIRST,
  MOST_AHEAD,
  OF_ACCOUNT,
  occurredIn,
  recordsOfSpan,
} from "./walk-records.ts";

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
  readonly pageStart: bigint;
  readonly pageVersion: bigint;
  readonly place: number;
};

const LISTED = `
  ${RECORD_COLUMNS}, record.page_start AS "pageStart", record.page_version AS "pageVersion",
  record.place::integer AS place`;

const [FROM, TO] = ["to_timestamp($2::bigint / 1000.0)", "to_timestamp($3::bigint / 1000.0)"];

/** From the place `($4, $5, $6)` backwards. */
const BACKWARDS = `
  SELECT ${LISTED}
  ${OF_ACCOUNT}
    AND record.page_start >= ${firstDrawnSince(`${FROM} - ${MOST_AHEAD}`)}
    AND (record.page_start, record.page_version) <= ($4::bigint, $5::bigint)
    AND (record.page_start, record.page_version, record.place) < ($4::bigint, $5::bigint, $6::bigint)
    AND ${occurredIn(FROM, TO)}
    AND ($7::text IS NULL OR record.meter = $7)
  ORDER BY ${LAST_DRAWN_FIRST}
  LIMIT $8`;

/** All records of whole hours, of which the last ones in the range are listed. */
const ALL = `
  SELECT listed.*
  FROM (
    SELECT to_timestamp($4::bigint / 1000.0) AS first, to_timestamp($5::bigint / 1000.0) AS last,
           $6::bigint AS events
  ) AS span
  CROSS JOIN LATERAL ${recordsOfSpan(LISTED, "($7::text IS NULL OR record.meter = $7)")} AS listed
  WHERE "occurredAt" >= ${FROM} AND "occurredAt" < ${TO}
  ORDER BY "pageStart" DESC, "pageVersion" DESC, place DESC
  LIMIT $8`;

const LAST: UsagePlace = { start: MAX_BIGINT, version: MAX_BIGINT, place: Number.MAX_SAFE_INTEGER };

/**
 * Up to `limit` records of an account, last metered first, after the position `before` (null: from the
 * start). Throws UsageRefused.
 */
export async function listUsage(
  transaction: Transaction,
  accountId: AccountId,
  range: UsageRange,
  page: { readonly before: UsagePlace | null; readonly limit: number },
): Promise<(UsageRecord & { readonly at: UsagePlace })[]> {
  const hours = await readHours(transaction, accountId, range);
  if (hours.length === 0) return [];
  await requireUsage(transaction, accountId, range.from);
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
  return rows.map(({ pageStart, pageVersion, place: onPage, ...row }) => {
    return { ...toRecord(row), at: { start: pageStart, version: pageVersion, place: onPage } };
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
