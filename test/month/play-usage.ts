import { USAGE_READER } from "../../shared/core/text/topics.ts";
import {
  DEFAULT_WINDOW,
  type ReceivedEvent,
  rejectEvent,
} from "../../shared/core/usage/usage-event.ts";
import { ratesReader } from "../../shared/ledger/catalogue/rates.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import type { DeadLetter } from "../../shared/ledger/usage/dead-letters.ts";
import { debitUsage } from "../../shared/ledger/usage/debit-usage.ts";
import type { AccountStep, HistoryAccount } from "../model/month-history.ts";
import { usageOf } from "../model/play-month.ts";
import { batchOf, type RunOfEvents } from "../support/books/batch-of.ts";

export type UseStep = Extract<AccountStep, { kind: "use" }>;

/** Events counted by outcome. */
export interface UsageCounts {
  readonly metered: number;
  readonly repeats: number;
  readonly deadLetters: number;
}

/** Metering from its partitions on: without Kafka, with the clock passed in. */
export interface HistoryMetering {
  /** Meters the events received at one instant, in this order for each account. */
  meter(uses: readonly UseStep[], now: number): Promise<UsageCounts>;
}

const PARTITIONS = 3;

/** Each account's events are on one partition. */
export function openMetering(
  database: Database,
  accounts: readonly HistoryAccount[],
): HistoryMetering {
  const partitions = new Map(accounts.map(({ id }, index) => [id, index % PARTITIONS]));
  const nextOffsets = new Map<number, bigint>();
  const readRates = ratesReader();
  let batches = 0;

  function runOf(partition: number, uses: readonly UseStep[], now: number): RunOfEvents {
    const fetchedFrom = nextOffsets.get(partition) ?? 0n;
    const nextOffset = fetchedFrom + BigInt(uses.length);
    nextOffsets.set(partition, nextOffset);
    const events: ReceivedEvent[] = [];
    const deadLetters: DeadLetter[] = [];
    for (const [index, use] of uses.entries()) {
      const event = { ...usageOf(use), partition, offset: fetchedFrom + BigInt(index) };
      const rejection = rejectEvent(event, now, DEFAULT_WINDOW);
      if (rejection === null) events.push(event);
      else {
        const { topic } = USAGE_READER;
        const message = { key: null, payload: Buffer.alloc(0), recordedAt: now };
        deadLetters.push({ ...event, topic, rejection, ...message });
      }
    }
    return { partition, fetchedFrom, nextOffset, events, deadLetters };
  }

  async function debit(runs: readonly RunOfEvents[], now: number): Promise<UsageCounts> {
    batches += 1;
    // Looking up repeats before or after writing must make no difference.
    const expectRepeats = batches % 8 !== 0;
    const outcome = await debitUsage(database, readRates, batchOf(runs, { now, expectRepeats }));
    const odd = outcome.runs.find(({ kind }) => kind !== "committed");
    if (odd !== undefined) throw new Error(`a batch at ${now} was not metered: ${odd.kind}`);
    return outcome;
  }

  return {
    async meter(uses, now) {
      const byPartition = Map.groupBy(uses, ({ account }) => partitions.get(account) ?? 0);
      const runs = [...byPartition].map(([partition, some]) => runOf(partition, some, now));
      // Most batches join their partitions in one transaction; others come from consumers of each.
      if (batches % 5 !== 0) return await debit(runs, now);
      const counts = await Promise.all(runs.map((run) => debit([run], now)));
      return counts.reduce(sumOf);
    },
  };
}

function _messageAt(): { readonly key: null; readonly value: Buffer } {
  return { key: null, value: Buffer.alloc(0) };
}

function sumOf(a: UsageCounts, b: UsageCounts): UsageCounts {
  return {
    metered: a.metered + b.metered,
    repeats: a.repeats + b.repeats,
    deadLetters: a.deadLetters + b.deadLetters,
  };
}
