import { readCounted } from "../../core/budgets/counted.ts";
import { type BudgetLimit, limitsAsked } from "../../core/budgets/limit.ts";
import type { Account, AccountId, Instant } from "../../core/line/account.ts";
import type { Dimensions } from "../../core/offer/value-tree.ts";
import { budgetOfValue } from "../alerts/budget-of-value.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";

const READ = `
  SELECT asked.account_id AS "accountId", asked.dimension, asked.window_name AS window, asked.value, credits,
         coalesce(spent, 0)::bigint AS spent, coalesce(held, 0)::bigint AS held, ends AS "endsAt"
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::float8[], $6::float8[])
    AS asked (account_id, dimension, window_name, value, start, ends)
  CROSS JOIN ${budgetOfValue("asked")}
  CROSS JOIN LATERAL (
    SELECT sum(part.spent) AS spent
    FROM budget_spent AS part
    WHERE part.account_id = asked.account_id AND part.dimension = asked.dimension
      AND part.window_name = asked.window_name AND starts_at = to_timestamp(start / 1000)
      AND part.value = asked.value
  ) AS spend
  LEFT JOIN LATERAL (
    SELECT sum(greatest(coalesce(captured, hold.credits) - used, 0)) AS held
    FROM hold
    WHERE hold.account_id = asked.account_id AND ended_at IS NULL AND expires_at > to_timestamp($7::float8 / 1000)
      AND hold.dimensions ->> asked.dimension = asked.value
  ) AS open ON true`;

/** Usage of an account to come, by its dimensions. */
export interface UsageOf {
  readonly account: Pick<Account, "accountId" | "timeZone" | "budgets">;
  readonly dimensions: readonly Dimensions[];
}

/**
 * The budgets of usage with these dimensions, by account, each once. Holds that end after `heldAfter` count: 0, where
 * those whose time is over are ended next. Reads nothing for accounts without budgets.
 */
export async function readLimits(
  transaction: Transaction,
  usages: readonly UsageOf[],
  now: Instant,
  heldAfter: Instant,
): Promise<Map<AccountId, BudgetLimit[]>> {
  const asked = usages.flatMap(({ account: { accountId, timeZone, budgets }, dimensions }) => {
    const counted = readCounted(budgets);
    const all = dimensions.flatMap((named) => limitsAsked(counted, named, now, timeZone));
    const distinct = new Map(
      all.map((one) => [JSON.stringify([one.window, one.dimension, one.value]), one]),
    );
    return [...distinct.values()].map((one) => ({ accountId, ...one }));
  });
  if (asked.length === 0) return new Map();
  const names = ["accountId", "dimension", "window", "value", "start", "end"] as const;
  const values = [...columnsOf(asked, ...names), heldAfter];
  type Row = BudgetLimit & Pick<Account, "accountId">;
  const rows = await queryRows<Row>(transaction, READ, values, "read-budget-limits");
  return Map.groupBy(rows, ({ accountId }) => accountId);
}
