import { bigintArray } from "./array-literal.ts";
import type { Database, Transaction } from "./database.ts";

/** A consumer's place in one partition. */
export interface Place {
  readonly consumer: string;
  readonly topic: string;
  readonly partition: number;
}

const LOCK = `
  SELECT next_offset
  FROM consumer_offset
  WHERE consumer = $1 AND topic = $2 AND kafka_partition = $3
  FOR UPDATE`;

const START = `
  INSERT INTO consumer_offset (consumer, topic, kafka_partition, next_offset)
  SELECT $1, $2, kafka_partition, next_offset
  FROM unnest($3::integer[], $4::bigint[]) AS start (kafka_partition, next_offset)
  ON CONFLICT DO NOTHING`;

const READ = `
  SELECT kafka_partition, next_offset
  FROM consumer_offset
  WHERE consumer = $1 AND topic = $2`;

/** How far a consumer has read each partition of a topic. */
export async function readOffsets(
  database: Database | Transaction,
  consumer: string,
  topic: string,
): Promise<Map<number, bigint>> {
  const { rows } = await database.query<[number, string]>({
    name: "read-offsets",
    text: READ,
    values: [consumer, topic],
    rowMode: "array",
  });
  return new Map(rows.map(([partition, nextOffset]) => [partition, BigInt(nextOffset)]));
}

/** Gives places never taken before their start; places already taken stay where they are. */
export async function startOffsets(
  database: Database | Transaction,
  consumer: string,
  topic: string,
  starts: ReadonlyMap<number, bigint>,
): Promise<void> {
  const partitions = bigintArray([...starts.keys()]);
  await database.query(START, [consumer, topic, partitions, bigintArray([...starts.values()])]);
}

const ADVANCE = `
  UPDATE consumer_offset
  SET next_offset = $5
  WHERE consumer = $1 AND topic = $2 AND kafka_partition = $3 AND next_offset = $4`;

/**
 * Takes the row that is lock, fence and cursor of a partition, until the transaction ends. A place
 * never taken before starts at `first`.
 */
export async function lockOffset(
  transaction: Transaction,
  place: Place,
  first: bigint,
): Promise<bigint> {
  const key = [place.consumer, place.topic, place.partition];
  const read = () =>
    transaction.query<[string]>({ name: "lock-offset", text: LOCK, values: key, rowMode: "array" });
  let row = (await read()).rows[0];
  if (row === undefined) {
    await startOffsets(
      transaction,
      place.consumer,
      place.topic,
      new Map([[place.partition, first]]),
    );
    row = (await read()).rows[0];
  }
  if (row === undefined) throw new Error(`offset row of ${place.topic}/${place.partition} is gone`);
  return BigInt(row[0]);
}

/** Moves the cursor by compare-and-set; throws when somebody else moved it, which the lock rules out. */
export async function advanceOffset(
  transaction: Transaction,
  place: Place,
  from: bigint,
  to: bigint,
): Promise<void> {
  const { rowCount } = await transaction.query({
    name: "advance-offset",
    text: ADVANCE,
    values: [place.consumer, place.topic, place.partition, from, to],
  });
  if (rowCount !== 1) {
    throw new Error(`${place.topic}/${place.partition} was moved from ${from} by somebody else`);
  }
}
