import type { GrantedLot } from "../../../shared/core/month/grant-credits.ts";
import type { Payment } from "../../../shared/core/payments/payment.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { moneyText } from "../../../shared/core/text/money.ts";
import type { LotUse } from "../../../shared/ledger/books/granted-lots.ts";
import type { PaymentAtGateway } from "../../../shared/ledger/payments/at-gateway.ts";
import type { Refund } from "../../../shared/ledger/payments/refunds.ts";
import { lotJson } from "../credits/lot-text.ts";
import { fields, instantJson, table } from "../shell/print.ts";
import { paymentJson, purposeText } from "./payment-text.ts";

/** A payment with all that hangs on it. */
export interface ShownPayment {
  readonly payment: Payment;
  readonly atGateway: PaymentAtGateway;
  /** Oldest first. */
  readonly refunds: readonly Refund[];
  /** The lot that it brought; null: none, or not yet. */
  readonly lot: { readonly lot: GrantedLot; readonly use: LotUse } | null;
}

export function shownJson({ payment, atGateway, refunds, lot }: ShownPayment) {
  return {
    account_id: payment.accountId,
    ...paymentJson(payment),
    attempted_at: instantJson(atGateway.attemptedAt),
    settled_at: instantJson(atGateway.settledAt),
    next_try_at: instantJson(atGateway.nextTryAt),
    gateway: atGateway.gateway,
    gateway_payment: atGateway.gatewayPayment,
    customer: atGateway.customer,
    method: atGateway.method,
    lot: lot && { ...lotJson(lot.lot), ...lot.use },
    refunds: refunds.map(refundJson),
  };
}

/** A refund's fields for `--json`. */
export function refundJson(refund: Refund) {
  return {
    refund_id: refund.refundId,
    payment_id: refund.paymentId,
    kind: refund.kind,
    status: refund.status,
    amount: refund.amount,
    credits_withdrawn: refund.withdrawn,
    credits_owed: refund.owed,
    reason: refund.reason,
    asked_by: refund.askedBy,
    created_at: instantJson(refund.createdAt),
    posted_at: instantJson(refund.postedAt),
  };
}

export function shownText({ payment, atGateway, refunds, lot }: ShownPayment): string {
  const parts = [headText(payment, atGateway)];
  if (lot !== null) parts.push(lotText(lot));
  parts.push(refunds.length === 0 ? "Nothing of it went back." : refundTable(payment, refunds));
  return parts.join("\n\n");
}

function headText(payment: Payment, atGateway: PaymentAtGateway): string {
  const { paymentId, accountId, status, amount, currency, attempt, reason, createdAt } = payment;
  const { gateway, gatewayPayment, customer, method, settledAt, nextTryAt } = atGateway;
  const called =
    gateway === null ? "not called yet" : `${gateway}, ${gatewayPayment ?? "no id yet"}`;
  return fields([
    ["payment", paymentId],
    ["account", accountId],
    ["for", purposeText(payment)],
    ["status", status],
    ["reason", reason === "" ? "nothing to say" : reason],
    ["amount", moneyText(amount, currency)],
    ...(payment.kind === "top_up" ? [["credits", formatCredits(payment.credits)] as const] : []),
    ["attempt", String(attempt)],
    ["paid with", method === null ? "nothing yet" : `${method} of ${customer}`],
    ["gateway", called],
    ["created", formatInstant(createdAt)],
    ["settled", formatInstant(settledAt, "not yet")],
    ["next try", formatInstant(nextTryAt, "none")],
  ]);
}

function lotText({ lot, use }: NonNullable<ShownPayment["lot"]>): string {
  return fields([
    ["lot", lot.lotId],
    ["credits", formatCredits(lot.credits)],
    ["used", formatCredits(use.used)],
    ["expired", formatCredits(use.expired)],
    ["withdrawn", formatCredits(use.withdrawn)],
    ["left", formatCredits(use.remaining)],
    ["ends", formatInstant(lot.expiresAt)],
  ]);
}

function refundTable({ currency }: Payment, refunds: readonly Refund[]): string {
  return table(
    [
      { title: "WENT BACK BY" },
      { title: "ID" },
      { title: "STATUS" },
      { title: "AMOUNT", align: "right" },
      { title: "WITHDRAWN", align: "right" },
      { title: "OWED", align: "right" },
      { title: "ASKED" },
      { title: "BY" },
      { title: "POSTED" },
      { title: "REASON" },
    ],
    refunds.map((refund) => [
      refund.kind,
      refund.refundId,
      refund.status,
      moneyText(refund.amount, currency),
      formatCredits(refund.withdrawn),
      formatCredits(refund.owed),
      formatInstant(refund.createdAt),
      refund.askedBy,
      formatInstant(refund.postedAt, "not yet"),
      refund.reason,
    ]),
  );
}
