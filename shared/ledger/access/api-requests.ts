import { IDEMPOTENT_MS } from "../../core/history/retention.ts";
import type { Instant } from "../../core/line/account.ts";
import { type Database, queryRow } from "../postgres/database.ts";

/** A request that names an Idempotency-Key. */
export interface ApiRequest {
  /** Whose key it is: each caller has keys of its own. */
  readonly caller: string;
  readonly idempotencyKey: string;
  /** SHA-256 of the request. */
  readonly hash: Buffer;
  readonly now: Instant;
}

export type BegunRequest =
  /** The caller of this function must answer it. */
  | { readonly kind: "begun" }
  | { readonly kind: "answered"; readonly status: number; readonly answer: string }
  /** The key names another request. */
  | { readonly kind: "conflict" }
  | { readonly kind: "under_way" };

/** After this long without an answer, the process that began a request is taken to have ended. */
const ENDED_AFTER_MS = 60_000;

const BEGIN = `
  INSERT INTO api_request AS existing (caller, idempotency_key, request_hash, requested_at)
  VALUES ($1, $2, $3, to_timestamp($4 / 1000.0))
  ON CONFLICT (caller, idempotency_key) DO UPDATE
  SET request_hash = excluded.request_hash, requested_at = excluded.requested_at, status = NULL,
      answer = NULL
  WHERE existing.requested_at < to_timestamp($5 / 1000.0)
    OR (existing.status IS NULL
        AND existing.request_hash = excluded.request_hash
        AND existing.requested_at < to_timestamp($6 / 1000.0))`;

const FIND = `
  SELECT request_hash AS existing, status, answer
  FROM api_request
  WHERE caller = $1 AND idempotency_key = $2`;

/**
 * Begins a request, once for each caller and key within IDEMPOTENT_MS. A key that is older counts as new,
 * whether housekeeping has deleted it or not.
 */
export async function beginRequest(database: Database, request: ApiRequest): Promise<BegunRequest> {
  const { caller, idempotencyKey, hash, now } = request;
  const values = [caller, idempotencyKey, hash, now, now - IDEMPOTENT_MS, now - ENDED_AFTER_MS];
  const { rowCount } = await database.query(BEGIN, values);
  if (rowCount === 1) return { kind: "begun" };
  type Row = { existing: Buffer; status: number | null; answer: string | null };
  const row = await queryRow<Row>(database, FIND, [caller, idempotencyKey]);
  const { existing, status, answer } = row ?? { existing: hash, status: null, answer: null };
  if (!existing.equals(hash)) return { kind: "conflict" };
  if (status === null || answer === null) return { kind: "under_way" };
  return { kind: "answered", status, answer };
}

const ANSWER = `
  UPDATE api_request
  SET status = $3, answer = $4
  WHERE caller = $1 AND idempotency_key = $2`;

/** Stores the answer of a request, for repeats of it. */
export async function answerRequest(
  database: Database,
  { caller, idempotencyKey }: ApiRequest,
  { status, answer }: { readonly status: number; readonly answer: string },
): Promise<void> {
  await database.query(ANSWER, [caller, idempotencyKey, status, answer]);
}

const FORGET = "DELETE FROM api_request WHERE caller = $1 AND idempotency_key = $2";

/** Deletes a request that failed on our side, so that it can be repeated. */
export async function forgetRequest(
  database: Database,
  { caller, idempotencyKey }: ApiRequest,
): Promise<void> {
  await database.query(FORGET, [caller, idempotencyKey]);
}
