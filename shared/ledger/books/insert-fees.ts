import type { AccountId, Instant } from "../../core/line/account.ts";
import type { Fee } from "../../core/month/fee.ts";
import { feeChanged } from "../../core/payments/payment-change.ts";
import { amountsAsText } from "../postgres/amounts-as-text.ts";
import { textArray } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import { insertRows } from "../postgres/insert-rows.ts";
import { publishPayments } from "./publish-payments.ts";

const INTO = {
  table: "payment",
  columns:
    "account_id, payment_id, kind, status, amount, currency, subscription, period, periods, plan_id, brings, attempt, calls, next_try_at, reason, created_at, attempted_at, settled_at",
};

const INVOICED = `
  SELECT account_id AS "accountId"
  FROM invoiced_elsewhere
  WHERE account_id = ANY($1::text[])`;

/**
 * Stores and publishes fees that fell due, to be charged from then on; those of accounts that are invoiced
 * elsewhere are settled with that. The caller has locked the accounts.
 */
export async function insertFees(
  transaction: Transaction,
  fees: readonly { accountId: AccountId; fee: Fee }[],
  now: Instant,
): Promise<void> {
  if (fees.length === 0) return;
  const invoiced = await readInvoiced(transaction, fees);
  await insertRows(transaction, INTO, fees, (rows, { accountId, fee }) => {
    const isInvoiced = invoiced.has(accountId);
    rows.text(accountId);
    rows.text(fee.paymentId);
    rows.text("fee");
    rows.text(isInvoiced ? "invoiced" : "pending");
    rows.int8(fee.amount);
    rows.text(fee.currency);
    rows.int4(fee.number);
    rows.int4(fee.period);
    rows.int4(fee.periods);
    rows.text(fee.planId);
    if (fee.brings === null) rows.null();
    else rows.jsonb(JSON.stringify(fee.brings, amountsAsText));
    rows.int4(1);
    rows.int4(0);
    if (isInvoiced) rows.null();
    else rows.timestamptz(fee.dueAt);
    rows.text("");
    rows.timestamptz(fee.dueAt);
    rows.timestamptz(fee.dueAt);
    if (isInvoiced) rows.timestamptz(fee.dueAt);
    else rows.null();
  });
  const changes = fees.map(({ accountId, fee }) => {
    const status = invoiced.has(accountId) ? "invoiced" : "pending";
    return feeChanged(accountId, fee, { status, attempt: 1, reason: "" });
  });
  await publishPayments(transaction, changes, now);
}

async function readInvoiced(
  transaction: Transaction,
  fees: readonly { accountId: AccountId }[],
): Promise<ReadonlySet<string>> {
  const ids = textArray(fees.map(({ accountId }) => accountId));
  const rows = await queryRows<{ accountId: string }>(transaction, INVOICED, [ids]);
  return new Set(rows.map(({ accountId }) => accountId));
}
