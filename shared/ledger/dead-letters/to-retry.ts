import type { DeadLetterPlace } from "../../core/usage/dead-letter-place.ts";
import type { Transaction } from "../postgres/database.ts";
import { placeArrays } from "../usage/dead-letters.ts";

/** A dead letter that is to be published again, as it was. */
export interface DeadLetterToRetry extends DeadLetterPlace {
  readonly key: Buffer | null;
  readonly payload: Buffer;
}

// Whoever decides about many letters holds them in another order; nobody waits for him here.
const TAKE = `
  SELECT topic, kafka_partition AS partition, kafka_offset AS offset, key, payload
  FROM dead_letter
  WHERE retry_asked_at IS NOT NULL AND retried_at IS NULL
  ORDER BY topic, kafka_partition, kafka_offset
  LIMIT $1
  FOR UPDATE SKIP LOCKED`;

/** The next dead letters to publish again, in the order of their partitions, held until the transaction ends. */
export async function takeDeadLettersToRetry(
  transaction: Transaction,
  limit: number,
): Promise<DeadLetterToRetry[]> {
  const { rows } = await transaction.query<DeadLetterToRetry>(TAKE, [limit]);
  return rows;
}

const MARK = `
  UPDATE dead_letter
  SET retried_at = now()
  FROM unnest($1::text[], $2::integer[], $3::bigint[]) AS sent (topic, kafka_partition, kafka_offset)
  WHERE dead_letter.topic = sent.topic
    AND dead_letter.kafka_partition = sent.kafka_partition
    AND dead_letter.kafka_offset = sent.kafka_offset`;

/** Remembers that Kafka has acknowledged these dead letters as messages again. */
export async function markDeadLettersRetried(
  transaction: Transaction,
  letters: readonly DeadLetterPlace[],
): Promise<void> {
  await transaction.query(MARK, placeArrays(letters));
}

const REFUSE = `
  UPDATE dead_letter
  SET retry_asked_at = NULL, retry_refused = $4
  WHERE topic = $1 AND kafka_partition = $2 AND kafka_offset = $3`;

/** Remembers that Kafka does not take a dead letter again, and why; it waits for a decision again. */
export async function refuseRetry(
  transaction: Transaction,
  { topic, partition, offset }: DeadLetterPlace,
  why: string,
): Promise<void> {
  await transaction.query(REFUSE, [topic, partition, offset, why]);
}
