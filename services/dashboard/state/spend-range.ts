import type { TimeRange } from "../api/account-api.ts";
import { lastDays, lastHours, startOfDay } from "../text/zoned-time.ts";

export type RangeName = "24 h" | "7 days" | "30 days";

export const RANGES: readonly RangeName[] = ["24 h", "7 days", "30 days"];

/** A range, and where each of its bars begins: hours or days in the account's time zone. */
export interface Bars {
  readonly range: TimeRange;
  readonly by: "hour" | "day";
  readonly starts: readonly number[];
}

/** The bars of a range that ends with the current hour or day. */
export function barsOf(name: RangeName, zone: string, now: number): Bars {
  if (name === "24 h") {
    const starts = lastHours(zone, now, 24);
    return {
      by: "hour",
      starts,
      range: { from: starts[0] ?? now, to: (starts.at(-1) ?? now) + 3_600_000 },
    };
  }
  const starts = lastDays(zone, now, name === "7 days" ? 7 : 30);
  return { by: "day", starts, range: { from: starts[0] ?? now, to: startOfDay(zone, now, 1) } };
}
