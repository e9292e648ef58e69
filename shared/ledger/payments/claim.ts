import type { Instant } from "../../core/line/account.ts";
import { type Attempt, nextCall, type PaymentMethod } from "../../core/payments/attempt.ts";
import type { Payment } from "../../core/payments/payment.ts";
import { type Database, inTransaction, queryRow, queryRows } from "../postgres/database.ts";
import { SERVER_START } from "../postgres/server-start.ts";
import { PAYMENT_COLUMNS, type PaymentRef, type PaymentRow, toPayment } from "./payments.ts";

/** A payment claimed by one process, which calls the gateway. The call is already counted. */
export interface ClaimedPayment extends Omit<Attempt, "status" | "attempt"> {
  readonly payment: Payment;
  /** When its account was created: distinguishes it from payments of other books at the gateway. */
  readonly accountCreatedAt: Instant;
  readonly claimedUntil: Instant;
}

/** Its attempt has been sent to the gateway: what is due is to ask about it. */
const IS_SENT =
  "(payment.status = 'succeeded' OR payment.status = 'pending' AND payment.calls > 0)";

const LOST_CHARGE = `
  unmatched_charge AS charge
  WHERE charge.gateway = $2
    AND charge.account_id = payment.account_id
    AND charge.payment_id = payment.payment_id`;

/**
 * $1: now, $2: the gateway, $3: the server whose books were compared, or null. A charge of the payment with other
 * terms, which the books lack, is for people to decide about: until then the payment waits.
 */
export const IS_DUE = `
  next_try_at <= to_timestamp($1 / 1000.0)
  AND (payment.gateway IS NULL OR payment.gateway = $2)
  AND (${IS_SENT}
       OR ($3::text IS NULL OR $3 = ${SERVER_START})
          AND NOT EXISTS (SELECT FROM ${LOST_CHARGE}
                            AND (charge.amount, charge.currency) <> (payment.amount, payment.currency)))`;

/** At which gateway payments are due, and when. */
export interface DuePayments {
  readonly now: Instant;
  readonly gateway: string;
  /**
   * The start of the Postgres server whose books were compared with the gateway's charges. On another, which may
   * have been restored, no payment is due that was not sent. Left out: that is not checked.
   */
  readonly comparedOn?: string | null;
}

const ANY = `SELECT EXISTS (SELECT FROM payment WHERE ${IS_DUE}) AS any`;

/**
 * Whether there is a payment to claim: one statement, without a transaction, for whoever looks often and
 * mostly finds none.
 */
export async function isPaymentDue(
  database: Database,
  { now, gateway, comparedOn = null }: DuePayments,
): Promise<boolean> {
  const values = [now, gateway, comparedOn];
  return (await queryRow<{ any: boolean }>(database, ANY, values, "is-payment-due"))?.any === true;
}

const DUE = `
  SELECT ${PAYMENT_COLUMNS}, account.created_at AS "accountCreatedAt", calls,
         attempted_at AS "attemptedAt", gateway_payment AS "gatewayPayment",
         payment.customer, payment.method, lost."lostCharge",
         payment_method.customer AS "newCustomer", payment_method.method AS "newMethod"
  FROM payment
  JOIN account USING (account_id)
  LEFT JOIN payment_method USING (account_id)
  LEFT JOIN LATERAL (
    SELECT charge.gateway_payment AS "lostCharge" FROM ${LOST_CHARGE}
    ORDER BY charged_at
    LIMIT 1) AS lost ON NOT ${IS_SENT}
  WHERE ${IS_DUE}
  ORDER BY next_try_at
  LIMIT $4
  FOR NO KEY UPDATE OF payment SKIP LOCKED`;

/** With the method of the attempt and the account's current one. */
type Row = PaymentRow &
  Pick<ClaimedPayment, "accountCreatedAt" | "calls" | "attemptedAt" | "gatewayPayment"> & {
    readonly customer: string | null;
    readonly method: string | null;
    readonly lostCharge: string | null;
    readonly newCustomer: string | null;
    readonly newMethod: string | null;
  };

const CLAIM = `
  UPDATE payment
  SET status = call.status,
      attempt = call.attempt,
      calls = call.calls,
      attempted_at = to_timestamp(call.attempted_at / 1000.0),
      customer = call.customer,
      method = call.method,
      gateway = $1,
      gateway_payment = call.gateway_payment,
      next_try_at = to_timestamp($2 / 1000.0)
  FROM jsonb_to_recordset($3) AS call (
    account_id text, payment_id text, status text, attempt integer, calls integer,
    attempted_at bigint, customer text, method text, gateway_payment text)
  WHERE payment.account_id = call.account_id AND payment.payment_id = call.payment_id`;

/**
 * Claims payments to charge or to check at the gateway, longest due first. A claim lasts `leaseMs`; after
 * that another process may take it. Any number of processes may claim concurrently. Where the gateway has a
 * charge of the payment that the books lack, the payment is claimed as sent.
 */
