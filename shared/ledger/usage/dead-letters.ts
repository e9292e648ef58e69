import type { Instant } from "../../core/line/account.ts";
import { idProblem } from "../../core/text/text.ts";
import type { DeadLetterPlace } from "../../core/usage/dead-letter-place.ts";
import type { Rejection } from "../../core/usage/usage-event.ts";
import { bigintArray, columnsOf, textArray } from "../postgres/array-literal.ts";
import { type Database, queryRows, type Transaction } from "../postgres/database.ts";
import { cutMessage, type KeptPayload } from "./cut-message.ts";

/** A message that cannot be metered, as it was read. */
export interface DeadLetter extends DeadLetterPlace {
  readonly accountId: string | null;
  /** Of the event, where it could be read. */
  readonly meter: string | null;
  readonly occurredAt: Instant | null;
  readonly rejection: Rejection;
  readonly key: Buffer | null;
  readonly payload: Buffer;
  readonly recordedAt: Instant;
}

const STORE = `
  INSERT INTO dead_letter (topic, kafka_partition, kafka_offset, account_id, reason, detail, key,
                           payload, recorded_at, meter, occurred_at, payload_size, payload_sha256)
  SELECT topic, kafka_partition, kafka_offset, account_id, reason, detail, key, payload,
         to_timestamp(recorded_at / 1000.0), meter, to_timestamp(occurred_at / 1000.0),
         payload_size, payload_sha256
  FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::text[], $5::text[], $6::text[],
              $7::bytea[], $8::bytea[], $9::bigint[], $10::text[], $11::bigint[], $12::integer[],
              $13::bytea[])
    AS dead (topic, kafka_partition, kafka_offset, account_id, reason, detail, key, payload,
             recorded_at, meter, occurred_at, payload_size, payload_sha256)`;

const MAX_DETAIL = 500;

/** Stores dead letters, large ones cut, in the transaction that advances the offset past them. */
export async function storeDeadLetters(
  transaction: Transaction,
  letters: readonly DeadLetter[],
): Promise<void> {
  if (letters.length === 0) return;
  const kept = letters.map(({ key, payload }) => cutMessage(key, payload));
  await transaction.query(STORE, [
    ...columnsOf(letters, "topic", "partition", "offset", "accountId"),
    textArray(letters.map((letter) => letter.rejection.reason)),
    textArray(letters.map((letter) => storable(letter.rejection.detail))),
    kept.map(({ key }) => key),
    kept.map(({ payload }) => payload),
    bigintArray(letters.map((letter) => letter.recordedAt)),
    textArray(letters.map(({ meter }) => storableMeter(meter))),
    bigintArray(letters.map(({ occurredAt }) => storableInstant(occurredAt))),
    bigintArray(kept.map(({ whole }) => whole?.size ?? null)),
    kept.map(({ whole }) => whole?.sha256 ?? null),
  ]);
}

/** A dead letter as it is published. */
export type UnpublishedDeadLetter = Omit<DeadLetter, "meter" | "occurredAt"> & KeptPayload;

const TAKE = `
  SELECT topic, kafka_partition AS partition, kafka_offset AS offset, account_id AS "accountId",
         reason, detail, key, payload, recorded_at AS "recordedAt", payload_size AS size,
         payload_sha256 AS sha256
  FROM dead_letter
  WHERE published_at IS NULL AND publish_refused IS NULL
  ORDER BY topic, kafka_partition, kafka_offset
  LIMIT $1
  FOR UPDATE`;

/** The next dead letters to publish, in offset order, locked until the transaction ends. */
export async function takeDeadLetters(
  transaction: Transaction,
  limit: number,
): Promise<UnpublishedDeadLetter[]> {
  const rows = await queryRows<UnpublishedRow>(transaction, TAKE, [limit]);
  return rows.map(({ reason, detail, size, sha256, key, payload, ...letter }) => {
    const kept =
      size === null || sha256 === null
        ? cutMessage(key, payload)
        : { key, payload, whole: { size, sha256 } };
    return { ...letter, ...kept, rejection: { reason, detail } };
  });
}

/** Where the payload is whole, its size and digest are null. */
type UnpublishedRow = Omit<UnpublishedDeadLetter, "rejection" | "whole"> &
  Rejection & { readonly size: number | null; readonly sha256: Buffer | null };

const REFUSE = `
  UPDATE dead_letter
  SET publish_refused = $4
  WHERE topic = $1 AND kafka_partition = $2 AND kafka_offset = $3`;

/** Records why Kafka refuses to take a dead letter, even cut. It waits for a decision as any other. */
export async function refuseDeadLetter(
  transaction: Transaction,
  { topic, partition, offset }: DeadLetterPlace,
  why: string,
): Promise<void> {
  await transaction.query(REFUSE, [topic, partition, offset, why]);
}

const mark = (column: string) => `
  UPDATE dead_letter
  SET ${column} = now()
  FROM unnest($1::text[], $2::integer[], $3::bigint[]) AS sent (topic, kafka_partition, kafka_offset)
  WHERE dead_letter.topic = sent.topic
    AND dead_letter.kafka_partition = sent.kafka_partition
    AND dead_letter.kafka_offset = sent.kafka_offset`;

const MARK = { published: mark("published_at"), retried: mark("retried_at") };

/** Records that Kafka has acknowledged these letters: as dead letters, or as usage that is retried. */
export async function markDeadLetters(
  transaction: Transaction,
  letters: readonly DeadLetterPlace[],
  as: keyof typeof MARK,
): Promise<void> {
  await transaction.query(MARK[as], columnsOf(letters, "topic", "partition", "offset"));
}

/** Neither retried nor dismissed. */
export const OPEN = "retried_at IS NULL AND dismissed_at IS NULL";

const COUNT = `
  SELECT reason, count(*)::integer
  FROM dead_letter
  WHERE ${OPEN}
  GROUP BY reason
  ORDER BY count(*) DESC, reason`;

/** Counts the open dead letters by reason, most first. */
export async function countDeadLetters(
  database: Database,
): Promise<{ reason: string; count: number }[]> {
  return queryRows<{ reason: string; count: number }>(database, COUNT);
}

function storable(detail: string): string {
  return detail.slice(0, MAX_DETAIL).replaceAll("\0", "\\0").toWellFormed();
}

/** The meter of a malformed event may be any text; it is not stored, since no price would resolve it. */
function storableMeter(meter: string | null): string | null {
  return meter !== null && idProblem("meter", meter) === null ? meter : null;
}

// Postgres has no dates before 4713 BC, and JavaScript, which reads them back, none after 275760.
const FIRST_STORABLE = Date.UTC(-4712, 0, 1);
const LAST_STORABLE = 8.64e15;

function storableInstant(instant: Instant | null): Instant | null {
  if (instant === null || instant < FIRST_STORABLE || instant > LAST_STORABLE) return null;
  return instant;
}
