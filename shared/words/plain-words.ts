import type { Instant } from "../core/line/account.ts";

/** ISO 8601 in UTC; `none` where there is no instant. */
export function formatInstant(instant: Instant | null, none = "never"): string {
  return instant === null ? none : new Date(instant).toISOString();
}

/** "1 event", "2 events", "2,000,000 events". */
export function countOf(count: number | bigint, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 || count === 1n ? one : many}`;
}

export function oftenText(interval: string): string {
  return interval === "year" ? "yearly" : "monthly";
}
