import type { Instant } from "../../core/line/account.ts";
import { formatInstant } from "../../core/text/instant-text.ts";
import { type Database, queryRow, queryRows } from "../postgres/database.ts";

/** What waits to be delivered to an endpoint. */
export interface WebhookBacklog {
  readonly endpointId: string;
  /** Of its URL, which may hold more that is nobody's business. */
  readonly host: string;
  /** Queues, one for an account and type, of which deliveries wait, counted to `most`. */
  readonly queues: number;
  readonly failingSince: Instant | null;
  readonly pausedAt: Instant | null;
  readonly pausedBy: string | null;
  readonly problem: string | null;
}

const BACKLOGS = `
  SELECT endpoint_id AS "endpointId", url, failing_since AS "failingSince", paused_at AS "pausedAt",
         paused_by AS "pausedBy", problem,
         (SELECT count(*)::integer
          FROM (SELECT FROM webhook_queue
                WHERE webhook_queue.endpoint_id = webhook_endpoint.endpoint_id
                LIMIT $1) AS waiting) AS queues
  FROM webhook_endpoint
  ORDER BY created_at, endpoint_id`;

/** The endpoints, the oldest first, with what waits for each. */
export async function readBacklogs(database: Database, most: number): Promise<WebhookBacklog[]> {
  type Row = Omit<WebhookBacklog, "host"> & { readonly url: string };
  const rows = await queryRows<Row>(database, BACKLOGS, [most]);
  return rows.map(({ url, ...backlog }) => ({ ...backlog, host: new URL(url).host }));
}

const FIRST = `
  SELECT concat_ws(' ', queue.endpoint_id, queue.account_id, queue.type, queue.next_try_at) AS queue
  FROM webhook_endpoint
  CROSS JOIN LATERAL (
    SELECT endpoint_id, account_id, type, next_try_at
    FROM webhook_queue
    WHERE webhook_queue.endpoint_id = webhook_endpoint.endpoint_id
      AND next_try_at <= to_timestamp($1 / 1000.0)
    ORDER BY next_try_at
    LIMIT 1
  ) AS queue
  WHERE paused_at IS NULL AND failing_since IS NULL
  ORDER BY next_try_at, queue.account_id, queue.endpoint_id, queue.type
  LIMIT 1`;

/**
 * What is longest due at endpoints that do not fail, in words; whoever delivers takes it at once. Null: nothing
 * is due.
 */
export async function firstDueWebhook(database: Database, now: Instant): Promise<string | null> {
  return (await queryRow<{ queue: string }>(database, FIRST, [now]))?.queue ?? null;
}

/** What is wrong with an endpoint, in words; null: it takes what it is sent. */
export function webhookTrouble(backlog: WebhookBacklog): string | null {
  const { pausedAt, pausedBy, failingSince, problem } = backlog;
  const why = problem === null ? "" : `: ${problem}`;
  if (pausedAt !== null) {
    const by = pausedBy === null ? `it has failed for too long${why}` : `paused by ${pausedBy}`;
    return `paused since ${formatInstant(pausedAt)}, ${by}`;
  }
  return failingSince === null ? null : `failing since ${formatInstant(failingSince)}${why}`;
}
