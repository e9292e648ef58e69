import { randomBytes } from "node:crypto";
import type { Instant } from "../../core/line/account.ts";
import type { EventType } from "../../core/webhooks/event-types.ts";
import { OLD_SECRET_MS } from "../../core/webhooks/retries.ts";
import { type Database, inTransaction, queryRow, queryRows } from "../postgres/database.ts";

/** Endpoints share a sender's places, and each is asked for by every event. */
export const MOST_ENDPOINTS = 100;

const ID_BYTES = 8;
/** Standard Webhooks: 24 to 64 bytes. */
const SECRET_BYTES = 32;

/** Where events are delivered, without its secrets. */
export interface WebhookEndpoint {
  readonly endpointId: string;
  readonly url: string;
  readonly types: readonly EventType[];
  readonly createdBy: string;
  readonly createdAt: Instant;
  /** When a replaced secret stops signing; null: only one signs. */
  readonly oldSecretUntil: Instant | null;
  /** The first failure since the last success; null: the last attempt succeeded. */
  readonly failingSince: Instant | null;
  readonly pausedAt: Instant | null;
  /** Who paused it; null while it is paused: it failed for too long. */
  readonly pausedBy: string | null;
  /** What was wrong with the last attempt; null: it succeeded. */
  readonly problem: string | null;
}

const INSERT = `
  INSERT INTO webhook_endpoint (endpoint_id, url, types, secret, created_by, created_at)
  SELECT $1, $2, $3, $4, $5, to_timestamp($6 / 1000.0)
  WHERE (SELECT count(*) FROM webhook_endpoint) < ${MOST_ENDPOINTS}`;

/** Creates an endpoint; `secret` is shown once. Null: there are MOST_ENDPOINTS already. */
export async function createEndpoint(
  database: Database,
  endpoint: Pick<WebhookEndpoint, "url" | "types"> & { readonly by: string; readonly now: Instant },
): Promise<{ readonly endpointId: string; readonly secret: string } | null> {
  const { url, types, by, now } = endpoint;
  const endpointId = randomBytes(ID_BYTES).toString("hex");
  const secret = newSecret();
  const { rowCount } = await database.query(INSERT, [endpointId, url, types, secret, by, now]);
  return rowCount === 1 ? { endpointId, secret } : null;
}

function newSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString("base64")}`;
}

const COLUMNS = `
  endpoint_id AS "endpointId", url, types, created_by AS "createdBy", created_at AS "createdAt",
  old_secret_until AS "oldSecretUntil", failing_since AS "failingSince", paused_at AS "pausedAt",
  paused_by AS "pausedBy", problem`;

const LIST = `SELECT ${COLUMNS} FROM webhook_endpoint ORDER BY created_at, endpoint_id`;

/** All endpoints, the oldest first. */
export async function listEndpoints(database: Database): Promise<WebhookEndpoint[]> {
  return queryRows<WebhookEndpoint>(database, LIST);
}

const READ = `SELECT ${COLUMNS} FROM webhook_endpoint WHERE endpoint_id = $1`;

/** Null: there is none of this id. */
export async function readEndpoint(
  database: Database,
  endpointId: string,
): Promise<WebhookEndpoint | null> {
  return queryRow<WebhookEndpoint>(database, READ, [endpointId]);
}

const PAUSE = `
  UPDATE webhook_endpoint
  SET paused_by = CASE WHEN paused_at IS NULL THEN $3 ELSE paused_by END,
      paused_at = coalesce(paused_at, to_timestamp($2 / 1000.0))
  WHERE endpoint_id = $1`;

/** Stops delivering to an endpoint; what is under way ends. Events go on gathering. False: there is none of this id. */
export async function pauseEndpoint(
  database: Database,
  endpointId: string,
  { by, now }: { readonly by: string; readonly now: Instant },
): Promise<boolean> {
  const { rowCount } = await database.query(PAUSE, [endpointId, now, by]);
  return rowCount === 1;
}

const RESUME = `
  UPDATE webhook_endpoint
  SET paused_at = NULL, paused_by = NULL, failing_since = NULL
  WHERE endpoint_id = $1`;

// In the order in which all others lock queues.
const DUE_NOW = `
  UPDATE webhook_queue
  SET next_try_at = to_timestamp($2 / 1000.0), tries = 0
  FROM (SELECT account_id, endpoint_id, type FROM webhook_queue
        WHERE endpoint_id = $1 AND tries > 0
        ORDER BY account_id, type
        FOR UPDATE) AS failed
  WHERE webhook_queue.account_id = failed.account_id
    AND webhook_queue.endpoint_id = failed.endpoint_id
    AND webhook_queue.type = failed.type`;

/** Delivers again, beginning with what waits. False: there is none of this id. */
export async function resumeEndpoint(
  database: Database,
  endpointId: string,
  now: Instant,
): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    const { rowCount } = await transaction.query(RESUME, [endpointId]);
    await transaction.query(DUE_NOW, [endpointId, now]);
    return rowCount === 1;
  });
}

const ROTATE = `
  UPDATE webhook_endpoint
  SET old_secret = secret, old_secret_until = to_timestamp($3 / 1000.0), secret = $2
  WHERE endpoint_id = $1
  RETURNING old_secret_until AS "oldSecretUntil"`;

/**
 * Replaces the secret; `secret` is shown once. The one before it signs too, for a day; one from before that
 * signs no more. Null: there is no endpoint of this id.
 */
export async function rotateSecret(
  database: Database,
  endpointId: string,
  now: Instant,
): Promise<{ readonly secret: string; readonly oldSecretUntil: Instant } | null> {
  const secret = newSecret();
  type Row = { readonly oldSecretUntil: Instant };
  const row = await queryRow<Row>(database, ROTATE, [endpointId, secret, now + OLD_SECRET_MS]);
  return row === null ? null : { secret, ...row };
}

const DELETE = "DELETE FROM webhook_endpoint WHERE endpoint_id = $1";
const DELETE_QUEUES = "DELETE FROM webhook_queue WHERE endpoint_id = $1";

/**
 * Deletes an endpoint and what waits for it. Its deliveries can no longer be looked at; housekeeping deletes
 * them. False: there is none of this id.
 */
export async function deleteEndpoint(database: Database, endpointId: string): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    const { rowCount } = await transaction.query(DELETE, [endpointId]);
    await transaction.query(DELETE_QUEUES, [endpointId]);
    return rowCount === 1;
  });
}

/** Where to deliver now, and by what to sign. */
export interface OpenEndpoint {
  readonly endpointId: string;
  readonly url: string;
  readonly secrets: readonly string[];
}

const OPEN = `
  SELECT endpoint_id AS "endpointId", url,
         CASE WHEN old_secret_until > to_timestamp($1 / 1000.0) THEN ARRAY[secret, old_secret]
              ELSE ARRAY[secret] END AS secrets
  FROM webhook_endpoint
  WHERE paused_at IS NULL`;

/** The endpoints that are not paused, with their secrets: for whoever delivers, and nobody else. */
export async function openEndpoints(database: Database, now: Instant): Promise<OpenEndpoint[]> {
  return queryRows<OpenEndpoint>(database, OPEN, [now], "open-webhook-endpoints");
}
