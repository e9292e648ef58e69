import type { Instant } from "../line/account.ts";
import {
  beginOf,
  dayOf,
  startOfDay,
  startOfMonth,
  startOfNextDay,
  startOfNextMonth,
} from "../offer/months.ts";

/** The windows of budgets; weeks begin on Monday. */
export const BUDGET_WINDOWS = ["day", "week", "month", "all"] as const;

export type BudgetWindow = (typeof BUDGET_WINDOWS)[number];

/** A window at some time: `[start, end)`; `end` null: it never ends. */
export interface WindowSpan {
  readonly start: Instant;
  readonly end: Instant | null;
}

const ALL: WindowSpan = { start: 0, end: null };

/** The last one of each window and zone: events of a batch are mostly in the same. */
const known = new Map<string, WindowSpan & { readonly end: Instant }>();

/** The window that an instant is in, by the calendar of a time zone. */
export function windowAt(window: BudgetWindow, instant: Instant, timeZone: string): WindowSpan {
  if (window === "all") return ALL;
  const key = `${window} ${timeZone}`;
  const last = known.get(key);
  if (last !== undefined && last.start <= instant && instant < last.end) return last;
  const span = spanAt(window, instant, timeZone);
  known.set(key, span);
  return span;
}

function spanAt(window: Exclude<BudgetWindow, "all">, instant: Instant, timeZone: string) {
  switch (window) {
    case "day":
      return { start: startOfDay(instant, timeZone), end: startOfNextDay(instant, timeZone) };
    case "week": {
      const day = dayOf(instant, timeZone);
      const monday = day.subtract({ days: day.dayOfWeek - 1 });
      const [start, end] = [monday, monday.add({ weeks: 1 })];
      return { start: beginOf(start, timeZone), end: beginOf(end, timeZone) };
    }
    case "month":
      return { start: startOfMonth(instant, timeZone), end: startOfNextMonth(instant, timeZone) };
  }
}

/** The windows that follow each other from the one of `from` to the one of `to`. */
export function windowsBetween(
  window: BudgetWindow,
  { from, to }: { readonly from: Instant; readonly to: Instant },
  timeZone: string,
): WindowSpan[] {
  const spans = [windowAt(window, from, timeZone)];
  for (let end = spans[0]?.end ?? null; end !== null && end <= to; ) {
    const next = windowAt(window, end, timeZone);
    spans.push(next);
    end = next.end;
  }
  return spans;
}
