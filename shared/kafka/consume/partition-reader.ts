import type { Consumer, ConsumerEndBatchProcessEvent, EachBatchPayload, Kafka } from "kafkajs";
import { REBALANCE_TIMEOUT_MS } from "../client/kafka-client.ts";
import { openConsumer } from "../patches/read-every-batch.ts";
import type { BatchForm, OffsetStretch } from "./batch-forms.ts";
import { type ConsumerWatch, watchConsumer } from "./watch-consumer.ts";

/** What a handler can do in the group during its batch. */
interface Membership {
  heartbeat(): Promise<void>;
}

export interface PartitionReading<B extends OffsetStretch> {
  readonly topic: string;
  readonly groupId: string;
  /** Without a heartbeat for this long, the member loses its partitions. */
  readonly sessionTimeoutMs: number;
  readonly heartbeatMs: number;
  /** How many partitions share a fetch: each gets a part, or a backlog in one would starve the others. */
  readonly partitions: number;
  readonly maxFetchBytes: number;
  readonly maxWaitMs: number;
  readonly maxBatchMessages: number;
  readonly form: BatchForm<B>;
  /**
   * Where to start; called after each join, before anything is handled. Null: do not read the partition.
   * A partition left out starts at Kafka's offset.
   */
  startAt(partitions: readonly number[]): Promise<ReadonlyMap<number, bigint | null>>;
  /**
   * Handles a batch and returns the offset to read next, or null to stop reading the partition. Called
   * concurrently for several partitions; for one partition one batch at a time, in order.
   */
  handle(batch: B, membership: Membership): Promise<bigint | null>;
}

export interface PartitionReader {
  /** Rejects with the error that ended reading; resolves after `stop`. */
  readonly ended: Promise<void>;
  readonly watch: ConsumerWatch;
  /**
   * Goes back in partitions where the stored offset is lower than what has been read, as after a failover to a
   * server that was behind: without a new message there, nothing else would notice.
   */
  goBack(readStored: () => Promise<ReadonlyMap<number, bigint>>): Promise<void>;
  /** Waits for the batches in progress and leaves the group. */
  stop(): Promise<void>;
}

interface CommittingReader extends PartitionReader {
  /** Commits the group's offsets of partitions. */
  commit(offsets: ReadonlyMap<number, bigint>): Promise<void>;
}

const LEAST_SHARE_BYTES = 64 << 10;
/** Of one fetch; the next fetch waits until all of them are handled. */
const MAX_CONCURRENT_PARTITIONS = 256;

/** Reads a topic as a member of a group. Only this file knows the quirks of KafkaJS's consumer. */
export async function readPartitions<B extends OffsetStretch>(
  kafka: Kafka,
  reading: PartitionReading<B>,
): Promise<CommittingReader> {
  const share = Math.floor(reading.maxFetchBytes / reading.partitions);
  const options = {
    groupId: reading.groupId,
    sessionTimeout: reading.sessionTimeoutMs,
    rebalanceTimeout: REBALANCE_TIMEOUT_MS,
    heartbeatInterval: reading.heartbeatMs,
    maxBytesPerPartition: Math.max(LEAST_SHARE_BYTES, share),
    maxBytes: reading.maxFetchBytes,
    maxWaitTimeInMs: reading.maxWaitMs,
  };
  const consumer = openConsumer(kafka, options, reading.form.hand);
  const reader = new Reader(consumer, reading);
  try {
    await consumer.connect();
    await consumer.subscribe({ topic: reading.topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: MAX_CONCURRENT_PARTITIONS,
      eachBatch: (fetched) => reader.handleFetched(fetched),
    });
  } catch (error) {
    await consumer.disconnect().catch(() => undefined);
    throw error;
  }
  return reader;
}

/**
 * The next offset of a partition; null until Kafka has started it. A seek replaces the object, so that
 * batches fetched before the seek can be recognised.
 */
interface Position {
  offset: bigint | null;
}

type PassedOver = ConsumerEndBatchProcessEvent["payload"];

class Reader<B extends OffsetStretch> implements CommittingReader {
  readonly ended: Promise<void>;
  #end: () => void = () => undefined;
  #endWith: (error: unknown) => void = () => undefined;
  readonly watch: ConsumerWatch;
  readonly #consumer: Consumer;
  readonly #reading: PartitionReading<B>;
  readonly #positions = new Map<number, Position>();
  #started: Promise<void> = Promise.resolve();
  /** By partition: the handling of offsets without messages. */
  readonly #passing = new Map<number, Promise<void>>();
  /** A broker has said that it does not coordinate the group any more. */
  #moved: Error | null = null;
  #isOver = false;

