import type { WayToPay } from "../../core/changes/paying-fees.ts";
import type { AccountId, Instant } from "../../core/line/account.ts";
import type { Fee, UnpaidFee } from "../../core/month/fee.ts";
import { feeChanged } from "../../core/payments/payment-change.ts";
import { type Queryable, queryRow, queryRows, type Transaction } from "../postgres/database.ts";
import { type StoredFeeCredits, toFeeCredits } from "./fee-credits.ts";
import { publishPayments } from "./publish-payments.ts";

/** An unpaid fee of a subscription. */
export interface OpenFee extends UnpaidFee {
  /** Counts from 1. */
  readonly attempt: number;
  /** Why it is in this state, in words for customers; may be empty. */
  readonly reason: string;
  /** When it is charged or checked next; null: not until the customer acts. */
  readonly nextTryAt: Instant | null;
}

const READ = `
  SELECT payment_id AS "paymentId", subscription AS number, period, periods, plan_id AS "planId",
         amount, currency, created_at AS "dueAt", status, attempt, reason, brings,
         next_try_at AS "nextTryAt"
  FROM payment
  WHERE account_id = $1 AND kind = 'fee' AND status NOT IN ('succeeded', 'invoiced')
  ORDER BY created_at, payment_id`;

type Row = Omit<OpenFee, "brings"> & { readonly brings: StoredFeeCredits | null };

/** The unpaid fees of an account, including those of ended subscriptions; oldest first. */
export async function readOpenFees(database: Queryable, accountId: AccountId): Promise<OpenFee[]> {
  const rows = await queryRows<Row>(database, READ, [accountId], "read-open-fees");
  return rows.map(({ brings, ...fee }) => ({ ...fee, brings: toFeeCredits(brings) }));
}

const WAY = `
  SELECT EXISTS (SELECT FROM payment_method WHERE account_id = $1) AS "hasMethod",
         EXISTS (SELECT FROM invoiced_elsewhere WHERE account_id = $1) AS "isInvoiced"`;

/** How an account pays its fees; null: it cannot. */
export async function readWayToPay(
  transaction: Transaction,
  accountId: AccountId,
): Promise<WayToPay | null> {
  type Row = { hasMethod: boolean; isInvoiced: boolean };
  const row = await queryRow<Row>(transaction, WAY, [accountId], "read-way-to-pay");
  if (row?.isInvoiced) return "invoiced_elsewhere";
  return row?.hasMethod ? "payment_method" : null;
}

const ABANDON = `
  UPDATE payment
  SET status = 'failed',
      next_try_at = NULL,
      reason = 'The subscription was cancelled before this was paid.',
      settled_at = to_timestamp($3 / 1000.0)
  WHERE account_id = $1
    AND kind = 'fee'
    AND subscription = $2
    AND brings IS NOT NULL
    AND (status = 'retrying' OR (status = 'pending' AND calls = 0))
  RETURNING payment_id AS "paymentId", amount, currency, plan_id AS "planId", attempt, reason`;

/**
 * Abandons the fees of a subscription that has ended before they brought anything, and publishes that. One
 * that is at the gateway continues: if it is paid, its credits come, and if it is declined, it is not tried
 * again. The caller has locked the account.
 */
export async function abandonFees(
  transaction: Transaction,
  accountId: AccountId,
  number: number,
  now: Instant,
): Promise<void> {
  type Row = Pick<Fee, "paymentId" | "amount" | "currency" | "planId"> & {
    readonly attempt: number;
    readonly reason: string;
  };
  const abandoned = await queryRows<Row>(transaction, ABANDON, [accountId, number, now]);
  const changes = abandoned.map((fee) => feeChanged(accountId, fee, { ...fee, status: "failed" }));
  await publishPayments(transaction, changes, now);
}