export async function claimPayments(
  database: Database,
  claim: DuePayments & { readonly limit: number; readonly leaseMs: number },
): Promise<ClaimedPayment[]> {
  const { now, gateway, comparedOn = null, limit, leaseMs } = claim;
  const claimedUntil = now + leaseMs;
  return inTransaction(database, async (transaction) => {
    const rows = await queryRows<Row>(
      transaction,
      DUE,
      [now, gateway, comparedOn, limit],
      "due-payments",
    );
    if (rows.length === 0) return [];
    const claimed = rows.map((row) => toClaimed(row, { now, claimedUntil }));
    const values = [gateway, claimedUntil, JSON.stringify(claimed.map(toCall))];
    await transaction.query({ name: "claim-payments", text: CLAIM, values });
    return claimed;
  });
}

function toClaimed(
  { accountCreatedAt, calls, attemptedAt, gatewayPayment, ...row }: Row,
  { now, claimedUntil }: { readonly now: Instant; readonly claimedUntil: Instant },
): ClaimedPayment {
  const { customer, method, newCustomer, newMethod, lostCharge, ...columns } = row;
  const payment = toPayment(columns);
  const { status, attempt, ...call } = nextCall(
    payment.kind,
    {
      ...{ status: payment.status, attempt: payment.attempt, calls, attemptedAt, gatewayPayment },
      method: toMethod(customer, method),
    },
    { now, method: toMethod(newCustomer, newMethod), lostCharge },
  );
  return { payment: { ...payment, status, attempt }, accountCreatedAt, ...call, claimedUntil };
}

function toMethod(customer: string | null, method: string | null): PaymentMethod | null {
  return customer === null || method === null ? null : { customer, method };
}

function toCall({ payment, calls, attemptedAt, method, gatewayPayment }: ClaimedPayment) {
  const { accountId: account_id, paymentId: payment_id, status, attempt } = payment;
  return {
    ...{ account_id, payment_id, status, attempt, calls },
    ...{ attempted_at: attemptedAt, ...method, gateway_payment: gatewayPayment },
  };
}

const LATER = `
  UPDATE payment
  SET next_try_at = to_timestamp($4::bigint / 1000.0),
      gateway_payment = coalesce($5, gateway_payment),
      reason = coalesce($6, reason)
  WHERE account_id = $1
    AND payment_id = $2
    AND attempt = $3
    AND next_try_at = to_timestamp($7 / 1000.0)`;

/**
 * Postpones a claimed payment: `nextTryAt` is when to ask about it again (null: never), `reason` says why
 * to the customer (null: unchanged). A payment that was settled meanwhile, or is due sooner, stays as it is.
 */
export async function putOffPayment(
  database: Database,
  { payment: { accountId, paymentId, attempt }, claimedUntil }: ClaimedPayment,
  later: {
    readonly nextTryAt: Instant | null;
    readonly gatewayPayment: string | null;
    readonly reason: string | null;
  },
): Promise<void> {
  const { nextTryAt, gatewayPayment, reason } = later;
  const values = [accountId, paymentId, attempt, nextTryAt, gatewayPayment, reason, claimedUntil];
  await database.query({ name: "put-off-payment", text: LATER, values });
}

const ASK = `
  UPDATE payment
  SET next_try_at = least(next_try_at, to_timestamp($3 / 1000.0))
  WHERE account_id = $1 AND payment_id = $2 AND status IN ('pending', 'succeeded') AND calls > 0`;

/** Schedules a check of a payment at the gateway now; false: it was never sent there. */
export async function checkPaymentNow(
  database: Database,
  { accountId, paymentId }: PaymentRef,
  now: Instant,
): Promise<boolean> {
  const { rowCount } = await database.query(ASK, [accountId, paymentId, now]);
  return rowCount === 1;
}

const OTHER = "SELECT gateway FROM payment WHERE gateway <> $1 LIMIT 1";

/** Another gateway that the books have payments of, or null. */
export async function otherGateway(database: Database, gateway: string): Promise<string | null> {
  return (await queryRow<{ gateway: string }>(database, OTHER, [gateway]))?.gateway ?? null;
}

const LONG_PENDING = `
  SELECT count(*)::integer, min(attempted_at) AS since
  FROM payment
  WHERE status = 'pending' AND calls > 0 AND attempted_at < to_timestamp($1 / 1000.0)`;

/**
 * How many payments the gateway was first called for before an instant and are pending still, and since
 * when.
 */
export async function countLongPending(
  database: Database,
  before: Instant,
): Promise<{ count: number; since: Instant | null }> {
  type Row = { count: number; since: Instant | null };
  const pending = await queryRow<Row>(database, LONG_PENDING, [before]);
  return pending ?? { count: 0, since: null };
}
