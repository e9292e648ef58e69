import { randomUUID } from "node:crypto";
import type { ConsumerEndBatchProcessEvent, EachBatchPayload, Kafka, KafkaMessage } from "kafkajs";

/** Offsets `[from, to)` of a partition. */
export interface OffsetRange {
  readonly from: bigint;
  readonly to: bigint;
}

/** Messages of one partition, in offset order; none where offsets were passed that hold no message. */
export interface RangeBatch {
  readonly partition: number;
  /** Nothing between here and the first message is missing. */
  readonly from: bigint;
  readonly messages: readonly KafkaMessage[];
  /** Where the partition is read next: at most the end of its range. */
  readonly nextOffset: bigint;
}

export interface RangesToRead {
  readonly topic: string;
  /** By partition. One that the topic does not have is never read to its end. */
  readonly ranges: ReadonlyMap<number, OffsetRange>;
  readonly signal: AbortSignal;
  /** Partitions come at once, batches of one partition one at a time, in order. */
  onBatch(batch: RangeBatch): Promise<void>;
  /** How long nothing may arrive while messages are missing. */
  readonly silenceMs?: number;
}

/** Kafka does not have all of a range, or gives nothing any more. */
export class RangeUnreadable extends Error {}

/** Nobody waits for the partitions of a group that has one member. */
const SESSION_TIMEOUT_MS = 60_000;
const HEARTBEAT_MS = 3_000;
const SILENCE_MS = 60_000;
const LOOK_EVERY_MS = 250;
/** Of one fetch; larger ones are hardly faster, and take more memory. */
const MAX_BYTES = 10 << 20;
const LEAST_SHARE = 64 << 10;
const MAX_PARTITIONS_AT_ONCE = 256;

/**
 * Reads ranges of a topic once, in order, as fast as they are handled: the next fetch follows when
 * all of one was handled. The consumer is of a group of its own, which commits nothing and is deleted
 * at the end. Rejects with what `onBatch` threw, with the signal's reason, or RangeUnreadable; the
 * batches in hand are waited for first.
 */
export async function readRanges(kafka: Kafka, reading: RangesToRead): Promise<void> {
  reading.signal.throwIfAborted();
  const left = new Map([...reading.ranges].filter(([, { from, to }]) => from < to));
  if (left.size === 0) return;
  const admin = kafka.admin();
  await admin.connect();
  const groupId = `drawdown-read-${randomUUID()}`;
  try {
    const ends = await admin.fetchTopicOffsets(reading.topic);
    for (const [partition, range] of left) {
      const end = ends.find((known) => known.partition === partition);
      const [low, high] = [BigInt(end?.low ?? 0), BigInt(end?.high ?? 0)];
      const problem = missing(reading.topic, partition, range, { low, high });
      if (problem !== null) throw new RangeUnreadable(problem);
    }
    await consume(kafka, groupId, reading, left);
  } finally {
    // It has committed nothing, so that Kafka may have dropped it already.
    await admin.deleteGroups([groupId]).catch(() => undefined);
    await admin.disconnect();
  }
}

function missing(
  topic: string,
  partition: number,
  { from, to }: OffsetRange,
  { low, high }: { low: bigint; high: bigint },
): string | null {
  if (low > from) return `offsets ${from} to ${low - 1n} of ${topic}/${partition} are gone`;
  if (high < to) return `${topic}/${partition} ends at ${high}, before ${to}`;
  return null;
}

