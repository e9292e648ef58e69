import type { Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import type { Refusal } from "../line/refusal.ts";
import type { Dimensions } from "../offer/value-tree.ts";
import { valueIn } from "./budget-value.ts";
import type { CountedDimension } from "./counted.ts";
import { type BudgetWindow, type WindowSpan, windowAt } from "./window.ts";

/** What a value may spend in the window of now, has spent, and has set aside by open holds. */
export interface BudgetLimit {
  readonly dimension: string;
  readonly window: BudgetWindow;
  readonly value: string;
  readonly credits: MicroCredits;
  readonly spent: MicroCredits;
  readonly held: MicroCredits;
  /** When the window turns; null: never. */
  readonly endsAt: Instant | null;
}

/** Below zero where more was used than the budget allows. */
export function leftOf({
  credits,
  spent,
  held,
}: Pick<BudgetLimit, "credits" | "spent" | "held">): MicroCredits {
  return credits - spent - held;
}

/** The limit that leaves least of those that usage with these dimensions has; null: it has none. */
export function tightestOf(
  limits: readonly BudgetLimit[],
  dimensions: Dimensions | null,
): BudgetLimit | null {
  if (dimensions === null) return null;
  const ofUsage = limits.filter(({ dimension, value }) => valueIn(dimensions, dimension) === value);
  return ofUsage.reduce<BudgetLimit | null>((least, limit) => {
    return least === null || leftOf(limit) < leftOf(least) ? limit : least;
  }, null);
}

/** Why something of so many credits is refused. */
export function usedUp(limit: BudgetLimit, asked: MicroCredits): Refusal<"budget_used_up"> {
  const { dimension, window, value, endsAt: turnsAt } = limit;
  return { kind: "budget_used_up", dimension, window, value, asked, left: leftOf(limit), turnsAt };
}

/** The limits after holds of these dimensions set so much more aside. */
export function holdMore(
  limits: readonly BudgetLimit[],
  dimensions: Dimensions | null,
  credits: MicroCredits,
): readonly BudgetLimit[] {
  if (dimensions === null || credits === 0n) return limits;
  return limits.map((limit) => {
    if (valueIn(dimensions, limit.dimension) !== limit.value) return limit;
    return { ...limit, held: limit.held + credits };
  });
}

/** A value whose budget is asked about, and its window. */
export interface AskedLimit extends WindowSpan {
  readonly dimension: string;
  readonly window: BudgetWindow;
  readonly value: string;
}

/** The budgets that usage with these dimensions may have, of an account that counts some. */
export function limitsAsked(
  counted: readonly CountedDimension[],
  dimensions: Dimensions,
  now: Instant,
  timeZone: string,
): AskedLimit[] {
  return counted.flatMap(({ dimension, window }) => {
    const value = valueIn(dimensions, dimension);
    return value === "" ? [] : [{ dimension, window, value, ...windowAt(window, now, timeZone) }];
  });
}
