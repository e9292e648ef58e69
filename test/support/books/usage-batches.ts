import type { ReceivedEvent, UsageEvent } from "../../../shared/core/usage/usage-event.ts";
import { ratesReader } from "../../../shared/ledger/catalogue/rates.ts";
import type { DebitOutcome, UsageBatch } from "../../../shared/ledger/usage/batch.ts";
import { debitUsage } from "../../../shared/ledger/usage/debit-usage.ts";
import { batchOf, type RunOfEvents } from "./batch-of.ts";
import type { Books } from "./books.ts";

/** The fields of an event that a test sets; the rest has defaults. */
export type Usage = Pick<UsageEvent, "eventId" | "accountId" | "quantity"> & Partial<UsageEvent>;

/** A partition of usage whose batches are debited directly, without Kafka. */
export interface UsageBatches {
  /** Debits the next events of the partition as one batch. */
  debit(events: readonly Usage[]): Promise<DebitOutcome>;
  /** The next events as a batch that is not debited yet: to be debited twice, late or never. */
  next(events: readonly Usage[]): UsageBatch;
  /** The next events, to be debited in one batch with those of other partitions. */
  run(events: readonly Usage[]): RunOfEvents;
}

const PARTITIONS = new Map<string, number>();

/** Batches of a partition chosen by `name`. */
export function usageBatches({ database }: Pick<Books, "database">, name: string): UsageBatches {
  const partition = PARTITIONS.get(name) ?? PARTITIONS.size;
  PARTITIONS.set(name, partition);
  const readRates = ratesReader();
  let nextOffset = 0n;
  const run = (usages: readonly Usage[]) => {
    const fetchedFrom = nextOffset;
    const events = usages.map((usage) => toEvent(usage, { partition, offset: nextOffset++ }));
    return { partition, fetchedFrom, nextOffset, events, messageAt };
  };
  const next = (usages: readonly Usage[]) => batchOf([run(usages)], { now: Date.now() });
  return { run, next, debit: (events) => debitUsage(database, readRates, next(events)) };
}

function messageAt(offset: bigint) {
  return { key: null, value: Buffer.from(`message at ${offset}`) };
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
    quantities: {},
    holdId: null,
    ...usage,
    ...place,
  };
}
