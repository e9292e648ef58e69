import type { AccountId, Instant } from "../../core/line/account.ts";
import { REFERENCE } from "../../core/line/reference.ts";
import type { LotLife } from "../../core/offer/catalogue.ts";
import type { NewTopUp, Payment, PaymentStatus } from "../../core/payments/payment.ts";
import type { Database, Transaction } from "../postgres/database.ts";

/** Which payment. */
export interface PaymentRef {
  readonly accountId: AccountId;
  readonly paymentId: string;
}

export const PAYMENT_COLUMNS = `
  payment.account_id, payment.payment_id, payment.kind, payment.status, payment.amount,
  payment.currency, payment.attempt, payment.reason,
  (extract(epoch FROM payment.created_at) * 1000)::bigint, payment.credits, payment.life,
  payment.life_months, payment.subscription, payment.period, payment.periods, payment.plan_id`;

export type PaymentRow = [
  accountId: AccountId,
  paymentId: string,
  kind: Payment["kind"],
  status: PaymentStatus,
  amount: string,
  currency: string,
  attempt: number,
  reason: string,
  createdAt: string,
  credits: string | null,
  life: LotLife["kind"] | null,
  lifeMonths: number | null,
  subscription: number | null,
  period: number | null,
  periods: number | null,
  planId: string | null,
];

const READ = `
  SELECT ${PAYMENT_COLUMNS}
  FROM payment
  WHERE account_id = $1 AND payment_id = $2`;

/** One payment, or null when the account has none of this id. */
export async function readPayment(
  database: Database | Transaction,
  { accountId, paymentId }: PaymentRef,
): Promise<Payment | null> {
  const read = { name: "read-payment", text: READ };
  const [payment] = await query(database, read, [accountId, paymentId]);
  return payment ?? null;
}

/** One payment, held until the transaction ends. Only for whoever holds the account's row. */
export async function lockPayment(
  transaction: Transaction,
  { accountId, paymentId }: PaymentRef,
): Promise<Payment | null> {
  const lock = { name: "lock-payment", text: `${READ} FOR UPDATE` };
  const [payment] = await query(transaction, lock, [accountId, paymentId]);
  return payment ?? null;
}

const LIST = `
  SELECT ${PAYMENT_COLUMNS}
  FROM payment
  WHERE account_id = $1
    AND ($3::text IS NULL OR kind = $3)
  ORDER BY created_at DESC, payment_id DESC
  LIMIT $2`;

/** An account's payments, all or those of one kind, newest first. */
export async function listPayments(
  database: Database | Transaction,
  accountId: AccountId,
  limit: number,
  kind: Payment["kind"] | null = null,
): Promise<Payment[]> {
  return query(database, { name: "list-payments", text: LIST }, [accountId, limit, kind]);
}

const INSERT = `
  INSERT INTO payment (account_id, payment_id, kind, status, amount, currency, credits, life,
                       life_months, attempt, calls, next_try_at, reason, created_at, attempted_at)
  VALUES ($1, $2, 'top_up', 'pending', $3, $4, $5, $6, $7, 1, 0, to_timestamp($8 / 1000.0), '',
          to_timestamp($8 / 1000.0), to_timestamp($8 / 1000.0))`;

/**
 * Stores a pending top-up, to be charged at once. The unique index on what is in flight refuses a
 * second one of the account.
 */
export async function insertTopUp(
  transaction: Transaction,
  accountId: AccountId,
  { paymentId, amount, currency, credits, life }: NewTopUp,
  now: Instant,
): Promise<void> {
  const months = life.kind === "months" ? life.months : null;
  const values = [accountId, paymentId, amount, currency, credits, life.kind, months, now];
  await transaction.query({ name: "insert-top-up", text: INSERT, values });
}

const CONTEXT = `
  SELECT EXISTS (SELECT FROM payment_method WHERE account_id = $1),
         EXISTS (SELECT FROM payment
                 WHERE account_id = $1 AND kind = 'top_up' AND status = 'pending'),
         (SELECT count(*)::integer FROM payment
          WHERE account_id = $1 AND substring(payment_id FROM '${REFERENCE.automaticTopUp.pattern}') = $2),
         coalesce(sum(amount) FILTER (WHERE created_at >= to_timestamp($3 / 1000.0)), 0),
         coalesce(sum(amount), 0)
  FROM payment
  WHERE account_id = $1
    AND kind = 'top_up'
    AND status IN ('pending', 'succeeded')
    AND created_at >= to_timestamp($4 / 1000.0)`;

/** What an account's next top-up is judged by, beside the account itself. */
export interface TopUpsSoFar {
  readonly hasMethod: boolean;
  readonly inFlight: boolean;
  /** Top-ups of the crossing. */
  readonly tries: number;
  /** Pending or paid since the given instants, in minor units. */
  readonly spent: { readonly today: bigint; readonly thisMonth: bigint };
}

/** Only for whoever holds the account's row. */
export async function readTopUpsSoFar(
  transaction: Transaction,
  accountId: AccountId,
  { crossing, today, thisMonth }: { crossing: bigint; today: Instant; thisMonth: Instant },
): Promise<TopUpsSoFar> {
  const { rows } = await transaction.query<[boolean, boolean, number, string, string]>({
    name: "read-top-ups-so-far",
    text: CONTEXT,
    values: [accountId, crossing, today, thisMonth],
    rowMode: "array",
  });
  const [hasMethod, inFlight, tries, ofToday, ofThisMonth] = rows[0] ?? [false, false, 0, "0", "0"];
  const spent = { today: BigInt(ofToday), thisMonth: BigInt(ofThisMonth) };
  return { hasMethod, inFlight, tries, spent };
}

async function query(
  database: Database | Transaction,
  statement: { readonly name: string; readonly text: string },
  values: unknown[],
): Promise<Payment[]> {
  const { rows } = await database.query<PaymentRow>({ ...statement, values, rowMode: "array" });
  return rows.map(toPayment);
}

export function toPayment(row: PaymentRow): Payment {
  const [accountId, paymentId, kind, status, amount, currency, attempt, reason, createdAt] = row;
  const [credits, life, lifeMonths, number, period, periods, planId] = [
    ...([row[9], row[10], row[11], row[12], row[13], row[14], row[15]] as const),
  ];
  const base = {
    ...{ accountId, paymentId, status, currency, attempt, reason },
    amount: BigInt(amount),
    createdAt: Number(createdAt),
  };
  if (kind === "top_up" && credits !== null && life !== null) {
    return { ...base, kind, credits: BigInt(credits), life: toLife(life, lifeMonths) };
  }
  if (number === null || period === null || periods === null || planId === null) {
    throw new Error(`payment ${paymentId} of account ${accountId} is neither a top-up nor a fee`);
  }
  return { ...base, kind: "fee", number, period, periods, planId };
}

function toLife(kind: LotLife["kind"], months: number | null): LotLife {
  if (kind !== "months") return { kind };
  if (months === null) throw new Error("a life in months without their number");
  return { kind, months };
}
