/** An event as far as budgets know it. */
export interface SpentEvent {
  readonly at: number;
  readonly credits: bigint;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** The local date of an instant, as a calendar shows it: `2026-03-29`. */
function dateOf(at: number, timeZone: string): string {
  return new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short" }).format(at);
}

/** The name of the window that an instant is in: the date of its first day, or nothing. */
function windowName(window: string, at: number, timeZone: string): string {
  const date = dateOf(at, timeZone);
  if (window === "all") return "1970-01-01";
  if (window === "month") return `${date.slice(0, 7)}-01`;
  if (window === "day") return date;
  const day = new Date(`${date}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));
  return day.toISOString().slice(0, 10);
}

/**
 * What each value of a dimension has spent in each window, by `dimension window first-day value`: one event after
 * the other, with the clocks of `Intl` and no code of the books.
 */
export function naiveSpend(
  events: readonly SpentEvent[],
  counted: readonly {
    readonly dimension: string;
    readonly window: string;
    readonly from: number;
  }[],
  timeZone: string,
): Record<string, bigint> {
  const spent: Record<string, bigint> = {};
  for (const { dimension, window, from } of counted) {
    for (const { at, credits, dimensions } of events) {
      const value = dimensions[dimension] ?? "";
      if (value === "" || at < from) continue;
      const key = `${dimension} ${window} ${windowName(window, at, timeZone)} ${value}`;
      spent[key] = (spent[key] ?? 0n) + credits;
    }
  }
  return spent;
}
