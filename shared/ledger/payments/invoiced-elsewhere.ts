import { owedFees } from "../../core/changes/paying-fees.ts";
import type { AccountId, Instant } from "../../core/line/account.ts";
import { chargeChanged } from "../../core/payments/payment-change.ts";
import { moveAccount, type RequestedBy, type UnknownAccount } from "../books/move-account.ts";
import { publishPayments } from "../books/publish-payments.ts";
import { readOpenFees } from "../books/unpaid-fees.ts";
import { type Database, type Queryable, queryRow, type Transaction } from "../postgres/database.ts";
import { payFee } from "./end-fee.ts";
import { lockPayment, type PaymentRef } from "./payments.ts";

/** That an account's fees are invoiced elsewhere: who said so, and when. */
export interface InvoicedElsewhere {
  readonly setBy: string;
  readonly setAt: Instant;
}

const READ = `
  SELECT set_by AS "setBy", set_at AS "setAt"
  FROM invoiced_elsewhere
  WHERE account_id = $1`;

/** Null: the account's fees are charged through the gateway. */
export async function readInvoicedElsewhere(
  database: Queryable,
  accountId: AccountId,
): Promise<InvoicedElsewhere | null> {
  return queryRow<InvoicedElsewhere>(database, READ, [accountId]);
}

const SET = `
  INSERT INTO invoiced_elsewhere (account_id, set_by, set_at)
  VALUES ($1, $2, to_timestamp($3 / 1000.0))
  ON CONFLICT (account_id) DO NOTHING`;

const UNSET = "DELETE FROM invoiced_elsewhere WHERE account_id = $1";

/** Whether an account is invoiced elsewhere, and the ids of the fees that were settled with it. */
export interface InvoicingSet {
  readonly kind: "set";
  readonly elsewhere: boolean;
  readonly invoiced: readonly string[];
}

/**
 * Marks an account as invoiced elsewhere, or takes that back for the fees to come. With the mark, open
 * fees that are not at the gateway count as paid: what they bring comes. Repeating it is safe, and
 * continues where a lost process stopped.
 */
export async function setInvoicedElsewhere(
  database: Database,
  request: RequestedBy,
  elsewhere: boolean,
): Promise<InvoicingSet | UnknownAccount> {
  const { accountId, now, by } = request;
  const open = await moveAccount(database, { accountId, now, by }, async (_, transaction) => {
    if (elsewhere) await transaction.query(SET, [accountId, by, now]);
    else await transaction.query(UNSET, [accountId]);
    return { decision: await readOpenFees(transaction, accountId), step: null };
  });
  if ("kind" in open) return open;
  const invoiced: string[] = [];
  for (const { paymentId } of elsewhere ? open : []) {
    if (await invoiceFee(database, request, { accountId, paymentId })) invoiced.push(paymentId);
  }
  return { kind: "set", elsewhere, invoiced };
}

const INVOICE = `
  UPDATE payment
  SET status = 'invoiced',
      next_try_at = NULL,
      reason = '',
      settled_at = to_timestamp($3 / 1000.0)
  WHERE account_id = $1
    AND payment_id = $2
    AND kind = 'fee'
    AND (status IN ('retrying', 'failed') OR (status = 'pending' AND calls = 0))`;

/**
 * Settles an owed fee as invoiced, with what its payment brings; false: it is at the gateway, settled, or
 * no longer owed.
 */
async function invoiceFee(
  database: Database,
  { now, by }: RequestedBy,
  ref: PaymentRef,
): Promise<boolean> {
  const { accountId, paymentId } = ref;
  const done = await moveAccount(database, { accountId, now, by }, async (settled, transaction) => {
    const owed = owedFees(await readOpenFees(transaction, accountId), settled.book.schedule);
    if (!owed.some((fee) => fee.paymentId === paymentId)) return { decision: false, step: null };
    const fee = await lockPayment(transaction, ref);
    const isInvoiced = await markInvoiced(transaction, { accountId, paymentId }, now);
    if (fee?.kind !== "fee" || !isInvoiced) return { decision: false, step: null };
    const change = chargeChanged(fee, { status: "invoiced", reason: "" });
    await publishPayments(transaction, [change], now);
    return { decision: true, step: await payFee(transaction, fee, settled, { now, by }) };
  });
  return done === true;
}

async function markInvoiced(
  transaction: Transaction,
  { accountId, paymentId }: PaymentRef,
  now: Instant,
): Promise<boolean> {
  const { rowCount } = await transaction.query(INVOICE, [accountId, paymentId, now]);
  return rowCount === 1;
}
