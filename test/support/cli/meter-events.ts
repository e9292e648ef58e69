import { USAGE_READER } from "../../../shared/core/text/topics.ts";
import { readOffsets } from "../../../shared/ledger/books/consumer-offset.ts";
import { ratesReader } from "../../../shared/ledger/catalogue/rates.ts";
import { debitUsage } from "../../../shared/ledger/usage/debit-usage.ts";
import { batchOf } from "../books/batch-of.ts";
import type { Books } from "../books/books.ts";

/** The fields of an event that a test sets; the rest has defaults. */
export interface Used {
  readonly eventId: string;
  readonly accountId: string;
  readonly meter: string;
  readonly quantity: bigint;
  readonly occurredAt?: number;
  readonly source?: string;
  readonly dimensions?: Readonly<Record<string, string>>;
  readonly quantities?: Readonly<Record<string, bigint>>;
  readonly holdId?: string;
}

/** Meters events into the books as metering does, without Kafka: partition 0, one offset each. */
export async function meterEvents({ database }: Books, used: readonly Used[]): Promise<void> {
  const now = Date.now();
  const partition = 0;
  const places = await readOffsets(database, USAGE_READER);
  const fetchedFrom = places.get(partition) ?? 0n;
  const run = {
    partition,
    fetchedFrom,
    nextOffset: fetchedFrom + BigInt(used.length),
    events: used.map((event, at) => ({
      source: "test",
      dimensions: {},
      quantities: {},
      holdId: null,
      occurredAt: now,
      ...event,
      partition,
      offset: fetchedFrom + BigInt(at),
    })),
  };
  const outcome = await debitUsage(database, ratesReader(), batchOf([run], { now }));
  if (outcome.metered !== used.length) {
    throw new Error(`not all was metered: ${JSON.stringify(outcome)}`);
  }
}
