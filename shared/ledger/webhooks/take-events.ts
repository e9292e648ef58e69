import { createHash } from "node:crypto";
import type { AccountId, Instant } from "../../core/line/account.ts";
import type { EventType } from "../../core/webhooks/event-types.ts";
import { advanceOffsets, lockOffsets, type Reader } from "../books/consumer-offset.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import { type Database, inTransaction, queryRows, type Transaction } from "../postgres/database.ts";

/** A record of a billing topic, as it is delivered. */
export interface WebhookEvent {
  readonly accountId: AccountId;
  readonly sequence: bigint;
  readonly offset: bigint;
  /** When Kafka was given it. */
  readonly publishedAt: Instant;
  /** In JSON: what is signed and sent. */
  readonly body: string;
}

/** A stretch of a partition of a type's topic. */
export interface EventStretch {
  readonly reader: Reader;
  readonly type: EventType;
  readonly partition: number;
  readonly fetchedFrom: bigint;
  readonly nextOffset: bigint;
  readonly events: readonly WebhookEvent[];
}

/** The clocks of servers differ by less. */
const CLOCKS_APART_MS = 60_000;

/**
 * The id of an event at every endpoint, and whenever it is sent: receivers drop repeats by it. It has no dot,
 * which separates what is signed.
 */
export function webhookId(event: {
  readonly type: EventType;
  readonly accountId: string;
  readonly sequence: bigint;
}): string {
  const { type, accountId, sequence } = event;
  const digest = createHash("sha256").update(`${type}\0${accountId}\0${sequence}`).digest("hex");
  return `msg_${digest.slice(0, 32)}`;
}

// A deletion waits for this transaction, and then finds its queues.
const WANTED = `
  SELECT endpoint_id AS "endpointId"
  FROM webhook_endpoint
  WHERE $1 = ANY (types)
  ORDER BY endpoint_id
  FOR KEY SHARE`;

// What is in the table has been read before: the relay publishes again what it does not know to be published.
// A queue that exists is locked until this transaction ends, so that whoever is about to delete it sees what has come.
const WRITE = `
  WITH written AS (
    INSERT INTO webhook_delivery (endpoint_id, account_id, type, sequence, webhook_id, body, created_at)
    SELECT endpoint_id, account_id, $1, sequence, webhook_id, body, to_timestamp($8 / 1000.0)
    FROM unnest($3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::text[])
      AS event (account_id, sequence, published_at, webhook_id, body)
    JOIN webhook_endpoint
      ON endpoint_id = ANY ($2::text[])
     AND created_at <= to_timestamp((published_at + ${CLOCKS_APART_MS}) / 1000.0)
    ON CONFLICT (account_id, endpoint_id, type, sequence) DO NOTHING
    RETURNING endpoint_id, account_id
  )
  INSERT INTO webhook_queue (endpoint_id, account_id, type, next_try_at)
  SELECT DISTINCT endpoint_id, account_id, $1, to_timestamp($8 / 1000.0)
  FROM written
  ORDER BY endpoint_id, account_id
  ON CONFLICT (account_id, endpoint_id, type) DO UPDATE SET tries = webhook_queue.tries WHERE false`;

/**
 * Writes a delivery of each event for each endpoint that wants it, exactly once, in the transaction that moves
 * the reader's offset. An endpoint gets what was published since it was made. Returns the number that it wrote
 * at most, and the offset to read next.
 */
export async function takeEvents(
  database: Database,
  stretch: EventStretch,
  now: Instant,
): Promise<{ readonly deliveries: number; readonly nextOffset: bigint }> {
  const { reader, partition, fetchedFrom, nextOffset } = stretch;
  return inTransaction(database, async (transaction) => {
    const offsets = await lockOffsets(transaction, reader, new Map([[partition, fetchedFrom]]));
    const from = offsets.get(partition) ?? fetchedFrom;
    // Somebody else has read it, or it begins behind a gap: the books say where to go on.
    if (from >= nextOffset || from < fetchedFrom) return { deliveries: 0, nextOffset: from };
    const unread = stretch.events.filter(({ offset }) => offset >= from);
    const deliveries = await write(transaction, { ...stretch, events: unread }, now);
    await advanceOffsets(transaction, reader, [{ partition, from, to: nextOffset }]);
    return { deliveries, nextOffset };
  });
}

async function write(
  transaction: Transaction,
  { type, events }: EventStretch,
  now: Instant,
): Promise<number> {
  if (events.length === 0) return 0;
  type Wanted = { readonly endpointId: string };
  const wanted = await queryRows<Wanted>(transaction, WANTED, [type], "wanted-webhooks");
  if (wanted.length === 0) return 0;
  const rows = events.map((event) => ({ ...event, webhookId: webhookId({ type, ...event }) }));
  const values = [
    ...[type, ...columnsOf(wanted, "endpointId")],
    ...columnsOf(rows, "accountId", "sequence", "publishedAt", "webhookId", "body"),
    now,
  ];
  await transaction.query({ name: "write-webhooks", text: WRITE, values });
  return wanted.length * rows.length;
}
