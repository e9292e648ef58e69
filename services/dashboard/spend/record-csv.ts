import type { UsageRecordData } from "../../../shared/contract/usage-record.ts";
import type { Cell } from "../../../shared/core/text/csv-text.ts";
import { creditsCell } from "../text/credit-text.ts";

export const RECORD_COLUMNS = [
  ...["occurred_at", "event_id", "meter", "quantity", "credits", "source", "dimensions"],
];

/** A usage record in the order of `RECORD_COLUMNS`. */
export function recordCells(record: UsageRecordData): readonly Cell[] {
  const { occurred_at, event_id, meter, source, dimensions } = record;
  const quantity = BigInt(record.quantity);
  const credits = creditsCell(BigInt(record.credits));
  return [occurred_at, event_id, meter, quantity, credits, source, JSON.stringify(dimensions)];
}
