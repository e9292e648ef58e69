import type { Instant } from "../../core/line/account.ts";
import type { DeadLetterPlace } from "../../core/usage/dead-letter-place.ts";
import type { Database, Transaction } from "../postgres/database.ts";
import { type ListedDeadLetter, STATE } from "./list.ts";

/** All that is kept of a dead letter. */
export interface KeptDeadLetter extends ListedDeadLetter {
  readonly meter: string | null;
  readonly occurredAt: Instant | null;
  readonly key: Buffer | null;
  readonly payload: Buffer;
  /** To `usage.dead-letters`. */
  readonly publishedAt: Instant | null;
  readonly retryAskedAt: Instant | null;
  /** Null: it was never published again, or is to be once more. */
  readonly retriedAt: Instant | null;
  /** Why Kafka did not take it again. */
  readonly retryRefused: string | null;
  readonly dismissed: Dismissal | null;
}

/** That somebody decided that a dead letter is never metered. */
export interface Dismissal {
  readonly at: Instant;
  readonly by: string;
  readonly reason: string;
}

const READ = `
  SELECT account_id, reason, detail, meter, key, payload, retry_refused, dismissed_by,
         dismissed_reason, ${STATE} AS state,
         ${[
           "recorded_at",
           "occurred_at",
           "published_at",
           "retry_asked_at",
           "retried_at",
           "dismissed_at",
         ]
           .map((column) => `(extract(epoch FROM ${column}) * 1000)::bigint AS ${column}`)
           .join(",\n         ")}
  FROM dead_letter
  WHERE topic = $1 AND kafka_partition = $2 AND kafka_offset = $3`;

interface Row {
  readonly account_id: string | null;
  readonly reason: string;
  readonly detail: string;
  readonly meter: string | null;
  readonly key: Buffer | null;
  readonly payload: Buffer;
  readonly retry_refused: string | null;
  readonly dismissed_by: string | null;
  readonly dismissed_reason: string | null;
  readonly state: ListedDeadLetter["state"];
  readonly recorded_at: string;
  readonly occurred_at: string | null;
  readonly published_at: string | null;
  readonly retry_asked_at: string | null;
  readonly retried_at: string | null;
  readonly dismissed_at: string | null;
}

/** The dead letter of a place, or null when there is none. */
export async function readDeadLetter(
  database: Database | Transaction,
  place: DeadLetterPlace,
): Promise<KeptDeadLetter | null> {
  const { topic, partition, offset } = place;
  const { rows } = await database.query<Row>(READ, [topic, partition, offset]);
  const [row] = rows;
  return row === undefined ? null : toLetter({ topic, partition, offset }, row);
}

const LOCK = `
  SELECT FROM dead_letter
  WHERE topic = $1 AND kafka_partition = $2 AND kafka_offset = $3
  FOR UPDATE`;

/** The dead letter of a place, held until the transaction ends, for whoever decides on it; or null. */
export async function lockDeadLetter(
  transaction: Transaction,
  place: DeadLetterPlace,
): Promise<KeptDeadLetter | null> {
  await transaction.query(LOCK, [place.topic, place.partition, place.offset]);
  return readDeadLetter(transaction, place);
}

function toLetter(place: DeadLetterPlace, row: Row): KeptDeadLetter {
  const { account_id: accountId, reason, detail, meter, state, key, payload } = row;
  return {
    ...{ ...place, accountId, reason, detail, meter, state, key, payload },
    recordedAt: Number(row.recorded_at),
    occurredAt: toInstant(row.occurred_at),
    publishedAt: toInstant(row.published_at),
    retryAskedAt: toInstant(row.retry_asked_at),
    retriedAt: toInstant(row.retried_at),
    retryRefused: row.retry_refused,
    dismissed: dismissalOf(row),
  };
}

function dismissalOf({ dismissed_at, dismissed_by, dismissed_reason }: Row): Dismissal | null {
  if (dismissed_at === null || dismissed_by === null || dismissed_reason === null) return null;
  return { at: Number(dismissed_at), by: dismissed_by, reason: dismissed_reason };
}

function toInstant(millis: string | null): Instant | null {
  return millis === null ? null : Number(millis);
}
