import type { Instant } from "../../core/line/account.ts";
import { type Queryable, queryRow } from "../postgres/database.ts";
import type { PaymentRef } from "./payments.ts";

/** The state of a payment at the gateway. */
export interface PaymentAtGateway {
  /** The gateway, and the payment's id there; null: not called yet, or no answer. */
  readonly gateway: string | null;
  readonly gatewayPayment: string | null;
  /** The customer and payment method of the attempt, as of its first call. */
  readonly customer: string | null;
  readonly method: string | null;
  readonly attemptedAt: Instant;
  readonly settledAt: Instant | null;
  /** When it is charged, checked or refunded next; null: nothing to do. */
  readonly nextTryAt: Instant | null;
}

const READ = `
  SELECT gateway, gateway_payment AS "gatewayPayment", customer, method,
         attempted_at AS "attemptedAt", settled_at AS "settledAt", next_try_at AS "nextTryAt"
  FROM payment
  WHERE account_id = $1 AND payment_id = $2`;

/** The state of a payment at the gateway, or null when the account has none of this id. */
export async function readPaymentAtGateway(
  database: Queryable,
  { accountId, paymentId }: PaymentRef,
): Promise<PaymentAtGateway | null> {
  return queryRow<PaymentAtGateway>(database, READ, [accountId, paymentId]);
}
