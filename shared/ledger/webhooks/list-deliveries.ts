import type { AccountId, Instant } from "../../core/line/account.ts";
import type { EventType } from "../../core/webhooks/event-types.ts";
import { type Database, inTransaction, queryRow, queryRows } from "../postgres/database.ts";

/** A delivery and what was tried last. */
export interface WebhookDelivery {
  /** With the endpoint, its identity; the event's at every endpoint. */
  readonly webhookId: string;
  readonly accountId: AccountId;
  readonly type: EventType;
  readonly sequence: bigint;
  readonly createdAt: Instant;
  /** Null: it waits. */
  readonly deliveredAt: Instant | null;
  readonly attempts: number;
  readonly triedAt: Instant | null;
  readonly tookMs: number | null;
  /** Of HTTP; null: there was no answer. */
  readonly answerStatus: number | null;
  readonly answerStart: string | null;
  /** What was wrong with the last attempt; null: it was delivered, or not tried yet. */
  readonly problem: string | null;
  /** When it is due, or the one before it; null: it does not wait. */
  readonly nextTryAt: Instant | null;
  readonly body: string;
}

const SELECT = `
  SELECT webhook_id AS "webhookId", account_id AS "accountId", type, sequence,
         created_at AS "createdAt", delivered_at AS "deliveredAt", attempts, tried_at AS "triedAt",
         took_ms AS "tookMs", answer_status AS "answerStatus", answer_start AS "answerStart", problem,
         CASE WHEN delivered_at IS NULL THEN (
           SELECT next_try_at FROM webhook_queue
           WHERE webhook_queue.account_id = webhook_delivery.account_id
             AND webhook_queue.endpoint_id = webhook_delivery.endpoint_id
             AND webhook_queue.type = webhook_delivery.type
         ) END AS "nextTryAt", body
  FROM webhook_delivery
  WHERE endpoint_id = $1`;

const NEWEST = "ORDER BY created_at DESC, webhook_id DESC LIMIT $2";
const LIST = `${SELECT} ${NEWEST}`;
const LIST_FURTHER = `${SELECT} AND (created_at, webhook_id) < (to_timestamp($3 / 1000.0), $4) ${NEWEST}`;

/** Where a page of a list has ended. */
export type DeliveryPlace = Pick<WebhookDelivery, "createdAt" | "webhookId">;

/** An endpoint's deliveries, the newest first, from after `last`; null: from the newest on. */
export async function listDeliveries(
  database: Database,
  endpointId: string,
  { last, limit }: { readonly last: DeliveryPlace | null; readonly limit: number },
): Promise<WebhookDelivery[]> {
  if (last === null) return queryRows<WebhookDelivery>(database, LIST, [endpointId, limit]);
  const values = [endpointId, limit, last.createdAt, last.webhookId];
  return queryRows<WebhookDelivery>(database, LIST_FURTHER, values);
}

const READ = `${SELECT} AND webhook_id = $2`;

/** Null: there is none of this id, or it is past its retention. */
export async function readDelivery(
  database: Database,
  endpointId: string,
  webhookId: string,
): Promise<WebhookDelivery | null> {
  return queryRow<WebhookDelivery>(database, READ, [endpointId, webhookId]);
}

const AGAIN = `
  UPDATE webhook_delivery
  SET delivered_at = NULL
  WHERE endpoint_id = $1
    AND webhook_id = $2
    AND EXISTS (SELECT FROM webhook_endpoint WHERE webhook_endpoint.endpoint_id = $1)
  RETURNING account_id AS "accountId", type`;

const DUE = `
  INSERT INTO webhook_queue (account_id, endpoint_id, type, next_try_at)
  VALUES ($1, $2, $3, to_timestamp($4 / 1000.0))
  ON CONFLICT (account_id, endpoint_id, type) DO UPDATE
  SET next_try_at = excluded.next_try_at, tries = 0
  WHERE webhook_queue.tries > 0`;

/**
 * Sends a delivery again, with the same id, before what is newer of its account and type; of a paused endpoint once
 * it is resumed. False: there is none of this id.
 */
export async function sendAgain(
  database: Database,
  endpointId: string,
  webhookId: string,
  now: Instant,
): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    type Row = { readonly accountId: string; readonly type: string };
    const row = await queryRow<Row>(transaction, AGAIN, [endpointId, webhookId]);
    if (row === null) return false;
    await transaction.query(DUE, [row.accountId, endpointId, row.type, now]);
    return true;
  });
}
