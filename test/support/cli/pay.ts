import { expect } from "vitest";
import { REFERENCE } from "../../../shared/core/line/reference.ts";
import type { DeclineReason } from "../../../shared/core/payments/decline.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { claimPayments } from "../../../shared/ledger/payments/claim.ts";
import type { PaymentOutcome } from "../../../shared/ledger/payments/open-attempt.ts";
import { readPayment } from "../../../shared/ledger/payments/payments.ts";
import { type GatewayRefund, postRefund } from "../../../shared/ledger/payments/post-refund.ts";
import { topUpByHand } from "../../../shared/ledger/payments/top-up-account.ts";
import type { Books } from "../books/books.ts";
import { settlePayment } from "../books/one-payment.ts";

/** Declined for insufficient funds, or because the card is no longer valid. */
export function declined(reason: DeclineReason, kind: "soft" | "hard" = "soft"): PaymentOutcome {
  return { kind: "declined", gatewayPayment: null, decline: { kind, reason, code: reason } };
}

/** Stores the outcome of a payment's attempt, as the top-up service does. */
export async function settle(
  { database }: Books,
  id: string,
  paymentId: string,
  outcome: PaymentOutcome = { kind: "succeeded", gatewayPayment: `pay_${paymentId}` },
): Promise<void> {
  const payment = await readPayment(database, { accountId: toAccountId(id), paymentId });
  if (payment === null) throw new Error(`account ${id} has no payment ${paymentId}`);
  const settled = await settlePayment(database, payment, outcome, Date.now());
  expect(settled.kind).toBe("settled");
}

const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

/** A further attempt of a fee, whenever it is due, and its outcome. */
export async function tryFee(
  books: Books,
  id: string,
  paymentId: string,
  outcome: PaymentOutcome,
): Promise<void> {
  const claim = { now: Date.now() + YEAR_MS, gateway: "test", limit: 100, leaseMs: 0 };
  const claimed = await claimPayments(books.database, claim);
  expect(claimed.map(({ payment }) => payment.paymentId)).toContain(paymentId);
  await settle(books, id, paymentId, outcome);
}

/** Declines every attempt of a fee, until it is given up. */
export async function giveUpFee(books: Books, id: string, paymentId: string): Promise<void> {
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    await tryFee(books, id, paymentId, declined("insufficient_funds"));
  }
}

/** A paid top-up by hand, in minor units; returns its id. */
export async function topUp(
  books: Books,
  id: string,
  { amount, key }: { readonly amount: bigint; readonly key: string },
): Promise<string> {
  const paymentId = REFERENCE.manualTopUp.write({ key });
  const at = { accountId: toAccountId(id), now: Date.now() };
  const outcome = await topUpByHand(books.database, at, { paymentId, amount });
  expect(outcome.kind).toBe("pending");
  await settle(books, id, paymentId);
  return paymentId;
}

/** Money of a payment was taken back, as the gateway reports. */
export async function wentBack(
  { database }: Books,
  id: string,
  back: Pick<GatewayRefund, "paymentId" | "refundId" | "amount"> & Partial<GatewayRefund>,
): Promise<void> {
  const at = { accountId: toAccountId(id), now: Date.now() };
  const outcome = await postRefund(database, { kind: "refund", ...at, ...back });
  expect(outcome.kind).toBe("posted");
}
