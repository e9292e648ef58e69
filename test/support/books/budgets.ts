import type { BudgetWindow } from "../../../shared/core/budgets/window.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { setBudget } from "../../../shared/ledger/budgets/set-budget.ts";
import type { Books } from "./books.ts";

/** Sets a budget of an account, by default of 100 micro-credits a day for every value. */
export async function setBudgetOf(
  { database }: Pick<Books, "database">,
  account: string,
  dimension: string,
  given: {
    readonly window?: BudgetWindow;
    readonly value?: string;
    readonly credits?: bigint;
    readonly at?: number;
  } = {},
) {
  const { window = "day", value = "", credits = 100n, at = Date.now() } = given;
  const by = { accountId: toAccountId(account), now: at, by: "test" };
  return setBudget(database, by, { dimension, window, value, credits });
}
