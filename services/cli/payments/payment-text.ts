import { isAutomatic, type Payment } from "../../../shared/core/payments/payment.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { moneyText } from "../../../shared/core/text/money.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import { table } from "../shell/print.ts";

/** "fee of growth for 1 period", "top-up by hand" */
export function purposeText(payment: Payment): string {
  if (payment.kind === "fee") {
    return `fee of ${payment.planId} for ${countOf(payment.periods, "period")}`;
  }
  return isAutomatic(payment) ? "automatic top-up" : "top-up by hand";
}

/** Payments in the order in which they are given. */
export function paymentTable(payments: readonly Payment[]): string {
  return table(
    [
      { title: "PAYMENT" },
      { title: "FOR" },
      { title: "STATUS" },
      { title: "AMOUNT", align: "right" },
      { title: "CREDITS", align: "right" },
      { title: "ATTEMPT", align: "right" },
      { title: "CREATED" },
      { title: "REASON" },
    ],
    payments.map((payment) => [
      payment.paymentId,
      purposeText(payment),
      payment.status,
      moneyText(payment.amount, payment.currency),
      payment.kind === "top_up" ? formatCredits(payment.credits) : "",
      payment.attempt,
      formatInstant(payment.createdAt),
      payment.reason,
    ]),
  );
}
