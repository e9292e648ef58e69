import type { AccountId, Instant } from "../../core/line/account.ts";
import { type Queryable, queryRows, sqlState, type Transaction } from "../postgres/database.ts";
import { DRAWN_RECORDS } from "./drawn-records.ts";
import { RECORD_COLUMNS, type RecordRow, toRecord, type UsageRecord } from "./explain.ts";

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

const DAY_MS = 24 * 60 * 60 * 1000;
/** How long before or after the instant of an event it may be metered. */
export const MOST_AHEAD_MS = DAY_MS;
export const MOST_BEHIND_MS = 400 * DAY_MS;

/** The records of an account in a range of time, found through the draws of around that time. */
export const FROM_DRAWS = `
  FROM draw
  ${DRAWN_RECORDS}
  WHERE draw.account_id = $1
    AND draw.drawn_at >= to_timestamp(($2::bigint - ${MOST_AHEAD_MS}) / 1000.0)
    AND draw.drawn_at < to_timestamp(($3::bigint + ${MOST_BEHIND_MS}) / 1000.0)
    AND record.occurred_at >= to_timestamp($2::bigint / 1000.0)
    AND record.occurred_at < to_timestamp($3::bigint / 1000.0)
    AND ($4::text IS NULL OR record.meter = $4)`;

const LIST = `
  SELECT ${RECORD_COLUMNS}, draw.start_position AS "drawStart", draw.version AS "drawVersion",
         drawn.place::integer
  ${FROM_DRAWS}
    AND ($5::bigint IS NULL OR (draw.start_position, draw.version, drawn.place) < ($5, $6, $7))
  ORDER BY draw.start_position DESC, draw.version DESC, drawn.place DESC
  LIMIT $8`;

type ListedRow = RecordRow & {
  readonly drawStart: bigint;
  readonly drawVersion: bigint;
  readonly place: number;
};

const LONGEST = "SET LOCAL statement_timeout = 10000";
const TIMED_OUT = "57014";

/** The request would take longer than ten seconds. */
export class TooMuchUsage extends Error {}

/** The rows of a query, which may take only so long. Throws TooMuchUsage. */
async function rowsInTime<Row extends object>(
  transaction: Transaction,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  try {
    await transaction.query(LONGEST);
    return await queryRows<Row>(transaction, text, values);
  } catch (error) {
    if (sqlState(error) !== TIMED_OUT) throw error;
    throw new TooMuchUsage("reading the usage took longer than ten seconds", { cause: error });
  }
}

/**
 * Up to `limit` records of an account, last metered first, after the position `before` (null: from the
 * start).
 */
export async function listUsage(
  transaction: Transaction,
  accountId: AccountId,
  { from, to, meter }: UsageRange,
  page: { readonly before: UsagePlace | null; readonly limit: number },
): Promise<(UsageRecord & { readonly at: UsagePlace })[]> {
  const { start = null, version = null, place = null } = page.before ?? {};
  const values = [accountId, from, to, meter, start, version, place, page.limit];
  const rows = await rowsInTime<ListedRow>(transaction, LIST, values);
  return rows.map(({ drawStart, drawVersion, place: drawPlace, ...row }) => {
    return { ...toRecord(row), at: { start: drawStart, version: drawVersion, place: drawPlace } };
  });
}

/** The usage of an account in one step of a range, for one key that it is grouped by. */
export interface UsageTotal {
  readonly at: Instant;
  readonly key: string;
  readonly credits: bigint;
  readonly events: bigint;
  /** Null where several meters are summed. */
  readonly quantity: bigint | null;
}

type UsageStep = "hour" | "day" | "month";

/** A sum of quantities may exceed an int8. */
type TotalRow = Omit<UsageTotal, "quantity"> & { readonly quantity: string | null };

const FROM_SPEND = `
  SELECT bucket AS at, meter AS key, sum(credits)::bigint AS credits, sum(events)::bigint AS events,
         sum(quantity) AS quantity
  FROM (
    SELECT CASE
             WHEN $4::text IS NULL THEN to_timestamp($2::bigint / 1000.0)
             ELSE date_trunc($4, hour, $5)
           END AS bucket,
           meter, credits, events, quantity
    FROM spend
    WHERE account_id = $1
      AND hour >= date_trunc('hour', to_timestamp($2::bigint / 1000.0), $5)
      AND hour < to_timestamp($3::bigint / 1000.0)
  ) AS spent
  GROUP BY bucket, meter
  ORDER BY bucket, meter`;

/** The usage of an account by meter and step (null: the whole range), in whole hours of its time zone. */
export async function spendByMeter(
  database: Queryable,
  accountId: AccountId,
  { from, to, step, timeZone }: SummaryRange,
): Promise<UsageTotal[]> {
  const values = [accountId, from, to, step, timeZone];
  return (await queryRows<TotalRow>(database, FROM_SPEND, values)).map(toTotal);
}

/** The range to summarise, and its steps in a time zone (null: one step). */
export interface SummaryRange {
  readonly from: Instant;
  readonly to: Instant;
  readonly step: UsageStep | null;
  readonly timeZone: string;
}

const FROM_RECORDS = `
  SELECT bucket AS at, key, sum(credits)::bigint AS credits, count(*) AS events, NULL AS quantity
  FROM (
    SELECT CASE
             WHEN $5::text IS NULL THEN to_timestamp($2::bigint / 1000.0)
             ELSE date_trunc($5, record.occurred_at, $6)
           END AS bucket,
           CASE
             WHEN $7::text IS NULL THEN record.source
             ELSE coalesce(record.dimensions ->> $7, '')
           END AS key,
           record.credits
    ${FROM_DRAWS}
  ) AS used
  GROUP BY bucket, key
  ORDER BY bucket, key
  LIMIT $8`;

/** The usage of an account by a dimension (null: by source). Reads every record of the range. */
export async function usageBy(
  transaction: Transaction,
  accountId: AccountId,
  asked: SummaryRange & { readonly dimension: string | null; readonly limit: number },
): Promise<UsageTotal[]> {
  const { from, to, step, timeZone, dimension, limit } = asked;
  const values = [accountId, from, to, null, step, timeZone, dimension, limit];
  return (await rowsInTime<TotalRow>(transaction, FROM_RECORDS, values)).map(toTotal);
}

function toTotal({ quantity, ...total }: TotalRow): UsageTotal {
  return { ...total, quantity: quantity === null ? null : BigInt(quantity) };
}
