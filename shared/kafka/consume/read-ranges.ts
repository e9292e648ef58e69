import { randomUUID } from "node:crypto";
import type { Admin, Kafka } from "kafkajs";
import { type BatchForm, MESSAGES, type MessageBatch, type OffsetStretch } from "./batch-forms.ts";
import { readPartitions } from "./partition-reader.ts";

/** Offsets `[from, to)` of a partition. */
export interface OffsetRange {
  readonly from: bigint;
  readonly to: bigint;
}

export interface RangesToRead<B extends OffsetStretch = MessageBatch> {
  readonly topic: string;
  /** By partition. */
  readonly ranges: ReadonlyMap<number, OffsetRange>;
  readonly signal: AbortSignal;
  /** Default: all that a fetch returns. */
  readonly maxBatchMessages?: number;
  /** Called concurrently for several partitions; for one partition in order, within its range. */
  onBatch(batch: B): Promise<void>;
  /** Fail after this long without a batch. */
  readonly silenceMs?: number;
}

/** Kafka does not have all of a range, or has stopped returning messages. */
export class RangeUnreadable extends Error {}

const FETCHING = {
  // The group has one member, so nothing waits for its partitions.
  sessionTimeoutMs: 60_000,
  heartbeatMs: 3_000,
  // Larger fetches take more memory and are hardly faster.
  maxFetchBytes: 10 << 20,
  maxWaitMs: 250,
};
const SILENCE_MS = 60_000;

/** The ranges left to read, by partition. */
type Left = Map<number, OffsetRange>;

/**
 * Reads ranges of a topic once, in order; each fetch waits until the one before is handled. Its consumer
 * group is its own, commits nothing and is deleted at the end. Rejects with the error of `onBatch`, the
 * signal's reason or RangeUnreadable, after batches in progress have finished.
 */
export function readRanges(kafka: Kafka, reading: RangesToRead): Promise<void> {
  return readRangesAs(MESSAGES, kafka, reading);
}

/** The same, in another form. */
export async function readRangesAs<B extends OffsetStretch>(
  form: BatchForm<B>,
  kafka: Kafka,
  reading: RangesToRead<B>,
): Promise<void> {
  reading.signal.throwIfAborted();
  const left: Left = new Map([...reading.ranges].filter(([, { from, to }]) => from < to));
  if (left.size === 0) return;
  const admin = kafka.admin();
  await admin.connect();
  const groupId = `drawdown-read-${randomUUID()}`;
  try {
    await assertThere(admin, reading.topic, left);
    await readAll(kafka, groupId, { ...reading, form }, left);
  } finally {
    // Without a commit, Kafka may have removed it already.
    await admin.deleteGroups([groupId]).catch(() => undefined);
    await admin.disconnect();
  }
}

async function assertThere(admin: Admin, topic: string, left: Left): Promise<void> {
  const ends = await admin.fetchTopicOffsets(topic);
  for (const [partition, { from, to }] of left) {
    const end = ends.find((known) => known.partition === partition);
    const [low, high] = [BigInt(end?.low ?? 0), BigInt(end?.high ?? 0)];
    if (low > from) {
      throw new RangeUnreadable(`offsets ${from} to ${low - 1n} of ${topic}/${partition} are gone`);
    }
    if (high < to) {
      throw new RangeUnreadable(`${topic}/${partition} ends at ${high}, before ${to}`);
    }
  }
}

interface Reading<B extends OffsetStretch> extends RangesToRead<B> {
  readonly form: BatchForm<B>;
}

async function readAll<B extends OffsetStretch>(
  kafka: Kafka,
  groupId: string,
  reading: Reading<B>,
  left: Left,
): Promise<void> {
  const { topic, signal, form } = reading;
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  ended.catch(() => undefined);
  const silenceMs = reading.silenceMs ?? SILENCE_MS;
  const silence = watchSilence(silenceMs, () => reject(silent(topic, left, silenceMs)));
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    const reader = await readPartitions(kafka, {
      ...FETCHING,
      topic,
      groupId,
      partitions: left.size,
      form,
      maxBatchMessages: reading.maxBatchMessages ?? Number.POSITIVE_INFINITY,
      startAt: async (partitions) =>
        new Map(partitions.map((partition) => [partition, left.get(partition)?.from ?? null])),
      async handle(batch, { heartbeat }) {
        const alive = setInterval(
          () => void heartbeat().catch(() => undefined),
          FETCHING.heartbeatMs,
        );
        try {
          return await silence.during(() => handOver(batch, reading, left));
        } catch (error) {
          reject(error);
          return null;
        } finally {
          clearInterval(alive);
          if (left.size === 0) resolve();
        }
      },
    });
    await Promise.race([ended, reader.ended]).finally(() => reader.stop().catch(() => undefined));
  } finally {
    signal.removeEventListener("abort", abort);
    silence.stop();
  }
}

/** Passes on the part of a batch that is left to read. Returns the next offset; null: the range is read. */
async function handOver<B extends OffsetStretch>(
  batch: B,
  { topic, onBatch, form }: Reading<B>,
  left: Left,
): Promise<bigint | null> {
  const { partition } = batch;
  const range = left.get(partition);
  if (range === undefined) return null;
  const { from, to } = range;
  // When the requested offsets are deleted meanwhile, KafkaJS continues at the first one that exists.
  if (batch.fetchedFrom > from) {
    throw new RangeUnreadable(`offsets of ${topic}/${partition} from ${from} on are gone`);
  }
  const nextOffset = batch.nextOffset < to ? batch.nextOffset : to;
  if (nextOffset <= from) return from;
  // Nearly always all of it.
  const isWhole = batch.fetchedFrom === from && nextOffset === batch.nextOffset;
  const part = isWhole
    ? batch
    : form.only(batch, (offset) => from <= BigInt(offset) && BigInt(offset) < to);
  await onBatch({ ...part, fetchedFrom: from, nextOffset });
  if (nextOffset === to) left.delete(partition);
  else left.set(partition, { from: nextOffset, to });
  return nextOffset === to ? null : nextOffset;
}

/** Calls `onSilence` after this long without work in progress. */
function watchSilence(silenceMs: number, onSilence: () => void) {
  let inHand = 0;
  let timer = setTimeout(onSilence, silenceMs);
  return {
    async during<T>(work: () => Promise<T>): Promise<T> {
      inHand += 1;
      clearTimeout(timer);
      try {
        return await work();
      } finally {
        inHand -= 1;
        if (inHand === 0) timer = setTimeout(onSilence, silenceMs);
      }
    },
    stop: () => clearTimeout(timer),
  };
}

function silent(topic: string, left: Left, silenceMs: number): RangeUnreadable {
  const places = [...left].map(
    ([partition, { from, to }]) => `${topic}/${partition} at ${from} of ${to}`,
  );
  return new RangeUnreadable(
    `Kafka has returned no messages for ${Math.round(silenceMs / 1000)} s: ${places.join(", ")}`,
  );
}
