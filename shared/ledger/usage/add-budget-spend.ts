import type { BudgetSpend } from "../../core/usage/budget-spend.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import type { Transaction } from "../postgres/database.ts";

// Dividing a bigint by 1000.0 would be a division of decimals. What is not kept would be deleted again.
const ADD = `
  INSERT INTO budget_spend AS spend (account_id, dimension, window_name, starts_at, value, ends_at, spent)
  SELECT account_id, dimension, window_name, to_timestamp(starts_at / 1000), value,
         to_timestamp(ends_at / 1000), credits
  FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::text[], $6::float8[], $7::bigint[])
    AS spent (account_id, dimension, window_name, starts_at, value, ends_at, credits)
  WHERE ends_at IS NULL OR to_timestamp(ends_at / 1000) > (SELECT since FROM budget_kept)
  ON CONFLICT (account_id, dimension, window_name, starts_at, value) DO UPDATE
  SET spent = spend.spent + excluded.spent`;

/** Adds to what budgets limit. Whoever adds has moved the accounts, so nobody else adds to theirs meanwhile. */
export async function addBudgetSpend(
  transaction: Transaction,
  spends: readonly BudgetSpend[],
): Promise<void> {
  if (spends.length === 0) return;
  const names = [
    "accountId",
    "dimension",
    "window",
    "startsAt",
    "value",
    "endsAt",
    "credits",
  ] as const;
  await transaction.query({
    name: "add-budget-spend",
    text: ADD,
    values: columnsOf(spends, ...names),
  });
}
