import type { Budget, BudgetPlace, BudgetState } from "../../core/budgets/budget.ts";
import {
  type CountedDimension,
  isSameCount,
  MOST_COUNTED,
  readCounted,
  writeCounted,
} from "../../core/budgets/counted.ts";
import { windowAt } from "../../core/budgets/window.ts";
import type { Account } from "../../core/line/account.ts";
import type { Refusal } from "../../core/line/refusal.ts";
import type { Settlement } from "../../core/month/settle.ts";
import { raiseReachedBudgets } from "../alerts/budget-alerts.ts";
import { countFromRecords, forget, writeCountedOf } from "../books/count-budgets.ts";
import {
  moveAccount,
  type RequestedBy,
  type SettledAccount,
  type UnknownAccount,
} from "../books/move-account.ts";
import { queueBalanceChanges } from "../outbox/balance-changes.ts";
import { type Database, queryRow, type Transaction } from "../postgres/database.ts";
import { readLimits } from "./read-limits.ts";

type Place = Omit<BudgetPlace, "accountId">;

type SetBudgetOutcome =
  | { readonly kind: "set"; readonly budget: BudgetState; readonly isNew: boolean }
  | Refusal<"too_many_budget_dimensions">;

// The row that an INSERT made has not been updated by anyone.
const SET = `
  INSERT INTO budget (account_id, dimension, window_name, value, credits, set_by, set_at)
  VALUES ($1, $2, $3, $4, $5, $6, to_timestamp($7 / 1000.0))
  ON CONFLICT (account_id, dimension, window_name, value) DO UPDATE
  SET credits = excluded.credits, set_by = excluded.set_by, set_at = excluded.set_at
  RETURNING xmax = 0 AS "isNew"`;

/**
 * Sets a budget, in place of the one before. If it is the first of its dimension and window, what was spent so far
 * in the window is counted from the usage records, and metering counts from then on. It may be below what is spent.
 */
export async function setBudget(
  database: Database,
  { accountId, now, by }: RequestedBy,
  asked: Place & Pick<Budget, "credits">,
): Promise<SetBudgetOutcome | UnknownAccount> {
  return moveAccount<SetBudgetOutcome>(
    database,
    { accountId, now, by },
    async (settled, transaction) => {
      const { account } = settled.book;
      const counted = readCounted(account.budgets);
      const found = counted.find((one) => isSameCount(one, asked));
      if (found === undefined && counted.length >= MOST_COUNTED) {
        return { decision: { kind: "too_many_budget_dimensions", most: MOST_COUNTED }, step: null };
      }
      const { dimension, window, value, credits } = asked;
      const values = [accountId, dimension, window, value, credits, by, now];
      const row = await queryRow<{ isNew: boolean }>(transaction, SET, values, "set-budget");
      const isNew = row?.isNew === true;
      const added =
        found ?? (await countFromRecords(transaction, account, { dimension, window }, now));
      const written = { ...account, budgets: writeCounted([added]) };
      await raiseReachedBudgets(transaction, written, asked, now);
      const span = windowAt(window, now, account.timeZone);
      const usage = { account: written, dimensions: [{ [dimension]: value }] };
      const limits = await readLimits(transaction, [usage], now, now);
      const limit = limits.get(accountId)?.find((one) => one.window === window);
      const { spent, held } = limit ?? { spent: 0n, held: 0n };
      const budget: BudgetState = {
        ...{ dimension, window, value, credits, setBy: by, setAt: now, ...span },
        ...{ isDefault: value === "", spent, held, countedSince: Math.max(span.start, added.from) },
      };
      const decision = { kind: "set" as const, budget, isNew };
      if (found !== undefined) {
        await queueBalanceChanges(transaction, [account]);
        return { decision, step: null };
      }
      return { decision, step: await countOnly(transaction, settled, [...counted, added]) };
    },
  );
}

const DELETE = `
  DELETE FROM budget
  WHERE account_id = $1 AND dimension = $2 AND window_name = $3 AND value = $4`;

const IS_LEFT = `
  SELECT EXISTS (
    SELECT FROM budget WHERE account_id = $1 AND dimension = $2 AND window_name = $3
  ) AS "isLeft"`;

/** Deletes a budget; with the last one of its dimension and window, what was counted for them. */
export async function deleteBudget(
  database: Database,
  { accountId, now, by }: RequestedBy,
  { dimension, window, value }: Place,
): Promise<{ readonly kind: "deleted" } | Refusal<"unknown_budget"> | UnknownAccount> {
  return moveAccount<{ readonly kind: "deleted" } | Refusal<"unknown_budget">>(
    database,
    { accountId, now, by },
    async (settled, transaction) => {
      const place = [accountId, dimension, window];
      const { rowCount } = await transaction.query(DELETE, [...place, value]);
      if (rowCount === 0) {
        return { decision: { kind: "unknown_budget", dimension, window, value }, step: null };
      }
      const decision = { kind: "deleted" as const };
      const rest = await queryRow<{ isLeft: boolean }>(transaction, IS_LEFT, place);
      if (rest?.isLeft !== false) {
        // The budget of every value may be smaller.
        await raiseReachedBudgets(transaction, settled.book.account, { dimension, value }, now);
        await queueBalanceChanges(transaction, [settled.book.account]);
        return { decision, step: null };
      }
      await forget(transaction, { accountId }, { dimension, window });
      const counted = readCounted(settled.book.account.budgets);
      const others = counted.filter((one) => !isSameCount(one, { dimension, window }));
      return { decision, step: await countOnly(transaction, settled, others) };
    },
  );
}

const DELETE_ALL = "DELETE FROM budget WHERE account_id = $1";

/** Deletes all budgets of an account, and what was counted for them. */
export async function deleteBudgets(
  database: Database,
  { accountId, now, by }: RequestedBy,
): Promise<{ readonly kind: "deleted" } | UnknownAccount> {
  return moveAccount<{ readonly kind: "deleted" }>(
    database,
    { accountId, now, by },
    async (settled, transaction) => {
      await transaction.query(DELETE_ALL, [accountId]);
      const counted = readCounted(settled.book.account.budgets);
      for (const one of counted) await forget(transaction, { accountId }, one);
      const step = counted.length === 0 ? null : await countOnly(transaction, settled, []);
      return { decision: { kind: "deleted" }, step };
    },
  );
}

/** What an account counts changes: it moves, so that no batch goes on with what it has read before. */
async function countOnly(
  transaction: Transaction,
  { book }: SettledAccount,
  counted: readonly CountedDimension[],
): Promise<Settlement> {
  const account: Account = { ...book.account };
  await writeCountedOf(transaction, account, counted);
  const nothing = { entries: [], granted: [], changes: [], fees: [], lowBalance: null };
  return { ...book, account, ...nothing };
}
