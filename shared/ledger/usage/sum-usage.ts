import type { AccountId, Instant } from "../../core/line/account.ts";
import {
  divideHours,
  type RaggedHours,
  type SummedRange,
  spanOf,
  stepsOf,
  type WholeHours,
} from "../../core/usage/usage-steps.ts";
import { bigintArray, columnsOf } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import { requireUsage } from "./past-usage.ts";
import { readHours } from "./read-hours.ts";
import { rowsInTime } from "./rows-in-time.ts";
import { recordsOfSpan } from "./walk-records.ts";

/** What usage is summed by: its meter, its source, or a dimension. */
export type UsageGroup = "meter" | "source" | { readonly dimension: string };

/** The usage of an account in one step of a range, for one key that it is grouped by. */
export interface UsageTotal {
  /** The start of the step. */
  readonly at: Instant;
  readonly key: string;
  readonly credits: bigint;
  /** By meter, those that have it. */
  readonly events: bigint;
  /** Null where several meters are summed. */
  readonly quantity: bigint | null;
}

/** A sum of quantities may exceed an int8. */
interface TotalRow {
  /** The place of its step. */
  readonly step: number;
  readonly key: string;
  readonly credits: bigint;
  readonly events: bigint;
  readonly quantity: string;
}

/**
 * The exact usage of an account in a range and its steps, in the order of steps and keys; at most `limit`
 * sums of single records. By meter, whole hours come from spend and only the edges from records; otherwise
 * every record of the range is read. Throws UsageRefused.
 */
export async function sumUsage(
  transaction: Transaction,
  accountId: AccountId,
  range: SummedRange & { readonly group: UsageGroup; readonly limit: number },
): Promise<UsageTotal[]> {
  const starts = stepsOf(range);
  const [, ...inner] = starts;
  const cuts = [range.from, ...inner, range.to];
  const hours = await readHours(transaction, accountId, { ...range, meter: null });
  if (starts.length === 0 || hours.length === 0) return [];
  const { whole, ragged } =
    range.group === "meter" ? divideHours(hours, cuts) : { whole: [], ragged: [spanOf(hours)] };
  const [firstRagged] = ragged;
  if (firstRagged !== undefined) {
    await requireUsage(transaction, accountId, Math.max(range.from, firstRagged.from));
  }
  const rows = [
    ...(await sumWhole(transaction, accountId, whole)),
    ...(await sumRagged(transaction, accountId, { ...range, cuts, ragged })),
  ];
  return joinRows(rows).map(({ step, quantity, ...sums }) => ({
    at: starts[step] ?? range.from,
    ...sums,
    quantity: range.group === "meter" ? quantity : null,
  }));
}

const WHOLE = `
  SELECT part.step, meter AS key, sum(credits)::bigint AS credits, sum(events)::bigint AS events,
         sum(quantity)::text AS quantity
  FROM unnest($2::integer[], $3::bigint[], $4::bigint[]) AS part (step, from_ms, to_ms)
  JOIN spend
    ON account_id = $1
    AND hour >= to_timestamp(part.from_ms / 1000.0)
    AND hour < to_timestamp(part.to_ms / 1000.0)
  GROUP BY part.step, meter`;

async function sumWhole(
  transaction: Transaction,
  accountId: AccountId,
  whole: readonly WholeHours[],
): Promise<TotalRow[]> {
  if (whole.length === 0) return [];
  const values = [accountId, ...columnsOf(whole, "step", "from", "to")];
  return queryRows<TotalRow>(transaction, WHOLE, values);
}

/** `width_bucket` counts the cuts at or before an instant: none before the range, all after it. */
const RAGGED = `
  SELECT cut - 1 AS step, key, sum(credits)::bigint AS credits,
         count(*) FILTER (WHERE $6::text = 'meter' OR NOT goes_on) AS events,
         sum(quantity)::text AS quantity
  FROM (
    SELECT to_timestamp(from_ms / 1000.0) AS first, to_timestamp(to_ms / 1000.0) AS last, events
    FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS ragged (from_ms, to_ms, events)
  ) AS span
  CROSS JOIN LATERAL ${recordsOfSpan("occurred_at, meter, source, dimensions, quantity, credits, goes_on")} AS used
  CROSS JOIN LATERAL (
    SELECT width_bucket(
             (extract(epoch FROM occurred_at) * 1000)::bigint, $5::bigint[]
           ) AS cut,
           CASE
             WHEN $6::text = 'meter' THEN meter
             WHEN $6::text = 'source' THEN source
             ELSE coalesce(dimensions ->> $7, '')
           END AS key
  ) AS placed
  WHERE cut > 0 AND cut < cardinality($5::bigint[])
  GROUP BY cut, key
  ORDER BY cut, key
  LIMIT $8`;

interface Ragged {
  readonly ragged: readonly RaggedHours[];
  readonly cuts: readonly Instant[];
  readonly group: UsageGroup;
  readonly limit: number;
}

async function sumRagged(
  transaction: Transaction,
  accountId: AccountId,
  { ragged, cuts, group, limit }: Ragged,
): Promise<TotalRow[]> {
  if (ragged.length === 0) return [];
  const grouped = typeof group === "string" ? [group, null] : ["dimension", group.dimension];
  const spans = columnsOf(ragged, "from", "to", "events");
  const values = [accountId, ...spans, bigintArray(cuts), ...grouped, limit];
  return rowsInTime<TotalRow>(transaction, RAGGED, values);
}

/** Joins sums of the same step and key: of whole hours, and of edges. */
function joinRows(
  rows: readonly TotalRow[],
): (Omit<TotalRow, "quantity"> & { quantity: bigint })[] {
  const joined = new Map<string, Omit<TotalRow, "quantity"> & { quantity: bigint }>();
  for (const { quantity, ...row } of rows) {
    const id = `${row.step} ${row.key}`;
    const before = joined.get(id);
    joined.set(id, {
      ...row,
      credits: row.credits + (before?.credits ?? 0n),
      events: row.events + (before?.events ?? 0n),
      quantity: BigInt(quantity) + (before?.quantity ?? 0n),
    });
  }
  return [...joined.values()].sort((a, b) => a.step - b.step || (a.key < b.key ? -1 : 1));
}
