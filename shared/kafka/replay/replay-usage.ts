import type { Kafka } from "kafkajs";
import { rateCardReader } from "../../ledger/catalogue/rates.ts";
import type { Database, Transaction } from "../../ledger/postgres/database.ts";
import { REPLAY_READER } from "../../ledger/replay/begin.ts";
import type { RecordedEntries } from "../../ledger/replay/recorded-entries.ts";
import { replayBatch } from "../../ledger/replay/replay-batch.ts";
import { deadOffsets } from "../../ledger/replay/source.ts";
import type { UsageRun } from "../../ledger/usage/batch.ts";
import type { UsageDecoder } from "../codec/usage-decoder.ts";
import { decodeBatch } from "../consume/decode-batch.ts";
import { joinBatches } from "../consume/join-batches.ts";
import type { MessageBatch } from "../consume/partition-reader.ts";
import { type OffsetRange, readRanges } from "../consume/read-ranges.ts";

/** Why books are not replayed, in one sentence. */
export class ReplayRefused extends Error {}

export interface UsageToReplay {
  readonly kafka: Kafka;
  readonly decoder: UsageDecoder;
  /** The books that are replayed, as they were at one instant. */
  readonly source: Transaction;
  readonly recorded: RecordedEntries;
  readonly target: Database;
  readonly ranges: ReadonlyMap<number, OffsetRange>;
  /** Most events in one transaction. */
  readonly batchEvents: number;
  readonly signal: AbortSignal;
  /** Hears of offsets that are replayed. */
  onReplayed(offsets: number): void;
}

/** As in live metering: one is priced while Postgres stores the other. */
const TRANSACTIONS_AT_ONCE = 2;
/** What the clock had to say of an event was said when it was first read. */
const ALWAYS = { maxAheadMs: Number.POSITIVE_INFINITY, maxBehindMs: Number.POSITIVE_INFINITY };

/**
 * Meters the usage of a topic again, into a database that `beginReplay` has prepared, with what the
 * books have recorded posted in between. Messages of which they have a dead letter are passed over.
 * Returns how many events were metered.
 */
export async function replayUsage(usage: UsageToReplay): Promise<number> {
  const { source, target, decoder, signal } = usage;
  const replaying = { readRates: rateCardReader(), recorded: usage.recorded };
  let metered = 0;
  let expectRepeats = false;

  const handle = joinBatches(meter, {
    atOnce: TRANSACTIONS_AT_ONCE,
    most: usage.batchEvents,
    sizeOf: ({ messages }: MessageBatch) => messages.length,
    keyOf: ({ partition }: MessageBatch) => partition,
  });
  await readRanges(usage.kafka, {
    topic: REPLAY_READER.topic,
    ranges: usage.ranges,
    signal,
    maxBatchMessages: usage.batchEvents,
    async onBatch(batch) {
      signal.throwIfAborted();
      await handle(batch);
      usage.onReplayed(Number(batch.nextOffset - batch.fetchedFrom));
    },
  });
  return metered;

  async function meter(batches: readonly MessageBatch[]): Promise<null[]> {
    const now = latest(batches);
    const runs: UsageRun[] = [];
    for (const batch of batches) runs.push(await readRun(batch, now));
    const again = { reader: REPLAY_READER, now, runs, expectRepeats };
    const outcome = await replayBatch(target, replaying, again);
    if (outcome.runs.some(({ kind }) => kind !== "committed")) {
      throw new ReplayRefused("somebody else replays into the same database");
    }
    metered += outcome.metered;
    expectRepeats = outcome.repeats > 0;
    return batches.map(() => null);
  }

  async function readRun(batch: MessageBatch, now: number): Promise<UsageRun> {
    const { partition, fetchedFrom, nextOffset } = batch;
    const dead = await deadOffsets(source, partition, fetchedFrom, nextOffset);
    const messages =
      dead.size === 0 ? batch.messages : batch.messages.filter(({ offset }) => !dead.has(offset));
    await decoder.learn(messages.map(({ value }) => value));
    const run = decodeBatch({ ...batch, messages }, decoder, now, ALWAYS);
    const [strange] = run.deadLetters;
    if (strange !== undefined) throw strangeMessage(strange);
    return run;
  }
}

/** What the books have metered can be read, or it is not what they have metered. */
function strangeMessage({
  topic,
  partition,
  offset,
  rejection: { reason, detail },
}: UsageRun["deadLetters"][number]): ReplayRefused {
  const where = `${topic}/${partition} at offset ${offset}`;
  return new ReplayRefused(
    reason === "unknown_schema"
      ? `${where} cannot be read any more: ${detail}; restore the registry that it was published with`
      : `${where} is no usage that the books could have metered (${detail}): they were kept from another topic`,
  );
}

/** The largest Kafka timestamp, which does not depend on when it is replayed. */
function latest(batches: readonly MessageBatch[]): number {
  let latest = 0;
  for (const { messages } of batches) {
    for (const { timestamp } of messages) latest = Math.max(latest, Number(timestamp));
  }
  return latest;
}
