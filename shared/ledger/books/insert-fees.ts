import type { AccountId } from "../../core/line/account.ts";
import type { Fee } from "../../core/month/fee.ts";
import type { Transaction } from "../postgres/database.ts";
import { insertRows } from "../postgres/insert-rows.ts";

const INTO = {
  table: "payment",
  columns:
    "account_id, payment_id, kind, status, amount, currency, subscription, period, periods, plan_id, attempt, calls, next_try_at, reason, created_at, attempted_at",
};

/** Stores fees that fell due, to be charged from then on. */
export async function insertFees(
  transaction: Transaction,
  fees: readonly { accountId: AccountId; fee: Fee }[],
): Promise<void> {
  await insertRows(transaction, INTO, fees, (rows, { accountId, fee }) => {
    rows.text(accountId);
    rows.text(fee.paymentId);
    rows.text("fee");
    rows.text("pending");
    rows.int8(fee.amount);
    rows.text(fee.currency);
    rows.int4(fee.number);
    rows.int4(fee.period);
    rows.int4(fee.periods);
    rows.text(fee.planId);
    rows.int4(1);
    rows.int4(0);
    rows.timestamptz(fee.dueAt);
    rows.text("");
    rows.timestamptz(fee.dueAt);
    rows.timestamptz(fee.dueAt);
  });
}
