import { formatCredits } from "../../../shared/core/credits-text.ts";
import type { Cell } from "../../../shared/core/csv-text.ts";
import type { RecordData } from "../api/account-data.ts";
import type { Activity } from "./merge-activity.ts";

export const ACTIVITY_COLUMNS = [
  "at",
  "kind",
  "what",
  "quantity",
  "credits",
  "balance_after",
  "source",
  "dimensions",
];

export const RECORD_COLUMNS = [
  "occurred_at",
  "event_id",
  "meter",
  "quantity",
  "credits",
  "source",
  "dimensions",
];

/** A line of the activity, in the order of `ACTIVITY_COLUMNS`; credits exact, as decimals. */
export function activityCells(activity: Activity): readonly Cell[] {
  if (activity.kind === "usage") {
    const { record } = activity;
    const credits = creditsCell(-BigInt(record.credits));
    const dimensions = JSON.stringify(record.dimensions);
    const quantity = BigInt(record.quantity);
    return [
      record.occurred_at,
      "usage",
      record.meter,
      quantity,
      credits,
      "",
      record.source,
      dimensions,
    ];
  }
  const { entry } = activity;
  const credits = creditsCell(BigInt(entry.credits));
  const after = creditsCell(BigInt(entry.balance));
  return [entry.posted_at, entry.kind, entry.reference, "", credits, after, "", ""];
}

/** A usage record, in the order of `RECORD_COLUMNS`. */
export function recordCells(record: RecordData): readonly Cell[] {
  const { occurred_at, event_id, meter, source, dimensions } = record;
  const credits = creditsCell(BigInt(record.credits));
  return [
    occurred_at,
    event_id,
    meter,
    BigInt(record.quantity),
    credits,
    source,
    JSON.stringify(dimensions),
  ];
}

/** Credits as a spreadsheet reads them: a plain decimal. */
export function creditsCell(credits: bigint): Cell {
  return { number: formatCredits(credits) };
}
