import type { AccountId } from "../../core/line/account.ts";
import { spendsByValue, type WindowSpend } from "../../core/usage/budget-spend.ts";
import { SUM_TAKEN } from "../books/sum-noted-spend.ts";
import { bigintArray, columnsOf, textArray } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import { together } from "../postgres/together.ts";

/** From so many values of a window on, one row with all of them costs less than a row for each. */
const FEWEST_NOTED = 4;
/** Up to so many: sums of more would soon be due. */
const MOST_NOTED = 100;
/** Noted values of a window that whoever asks what is spent reads, at most; then they go into the sums. */
const NOTED_BEFORE_SUMMED = 1_000;

/**
 * Adds to what budgets limit. A row for each value costs as much as all else that is done for an event: of a window
 * with several values, they are noted in one row, which counts like a sum, and go into the sums once there are many.
 * The values of `watched` accounts are looked up next, so theirs are in the sums at once. Whoever adds has moved the
 * accounts, so nobody else adds to theirs meanwhile.
 */
export async function addBudgetSpend(
  transaction: Transaction,
  spends: readonly WindowSpend[],
  watched: ReadonlySet<AccountId>,
): Promise<void> {
  const isNoted = ({ accountId, byValue: { size } }: WindowSpend) =>
    FEWEST_NOTED <= size && size <= MOST_NOTED && !watched.has(accountId);
  await together([
    addToSums(
      transaction,
      spends.filter((spend) => !isNoted(spend)),
    ),
    note(transaction, spends.filter(isNoted)),
    sumNoted(
      transaction,
      spends.filter(({ accountId }) => watched.has(accountId)),
    ),
  ]);
}

// Dividing a bigint by 1000.0 would be a division of decimals. What is not kept would be deleted again.
const ADD = `
  INSERT INTO budget_spend AS spend (account_id, dimension, window_name, starts_at, value, ends_at, spent)
  SELECT account_id, dimension, window_name, to_timestamp(starts_at / 1000), value,
         to_timestamp(ends_at / 1000), credits
  FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::text[], $7::bigint[])
    AS spent (account_id, dimension, window_name, starts_at, ends_at, value, credits)
  WHERE ends_at IS NULL OR to_timestamp(ends_at / 1000) > (SELECT since FROM budget_kept)
  ON CONFLICT (account_id, dimension, window_name, starts_at, value) DO UPDATE
  SET spent = spend.spent + excluded.spent`;

const WINDOW = ["accountId", "dimension", "window", "startsAt"] as const;

async function addToSums(transaction: Transaction, spends: readonly WindowSpend[]): Promise<void> {
  if (spends.length === 0) return;
  const values = columnsOf(spendsByValue(spends), ...WINDOW, "endsAt", "value", "credits");
  await transaction.query({ name: "add-budget-spend", text: ADD, values });
}

// The place of a row is how many values it and those before it have. Returns the windows that have many.
const NOTE = `
  WITH added AS (
    INSERT INTO budget_added (account_id, dimension, window_name, starts_at, place, ends_at, named, credits)
    SELECT spent.account_id, spent.dimension, spent.window_name, to_timestamp(spent.starts_at / 1000),
           coalesce(last.place, 0) + spent.count, to_timestamp(ends_at / 1000),
           spent.named::text[], spent.credits::bigint[]
    FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::integer[],
                $7::text[], $8::text[])
      AS spent (account_id, dimension, window_name, starts_at, ends_at, count, named, credits)
    LEFT JOIN LATERAL (
      SELECT place
      FROM budget_added AS before
      WHERE before.account_id = spent.account_id AND before.dimension = spent.dimension
        AND before.window_name = spent.window_name
        AND before.starts_at = to_timestamp(spent.starts_at / 1000)
      ORDER BY place DESC
      LIMIT 1
    ) AS last ON true
    WHERE ends_at IS NULL OR to_timestamp(ends_at / 1000) > (SELECT since FROM budget_kept)
    RETURNING account_id, dimension, window_name, starts_at, place
  )
  SELECT account_id AS "accountId", dimension, window_name AS window, starts_at AS "startsAt"
  FROM added
  WHERE place >= ${NOTED_BEFORE_SUMMED}`;

async function note(transaction: Transaction, spends: readonly WindowSpend[]): Promise<void> {
  if (spends.length === 0) return;
  const rows = spends.map(({ byValue, ...window }) => {
    const [named, credits] = [textArray([...byValue.keys()]), bigintArray([...byValue.values()])];
    return { ...window, count: byValue.size, named, credits };
  });
  const values = columnsOf(rows, ...WINDOW, "endsAt", "count", "named", "credits");
  await sumNoted(transaction, await queryRows(transaction, NOTE, values, "note-budget-spend"));
}

const SUM = `
  WITH taken AS (
    DELETE FROM budget_added AS added
    USING unnest($1::text[], $2::text[], $3::text[], $4::float8[])
      AS full_of (account_id, dimension, window_name, starts_at)
    WHERE added.account_id = full_of.account_id AND added.dimension = full_of.dimension
      AND added.window_name = full_of.window_name
      AND added.starts_at = to_timestamp(full_of.starts_at / 1000)
    RETURNING added.*
  )
  ${SUM_TAKEN}`;

async function sumNoted(
  transaction: Transaction,
  windows: readonly Pick<WindowSpend, (typeof WINDOW)[number]>[],
): Promise<void> {
  if (windows.length === 0) return;
  const values = columnsOf(windows, ...WINDOW);
  await transaction.query({ name: "sum-budget-spend", text: SUM, values });
}
