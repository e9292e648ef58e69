import { bigintArray, columnsOf } from "../postgres/array-literal.ts";
import {
  type Database,
  type Queryable,
  queryRow,
  queryRows,
  type Transaction,
} from "../postgres/database.ts";

/** A consumer of a topic. */
export interface Reader {
  readonly consumer: string;
  readonly topic: string;
}

const LOCK = `
  SELECT kafka_partition AS partition, next_offset AS "nextOffset"
  FROM consumer_offset
  WHERE consumer = $1 AND topic = $2 AND kafka_partition = ANY($3::integer[])
  ORDER BY kafka_partition
  FOR UPDATE`;

const START = `
  INSERT INTO consumer_offset (consumer, topic, kafka_partition, next_offset)
  SELECT $1, $2, kafka_partition, next_offset
  FROM unnest($3::integer[], $4::bigint[]) AS start (kafka_partition, next_offset)
  ON CONFLICT DO NOTHING`;

const READ = `
  SELECT kafka_partition AS partition, next_offset AS "nextOffset"
  FROM consumer_offset
  WHERE consumer = $1 AND topic = $2`;

/** The next offset of each partition that a consumer has begun. */
export async function readOffsets(
  database: Queryable,
  { consumer, topic }: Reader,
): Promise<Map<number, bigint>> {
  return queryOffsets(database, READ, [consumer, topic], "read-offsets");
}

/** Stores the offsets of partitions that the consumer has not begun; others stay. */
export async function startOffsets(
  database: Queryable,
  { consumer, topic }: Reader,
  starts: ReadonlyMap<number, bigint>,
): Promise<void> {
  const partitions = bigintArray([...starts.keys()]);
  await database.query(START, [consumer, topic, partitions, bigintArray([...starts.values()])]);
}

const OTHER_TOPIC = `
  SELECT
  FROM consumer_offset
  WHERE consumer = $1 AND topic = $2 AND topic_id <> $3::uuid
  LIMIT 1`;

/** Whether a consumer's offsets are of another topic than the one with this id of Kafka's, of the same name. */
export async function areOfOtherTopic(
  database: Queryable,
  { consumer, topic }: Reader,
  topicId: string,
): Promise<boolean> {
  return (await queryRow(database, OTHER_TOPIC, [consumer, topic, topicId])) !== null;
}

const NOTE_TOPIC = `
  WITH free AS MATERIALIZED (
    SELECT kafka_partition
    FROM consumer_offset
    WHERE consumer = $1 AND topic = $2 AND topic_id IS NULL
    FOR UPDATE SKIP LOCKED)
  UPDATE consumer_offset
  SET topic_id = $3::uuid
  FROM free
  WHERE consumer = $1 AND topic = $2 AND consumer_offset.kafka_partition = free.kafka_partition`;

/** Notes of which topic a consumer's offsets are, where that is not known yet; what others have locked is left out. */
export async function noteTopicId(
  database: Database,
  { consumer, topic }: Reader,
  topicId: string,
): Promise<void> {
  await database.query(NOTE_TOPIC, [consumer, topic, topicId]);
}

const RAISE = `
  INSERT INTO consumer_offset (consumer, topic, kafka_partition, next_offset)
  VALUES ($1, $2, $3, $4)
  ON CONFLICT (consumer, topic, kafka_partition) DO UPDATE
  SET next_offset = greatest(consumer_offset.next_offset, excluded.next_offset)`;

/** Moves an offset forward, never back, without a lock: for consumers that tolerate repeats. */
export async function raiseOffset(
  database: Database,
  { consumer, topic }: Reader,
  partition: number,
  nextOffset: bigint,
): Promise<void> {
  const values = [consumer, topic, partition, nextOffset];
  await database.query({ name: "raise-offset", text: RAISE, values });
}

const ADVANCE = `
  UPDATE consumer_offset
  SET next_offset = moved.upto
  FROM unnest($3::integer[], $4::bigint[], $5::bigint[]) AS moved (kafka_partition, since, upto)
  WHERE consumer = $1
    AND topic = $2
    AND consumer_offset.kafka_partition = moved.kafka_partition
    AND next_offset = moved.since`;

/**
 * Locks the offset rows of partitions, in order, until the transaction ends. A partition that is not
 * begun starts at its offset in `firsts`.
 */
export async function lockOffsets(
  transaction: Transaction,
  reader: Reader,
  firsts: ReadonlyMap<number, bigint>,
): Promise<Map<number, bigint>> {
  const values = [reader.consumer, reader.topic, bigintArray([...firsts.keys()])];
  const lock = () => queryOffsets(transaction, LOCK, values, "lock-offsets");
  const locked = await lock();
  if (locked.size === firsts.size) return locked;
  await startOffsets(transaction, reader, firsts);
  return lock();
}

/** A partition whose offset moves. */
export interface Advance {
  readonly partition: number;
  readonly from: bigint;
  readonly to: bigint;
}

/** Moves locked offsets by compare-and-set. Throws if one was moved, which the lock rules out. */
export async function advanceOffsets(
  transaction: Transaction,
  { consumer, topic }: Reader,
  advances: readonly Advance[],
): Promise<void> {
  const { rowCount } = await transaction.query({
    name: "advance-offsets",
    text: ADVANCE,
    values: [consumer, topic, ...columnsOf(advances, "partition", "from", "to")],
  });
  if (rowCount !== advances.length) {
    const places = advances.map(({ partition, from }) => `${topic}/${partition} at ${from}`);
    throw new Error(`another process moved one of ${places.join(", ")}`);
  }
}

async function queryOffsets(...query: Parameters<typeof queryRows>): Promise<Map<number, bigint>> {
  const rows = await queryRows<{ partition: number; nextOffset: bigint }>(...query);
  return new Map(rows.map(({ partition, nextOffset }) => [partition, nextOffset]));
}
