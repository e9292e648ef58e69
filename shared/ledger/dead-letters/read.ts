import type { Instant } from "../../core/line/account.ts";
import type { DeadLetterPlace } from "../../core/usage/dead-letter-place.ts";
import { type Queryable, queryRow, type Transaction } from "../postgres/database.ts";
import { LISTED_COLUMNS, type ListedDeadLetter } from "./list.ts";

/** A dead letter with its message and its decisions. */
export interface KeptDeadLetter extends ListedDeadLetter {
  readonly meter: string | null;
  readonly occurredAt: Instant | null;
  readonly key: Buffer | null;
  readonly payload: Buffer;
  /** Of the whole value, where `payload` is only its beginning. */
  readonly payloadSize: number | null;
  readonly payloadSha256: Buffer | null;
  /** When it was published to `usage.dead-letters`. */
  readonly publishedAt: Instant | null;
  readonly retryAskedAt: Instant | null;
  /** Null: the scheduler, or nobody yet. */
  readonly retryAskedBy: string | null;
  /** Null: it was not retried, or is about to be retried again. */
  readonly retriedAt: Instant | null;
  /** Why Kafka refused the retry. */
  readonly retryRefused: string | null;
  readonly dismissed: Dismissal | null;
}

/** The decision never to meter a dead letter. */
export interface Dismissal {
  readonly at: Instant;
  readonly by: string;
  readonly reason: string;
}

const READ = `
  SELECT ${LISTED_COLUMNS}, meter, occurred_at AS "occurredAt", key, payload,
         payload_size AS "payloadSize", payload_sha256 AS "payloadSha256",
         published_at AS "publishedAt", retry_asked_at AS "retryAskedAt",
         retry_asked_by AS "retryAskedBy", retried_at AS "retriedAt",
         retry_refused AS "retryRefused", dismissed_at AS "dismissedAt",
         dismissed_by AS "dismissedBy", dismissed_reason AS "dismissedReason"
  FROM dead_letter
  WHERE topic = $1 AND kafka_partition = $2 AND kafka_offset = $3`;

/** All or none of a dismissal's columns are null. */
type Row = Omit<KeptDeadLetter, "dismissed"> & {
  readonly dismissedAt: Instant | null;
  readonly dismissedBy: string;
  readonly dismissedReason: string;
};

/** The dead letter of a place, or null when there is none. */
export async function readDeadLetter(
  database: Queryable,
  place: DeadLetterPlace,
): Promise<KeptDeadLetter | null> {
  const { topic, partition, offset } = place;
  const row = await queryRow<Row>(database, READ, [topic, partition, offset]);
  return row && toLetter(row);
}

const LOCK = `
  SELECT FROM dead_letter
  WHERE topic = $1 AND kafka_partition = $2 AND kafka_offset = $3
  FOR UPDATE`;

/** The dead letter of a place, locked until the transaction ends; or null. */
export async function lockDeadLetter(
  transaction: Transaction,
  place: DeadLetterPlace,
): Promise<KeptDeadLetter | null> {
  await transaction.query(LOCK, [place.topic, place.partition, place.offset]);
  return readDeadLetter(transaction, place);
}

function toLetter({ dismissedAt: at, dismissedBy: by, dismissedReason, ...letter }: Row) {
  return { ...letter, dismissed: at === null ? null : { at, by, reason: dismissedReason } };
}
