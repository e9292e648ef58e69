import type { Cell } from "../../../shared/core/text/csv-text.ts";
import { creditsCell } from "../text/credit-text.ts";
import type { Activity } from "./merge-activity.ts";

export const ACTIVITY_COLUMNS = [
  ...["at", "kind", "what", "quantity", "credits", "balance_after", "source", "dimensions"],
];

/** A row of the activity in the order of `ACTIVITY_COLUMNS`; credits are exact decimals. */
export function activityCells(activity: Activity): readonly Cell[] {
  if (activity.kind === "usage") {
    const { record } = activity;
    const credits = creditsCell(-BigInt(record.credits));
    const dimensions = JSON.stringify(record.dimensions);
    const { occurred_at, meter, source } = record;
    const quantity = BigInt(record.quantity);
    return [occurred_at, "usage", meter, quantity, credits, "", source, dimensions];
  }
  const { entry } = activity;
  const credits = creditsCell(BigInt(entry.credits));
  const after = creditsCell(BigInt(entry.balance));
  return [entry.posted_at, entry.kind, entry.reference, "", credits, after, "", ""];
}
