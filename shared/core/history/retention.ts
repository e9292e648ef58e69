import { Temporal } from "temporal-polyfill";
import type { Instant } from "../line/account.ts";

/** How long rows are kept, by the calendar in UTC; null: for ever. */
export type Retention = { readonly count: number; readonly unit: "day" | "month" } | null;

const TEXT = /^([1-9]\d{0,3}) (day|month)s?$/;

/** Parses `forever`, `90 days` or `13 months`; undefined: anything else. */
export function parseRetention(text: string): Retention | undefined {
  if (text === "forever") return null;
  const [, count, unit] = TEXT.exec(text) ?? [];
  if (unit !== "day" && unit !== "month") return undefined;
  return { count: Number(count), unit };
}

/** A retention as `parseRetention` reads it. */
export function retentionText(retention: Retention): string {
  if (retention === null) return "forever";
  const { count, unit } = retention;
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const SHORTEST_MONTH = 28;
const LONGEST_MONTH = 31;

/** The least that a retention is, in milliseconds. */
export function retentionMs(retention: Retention): number {
  if (retention === null) return Number.POSITIVE_INFINITY;
  const { count, unit } = retention;
  return count * DAY_MS * (unit === "day" ? 1 : SHORTEST_MONTH);
}

/** The clocks of processes differ, and a page may have begun before an event on it was metered. */
const MARGIN_MS = 2 * DAY_MS;

/**
 * The least milliseconds for which usage is kept: a repeat is found by looking at the event itself, for as
 * long as `repeats`. That is longer than an event may be old, so nothing that may still come is past it.
 */
export function leastUsageMs(repeats: Retention): number {
  if (repeats === null) return Number.POSITIVE_INFINITY;
  const { count, unit } = repeats;
  return count * DAY_MS * (unit === "day" ? 1 : LONGEST_MONTH) + MARGIN_MS;
}

/** The answer to a request with an Idempotency-Key is given again for this long, in milliseconds. */
export const IDEMPOTENT_MS = 24 * 60 * 60 * 1000;

/** For how long a hold that has ended can be read, and its id asks for no other one. */
const HOLDS_KEPT = { count: 40, unit: "day" } as const;

/**
 * For how long the spend of a window can be counted after its end: usage comes no later, unless a person retries it.
 */
const BUDGET_WINDOWS_KEPT = { count: 40, unit: "day" } as const;

/** For longer than a month lasts in which an alert is raised once. */
const ALERTS_KEPT = { count: 13, unit: "month" } as const;

/** A table whose old rows are deleted. What ends a row's use is in the statement that deletes it. */
export interface HousekeepingRule {
  readonly table:
    | "api_request"
    | "dashboard_token"
    | "reconciliation"
    | "dead_letter"
    | "hold"
    | "alert"
    | "budget_spend"
    | "usage_identity"
    | "usage_page"
    | "webhook_delivery";
  /** Counted from the instant that ended the row's use. */
  readonly kept: Retention;
  /** Usage published before that instant must be metered, or it could not be judged as it is now. */
  readonly needsMetering: boolean;
}

/** The retentions that are settings. */
export interface RetentionSettings {
  readonly deadLetters: Retention;
  readonly reconciliations: Retention;
  /** Of the identities by which repeats are found; longer than an event may be old. */
  readonly repeats: Retention;
  /** Of single events; of those that are dropped, sums stay. At least `leastUsageMs(repeats)`. */
  readonly usage: Retention;
  /** Of what was delivered to webhooks, or waits to be. */
  readonly webhooks: Retention;
}

/**
 * What is deleted, and after how long. All other tables have a bound of their own or are kept;
 * docs/operating.md lists them. Requests are kept for longer than they are answered again, and tokens
 * for longer than they open anything, since the clocks of processes differ.
 */
export function housekeepingRules({
  deadLetters,
  reconciliations,
  repeats,
  usage,
  webhooks,
}: RetentionSettings): HousekeepingRule[] {
  return [
    { table: "api_request", kept: { count: 2, unit: "day" }, needsMetering: false },
    { table: "dashboard_token", kept: { count: 1, unit: "day" }, needsMetering: false },
    { table: "reconciliation", kept: reconciliations, needsMetering: false },
    { table: "dead_letter", kept: deadLetters, needsMetering: true },
    { table: "hold", kept: HOLDS_KEPT, needsMetering: false },
    { table: "alert", kept: ALERTS_KEPT, needsMetering: false },
    { table: "budget_spend", kept: BUDGET_WINDOWS_KEPT, needsMetering: false },
    { table: "usage_identity", kept: repeats, needsMetering: false },
    { table: "usage_page", kept: usage, needsMetering: true },
    { table: "webhook_delivery", kept: webhooks, needsMetering: false },
  ];
}

/**
 * Rows whose use ended before this instant are due to be deleted; null: none is. `completeUntil` is the
 * instant up to which all published usage is metered; null: unknown.
 */
export function keptSince(
  { kept, needsMetering }: HousekeepingRule,
  { now, completeUntil }: { readonly now: Instant; readonly completeUntil: Instant | null },
): Instant | null {
  const until = needsMetering ? completeUntil && Math.min(completeUntil, now) : now;
  if (kept === null || until === null) return null;
  const { count, unit } = kept;
  return Temporal.Instant.fromEpochMilliseconds(until)
    .toZonedDateTimeISO("UTC")
    .subtract(unit === "day" ? { days: count } : { months: count }).epochMilliseconds;
}
