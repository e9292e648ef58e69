import { expect } from "vitest";
import type { Instant } from "../../../shared/core/line/account.ts";
import type { DeclineReason } from "../../../shared/core/payments/decline.ts";
import type { PaymentStatus, TopUp } from "../../../shared/core/payments/payment.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { readAutoTopUp } from "../../../shared/ledger/books/auto-top-ups.ts";
import { type ClaimedPayment, claimPayments } from "../../../shared/ledger/payments/claim.ts";
import { setPaymentMethod } from "../../../shared/ledger/payments/methods.ts";
import type { PaymentOutcome } from "../../../shared/ledger/payments/open-attempt.ts";
import { listPayments } from "../../../shared/ledger/payments/payments.ts";
import {
  type ManualTopUpOutcome,
  topUpByHand,
} from "../../../shared/ledger/payments/top-up-account.ts";
import { type Books, openAccount } from "./books.ts";
import { settlePayment } from "./one-payment.ts";

/** Accounts with cards, and the course of their payments, with the clock passed in. */
export const CARD = { customer: "cus_1", method: "card_approve" };
export const PAID: PaymentOutcome = { kind: "succeeded", gatewayPayment: "pay_1" };

/** The answer of a card's bank. */
export function declined(reason: DeclineReason = "insufficient_funds"): PaymentOutcome {
  const kind = reason === "expired" ? "hard" : "soft";
  return { kind: "declined", gatewayPayment: null, decline: { kind, reason, code: reason } };
}

/** Opens an account with a lot in micro-credits and, by default, a card. */
export async function openCardHolder(
  books: Books,
  id: string,
  at: Instant,
  { credits = 100n, threshold = 0n, timeZone = "UTC", card = true } = {},
): Promise<void> {
  await openAccount(books, id, { lots: [{ credits }], threshold, timeZone, at });
  if (card) await giveCard(books, id, at);
}

export async function giveCard(books: Books, id: string, now: Instant, card = CARD): Promise<void> {
  const asked = { accountId: toAccountId(id), now, by: "test" };
  expect(await setPaymentMethod(books.database, asked, card)).toEqual({ kind: "set" });
}

/** A top-up by hand that is pending. */
export async function pendingTopUp(
  books: Books,
  id: string,
  now: Instant,
  { paymentId = "manual:1", amount = 1_000n } = {},
): Promise<TopUp> {
  const outcome = await askTopUp(books, id, now, { paymentId, amount });
  expect(outcome.kind).toBe("pending");
  return newest(books, id);
}

export async function askTopUp(
  { database }: Books,
  id: string,
  now: Instant,
  { paymentId = "manual:1", amount = 1_000n } = {},
): Promise<ManualTopUpOutcome> {
  const outcome = await topUpByHand(
    database,
    { accountId: toAccountId(id), now },
    { paymentId, amount },
  );
  if (outcome.kind === "unknown_account") throw new Error(`there is no account ${id}`);
  return outcome;
}

/** A top-up by hand that is paid. */
export async function paidTopUp(
  books: Books,
  id: string,
  now: Instant,
  asked: { readonly paymentId?: string; readonly amount?: bigint } = {},
): Promise<TopUp> {
  const topUp = await pendingTopUp(books, id, now, asked);
  const settled = await settlePayment(books.database, topUp, PAID, now);
  expect(settled).toEqual({ kind: "settled", status: "succeeded" });
  return topUp;
}

/** The account's newest top-up. */
export async function newest({ database }: Books, id: string): Promise<TopUp> {
  const payments = await listPayments(database, toAccountId(id), 100);
  const found = payments.find(({ kind }) => kind === "top_up");
  if (found?.kind !== "top_up") throw new Error(`${id} has no top-up`);
  const { refunded: _, ...topUp } = found;
  return topUp;
}

/** The account's payments, oldest first: `low-balance:1 succeeded 1000`. */
export async function paymentsOf({ database }: Books, id: string): Promise<string[]> {
  const payments = await listPayments(database, toAccountId(id), 100);
  return payments
    .map(({ paymentId, status, amount }) => `${paymentId} ${status} ${amount}`)
    .reverse();
}

export function autoOf({ database }: Books, id: string) {
  return readAutoTopUp(database, toAccountId(id));
}

/** Claims for a minute what is due, by default for the simulated gateway. */
export function claim(
  { database }: Pick<Books, "database">,
  now: Instant,
  { limit = 100, leaseMs = 60_000, gateway = "simulated" } = {},
): Promise<ClaimedPayment[]> {
  return claimPayments(database, { now, gateway, limit, leaseMs });
}

/** Claims the account's one payment that is due. */
export async function claimOf(books: Books, id: string, now: Instant): Promise<ClaimedPayment> {
  const claimed = await claim(books, now);
  const [first] = claimed.filter(({ payment }) => payment.accountId === id);
  if (first === undefined) throw new Error(`no payment of ${id} is due`);
  return first;
}

/** The columns of a payment's row that decide when it is next due. */
export async function rowOf(
  { database }: Books,
  id: string,
  paymentId: string,
): Promise<{ status: PaymentStatus; attempt: number; calls: number; nextTryAt: Instant | null }> {
  const { rows } = await database.query<{
    status: PaymentStatus;
    attempt: number;
    calls: number;
    nextTryAt: Instant | null;
  }>(
    `SELECT status, attempt, calls, next_try_at AS "nextTryAt"
     FROM payment WHERE account_id = $1 AND payment_id = $2`,
    [id, paymentId],
  );
  if (rows[0] === undefined) throw new Error(`${id} has no payment ${paymentId}`);
  return rows[0];
}

/** The published changes of the account's payments, in order: `1 top_up manual:1 pending 1000`. */
export async function publishedPaymentsOf(
  { database }: Pick<Books, "database">,
  id: string,
): Promise<string[]> {
  const { rows } = await database.query<{ line: string }>(
    `SELECT concat_ws(' ', sequence, change ->> 'kind', change ->> 'payment_id', change ->> 'refund_id',
                      change ->> 'status', change ->> 'amount', change ->> 'requested_by') AS line
     FROM outbox, LATERAL (SELECT record::json) AS published (change)
     WHERE account_id = $1 AND topic = 'billing.payments' ORDER BY sequence`,
    [id],
  );
  return rows.map(({ line }) => line);
}

/** The published events of the account's top-ups, in order: `1 pending low-balance:1`. */
export async function toldOf({ database }: Books, id: string): Promise<string[]> {
  const { rows } = await database.query<{ line: string }>(
    `SELECT concat_ws(' ', sequence, record::json ->> 'status', record::json ->> 'top_up_id') AS line
     FROM outbox WHERE account_id = $1 AND topic = 'billing.top-ups' ORDER BY sequence`,
    [id],
  );
  return rows.map(({ line }) => line);
}
