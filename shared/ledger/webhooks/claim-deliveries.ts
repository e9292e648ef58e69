import type { AccountId, Instant } from "../../core/line/account.ts";
import type { EventType } from "../../core/webhooks/event-types.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import { type Database, queryRows } from "../postgres/database.ts";

/** An event to send. */
export interface WaitingDelivery {
  readonly sequence: bigint;
  readonly webhookId: string;
  readonly body: string;
}

/** The oldest deliveries of an account and type to an endpoint, claimed by one process until `claimedUntil`. */
export interface ClaimedQueue {
  readonly endpointId: string;
  readonly accountId: AccountId;
  readonly type: EventType;
  /** Failures so far of the first delivery. */
  readonly tries: number;
  readonly claimedUntil: Instant;
  /** In order; none: housekeeping has deleted them. */
  readonly deliveries: readonly WaitingDelivery[];
}

/** How many queues of an endpoint may be claimed. */
export interface Room {
  readonly endpointId: string;
  readonly places: number;
}

// By endpoint, so that one with many queues takes no place of another. Those longest due come first.
const CLAIM = `
  WITH due AS (
    SELECT queue.account_id, queue.endpoint_id, queue.type
    FROM unnest($1::text[], $2::integer[]) AS room (endpoint_id, places)
    CROSS JOIN LATERAL (
      SELECT account_id, endpoint_id, type
      FROM webhook_queue
      WHERE webhook_queue.endpoint_id = room.endpoint_id
        AND next_try_at <= to_timestamp($3 / 1000.0)
      ORDER BY next_try_at
      LIMIT room.places
      FOR UPDATE SKIP LOCKED
    ) AS queue
  )
  UPDATE webhook_queue
  SET next_try_at = to_timestamp($4 / 1000.0)
  FROM due
  WHERE webhook_queue.account_id = due.account_id
    AND webhook_queue.endpoint_id = due.endpoint_id
    AND webhook_queue.type = due.type
  RETURNING webhook_queue.account_id AS "accountId", webhook_queue.endpoint_id AS "endpointId",
            webhook_queue.type, tries`;

// A statement of its own: that of the claim may have begun before another process recorded what it had sent.
const OLDEST = `
  SELECT claimed.account_id AS "accountId", claimed.endpoint_id AS "endpointId", claimed.type,
         waiting.sequence, waiting.webhook_id AS "webhookId", waiting.body
  FROM unnest($1::text[], $2::text[], $3::text[]) AS claimed (account_id, endpoint_id, type)
  CROSS JOIN LATERAL (
    SELECT sequence, webhook_id, body
    FROM webhook_delivery
    WHERE webhook_delivery.account_id = claimed.account_id
      AND webhook_delivery.endpoint_id = claimed.endpoint_id
      AND webhook_delivery.type = claimed.type
      AND delivered_at IS NULL
    ORDER BY sequence
    LIMIT $4
  ) AS waiting
  ORDER BY claimed.account_id, claimed.endpoint_id, claimed.type, waiting.sequence`;

type QueueKey = Pick<ClaimedQueue, "accountId" | "endpointId" | "type">;

/**
 * Claims queues that are due, each with at most `most` of its deliveries. A claim lasts `leaseMs`; after that
 * another process may take it. Any number of processes may claim at the same time.
 */
export async function claimDeliveries(
  database: Database,
  rooms: readonly Room[],
  claim: { readonly now: Instant; readonly leaseMs: number; readonly most: number },
): Promise<ClaimedQueue[]> {
  const claimedUntil = claim.now + claim.leaseMs;
  const values = [...columnsOf(rooms, "endpointId", "places"), claim.now, claimedUntil];
  type Claimed = QueueKey & Pick<ClaimedQueue, "tries">;
  const claimed = await queryRows<Claimed>(database, CLAIM, values, "claim-webhooks");
  if (claimed.length === 0) return [];
  const keys = [...columnsOf(claimed, "accountId", "endpointId", "type"), claim.most];
  type Oldest = QueueKey & WaitingDelivery;
  const oldest = await queryRows<Oldest>(database, OLDEST, keys, "oldest-webhooks");
  const byQueue = Map.groupBy(oldest, queueName);
  return claimed.map((queue) => {
    const deliveries = byQueue.get(queueName(queue)) ?? [];
    return { ...queue, claimedUntil, deliveries };
  });
}

/** No two queues have the same. */
export function queueName(queue: QueueKey): string {
  return `${queue.endpointId} ${queue.type} ${queue.accountId}`;
}
