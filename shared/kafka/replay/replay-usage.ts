import type { Kafka } from "kafkajs";
import { ratesReader } from "../../ledger/catalogue/rates.ts";
import type { Database, Transaction } from "../../ledger/postgres/database.ts";
import { REPLAY_READER } from "../../ledger/replay/begin.ts";
import type { RecordedEntries } from "../../ledger/replay/recorded-entries.ts";
import { replayBatch } from "../../ledger/replay/replay-batch.ts";
import { deadOffsets } from "../../ledger/replay/source.ts";
import type { UsageRun } from "../../ledger/usage/batch.ts";
import type { UsageDecoder } from "../codec/usage-decoder.ts";
import { keepNames } from "../codec/usage-names.ts";
import { RECORDS, type RecordsBatch } from "../consume/batch-forms.ts";
import { decodeColumns, valueOfEachSchema } from "../consume/decode-columns.ts";
import { joinBatches } from "../consume/join-batches.ts";
import { type OffsetRange, readRangesAs } from "../consume/read-ranges.ts";

/** Why books are not replayed, in one sentence. */
export class ReplayRefused extends Error {}

/** What a replay works with. */
export interface Replay {
  readonly kafka: Kafka;
  readonly decoder: UsageDecoder;
  readonly target: Database;
  /** The most events in one transaction. */
  readonly batchEvents: number;
  readonly signal: AbortSignal;
  /** Receives the number of offsets replayed since the last call. */
  onReplayed(offsets: number): void;
}

export interface UsageToReplay extends Replay {
  /** A snapshot of the books to replay. */
  readonly source: Transaction;
  readonly recorded: RecordedEntries;
  readonly ranges: ReadonlyMap<number, OffsetRange>;
}

/** As in live metering, one is priced while Postgres stores the other. */
const CONCURRENT_TRANSACTIONS = 2;
/** Events were checked against the clock when they were first metered. */
const ALWAYS = { maxAheadMs: Number.POSITIVE_INFINITY, maxBehindMs: Number.POSITIVE_INFINITY };

/**
 * Meters usage again into a database that `beginReplay` has prepared, posting the recorded entries in
 * between. Skips messages that are dead letters. Returns the number of events metered.
 */
export async function replayUsage(usage: UsageToReplay): Promise<number> {
  const { source, target, decoder, signal } = usage;
  const replaying = { readRates: ratesReader(), recorded: usage.recorded };
  const names = keepNames();
  let metered = 0;
  let expectRepeats = false;

  const handle = joinBatches(meter, {
    atOnce: CONCURRENT_TRANSACTIONS,
    most: () => usage.batchEvents,
    sizeOf: ({ count }: RecordsBatch) => count,
    keyOf: ({ partition }: RecordsBatch) => partition,
  });
  await readRangesAs(RECORDS, usage.kafka, {
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

  async function meter(batches: readonly RecordsBatch[]): Promise<null[]> {
    const now = latest(batches);
    const alive: RecordsBatch[] = [];
    for (const batch of batches) alive.push(await withoutDead(batch));
    await decoder.learn(valueOfEachSchema(alive));
    const decoded = decodeColumns(alive, names(), { decoder, now, window: ALWAYS });
    const [strange] = decoded.runs.flatMap(({ deadLetters }) => deadLetters);
    if (strange !== undefined) throw strangeMessage(strange);
    const again = { reader: REPLAY_READER, now, ...decoded, expectRepeats };
    const outcome = await replayBatch(target, replaying, again);
    if (outcome.runs.some(({ kind }) => kind !== "committed")) {
      throw new ReplayRefused("another process replays into the same database");
    }
    metered += outcome.metered;
    expectRepeats = outcome.repeats > 0;
    return batches.map(() => null);
  }

  async function withoutDead(batch: RecordsBatch): Promise<RecordsBatch> {
    const { partition, fetchedFrom, nextOffset } = batch;
    const dead = await deadOffsets(source, partition, fetchedFrom, nextOffset);
    if (dead.size === 0) return batch;
    return RECORDS.only(batch, (offset) => !dead.has(offset));
  }
}

/** Why a message that the books have metered cannot be metered again. */
function strangeMessage({
  topic,
  partition,
  offset,
  rejection: { reason, detail },
}: UsageRun["deadLetters"][number]): ReplayRefused {
  const where = `${topic}/${partition} at offset ${offset}`;
  return new ReplayRefused(
    reason === "unknown_schema"
      ? `${where} can no longer be read: ${detail}; restore the registry that it was published with`
      : `${where} is not usage that could have been metered (${detail}): the books were metered from another topic`,
  );
}

/** The largest Kafka timestamp at the end of a record batch: not of the clock, so a replay can be repeated. */
function latest(batches: readonly RecordsBatch[]): number {
  let latest = 0;
  for (const { records, to } of batches.flatMap(({ slices }) => slices)) {
    latest = Math.max(latest, Number(records.message(to - 1).timestamp));
  }
  return latest;
}
