import { valueIn } from "../core/budgets/budget-value.ts";
import type { Dimensions } from "../core/offer/value-tree.ts";

/**
 * The budgets of an account's values of a dimension in a window, as BalanceChanged has them. Amounts are
 * micro-credits.
 */
export interface KnownBudgets {
  readonly dimension: string;
  readonly window: string;
  readonly ends_at: number | null;
  readonly next_ends_at: number | null;
  /** Of every value that has none of its own. */
  readonly credits: bigint | null;
  /** Null: they are too many to be published. */
  readonly values: readonly KnownBudget[] | null;
}

interface KnownBudget {
  readonly value: string;
  readonly credits: bigint;
  readonly spent: bigint;
  readonly spent_ahead: bigint;
  readonly held: bigint;
}

/** A budget that limits what is asked about. */
export interface LocalBudget {
  readonly dimension: string;
  /** day, week, month or all. */
  readonly window: string;
  readonly value: string;
  /** In micro-credits, as last known; below zero more was used than the budget allows. */
  readonly left: bigint;
}

/** The budgets of usage to come. */
export interface BudgetsOfUsage {
  /** The one with least left. Null: none is known. */
  readonly tightest: LocalBudget | null;
  /** False: there may be others. */
  readonly areKnown: boolean;
}

const NONE: BudgetsOfUsage = { tightest: null, areKnown: true };

/** The budgets of usage with these dimensions at an instant; `budgets` null: nothing is known of them. */
export function budgetsOfUsage(
  budgets: readonly KnownBudgets[] | null,
  dimensions: Dimensions,
  now: number,
): BudgetsOfUsage {
  if (budgets === null) return { tightest: null, areKnown: Object.keys(dimensions).length === 0 };
  return budgets.reduce((so, one) => withBudgets(so, one, dimensions, now), NONE);
}

function withBudgets(
  so: BudgetsOfUsage,
  budgets: KnownBudgets,
  dimensions: Dimensions,
  now: number,
): BudgetsOfUsage {
  const { dimension, window } = budgets;
  const value = valueIn(dimensions, dimension);
  if (value === "") return so;
  if (budgets.values === null) return { ...so, areKnown: false };
  const left = leftOf(budgets, budgets.values, value, now);
  if (left === null || (so.tightest !== null && so.tightest.left <= left)) return so;
  return { ...so, tightest: { dimension, window, value, left } };
}

/** Null: the value has no budget. */
function leftOf(
  budgets: KnownBudgets,
  values: readonly KnownBudget[],
  value: string,
  now: number,
): bigint | null {
  const known = values.find((one) => one.value === value);
  return known === undefined
    ? budgets.credits
    : known.credits - spentAt(budgets, known, now) - known.held;
}

/** In a window that has begun since, only usage that was ahead of the clock is known of, and there is no other. */
function spentAt({ ends_at, next_ends_at }: KnownBudgets, known: KnownBudget, now: number): bigint {
  if (ends_at === null || now < ends_at) return known.spent;
  return next_ends_at === null || now < next_ends_at ? known.spent_ahead : 0n;
}
