import type { Instant } from "../../core/line/account.ts";
import type { Payment, PaymentStatus } from "../../core/payments/payment.ts";
import { textArray } from "../postgres/array-literal.ts";
import { type Queryable, queryRows } from "../postgres/database.ts";
import {
  PAYMENT_COLUMNS,
  type PaymentOfAccount,
  type PaymentRow,
  REFUNDED,
  toPayment,
} from "./payments.ts";

/** Which payments to list; null: any. */
export interface PaymentFilter {
  readonly accountIds: readonly string[] | null;
  readonly kind: Payment["kind"] | null;
  readonly status: PaymentStatus | null;
  /** Created from this instant on. */
  readonly from: Instant | null;
  /** Created before this instant. */
  readonly to: Instant | null;
  /** The gateway's id. */
  readonly gatewayPayment: string | null;
}

export type ListedPayment = PaymentOfAccount & {
  /** The gateway's id of the last attempt; null: it was never there. */
  readonly gatewayPayment: string | null;
};

/** Where a page of the list begins: after this payment. */
export type ListPosition = Pick<Payment, "createdAt" | "paymentId"> & {
  readonly accountId: string;
};

const LIST = `
  SELECT ${PAYMENT_COLUMNS}, payment.gateway_payment AS "gatewayPayment", ${REFUNDED}
  FROM payment
  WHERE ($1::text[] IS NULL OR account_id = ANY($1))
    AND ($2::text IS NULL OR kind = $2)
    AND ($3::text IS NULL OR status = $3)
    AND ($4::bigint IS NULL OR created_at >= to_timestamp($4 / 1000.0))
    AND ($5::bigint IS NULL OR created_at < to_timestamp($5 / 1000.0))
    AND ($6::text IS NULL OR gateway_payment = $6)
    AND ($7::bigint IS NULL
         OR (created_at, account_id, payment_id) < (to_timestamp($7 / 1000.0), $8, $9))
  ORDER BY created_at DESC, account_id DESC, payment_id DESC
  LIMIT $10`;

/**
 * Up to `limit` payments of all accounts, newest first, after the payment `last` (null: from the first). The
 * statement has no name, so that it is planned for the filters that are given.
 */
export async function listAllPayments(
  database: Queryable,
  { accountIds, kind, status, from, to, gatewayPayment }: PaymentFilter,
  limit: number,
  last: ListPosition | null = null,
): Promise<ListedPayment[]> {
  const accounts = accountIds === null ? null : textArray(accountIds);
  const filters = [accounts, kind, status, from, to, gatewayPayment];
  const after = [last?.createdAt ?? null, last?.accountId ?? null, last?.paymentId ?? null];
  const values = [...filters, ...after, limit];
  const rows = await queryRows<PaymentRow & Pick<ListedPayment, "gatewayPayment" | "refunded">>(
    database,
    LIST,
    values,
  );
  return rows.map(({ gatewayPayment, refunded, ...row }) => ({
    ...toPayment(row),
    ...{ gatewayPayment, refunded },
  }));
}
