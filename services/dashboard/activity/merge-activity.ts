import type { EntryData } from "../../../shared/contract/entry.ts";
import type { UsageRecordData } from "../../../shared/contract/usage-record.ts";
import type { Listed } from "../live/paged-list.ts";

export type Activity =
  | { readonly kind: "usage"; readonly at: number; readonly record: UsageRecordData }
  | { readonly kind: "entry"; readonly at: number; readonly entry: EntryData };

/** Both lists merged, newest first, and the list whose next page follows. */
export interface Merged {
  readonly items: readonly Activity[];
  readonly more: "usage" | "entry" | null;
}

const NONE: Listed<never> = { items: [], next: null };

/**
 * Merges the loaded pages of usage and entries. It ends where the shorter of two incomplete lists ends,
 * since items in between may not be loaded yet.
 */
export function mergeActivity(
  records: Listed<UsageRecordData> | null,
  entries: Listed<EntryData> | null,
): Merged {
  const usage = (records ?? NONE).items.map(usageOf).sort(newestFirst);
  const other = (entries ?? NONE).items.map(entryOf).sort(newestFirst);
  const usageEnd = endOf(usage, records?.next ?? null);
  const otherEnd = endOf(other, entries?.next ?? null);
  const end = Math.max(usageEnd, otherEnd);
  const items = [...usage, ...other].filter(({ at }) => at >= end).sort(newestFirst);
  if (end === Number.NEGATIVE_INFINITY) return { items, more: null };
  return { items, more: usageEnd >= otherEnd ? "usage" : "entry" };
}

function endOf(items: readonly Activity[], next: string | null): number {
  return next === null ? Number.NEGATIVE_INFINITY : (items.at(-1)?.at ?? Number.POSITIVE_INFINITY);
}

function usageOf(record: UsageRecordData): Activity {
  return { kind: "usage", at: Date.parse(record.occurred_at), record };
}

function entryOf(entry: EntryData): Activity {
  return { kind: "entry", at: Date.parse(entry.posted_at), entry };
}

function newestFirst(a: Activity, b: Activity): number {
  return b.at - a.at;
}
