import type { Instant } from "../../core/line/account.ts";
import type { RecordsBatch } from "./batch-forms.ts";

/** When the first and last message of a batch were published, by the producer's or broker's clock; null: none. */
export function publishedBetween({
  slices,
}: Pick<RecordsBatch, "slices">): { readonly first: Instant; readonly last: Instant } | null {
  const [oldest] = slices;
  const newest = slices.at(-1);
  if (oldest === undefined || newest === undefined) return null;
  const first = Number(oldest.records.message(oldest.from).timestamp);
  const last = Number(newest.records.message(newest.to - 1).timestamp);
  // A batch without timestamps has -1.
  return first < 0 || last < 0 ? null : { first, last };
}
