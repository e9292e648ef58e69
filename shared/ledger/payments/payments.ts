import type { AccountId, Instant } from "../../core/line/account.ts";
import { REFERENCE } from "../../core/line/reference.ts";
import type { FeePayment, NewTopUp, Payment, TopUp } from "../../core/payments/payment.ts";
import { topUpCreated } from "../../core/payments/payment-change.ts";
import { type StoredFeeCredits, toFeeCredits } from "../books/fee-credits.ts";
import { publishPayments } from "../books/publish-payments.ts";
import { LIFE } from "../catalogue/lot-life.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import { type Queryable, queryRow, queryRows, type Transaction } from "../postgres/database.ts";
import { SERVER_START } from "../postgres/server-start.ts";
import { together } from "../postgres/together.ts";

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

/** A payment that is locked, and when its gateway is called. */
export interface LockedPayment {
  readonly payment: Payment;
  /** Of its attempt. */
  readonly calls: number;
  readonly nextTryAt: Instant | null;
}

const LOCK = `
  SELECT ${PAYMENT_COLUMNS}, payment.calls, payment.next_try_at AS "nextTryAt"
  FROM payment
  JOIN unnest($1::text[], $2::text[]) AS locked (account_id, payment_id)
    USING (account_id, payment_id)
  FOR UPDATE OF payment`;

/**
 * The payments that exist, locked until the transaction ends, at most one of each account, by account.
 * The caller has locked the accounts.
 */
export async function lockPayments(
  transaction: Transaction,
  refs: readonly PaymentRef[],
): Promise<Map<AccountId, LockedPayment>> {
  type Row = PaymentRow & Omit<LockedPayment, "payment">;
  const values = columnsOf(refs, "accountId", "paymentId");
  const rows = await queryRows<Row>(transaction, LOCK, values, "lock-payments");
  return new Map(
    rows.map(({ calls, nextTryAt, ...row }) => [
      row.accountId,
      { payment: toPayment(row), calls, nextTryAt },
    ]),
  );
}

/** One payment, locked until the transaction ends. The caller has locked the account. */
export async function lockPayment(
  transaction: Transaction,
  ref: PaymentRef,
): Promise<Payment | null> {
  return (await lockPayments(transaction, [ref])).get(ref.accountId)?.payment ?? null;
}

/** SQL: the sum of a payment's posted refunds and chargebacks, in the currency's minor unit. */
export const REFUNDED = `
  (SELECT coalesce(sum(refund.amount), 0)::bigint
   FROM refund
   WHERE refund.account_id = payment.account_id
     AND refund.payment_id = payment.payment_id
     AND refund.status = 'posted') AS refunded`;

const LIST = `
  SELECT ${PAYMENT_COLUMNS}, ${REFUNDED}
  FROM payment
  WHERE account_id = $1
    AND ($3::text IS NULL OR kind = $3)
    AND (created_at, payment_id)
        < (coalesce(to_timestamp($4::bigint / 1000.0), 'infinity'), coalesce($5::text, ''))
  ORDER BY created_at DESC, payment_id DESC
  LIMIT $2`;

/** A payment, and the sum of its posted refunds and chargebacks, in the currency's minor unit. */
export type PaymentOfAccount = Payment & { readonly refunded: bigint };

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
): Promise<PaymentOfAccount[]> {
  type Row = PaymentRow & Pick<PaymentOfAccount, "refunded">;
  const values = [accountId, limit, kind, last?.createdAt ?? null, last?.paymentId ?? null];
  const rows = await queryRows<Row>(database, LIST, values, "list-payments");
  return rows.map(({ refunded, ...row }) => ({ ...toPayment(row), refunded }));
}

const INSERT = `
  INSERT INTO payment (account_id, payment_id, kind, status, amount, currency, credits, life,
                       life_months, attempt, calls, next_try_at, reason, created_at, attempted_at,
                       requested_by, gateway, gateway_payment)
  SELECT account_id, payment_id, 'top_up', 'pending', amount, currency, credits, life, life_months, 1,
         CASE WHEN $12::text IS NULL THEN 0 ELSE 1 END, to_timestamp($9 / 1000.0), reason,
         to_timestamp($11 / 1000.0), to_timestamp($11 / 1000.0), $10, $12, $13
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::text[],
              $7::integer[], $8::text[])
    AS top_up (account_id, payment_id, amount, currency, credits, life, life_months, reason)`;

/** A charge that a gateway has made. */
interface MadeCharge {
  readonly gateway: string;
  readonly gatewayPayment: string;
  readonly createdAt: Instant;
}

/**
 * Stores pending top-ups, to be charged immediately, and publishes them. A unique index refuses a second
 * one in flight. The caller has locked the accounts. `charge`: the gateway has made it already; they are to be
 * asked about.
 */