async function consume(
  kafka: Kafka,
  groupId: string,
  reading: RangesToRead,
  left: Map<number, OffsetRange>,
): Promise<void> {
  const { topic, ranges, signal } = reading;
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: SESSION_TIMEOUT_MS,
    heartbeatInterval: HEARTBEAT_MS,
    // Each its share, or the first ones would fill the fetch.
    maxBytesPerPartition: Math.max(LEAST_SHARE, Math.floor(MAX_BYTES / left.size)),
    maxBytes: MAX_BYTES,
    maxWaitTimeInMs: LOOK_EVERY_MS,
    retry: { initialRetryTime: 200, maxRetryTime: 10_000, retries: 5 },
  });
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  ended.catch(() => undefined);
  const positions = new Map([...ranges].map(([partition, { from }]) => [partition, from]));
  const passing = new Map<number, Promise<void>>();
  let isOver = false;
  let inHand = 0;
  let heardAt = performance.now();
  const end = (settle: () => void) => {
    isOver = true;
    settle();
  };
  const fail = (error: unknown) => end(() => reject(error));
  const abort = () => fail(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  const watch = setInterval(() => {
    if (inHand > 0) heardAt = performance.now();
    const silenceMs = reading.silenceMs ?? SILENCE_MS;
    if (performance.now() - heardAt > silenceMs) fail(silent(topic, positions, left, silenceMs));
  }, LOOK_EVERY_MS);

  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) fail(payload.error);
  });
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    const assigned = payload.memberAssignment[topic] ?? [];
    for (const partition of assigned) {
      if (left.has(partition)) seek(partition);
    }
    const others = assigned.filter((partition) => !left.has(partition));
    if (others.length > 0) consumer.pause([{ topic, partitions: others }]);
  });
  // KafkaJS passes over what holds nothing to handle (aborted transactions) without calling eachBatch.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    if (payload.batchSize > 0) return;
    const { partition } = payload;
    passing.set(
      partition,
      (passing.get(partition) ?? Promise.resolve()).then(() => passOver(payload)),
    );
  });

  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: MAX_PARTITIONS_AT_ONCE,
      eachBatch: handleFetched,
    });
    await ended;
  } finally {
    isOver = true;
    await Promise.all(passing.values());
    signal.removeEventListener("abort", abort);
    clearInterval(watch);
    await consumer.disconnect().catch(() => undefined);
  }

  function seek(partition: number): void {
    consumer.seek({ topic, partition, offset: positionOf(partition).toString() });
  }

  function positionOf(partition: number): bigint {
    return positions.get(partition) ?? 0n;
  }

  async function handleFetched({ batch, heartbeat, resolveOffset }: EachBatchPayload) {
    const { topic, partition, messages } = batch;
    await passing.get(partition);
    if (!left.has(partition) || isOver) return;
    const { fetchedOffset } = batch as typeof batch & { fetchedOffset: string };
    const position = positionOf(partition);
    // KafkaJS goes on at the first offset there is when those it asks for are deleted meanwhile.
    if (BigInt(fetchedOffset) > position) {
      fail(new RangeUnreadable(`offsets of ${topic}/${partition} from ${position} on are gone`));
      return;
    }
    const alive = setInterval(() => void heartbeat().catch(() => undefined), HEARTBEAT_MS);
    const wasHandled = await handle(partition, messages, BigInt(batch.lastOffset()) + 1n);
    clearInterval(alive);
    if (!wasHandled) return;
    resolveOffset(batch.lastOffset());
    await heartbeat();
  }

  async function passOver(payload: ConsumerEndBatchProcessEvent["payload"]): Promise<void> {
    const { partition, lastOffset } = payload;
    await handle(partition, [], BigInt(lastOffset) + 1n);
  }

  /** False: it was handled before, or could not be. */
  async function handle(
    partition: number,
    fetched: readonly KafkaMessage[],
    fetchedTo: bigint,
  ): Promise<boolean> {
    const range = left.get(partition);
    const position = positionOf(partition);
    heardAt = performance.now();
    if (range === undefined || isOver || fetchedTo <= position) return false;
    const nextOffset = fetchedTo < range.to ? fetchedTo : range.to;
    const messages = within(fetched, position, range.to);
    inHand += 1;
    try {
      await reading.onBatch({ partition, from: position, messages, nextOffset });
    } catch (error) {
      fail(error);
      return false;
    } finally {
      inHand -= 1;
    }
    positions.set(partition, nextOffset);
    if (nextOffset === range.to) finish(partition);
    return true;
  }

  function finish(partition: number): void {
    left.delete(partition);
    if (left.size === 0) end(resolve);
    else consumer.pause([{ topic, partitions: [partition] }]);
  }
}

/** The messages with offsets in `[from, to)`: nearly always all that were fetched. */
function within(messages: readonly KafkaMessage[], from: bigint, to: bigint) {
  const [first, last] = [messages.at(0), messages.at(-1)];
  if (first === undefined || last === undefined) return messages;
  if (BigInt(first.offset) >= from && BigInt(last.offset) < to) return messages;
  return messages.filter(({ offset }) => BigInt(offset) >= from && BigInt(offset) < to);
}

function silent(
  topic: string,
  positions: ReadonlyMap<number, bigint>,
  left: ReadonlyMap<number, OffsetRange>,
  silenceMs: number,
): RangeUnreadable {
  const places = [...left].map(
    ([partition, { to }]) => `${topic}/${partition} at ${positions.get(partition)} of ${to}`,
  );
  return new RangeUnreadable(
    `Kafka has given nothing for ${Math.round(silenceMs / 1000)} s: ${places.join(", ")}`,
  );
}
