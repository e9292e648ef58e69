import type { Instant } from "../../core/line/account.ts";
import { afterFailure } from "../../core/webhooks/retries.ts";
import { columnsOf, textArray } from "../postgres/array-literal.ts";
import { type Database, inTransaction, queryRows, type Transaction } from "../postgres/database.ts";
import { type ClaimedQueue, queueName } from "./claim-deliveries.ts";

/** What became of an attempt to deliver. */
export interface Attempt {
  readonly sequence: bigint;
  readonly triedAt: Instant;
  readonly tookMs: number;
  /** Of HTTP; null: there was no answer. */
  readonly status: number | null;
  /** The first bytes of the answer, as text without NUL. */
  readonly answerStart: string | null;
  /** Null: it was delivered. */
  readonly problem: string | null;
}

/** A claimed queue and the attempts made for it, in order; only the last one may have failed. */
export interface SentQueue {
  readonly queue: Omit<ClaimedQueue, "deliveries">;
  readonly attempts: readonly Attempt[];
}

/** An endpoint that has been paused because it failed for too long. */
export interface PausedEndpoint {
  readonly endpointId: string;
  readonly problem: string;
}

interface Endpoint {
  readonly endpointId: string;
  readonly failingSince: Instant | null;
  readonly pausedAt: Instant | null;
}

const LOCK_ENDPOINTS = `
  SELECT endpoint_id AS "endpointId", failing_since AS "failingSince", paused_at AS "pausedAt"
  FROM webhook_endpoint
  WHERE endpoint_id = ANY ($1::text[])
  ORDER BY endpoint_id
  FOR NO KEY UPDATE`;

const LOCK_QUEUES = `
  SELECT concat_ws(' ', queue.endpoint_id, queue.type, queue.account_id) AS name
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
    AS claimed (endpoint_id, account_id, type, until)
  JOIN webhook_queue AS queue
    ON queue.account_id = claimed.account_id
   AND queue.endpoint_id = claimed.endpoint_id
   AND queue.type = claimed.type
   AND queue.next_try_at = to_timestamp(claimed.until / 1000.0)
  ORDER BY queue.endpoint_id, queue.account_id, queue.type
  FOR UPDATE OF queue`;

const RECORD = `
  UPDATE webhook_delivery
  SET attempts = attempts + 1,
      tried_at = to_timestamp(attempt.tried_at / 1000.0),
      took_ms = attempt.took_ms,
      answer_status = attempt.status,
      answer_start = attempt.answer_start,
      problem = attempt.problem,
      delivered_at = CASE WHEN attempt.problem IS NULL THEN to_timestamp(attempt.tried_at / 1000.0) END
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[],
              $5::bigint[], $6::integer[], $7::integer[], $8::text[], $9::text[])
    AS attempt (account_id, endpoint_id, type, sequence, tried_at, took_ms, status, answer_start, problem)
  WHERE webhook_delivery.account_id = attempt.account_id
    AND webhook_delivery.endpoint_id = attempt.endpoint_id
    AND webhook_delivery.type = attempt.type
    AND webhook_delivery.sequence = attempt.sequence
    AND webhook_delivery.delivered_at IS NULL`;

const WAITS = `
  EXISTS (
    SELECT FROM webhook_delivery
    WHERE webhook_delivery.account_id = webhook_queue.account_id
      AND webhook_delivery.endpoint_id = webhook_queue.endpoint_id
      AND webhook_delivery.type = webhook_queue.type
      AND delivered_at IS NULL
  )`;

const SENT = `
  unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::integer[])
    AS sent (endpoint_id, account_id, type, next_try_at, tries)
  WHERE webhook_queue.account_id = sent.account_id
    AND webhook_queue.endpoint_id = sent.endpoint_id
    AND webhook_queue.type = sent.type`;

const NEXT_TRY = `
  UPDATE webhook_queue
  SET next_try_at = to_timestamp(sent.next_try_at / 1000.0), tries = sent.tries
  FROM ${SENT} AND ${WAITS}`;

const EMPTY = `DELETE FROM webhook_queue USING ${SENT} AND NOT ${WAITS}`;

const FAILING = `
  UPDATE webhook_endpoint
  SET failing_since = to_timestamp(state.failing_since / 1000.0),
      paused_at = to_timestamp(state.paused_at / 1000.0),
      problem = state.problem
  FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[])
    AS state (endpoint_id, failing_since, paused_at, problem)
  WHERE webhook_endpoint.endpoint_id = state.endpoint_id`;

/**
 * Records attempts, and when the queues are due again; deletes those that have nothing left. A queue whose
 * claim another process has taken over is left to it. Returns the endpoints that it has paused.
 */