export async function insertTopUps(
  transaction: Transaction,
  topUps: readonly { readonly accountId: AccountId; readonly topUp: NewTopUp }[],
  {
    now,
    by,
    charge = null,
  }: { readonly now: Instant; readonly by: string | null; readonly charge?: MadeCharge | null },
): Promise<void> {
  if (topUps.length === 0) return;
  const rows = topUps.map(({ accountId, topUp: { life, ...topUp } }) => {
    const months = life.kind === "months" ? life.months : null;
    return { ...topUp, accountId, life: life.kind, months };
  });
  const terms = columnsOf(rows, "accountId", "paymentId", "amount", "currency", "credits");
  const rest = columnsOf(rows, "life", "months", "reason");
  const made = [charge?.createdAt ?? now, charge?.gateway ?? null, charge?.gatewayPayment ?? null];
  const values = [...terms, ...rest, now, by, ...made];
  const changes = topUps.map(({ accountId, topUp }) => topUpCreated(accountId, topUp, by));
  await together([
    transaction.query({ name: "insert-top-ups", text: INSERT, values }),
    publishPayments(transaction, changes, now),
  ]);
}

const SO_FAR = `
  SELECT asked.account_id AS "accountId",
         EXISTS (SELECT FROM payment_method AS method WHERE method.account_id = asked.account_id)
           AS "hasMethod",
         EXISTS (SELECT FROM payment
                 WHERE payment.account_id = asked.account_id
                   AND kind = 'top_up'
                   AND status = 'pending') AS "inFlight",
         (SELECT coalesce(max(coalesce(named[2]::integer, 1)), 0) FROM payment,
                 regexp_match(payment_id, '${REFERENCE.automaticTopUp.pattern}') AS named
          WHERE payment.account_id = asked.account_id AND named[1] = asked.crossing) AS tries,
         coalesce($5::text <> ${SERVER_START}, false)
           OR EXISTS (SELECT FROM unmatched_charge AS charge
                      WHERE charge.account_id = asked.account_id
                        AND restorable
                        AND NOT EXISTS (SELECT FROM payment
                                        WHERE payment.account_id = charge.account_id
                                          AND payment.payment_id = charge.payment_id))
           AS "mayLackCharges",
         spent.today, spent."thisMonth"
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
    AS asked (account_id, crossing, today, this_month)
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount) FILTER (WHERE created_at >= to_timestamp(asked.today / 1000.0)), 0)::bigint
             AS today,
           coalesce(sum(amount), 0)::bigint AS "thisMonth"
    FROM payment
    WHERE payment.account_id = asked.account_id
      AND kind = 'top_up'
      AND status IN ('pending', 'succeeded')
      AND created_at >= to_timestamp(asked.this_month / 1000.0)) AS spent`;

/** What decides about an account's next top-up, besides the account itself. */
export interface TopUpsSoFar {
  readonly hasMethod: boolean;
  readonly inFlight: boolean;
  /** The number of the crossing's last top-up; 0: it has none. */
  readonly tries: number;
  /** The gateway has charges of the account whose top-ups are to come back, or may have. */
  readonly mayLackCharges: boolean;
  /** Pending or paid since the given instants, in minor units. */
  readonly spent: { readonly today: bigint; readonly thisMonth: bigint };
}

/** The newest crossing of an account, and the starts of its day and its month. */
export interface CrossingNow {
  readonly accountId: AccountId;
  readonly crossing: bigint;
  readonly today: Instant;
  readonly thisMonth: Instant;
}

/**
 * By account. The caller has locked the accounts. `comparedOn`: as of `topUpIfLow`.
 */
export async function readTopUpsSoFar(
  transaction: Transaction,
  asked: readonly CrossingNow[],
  comparedOn: string | null,
): Promise<Map<AccountId, TopUpsSoFar>> {
  type Row = Omit<TopUpsSoFar, "spent"> & TopUpsSoFar["spent"] & Pick<CrossingNow, "accountId">;
  const columns = columnsOf(asked, "accountId", "crossing", "today", "thisMonth");
  const values = [...columns, comparedOn];
  const rows = await queryRows<Row>(transaction, SO_FAR, values, "read-top-ups-so-far");
  return new Map(
    rows.map(({ accountId, today, thisMonth, ...soFar }) => [
      accountId,
      { ...soFar, spent: { today, thisMonth } },
    ]),
  );
}

export function toPayment(row: PaymentRow): Payment {
  const { kind, credits, life, number, period, periods, planId, brings, ...payment } = row;
  if (kind === "top_up") return { ...payment, kind, credits, life };
  return { ...payment, kind, number, period, periods, planId, brings: toFeeCredits(brings) };
}
