import type { Usage } from "../../shared/client/usage-client.ts";
import { accountName, METERS, seededRandom } from "./load.ts";

export const INGEST_BATCH = 100;
const ACCOUNTS = 10_000;

/** A batch of usage, the same for the same first number but for its time. */
export function ingestUsage(first: number, now: number): (Usage & { readonly eventId: string })[] {
  const random = seededRandom(first + 1);
  return Array.from({ length: INGEST_BATCH }, (_, at) => ({
    eventId: `01a2b3c4-d5e6-7000-8000-${(first + at).toString().padStart(12, "0")}`,
    accountId: accountName(random(ACCOUNTS)),
    meter: METERS[at % METERS.length] ?? METERS[0],
    quantity: 1 + random(5_000),
    occurredAt: now,
    source: "bench",
    dimensions: { model: "gpt-5", agent: `agent-${random(50)}` },
  }));
}

/** The same as a batch of CloudEvents. */
export function ingestBody(first: number, now: number): string {
  const time = new Date(now).toISOString();
  const events = ingestUsage(first, now).map((usage) => ({
    specversion: "1.0",
    id: usage.eventId,
    source: usage.source,
    type: usage.meter,
    subject: usage.accountId,
    time,
    data: { quantity: usage.quantity, ...usage.dimensions },
  }));
  return JSON.stringify(events);
}
