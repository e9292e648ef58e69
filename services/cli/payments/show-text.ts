import { z } from "zod";
import { lot } from "../../../shared/contract/lot.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { paymentFields, toPayment } from "../../../shared/contract/payment.ts";
import { refund, toRefund } from "../../../shared/contract/refund.ts";
import { accountId, instant } from "../../../shared/contract/wire.ts";
import type { GrantedLot } from "../../../shared/core/month/grant-credits.ts";
import type { Payment } from "../../../shared/core/payments/payment.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { moneyText } from "../../../shared/core/text/money.ts";
import type { LotUse } from "../../../shared/ledger/books/granted-lots.ts";
import type { PaymentAtGateway } from "../../../shared/ledger/payments/at-gateway.ts";
import type { Refund } from "../../../shared/ledger/payments/refunds.ts";
import { fields, table } from "../shell/print.ts";
import { purposeText } from "./payment-text.ts";

/** A payment with all that hangs on it. */
export interface ShownPayment {
  readonly payment: Payment;
  readonly atGateway: PaymentAtGateway;
  /** Oldest first. */
  readonly refunds: readonly Refund[];
  /** The lot that it brought; null: none, or not yet. */
  readonly lot: { readonly lot: GrantedLot; readonly use: LotUse } | null;
}

export const shownPayment = noun({
  account_id: accountId,
  ...paymentFields,
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

export function toShownPayment({ payment, atGateway, refunds, lot: brought }: ShownPayment) {
  return {
    ...toPayment(payment),
    ...atGateway,
    lot: brought && { ...brought.lot, ...brought.use },
    refunds: refunds.map(toRefund),
  };
}

export function shownText({ payment, atGateway, refunds, lot: brought }: ShownPayment): string {
  const parts = [headText(payment, atGateway)];
  if (brought !== null) parts.push(lotText(brought));
  parts.push(refunds.length === 0 ? "Nothing of it went back." : refundTable(payment, refunds));
  return parts.join("\n\n");
}

function headText(payment: Payment, atGateway: PaymentAtGateway): string {
  const { paymentId, status, amount, currency, attempt, reason, createdAt } = payment;
  const { gateway, gatewayPayment, customer, method, settledAt, nextTryAt } = atGateway;
  const called =
    gateway === null ? "not called yet" : `${gateway}, ${gatewayPayment ?? "no id yet"}`;
  return fields([
    ["payment", paymentId],
    ["account", payment.accountId],
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

function lotText({ lot: brought, use }: NonNullable<ShownPayment["lot"]>): string {
  return fields([
    ["lot", brought.lotId],
    ["credits", formatCredits(brought.credits)],
    ["used", formatCredits(use.used)],
    ["expired", formatCredits(use.expired)],
    ["withdrawn", formatCredits(use.withdrawn)],
    ["left", formatCredits(use.remaining)],
    ["ends", formatInstant(brought.expiresAt)],
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
