import type { DeadLetterPlace } from "../../core/usage/dead-letter-place.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";

/** A dead letter to publish again, unchanged. */
export interface DeadLetterToRetry extends DeadLetterPlace {
  readonly key: Buffer | null;
  readonly payload: Buffer;
}

// SKIP LOCKED: a bulk decision locks letters in another order, and waiting for it could deadlock.
const TAKE = `
  SELECT topic, kafka_partition AS partition, kafka_offset AS offset, key, payload
  FROM dead_letter
  WHERE retry_asked_at IS NOT NULL AND retried_at IS NULL
  ORDER BY topic, kafka_partition, kafka_offset
  LIMIT $1
  FOR UPDATE SKIP LOCKED`;

/** The next dead letters to publish again, in offset order, locked until the transaction ends. */
export async function takeDeadLettersToRetry(
  transaction: Transaction,
  limit: number,
): Promise<DeadLetterToRetry[]> {
  return queryRows<DeadLetterToRetry>(transaction, TAKE, [limit]);
}

const REFUSE = `
  UPDATE dead_letter
  SET retry_asked_at = NULL, retry_refused = $4
  WHERE topic = $1 AND kafka_partition = $2 AND kafka_offset = $3`;

/** Records why Kafka refused a dead letter. It is open again. */
export async function refuseRetry(
  transaction: Transaction,
  { topic, partition, offset }: DeadLetterPlace,
  why: string,
): Promise<void> {
  await transaction.query(REFUSE, [topic, partition, offset, why]);
}
