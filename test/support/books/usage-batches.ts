import { USAGE_READER } from "../../../shared/core/text/topics.ts";
import type { ReceivedEvent, UsageEvent } from "../../../shared/core/usage/usage-event.ts";
import { rateCardReader } from "../../../shared/ledger/catalogue/rates.ts";
import type { DebitOutcome, UsageBatch } from "../../../shared/ledger/usage/batch.ts";
import { debitUsage } from "../../../shared/ledger/usage/debit-usage.ts";
import type { Books } from "./books.ts";

/** The fields of an event that a test sets; the rest has defaults. */
export type Usage = Pick<UsageEvent, "eventId" | "accountId" | "quantity"> & Partial<UsageEvent>;

/** A partition of usage whose batches are debited directly, without Kafka. */
export interface UsageBatches {
  /** Debits the next events of the partition as one batch. */
  debit(events: readonly Usage[]): Promise<DebitOutcome>;
  /** The next events as a batch that is not debited yet: to be debited twice, late or never. */
  next(events: readonly Usage[]): UsageBatch;
}

const PARTITIONS = new Map<string, number>();

/** Batches of a partition chosen by `name`. */
export function usageBatches({ database }: Books, name: string): UsageBatches {
  const partition = PARTITIONS.get(name) ?? PARTITIONS.size;
  PARTITIONS.set(name, partition);
  const readRates = rateCardReader();
  let nextOffset = 0n;
  const next = (usages: readonly Usage[]) => {
    const events = usages.map((usage) => toEvent(usage, { partition, offset: nextOffset++ }));
    return usageBatch(partition, nextOffset - BigInt(events.length), events);
  };
  return { next, debit: (events) => debitUsage(database, readRates, next(events)) };
}

/** A batch of events that follow each other from `fetchedFrom` on. */
function usageBatch(
  partition: number,
  fetchedFrom: bigint,
  events: readonly ReceivedEvent[],
  now = Date.now(),
): UsageBatch {
  return {
    reader: USAGE_READER,
    now,
    runs: [
      {
        partition,
        fetchedFrom,
        nextOffset: fetchedFrom + BigInt(events.length),
        events,
        old: [],
        deadLetters: [],
        messageAt: (offset) => ({ key: null, value: Buffer.from(`message at ${offset}`) }),
      },
    ],
    expectRepeats: false,
  };
}

export function toEvent(
  usage: Usage,
  place: { readonly partition: number; readonly offset: bigint },
): ReceivedEvent {
  return {
    meter: "call",
    occurredAt: Date.now(),
    source: "",
    dimensions: {},
    ...usage,
    ...place,
  };
}