  constructor(consumer: Consumer, reading: PartitionReading<B>) {
    this.#consumer = consumer;
    this.#reading = reading;
    this.watch = watchConsumer(consumer);
    // The client's package runs on Node 20, which has no Promise.withResolvers.
    this.ended = new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#endWith = reject;
    });
    this.ended.catch(() => undefined);
    const { CRASH, GROUP_JOIN, END_BATCH_PROCESS } = consumer.events;
    consumer.on(CRASH, ({ payload }) => {
      if (!payload.restart) this.#fail(payload.error);
    });
    consumer.on(GROUP_JOIN, ({ payload }) => {
      this.#positions.clear();
      this.#started = this.#start(payload.memberAssignment[reading.topic] ?? []);
      this.#started.catch((error) => this.#fail(error));
    });
    // KafkaJS skips control records and aborted transactions without calling eachBatch.
    consumer.on(END_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0) this.#skip(payload);
    });
  }

  async handleFetched({ batch, ...fetch }: EachBatchPayload): Promise<void> {
    const { partition } = batch;
    const piece = this.watch.batches.take();
    const membership = {
      async heartbeat() {
        piece.moved();
        await fetch.heartbeat();
      },
    };
    try {
      this.#joinAgainIfMoved();
      await this.#started;
      await this.#passing.get(partition);
      for (const part of this.#reading.form.split(batch, this.#reading.maxBatchMessages)) {
        if (this.#isOver || !this.#positions.has(partition)) return;
        if (!fetch.isRunning() || fetch.isStale()) return;
        const next = await this.#reading.handle(part, membership);
        if (!this.#advance(part, next)) return;
        fetch.resolveOffset((part.nextOffset - 1n).toString());
        await membership.heartbeat();
      }
    } catch (error) {
      // KafkaJS handles its own errors: it rejoins or crashes.
      if (!isKafkaError(error)) this.#fail(error);
      throw error;
    } finally {
      piece.done();
    }
  }

  async commit(offsets: ReadonlyMap<number, bigint>): Promise<void> {
    const { topic } = this.#reading;
    try {
      await this.#consumer.commitOffsets(
        [...offsets].map(([partition, offset]) => ({
          topic,
          partition,
          offset: offset.toString(),
        })),
      );
    } catch (error) {
      this.#moved = notCoordinator(error);
      throw error;
    }
  }

  async goBack(readStored: () => Promise<ReadonlyMap<number, bigint>>): Promise<void> {
    const before = [...this.#positions].map(([partition, position]) => {
      return { partition, position, read: position.offset };
    });
    // What was read by now is stored by now.
    const stored = await readStored();
    for (const { partition, position, read } of before) {
      const offset = stored.get(partition);
      if (read === null || offset === undefined || offset >= read) continue;
      if (!this.#isOver && position === this.#positions.get(partition)) {
        this.#seek(partition, offset);
      }
    }
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#passing.values());
    await this.#consumer.disconnect();
    this.#end();
  }

  /** KafkaJS commits to the broker that it has joined at, until it joins again: which this error makes it do. */
  #joinAgainIfMoved(): void {
    const moved = this.#moved;
    this.#moved = null;
    if (moved !== null) throw moved;
  }

  /** KafkaJS itself discards what it fetched before the seek. */
  async #start(assigned: readonly number[]): Promise<void> {
    const starts = await this.#reading.startAt(assigned);
    for (const partition of assigned) {
      const offset = starts.get(partition);
      if (offset === undefined) this.#positions.set(partition, { offset: null });
      else this.#seek(partition, offset);
    }
  }

  #skip({ partition, lastOffset, highWatermark }: PassedOver): void {
    const position = this.#positions.get(partition);
    const before = this.#passing.get(partition) ?? Promise.resolve();
    const passed = before.then(async () => {
      if (this.#isOver || position === undefined) return;
      if (position !== this.#positions.get(partition)) return;
      const nextOffset = BigInt(lastOffset) + 1n;
      const batch = this.#reading.form.empty({
        topic: this.#reading.topic,
        partition,
        fetchedFrom: position.offset ?? nextOffset,
        nextOffset,
        highWatermark: BigInt(highWatermark),
      });
      this.#advance(batch, await this.#reading.handle(batch, NO_MEMBERSHIP));
    });
    this.#passing.set(
      partition,
      passed.catch((error) => this.#fail(error)),
    );
  }

  /** False: do not handle the rest of the fetch. */
  #advance({ partition, nextOffset }: OffsetStretch, next: bigint | null): boolean {
    if (next !== nextOffset) {
      this.#seek(partition, next);
      return false;
    }
    const position = this.#positions.get(partition);
    if (position !== undefined) position.offset = next;
    return true;
  }

  #seek(partition: number, offset: bigint | null): void {
    const { topic } = this.#reading;
    if (offset === null) {
      this.#positions.delete(partition);
      this.#consumer.pause([{ topic, partitions: [partition] }]);
    } else {
      this.#positions.set(partition, { offset });
      this.#consumer.seek({ topic, partition, offset: offset.toString() });
    }
  }

  #fail(error: unknown): void {
    this.#isOver = true;
    this.#endWith(error);
  }
}

/** Offsets without messages are handled outside KafkaJS's loop. */
const NO_MEMBERSHIP: Membership = {
  heartbeat: async () => undefined,
};

/** The broker's answer that it is not the group's coordinator, if that is why all tries have failed. */
function notCoordinator(error: unknown): Error | null {
  if (!(error instanceof Error)) return null;
  if ("type" in error && error.type === "NOT_COORDINATOR_FOR_GROUP") return error;
  return notCoordinator(error.cause);
}

function isKafkaError(error: unknown): boolean {
  return error instanceof Error && error.name.startsWith("KafkaJS");
}