export async function settleDeliveries(
  database: Database,
  sent: readonly SentQueue[],
  now: Instant,
): Promise<PausedEndpoint[]> {
  return inTransaction(database, async (transaction) => {
    const endpoints = await lockEndpoints(transaction, sent);
    const held = await lockQueues(transaction, sent);
    await record(transaction, held);
    const states = new Map(endpoints.map((endpoint) => [endpoint.endpointId, stateOf(endpoint)]));
    const queues = held.map((one) => {
      const state = states.get(one.queue.endpointId);
      return { ...one.queue, ...judge(one, state, now) };
    });
    const columns = columnsOf(queues, "endpointId", "accountId", "type", "nextTryAt", "tries");
    await transaction.query({ name: "webhook-next-try", text: NEXT_TRY, values: columns });
    await transaction.query({ name: "webhook-queue-empty", text: EMPTY, values: columns });
    const changed = [...states.values()].filter(({ isChanged }) => isChanged);
    if (changed.length > 0) {
      const values = columnsOf(changed, "endpointId", "failingSince", "pausedAt", "problem");
      await transaction.query({ name: "webhook-endpoint-state", text: FAILING, values });
    }
    return changed.flatMap(({ endpointId, isPaused, problem }) =>
      isPaused ? [{ endpointId, problem: problem ?? "" }] : [],
    );
  });
}

/** An endpoint as the attempts leave it. */
interface State {
  readonly endpointId: string;
  failingSince: Instant | null;
  pausedAt: Instant | null;
  problem: string | null;
  isChanged: boolean;
  /** By these attempts. */
  isPaused: boolean;
}

function stateOf({ endpointId, failingSince, pausedAt }: Endpoint): State {
  const unchanged = { isChanged: false, isPaused: false };
  return { endpointId, failingSince, pausedAt, problem: null, ...unchanged };
}

/** When a queue is due again, and its tries. Changes its endpoint's state. */
function judge(
  { queue, attempts }: SentQueue,
  endpoint: State | undefined,
  now: Instant,
): { nextTryAt: Instant; tries: number } {
  const last = attempts.at(-1);
  if (endpoint === undefined || last === undefined) return { nextTryAt: now, tries: queue.tries };
  if (attempts.length > 1 || last.problem === null) {
    endpoint.isChanged ||= endpoint.failingSince !== null;
    endpoint.failingSince = null;
    endpoint.problem = null;
  }
  if (last.problem === null) return { nextTryAt: now, tries: 0 };
  const tries = attempts.length === 1 ? queue.tries + 1 : 1;
  endpoint.failingSince ??= last.triedAt;
  endpoint.problem = last.problem;
  endpoint.isChanged = true;
  const after = afterFailure({ tries, failingSince: endpoint.failingSince, now });
  if (after.kind === "retry") return { nextTryAt: after.at, tries };
  if (endpoint.pausedAt === null) {
    endpoint.pausedAt = now;
    endpoint.isPaused = true;
  }
  return { nextTryAt: now, tries };
}

async function lockEndpoints(
  transaction: Transaction,
  sent: readonly SentQueue[],
): Promise<Endpoint[]> {
  const ids = textArray([...new Set(sent.map(({ queue }) => queue.endpointId))]);
  return queryRows<Endpoint>(transaction, LOCK_ENDPOINTS, [ids], "lock-webhook-endpoints");
}

/** Those whose claim still holds. */
async function lockQueues(
  transaction: Transaction,
  sent: readonly SentQueue[],
): Promise<readonly SentQueue[]> {
  const queues = sent.map(({ queue }) => queue);
  const values = columnsOf(queues, "endpointId", "accountId", "type", "claimedUntil");
  const rows = await queryRows<{ name: string }>(
    transaction,
    LOCK_QUEUES,
    values,
    "lock-webhook-queues",
  );
  const names = new Set(rows.map(({ name }) => name));
  return sent.filter(({ queue }) => names.has(queueName(queue)));
}

async function record(transaction: Transaction, sent: readonly SentQueue[]): Promise<void> {
  const rows = sent.flatMap(({ queue: { accountId, endpointId, type }, attempts }) =>
    attempts.map((attempt) => ({ accountId, endpointId, type, ...attempt })),
  );
  const values = [
    ...columnsOf(rows, "accountId", "endpointId", "type", "sequence", "triedAt", "tookMs"),
    ...columnsOf(rows, "status", "answerStart", "problem"),
  ];
  await transaction.query({ name: "record-webhook-attempts", text: RECORD, values });
}
