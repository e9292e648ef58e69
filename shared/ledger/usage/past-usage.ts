import type { AccountId, Instant } from "../../core/line/account.ts";
import type { MicroCredits, Stretch } from "../../core/line/credit-line.ts";
import { type Queryable, queryRow, queryRows, type Transaction } from "../postgres/database.ts";
import { UsageRefused } from "./usage-refused.ts";

const HOUR_MS = 60 * 60 * 1000;

/** The first full hour from which on nothing is past retention, of what occurred and of what was metered. */
function untilOf(lastAt: Instant | null): Instant | null {
  return lastAt === null ? null : (Math.floor(lastAt / HOUR_MS) + 1) * HOUR_MS;
}

type LastAt = { readonly lastAt: Instant | null };

const OF_ACCOUNT = `
  SELECT max(last_at) AS "lastAt" FROM usage_past_stretch WHERE account_id = $1`;

const OF_ALL = `SELECT max(last_at) AS "lastAt" FROM usage_past_partition`;

/**
 * The instant from which on all usage of an account, or of all (null), is kept event by event; null: all
 * of it is. Of what occurred or was metered before, some pages were dropped.
 */
export async function usagePastUntil(
  database: Queryable,
  accountId: AccountId | string | null,
): Promise<Instant | null> {
  const row =
    accountId === null
      ? await queryRow<LastAt>(database, OF_ALL)
      : await queryRow<LastAt>(database, OF_ACCOUNT, [accountId]);
  return untilOf(row?.lastAt ?? null);
}

/** Throws UsageRefused, unless all events of an account (null: of all) from an instant on are kept. */
export async function requireUsage(
  transaction: Transaction,
  accountId: AccountId | null,
  from: Instant,
): Promise<void> {
  const until = await usagePastUntil(transaction, accountId);
  if (until !== null && from < until)
    throw new UsageRefused({ kind: "usage_past_retention", until });
}

const FIRST_MONTH = `
  SELECT to_timestamp(min(right(relname, 7)), 'YYYY_MM') AS month
  FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
  WHERE inhparent = 'usage_page'::regclass AND EXISTS (SELECT FROM usage_past_partition)`;

/** The first instant of the first month that is kept; null: no usage is past retention. */
export async function firstKeptMonth(transaction: Transaction): Promise<Instant | null> {
  type Row = { readonly month: Instant | null };
  return (await queryRow<Row>(transaction, FIRST_MONTH))?.month ?? null;
}

/** Events that are past retention, and what they cost. */
export interface PastUsage {
  readonly events: bigint;
  readonly credits: MicroCredits;
}

/** What was read of a partition and is past retention, at offsets [first, next). */
export interface PastPartition extends PastUsage {
  readonly partition: number;
  readonly first: bigint;
  readonly next: bigint;
}

const PARTITIONS = `
  SELECT kafka_partition AS partition, first_offset AS first, next_offset AS next, events,
         credits::text AS credits
  FROM usage_past_partition
  ORDER BY kafka_partition`;

/** The partitions that have usage past retention. */
export async function pastPartitions(transaction: Transaction): Promise<PastPartition[]> {
  // The credits of several accounts may exceed an int8.
  type Row = Omit<PastPartition, "credits"> & { readonly credits: string };
  const rows = await queryRows<Row>(transaction, PARTITIONS);
  return rows.map((row) => ({ ...row, credits: BigInt(row.credits) }));
}

const SUMS = `
  SELECT coalesce(sum(events), 0)::bigint AS events, coalesce(sum(credits), 0)::bigint AS credits
  FROM usage_past
  WHERE account_id = $1`;

/** An account's usage that is past retention. */
export async function pastUsageOf(
  transaction: Transaction,
  accountId: AccountId,
): Promise<PastUsage> {
  const sums = await queryRow<PastUsage>(transaction, SUMS, [accountId]);
  return sums ?? { events: 0n, credits: 0n };
}

const ACROSS = `
  SELECT coalesce(sum(least(end_position, $3) - greatest(start_position, $2)), 0)::bigint AS credits
  FROM usage_past_stretch
  WHERE account_id = $1 AND end_position > $2 AND start_position < $3`;

/** What usage that is past retention drew of a stretch of an account's line. */
export async function pastAcross(
  transaction: Transaction,
  accountId: AccountId,
  { start, end }: Stretch,
): Promise<MicroCredits> {
  type Row = { readonly credits: MicroCredits };
  const row = await queryRow<Row>(transaction, ACROSS, [accountId, start, end]);
  return row?.credits ?? 0n;
}
