import { MOST_VALUE_LENGTH } from "../../core/budgets/budget-value.ts";
import { type CountedDimension, readCounted, writeCounted } from "../../core/budgets/counted.ts";
import { type WindowSpan, windowAt, windowsBetween } from "../../core/budgets/window.ts";
import type { Account, Instant } from "../../core/line/account.ts";
import { hourOf } from "../../core/offer/months.ts";
import { MOST_AHEAD_MS } from "../../core/usage/usage-event.ts";
import { raiseReachedBudgets } from "../alerts/budget-alerts.ts";
import { bigintArray } from "../postgres/array-literal.ts";
import { queryRow, type Transaction } from "../postgres/database.ts";

/** The most lines of events that are counted at once while their account is locked: about two seconds' worth. */
const MOST_LINES = 1_000_000;

type Counted = Pick<CountedDimension, "dimension" | "window">;

/**
 * Counts anew what an account's values of a dimension have spent, from the usage records: of the window of now, or,
 * where those are more than can be read at once or not all kept, from the hour of now on. The account must be
 * locked, and must move, so that a batch that has read it counts, too.
 */
export async function countFromRecords(
  transaction: Transaction,
  account: Pick<Account, "accountId" | "timeZone">,
  counted: Counted,
  now: Instant,
): Promise<CountedDimension> {
  await transaction.query(KEEP_MONTHS);
  await forget(transaction, account, counted);
  const from = await countableFrom(transaction, account, counted, now);
  const spans = windowsBetween(counted.window, { from, to: now + MOST_AHEAD_MS }, account.timeZone);
  await transaction.query(COUNT, [
    ...[account.accountId, counted.dimension, counted.window, from, from - MARGIN_MS],
    ...spansOf(spans),
  ]);
  return { ...counted, from };
}

// Whoever drops a month has locked it, and adds what was counted by then of it to budget_unlisted.
const KEEP_MONTHS = "LOCK TABLE usage_page IN ROW EXCLUSIVE MODE";

/** A page may have begun before an event on it was metered, and events may be ahead of the clock. */
const MARGIN_MS = 2 * MOST_AHEAD_MS;

const COUNT = `
  INSERT INTO budget_spend (account_id, dimension, window_name, starts_at, value, ends_at, spent)
  SELECT $1, $2, $3, to_timestamp(starts_at / 1000), value, to_timestamp(ends_at / 1000), sum(credits)
  FROM (
    SELECT page.dimensions[coalesce(listed.dimension_number, 1)] ->> $2 AS value,
           page.first_at + listed.occurred_after * interval '0.001 s' AS occurred_at, listed.credits
    FROM usage_page AS page
    CROSS JOIN LATERAL unnest(page.dimension_numbers, page.occurred_after, page.credits)
      AS listed (dimension_number, occurred_after, credits)
    WHERE page.account_id = $1
      AND page.last_at >= to_timestamp($4::float8 / 1000)
      AND page.metered_at >= to_timestamp($5::float8 / 1000)
  ) AS used
  JOIN unnest($6::float8[], $7::float8[]) AS span (starts_at, ends_at)
    ON occurred_at >= to_timestamp(starts_at / 1000)
    AND (ends_at IS NULL OR occurred_at < to_timestamp(ends_at / 1000))
  WHERE length(value) BETWEEN 1 AND ${MOST_VALUE_LENGTH} AND occurred_at >= to_timestamp($4::float8 / 1000)
  GROUP BY starts_at, value, ends_at`;

function spansOf(spans: readonly WindowSpan[]): string[] {
  return [bigintArray(spans.map(({ start }) => start)), bigintArray(spans.map(({ end }) => end))];
}

// The events of each meter: more than there are, never fewer.
const KEPT = `
  SELECT (SELECT coalesce(sum(events), 0)::bigint FROM spend
          WHERE account_id = $1 AND hour >= to_timestamp($2::float8 / 1000) - interval '1 hour') AS lines,
         (SELECT max(last_at) FROM usage_past_stretch WHERE account_id = $1) AS past`;

async function countableFrom(
  transaction: Transaction,
  { accountId, timeZone }: Pick<Account, "accountId" | "timeZone">,
  { window }: Counted,
  now: Instant,
): Promise<Instant> {
  const { start } = windowAt(window, now, timeZone);
  type Row = { readonly lines: bigint; readonly past: Instant | null };
  const kept = await queryRow<Row>(transaction, KEPT, [accountId, start]);
  if (kept === null) throw new Error("the sums of an account's usage have no row");
  // All that occurred after the last of what is past retention is kept.
  const isKept = kept.past === null || kept.past < start;
  return isKept && kept.lines <= BigInt(MOST_LINES) ? start : hourOf(now, timeZone);
}

const FORGET = ["budget_spend", "budget_added", "budget_unlisted"].map(
  (table) => `DELETE FROM ${table} WHERE account_id = $1 AND dimension = $2 AND window_name = $3`,
);

/** Deletes what was counted. The account must be locked. */
export async function forget(
  transaction: Transaction,
  { accountId }: Pick<Account, "accountId">,
  { dimension, window }: Counted,
): Promise<void> {
  for (const statement of FORGET)
    await transaction.query(statement, [accountId, dimension, window]);
}

const WRITE = "UPDATE account SET budgets = $2 WHERE account_id = $1";

/** Writes what is counted of a locked account, which must move. */
export async function writeCountedOf(
  transaction: Transaction,
  { accountId }: Pick<Account, "accountId">,
  counted: readonly CountedDimension[],
): Promise<void> {
  await transaction.query(WRITE, [accountId, writeCounted(counted)]);
}

/**
 * Counts the windows of an account anew, by the calendar of its new time zone, and raises what they reach. The window
 * that never turns is the same in every zone, and keeps its sums: not all of its usage may be countable any more.
 */
export async function recountBudgets(
  transaction: Transaction,
  account: Account,
  now: Instant,
): Promise<void> {
  const counted: CountedDimension[] = [];
  for (const one of readCounted(account.budgets)) {
    counted.push(
      one.window === "all" ? one : await countFromRecords(transaction, account, one, now),
    );
  }
  if (counted.length === 0) return;
  await writeCountedOf(transaction, account, counted);
  await raiseReachedBudgets(transaction, account, null, now);
}
