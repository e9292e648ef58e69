import type { EntryData } from "../../../shared/contract/entry.ts";
import type { PageData } from "../../../shared/contract/page.ts";
import type { UsageRecordData } from "../../../shared/contract/usage-record.ts";
import type { Listed } from "../live/paged-list.ts";
import type { ExportedRows } from "../parts/whole-csv.ts";
import { activityCells } from "./activity-csv.ts";
import { mergeActivity } from "./merge-activity.ts";

type Load<T> = (cursor: string | null) => Promise<PageData<T>>;

/** The lists to export, newest first; null: not this one. */
export interface ActivityLists {
  readonly records: Load<UsageRecordData> | null;
  readonly entries: Load<EntryData> | null;
  /** Entries posted before are left out. */
  readonly from: number;
}

/** Loads usage and entries as one list, newest first. Keeps only what is not exported yet. */
export function activityLoader({ records, entries, from }: ActivityLists) {
  let usage: Listed<UsageRecordData> | null = null;
  let other: Listed<EntryData> | null = null;
  const moreUsage = async (cursor: string | null): Promise<void> => {
    if (records === null) return;
    const { items, next_cursor: next } = await records(cursor);
    usage = { items: [...(usage?.items ?? []), ...items], next };
  };
  const moreEntries = async (cursor: string | null): Promise<void> => {
    if (entries === null) return;
    const page = await entries(cursor);
    const items = page.items.filter(({ posted_at }) => Date.parse(posted_at) >= from);
    const next = items.length < page.items.length ? null : page.next_cursor;
    other = { items: [...(other?.items ?? []), ...items], next };
  };
  return async (more: string | null): Promise<ExportedRows> => {
    if (more === null) [usage, other] = [null, null];
    if (more !== "entry") await moreUsage(usage?.next ?? null);
    if (more !== "usage") await moreEntries(other?.next ?? null);
    const merged = mergeActivity(usage, other);
    const exported = new Set<unknown>(
      merged.items.map((activity) =>
        activity.kind === "usage" ? activity.record : activity.entry,
      ),
    );
    if (usage !== null)
      usage = { ...usage, items: usage.items.filter((one) => !exported.has(one)) };
    if (other !== null)
      other = { ...other, items: other.items.filter((one) => !exported.has(one)) };
    return { rows: merged.items.map(activityCells), next: merged.more };
  };
}
