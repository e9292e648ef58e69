import type { AccountId, Instant } from "../../core/line/account.ts";
import { REFERENCE } from "../../core/line/reference.ts";
import type { FeePayment, NewTopUp, Payment, TopUp } from "../../core/payments/payment.ts";
import { type StoredFeeCredits, toFeeCredits } from "../books/fee-credits.ts";
import { LIFE } from "../catalogue/lot-life.ts";
import { type Queryable, queryRow, queryRows, type Transaction } from "../postgres/database.ts";

/** The key of a payment. */
export interface PaymentRef {
  readonly accountId: AccountId;
  readonly paymentId: string;
}

/** The columns of a `PaymentRow`. */
export const PAYMENT_COLUMNS = `
  payment.account_id AS "accountId", payment.payment_id AS "paymentId", payment.kind,
  payment.status, payment.amount, payment.currency, payment.attempt, payment.reason,
  payment.created_at AS "createdAt", payment.credits, ${LIFE} AS life,
  payment.subscription AS number, payment.period, payment.periods, payment.plan_id AS "planId",
  payment.requested_by AS "requestedBy", payment.brings`;

/** Columns of the other kind of payment are null or empty. */
export type PaymentRow = Omit<TopUp, "kind"> &
  Omit<FeePayment, "kind" | "brings"> &
  Pick<Payment, "kind"> & { readonly brings: StoredFeeCredits | null };

const READ = `
  SELECT ${PAYMENT_COLUMNS}
  FROM payment
  WHERE account_id = $1 AND payment_id = $2`;

/** One payment, or null when the account has none of this id. */
export async function readPayment(
  database: Queryable,
  { accountId, paymentId }: PaymentRef,
): Promise<Payment | null> {
  const values = [accountId, paymentId];
  const row = await queryRow<PaymentRow>(database, READ, values, "read-payment");
  return row && toPayment(row);
}

/** One payment, locked until the transaction ends. The caller has locked the account. */
export async function lockPayment(
  transaction: Transaction,
  { accountId, paymentId }: PaymentRef,
): Promise<Payment | null> {
  const [text, values] = [`${READ} FOR UPDATE`, [accountId, paymentId]];
  const row = await queryRow<PaymentRow>(transaction, text, values, "lock-payment");
  return row && toPayment(row);
}

const LIST = `
  SELECT ${PAYMENT_COLUMNS}
  FROM payment
  WHERE account_id = $1
    AND ($3::text IS NULL OR kind = $3)
    AND (created_at, payment_id)
        < (coalesce(to_timestamp($4::bigint / 1000.0), 'infinity'), coalesce($5::text, ''))
  ORDER BY created_at DESC, payment_id DESC
  LIMIT $2`;

/**
 * An account's payments, all or those of one kind, newest first, after the payment `last` (null: from the
 * start).
 */
export async function listPayments(
  database: Queryable,
  accountId: AccountId,
  limit: number,
  kind: Payment["kind"] | null = null,
  last: Pick<Payment, "createdAt" | "paymentId"> | null = null,
): Promise<Payment[]> {
  const values = [accountId, limit, kind, last?.createdAt ?? null, last?.paymentId ?? null];
  const rows = await queryRows<PaymentRow>(database, LIST, values, "list-payments");
  return rows.map(toPayment);
}

const INSERT = `
  INSERT INTO payment (account_id, payment_id, kind, status, amount, currency, credits, life,
                       life_months, attempt, calls, next_try_at, reason, created_at, attempted_at,
                       requested_by)
  VALUES ($1, $2, 'top_up', 'pending', $3, $4, $5, $6, $7, 1, 0, to_timestamp($8 / 1000.0), $9,
          to_timestamp($8 / 1000.0), to_timestamp($8 / 1000.0), $10)`;

/** Stores a pending top-up, to be charged immediately. A unique index refuses a second one in flight. */
export async function insertTopUp(
  transaction: Transaction,
  accountId: AccountId,
  { paymentId, amount, currency, credits, life, reason }: NewTopUp,
  { now, by }: { readonly now: Instant; readonly by: string | null },
): Promise<void> {
  const months = life.kind === "months" ? life.months : null;
  const lot = [credits, life.kind, months];
  const values = [accountId, paymentId, amount, currency, ...lot, now, reason, by];
  await transaction.query({ name: "insert-top-up", text: INSERT, values });
}

const CONTEXT = `
  SELECT EXISTS (SELECT FROM payment_method WHERE account_id = $1) AS "hasMethod",
         EXISTS (SELECT FROM payment
                 WHERE account_id = $1 AND kind = 'top_up' AND status = 'pending') AS "inFlight",
         (SELECT count(*)::integer FROM payment
          WHERE account_id = $1 AND substring(payment_id FROM '${REFERENCE.automaticTopUp.pattern}') = $2)
           AS tries,
         coalesce(sum(amount) FILTER (WHERE created_at >= to_timestamp($3 / 1000.0)), 0)::bigint
           AS today,
         coalesce(sum(amount), 0)::bigint AS "thisMonth"
  FROM payment
  WHERE account_id = $1
    AND kind = 'top_up'
    AND status IN ('pending', 'succeeded')
    AND created_at >= to_timestamp($4 / 1000.0)`;

/** What decides about an account's next top-up, besides the account itself. */
export interface TopUpsSoFar {
  readonly hasMethod: boolean;
  readonly inFlight: boolean;
  /** Top-ups of the crossing. */
  readonly tries: number;
  /** Pending or paid since the given instants, in minor units. */
  readonly spent: { readonly today: bigint; readonly thisMonth: bigint };
}

/** The caller has locked the account. */
export async function readTopUpsSoFar(
  transaction: Transaction,
  accountId: AccountId,
  { crossing, today, thisMonth }: { crossing: bigint; today: Instant; thisMonth: Instant },
): Promise<TopUpsSoFar> {
  type Row = Omit<TopUpsSoFar, "spent"> & TopUpsSoFar["spent"];
  const values = [accountId, crossing, today, thisMonth];
  const row = await queryRow<Row>(transaction, CONTEXT, values, "read-top-ups-so-far");
  if (row === null) throw new Error("an aggregate without a row");
  const { today: ofToday, thisMonth: ofThisMonth, ...soFar } = row;
  return { ...soFar, spent: { today: ofToday, thisMonth: ofThisMonth } };
}

export function toPayment(row: PaymentRow): Payment {
  const { kind, credits, life, number, period, periods, planId, brings, ...payment } = row;
  if (kind === "top_up") return { ...payment, kind, credits, life };
  return { ...payment, kind, number, period, periods, planId, brings: toFeeCredits(brings) };
}
