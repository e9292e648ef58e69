import type { Instant } from "../line/account.ts";
import type { BudgetWindow } from "./window.ts";

/** A dimension whose values' spend is counted in a window, of usage that occurred from `from` on. */
export interface CountedDimension {
  readonly dimension: string;
  readonly window: BudgetWindow;
  readonly from: Instant;
}

/** The most of an account: they are on its row, which every debit writes. */
export const MOST_COUNTED = 16;

type Row = readonly [dimension: string, window: BudgetWindow, from: Instant];

/** What an account's row has of it. */
export function readCounted(budgets: string | null): CountedDimension[] {
  if (budgets === null) return [];
  return (JSON.parse(budgets) as Row[]).map(([dimension, window, from]) => {
    return { dimension, window, from };
  });
}

/** The same, as it is on the row. */
export function writeCounted(counted: readonly CountedDimension[]): string | null {
  if (counted.length === 0) return null;
  return JSON.stringify(
    counted.map(({ dimension, window, from }): Row => [dimension, window, from]),
  );
}

/** Whether two count the same dimension in the same window. */
export function isSameCount(
  a: Pick<CountedDimension, "dimension" | "window">,
  b: Pick<CountedDimension, "dimension" | "window">,
): boolean {
  return a.dimension === b.dimension && a.window === b.window;
}
