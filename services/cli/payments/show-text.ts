import { z } from "zod";
import { lot } from "../../../shared/contract/lot.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { paymentOfAccountFields, toPaymentOfAccount } from "../../../shared/contract/payment.ts";
import { refund, toRefund } from "../../../shared/contract/refund.ts";
import { accountId, instant } from "../../../shared/contract/wire.ts";
import type { GrantedLot } from "../../../shared/core/month/grant-credits.ts";
import { isAutomatic, type Payment } from "../../../shared/core/payments/payment.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { moneyText } from "../../../shared/core/text/money.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import type { LotUse } from "../../../shared/ledger/books/granted-lots.ts";
import type { PaymentAtGateway } from "../../../shared/ledger/payments/at-gateway.ts";
import type { Refund } from "../../../shared/ledger/payments/refunds.ts";
import { fields, table } from "../shell/print.ts";

/** A payment with its lot and its refunds. */
export interface ShownPayment {
  readonly payment: Payment;
  readonly atGateway: PaymentAtGateway;
  /** Oldest first. */
  readonly refunds: readonly Refund[];
  /** The lot that it bought; null: none, or not yet. */
  readonly lot: { readonly lot: GrantedLot; readonly use: LotUse } | null;
}

export const shownPayment = noun({
  account_id: accountId,
  ...paymentOfAccountFields,
  attempted_at: instant,
  settled_at: instant.nullable(),
  next_try_at: instant.nullable(),
  gateway: z.string().nullable(),
  gateway_payment: z.string().nullable(),
  customer: z.string().nullable(),
  method: z.string().nullable(),
  lot: lot.nullable(),
  refunds: z.array(refund),
});

export function toShownPayment({ payment, atGateway, refunds, lot: bought }: ShownPayment) {
  const posted = refunds.filter(({ status }) => status === "posted");
  const refunded = posted.reduce((sum, { amount }) => sum + amount, 0n);
  return {
    ...toPaymentOfAccount({ ...payment, refunded }),
    ...atGateway,
    lot: bought && { ...bought.lot, ...bought.use },
    refunds: refunds.map(toRefund),
  };
}

export function shownText({ payment, atGateway, refunds, lot: bought }: ShownPayment): string {
  const parts = [headText(payment, atGateway)];
  if (bought !== null) parts.push(lotText(bought));
  parts.push(refunds.length === 0 ? "It has no refunds." : refundTable(payment, refunds));
  return parts.join("\n\n");
}

/** "fee of growth for 1 period", "top-up by hand" */
export function purposeText(payment: Payment): string {
  if (payment.kind === "fee") {
    return `fee of ${payment.planId} for ${countOf(payment.periods, "period")}`;
  }
  return isAutomatic(payment) ? "automatic top-up" : "top-up by hand";
}

function headText(payment: Payment, atGateway: PaymentAtGateway): string {
  const { paymentId, status, amount, currency, attempt, reason, createdAt } = payment;
  const { requestedBy = null } = payment;
  const { gateway, gatewayPayment, customer, method, settledAt, nextTryAt } = atGateway;
  return fields([
    ["payment", paymentId],
    ["account", payment.accountId],
    ["for", purposeText(payment)],
    ["status", status],
    ["reason", reason === "" ? "none" : reason],
    ["amount", moneyText(amount, currency)],
    ...(payment.kind === "top_up" ? [["credits", formatCredits(payment.credits)] as const] : []),
    ...(requestedBy === null ? [] : [["requested by", requestedBy] as const]),
    ["attempt", String(attempt)],
    ["paid with", method === null ? "nothing yet" : `${method} of ${customer}`],
    [
      "gateway",
      gateway === null ? "not called yet" : `${gateway}, ${gatewayPayment ?? "no id yet"}`,
    ],
    ["created", formatInstant(createdAt)],
    ["settled", formatInstant(settledAt, "not yet")],
    ["next try", formatInstant(nextTryAt, "none")],
  ]);
}

function lotText({ lot: bought, use }: NonNullable<ShownPayment["lot"]>): string {
  return fields([
    ["lot", bought.lotId],
    ["credits", formatCredits(bought.credits)],
    ["used", formatCredits(use.used)],
    ["expired", formatCredits(use.expired)],
    ["withdrawn", formatCredits(use.withdrawn)],
    ["left", formatCredits(use.remaining)],
    ["ends", formatInstant(bought.expiresAt)],
  ]);
}

function refundTable({ currency }: Payment, refunds: readonly Refund[]): string {
  return table(refunds, [
    ["REFUNDED BY", ({ kind }) => kind],
    ["ID", ({ refundId }) => refundId],
    ["STATUS", ({ status }) => status],
    ["AMOUNT", ({ amount }) => moneyText(amount, currency), "right"],
    ["WITHDRAWN", ({ withdrawn }) => formatCredits(withdrawn), "right"],
    ["OWED", ({ owed }) => formatCredits(owed), "right"],
    ["REQUESTED", ({ createdAt }) => formatInstant(createdAt)],
    ["BY", ({ askedBy }) => askedBy],
    ["POSTED", ({ postedAt }) => formatInstant(postedAt, "not yet")],
    ["REASON", ({ reason }) => reason],
  ]);
}
