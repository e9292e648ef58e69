import type { Instant } from "../../core/line/account.ts";
import type { Database, Transaction } from "../postgres/database.ts";
import type { PaymentRef } from "./payments.ts";

/** How far a payment has come with the gateway. */
export interface PaymentAtGateway {
  /** The gateway, and the payment's id there; null: it was not called yet, or has not said. */
  readonly gateway: string | null;
  readonly gatewayPayment: string | null;
  /** What the attempt is charged with, as of its first call. */
  readonly customer: string | null;
  readonly method: string | null;
  readonly attemptedAt: Instant;
  readonly settledAt: Instant | null;
  /** When it is charged, asked about or sent back next; null: nothing is to be done. */
  readonly nextTryAt: Instant | null;
}

const READ = `
  SELECT gateway, gateway_payment, customer, method,
         (extract(epoch FROM attempted_at) * 1000)::bigint,
         (extract(epoch FROM settled_at) * 1000)::bigint,
         (extract(epoch FROM next_try_at) * 1000)::bigint
  FROM payment
  WHERE account_id = $1 AND payment_id = $2`;

type Row = [
  gateway: string | null,
  gatewayPayment: string | null,
  customer: string | null,
  method: string | null,
  attemptedAt: string,
  settledAt: string | null,
  nextTryAt: string | null,
];

/** How far a payment has come with the gateway, or null when the account has none of this id. */
export async function readPaymentAtGateway(
  database: Database | Transaction,
  { accountId, paymentId }: PaymentRef,
): Promise<PaymentAtGateway | null> {
  const values = [accountId, paymentId];
  const { rows } = await database.query<Row>({ text: READ, values, rowMode: "array" });
  if (rows[0] === undefined) return null;
  const [gateway, gatewayPayment, customer, method, attemptedAt, settledAt, nextTryAt] = rows[0];
  return {
    ...{ gateway, gatewayPayment, customer, method },
    attemptedAt: Number(attemptedAt),
    settledAt: settledAt === null ? null : Number(settledAt),
    nextTryAt: nextTryAt === null ? null : Number(nextTryAt),
  };
}
