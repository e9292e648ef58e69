import { z } from "zod";
import type { UsageRecord } from "../../../shared/ledger/usage/explain.ts";
import { count, credits, instant } from "../wire.ts";

/** A metered event. */
export const recordView = z.object({
  event_id: z.string(),
  meter: z.string(),
  quantity: count,
  credits,
  occurred_at: instant,
  source: z.string(),
  dimensions: z.record(z.string(), z.string()),
  start: credits.meta({ description: "Where on the account's line it began to draw." }),
  end: credits,
  metered_at: instant,
});

export function toRecordView(record: UsageRecord) {
  return {
    event_id: record.eventId,
    meter: record.meter,
    quantity: record.quantity,
    credits: record.credits,
    occurred_at: record.occurredAt,
    source: record.source,
    dimensions: { ...record.dimensions },
    start: record.drawn.start,
    end: record.drawn.end,
    metered_at: record.meteredAt,
  };
}
