import { z } from "zod";
import type { BudgetState } from "../core/budgets/budget.ts";
import { leftOf } from "../core/budgets/limit.ts";
import { BUDGET_WINDOWS } from "../core/budgets/window.ts";
import { type PageRequest, pageFromFirst } from "./cursor.ts";
import { noun } from "./noun.ts";
import { credits, instant, totalCredits } from "./wire.ts";

export const budgetWindow = z.enum(BUDGET_WINDOWS);

const spent = credits.meta({ description: "By usage that occurred in the window of now." });
const held = credits.meta({ description: "What open holds with this value set aside." });
const left = totalCredits.meta({
  description: "credits - spent - held; below zero where more was used.",
});
const endsAt = instant.nullable().meta({ description: "When the window turns; null: never." });

/** A limit of usage to come: what is left of the budget of one of its values. */
export const budgetLimit = noun({
  ...{ dimension: z.string(), value: z.string(), window: budgetWindow },
  ...{ credits, spent, held, left, ends_at: endsAt },
}).meta({ title: "Budget limit" });

/** What a budget has left, where it is too little. */
export const budgetLeft = z
  .object({ dimension: z.string(), value: z.string(), window: budgetWindow, left, ends_at: endsAt })
  .meta({ title: "Budget left" });

/** What a value of a dimension may spend in a window, and has spent in the one of now. */
export const budgetFields = {
  dimension: z.string(),
  value: z.string().nullable().meta({
    description:
      "null: the budget of every value that has none of its own; it spends nothing itself.",
  }),
  window: budgetWindow.meta({
    description:
      "By the calendar of the account's time zone; weeks begin on Monday. all: of all time.",
  }),
  credits: credits.meta({ description: "The most that may be spent in a window; 0: nothing." }),
  is_default: z
    .boolean()
    .meta({ description: "It is that of every value which has none of its own." }),
  ...{ spent, held, left },
  starts_at: instant.meta({ description: "Of the window of now." }),
  ends_at: endsAt,
  counted_since: instant.meta({
    description: "Usage that occurred before is not in `spent`: mostly the start of the window.",
  }),
  set_by: z.string(),
  set_at: instant,
};

export const budget = noun(budgetFields).meta({ title: "Budget" });

export type BudgetData = z.input<typeof budget>;

export function toBudget({ start, end, value, ...state }: BudgetState) {
  return {
    ...state,
    value: value === "" ? null : value,
    left: leftOf(state),
    startsAt: start,
    endsAt: end,
  };
}

/** A page of budgets by how full they are; `readFirst` returns the first `count` of them. */
export async function budgetPage(
  request: PageRequest,
  readFirst: (count: number) => Promise<readonly BudgetState[]>,
) {
  return pageFromFirst("budgets", request, async (count) => (await readFirst(count)).map(toBudget));
}
