import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { moneyText } from "../../../shared/core/text/money.ts";
import type { OpenFee } from "../../../shared/ledger/payments/open-fees.ts";
import { table } from "../shell/print.ts";

/** Fees that are not paid, as a table; empty where there are none. */
export function openFeesText(fees: readonly OpenFee[]): string {
  if (fees.length === 0) return "";
  const rows = fees.map((fee) => [
    fee.paymentId,
    fee.planId,
    fee.status,
    moneyText(fee.amount, fee.currency),
    formatInstant(fee.dueAt),
    fee.attempt,
    formatInstant(fee.nextTryAt, "with another payment method"),
    fee.reason,
  ]);
  const columns = [
    { title: "FEE" },
    { title: "PLAN" },
    { title: "STATUS" },
    { title: "AMOUNT", align: "right" },
    { title: "DUE" },
    { title: "ATTEMPT", align: "right" },
    { title: "NEXT TRY" },
    { title: "REASON" },
  ] as const;
  return `Fees that are not paid:\n${table(columns, rows)}`;
}
