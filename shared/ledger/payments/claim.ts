import type { Instant } from "../../core/line/account.ts";
import type { Payment } from "../../core/payments/payment.ts";
import type { Database } from "../postgres/database.ts";
import type { PaymentMethod } from "./methods.ts";
import { PAYMENT_COLUMNS, type PaymentRef, type PaymentRow, toPayment } from "./payments.ts";

/** A payment that is somebody's to take to the gateway, for as long as the claim lasts. */
export interface ClaimedPayment {
  readonly payment: Payment;
  /** When its account was created: part of what tells it from any other books' payment. */
  readonly accountCreatedAt: Instant;
  /** Calls of this attempt, the coming one counted: after the first, its outcome may be unknown. */
  readonly calls: number;
  readonly attemptedAt: Instant;
  /** As of the attempt's first call; null: there was nothing to pay with. */
  readonly method: PaymentMethod | null;
  readonly gatewayPayment: string | null;
  readonly claimedUntil: Instant;
}

/**
 * What begins a new attempt: a fee that was declined before. What is first called takes the account's
 * payment method, and keeps it, so that each repeat of a call says the same.
 */
const CLAIM = `
  WITH due AS (
    SELECT account_id, payment_id,
           kind = 'fee' AND status IN ('retrying', 'failed') AS is_anew,
           status = 'pending' AND calls = 0 AS is_first
    FROM payment
    WHERE next_try_at <= to_timestamp($1 / 1000.0)
      AND (gateway IS NULL OR gateway = $2)
    ORDER BY next_try_at
    LIMIT $3
    FOR NO KEY UPDATE SKIP LOCKED
  )
  UPDATE payment
  SET status = CASE WHEN is_anew THEN 'pending' ELSE status END,
      attempt = CASE WHEN is_anew THEN attempt + 1 ELSE attempt END,
      calls = CASE WHEN is_anew THEN 1 ELSE calls + 1 END,
      attempted_at = CASE WHEN is_anew OR is_first THEN to_timestamp($1 / 1000.0) ELSE attempted_at END,
      customer = CASE WHEN is_anew OR is_first THEN payment_method.customer ELSE payment.customer END,
      method = CASE WHEN is_anew OR is_first THEN payment_method.method ELSE payment.method END,
      gateway = $2,
      gateway_payment = CASE WHEN is_anew THEN NULL ELSE gateway_payment END,
      next_try_at = to_timestamp($4 / 1000.0)
  FROM due
  JOIN account ON account.account_id = due.account_id
  LEFT JOIN payment_method ON payment_method.account_id = due.account_id
  WHERE payment.account_id = due.account_id AND payment.payment_id = due.payment_id
  RETURNING ${PAYMENT_COLUMNS}, (extract(epoch FROM account.created_at) * 1000)::bigint,
            payment.calls, (extract(epoch FROM payment.attempted_at) * 1000)::bigint,
            payment.customer, payment.method, payment.gateway_payment`;

type Row = [
  ...PaymentRow,
  accountCreatedAt: string,
  calls: number,
  attemptedAt: string,
  customer: string | null,
  method: string | null,
  gatewayPayment: string | null,
];

/**
 * Claims payments that are to be charged or asked about, those that wait longest first. A claim
 * lasts `leaseMs`: whoever took it and died, another one takes it then. Any number may claim at once.
 */
export async function claimPayments(
  database: Database,
  claim: {
    readonly now: Instant;
    readonly gateway: string;
    readonly limit: number;
    readonly leaseMs: number;
  },
): Promise<ClaimedPayment[]> {
  const { now, gateway, limit, leaseMs } = claim;
  const { rows } = await database.query<Row>({
    name: "claim-payments",
    text: CLAIM,
    values: [now, gateway, limit, now + leaseMs],
    rowMode: "array",
  });
  return rows.map((row) => toClaimed(row, now + leaseMs));
}

function toClaimed(row: Row, claimedUntil: Instant): ClaimedPayment {
  const [accountCreatedAt, calls, attemptedAt, customer, method, gatewayPayment] = [
    ...([row[16], row[17], row[18], row[19], row[20], row[21]] as const),
  ];
  return {
    payment: toPayment([
      ...([row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7]] as const),
      ...([row[8], row[9], row[10], row[11], row[12], row[13], row[14], row[15]] as const),
    ]),
    accountCreatedAt: Number(accountCreatedAt),
    calls,
    attemptedAt: Number(attemptedAt),
    method: customer === null || method === null ? null : { customer, method },
    gatewayPayment,
    claimedUntil,
  };
}

const LATER = `
  UPDATE payment
  SET next_try_at = to_timestamp($4::bigint / 1000.0),
      gateway_payment = coalesce($5, gateway_payment),
      reason = CASE WHEN status = 'pending' THEN $6 ELSE reason END
  WHERE account_id = $1
    AND payment_id = $2
    AND attempt = $3
    AND next_try_at = to_timestamp($7 / 1000.0)`;

/**
 * Puts a claimed payment off: to be asked about at `nextTryAt` (null: not any more), and why, in
 * words a customer can read. What was settled meanwhile, or is to be asked about sooner, stays as it is.
 */
export async function putOffPayment(
  database: Database,
  { payment: { accountId, paymentId, attempt }, claimedUntil }: ClaimedPayment,
  later: {
    readonly nextTryAt: Instant | null;
    readonly gatewayPayment: string | null;
    readonly reason: string;
  },
): Promise<void> {
  const { nextTryAt, gatewayPayment, reason } = later;
  const values = [accountId, paymentId, attempt, nextTryAt, gatewayPayment, reason, claimedUntil];
  await database.query(LATER, values);
}

const ASK = `
  UPDATE payment
  SET next_try_at = least(next_try_at, to_timestamp($3 / 1000.0))
  WHERE account_id = $1 AND payment_id = $2 AND status IN ('pending', 'succeeded') AND calls > 0`;

/** Has the gateway asked about a payment now; false: it is none that the gateway can know of. */
export async function askAboutPayment(
  database: Database,
  { accountId, paymentId }: PaymentRef,
  now: Instant,
): Promise<boolean> {
  const { rowCount } = await database.query(ASK, [accountId, paymentId, now]);
  return rowCount === 1;
}

const OTHER = "SELECT gateway FROM payment WHERE gateway <> $1 LIMIT 1";

/** Another gateway than this one that the books hold payments of, or null. */
export async function otherGateway(database: Database, gateway: string): Promise<string | null> {
  const { rows } = await database.query<[string]>({
    text: OTHER,
    values: [gateway],
    rowMode: "array",
  });
  return rows[0]?.[0] ?? null;
}

const LONG_PENDING = `
  SELECT count(*)::integer, (extract(epoch FROM min(attempted_at)) * 1000)::bigint
  FROM payment
  WHERE status = 'pending' AND calls > 0 AND attempted_at < to_timestamp($1 / 1000.0)`;

/** How many payments the gateway was first called for before an instant and are pending still, and since when. */
export async function countLongPending(
  database: Database,
  before: Instant,
): Promise<{ count: number; since: Instant | null }> {
  const { rows } = await database.query<[number, string | null]>({
    text: LONG_PENDING,
    values: [before],
    rowMode: "array",
  });
  const [count, since] = rows[0] ?? [0, null];
  return { count, since: since === null ? null : Number(since) };
}
