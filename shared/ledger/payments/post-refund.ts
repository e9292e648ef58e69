import { decideFeeFailed } from "../../core/changes/suspend-subscription.ts";
import type { Instant } from "../../core/line/account.ts";
import { REFERENCE } from "../../core/line/reference.ts";
import type { Settlement } from "../../core/month/settle.ts";
import type { TopUpNotice } from "../../core/payments/auto-top-up.ts";
import { noticeOf } from "../../core/payments/decide-top-up.ts";
import type { FeePayment, TopUp } from "../../core/payments/payment.ts";
import { refundChanged } from "../../core/payments/payment-change.ts";
import { type ReversalOutcome, reverseTopUp } from "../../core/payments/reverse-top-up.ts";
import { readAutoTopUp, writeAutoTopUp } from "../books/auto-top-ups.ts";
import { findLot, readLosses, useOf, withExpiries } from "../books/granted-lots.ts";
import { moveAccount, type SettledAccount, type UnknownAccount } from "../books/move-account.ts";
import { publishPayments } from "../books/publish-payments.ts";
import { type Database, queryRow, type Transaction } from "../postgres/database.ts";
import { lockPayment, type PaymentRef } from "./payments.ts";
import { listRefunds, type Refund, sumOf } from "./refunds.ts";

/** A refund or chargeback that the gateway reports. */
export interface GatewayRefund extends PaymentRef {
  /** As requested here, or else the gateway's id. */
  readonly refundId: string;
  readonly kind: Refund["kind"];
  /** In the currency's minor unit. */
  readonly amount: bigint;
  readonly now: Instant;
}

interface Posted {
  readonly kind: "posted" | "already_posted";
}

/** Who requested a refund that began there. */
const GATEWAY = "gateway";

/**
 * Posts a refund or chargeback once, in one transaction. A top-up's credits are withdrawn or reversed, and
 * auto top-up stops until the customer acts, since it would charge them again immediately. A chargeback of
 * a fee suspends the subscription; a refund of one changes nothing else.
 */
export async function postRefund(
  database: Database,
  back: GatewayRefund,
): Promise<Posted | UnknownAccount> {
  const { accountId, now } = back;
  return moveAccount<Posted>(database, { accountId, now }, async (settled, transaction) => {
    const payment = await lockPayment(transaction, back);
    const refunds = await listRefunds(transaction, back);
    const known = refunds.find(({ refundId }) => refundId === back.refundId);
    if (payment === null || known?.status === "posted") {
      return { decision: { kind: "already_posted" }, step: null };
    }
    const amountBefore = sumOf(refunds.filter(({ status }) => status === "posted"));
    const done =
      payment.kind === "top_up"
        ? await postOfTopUp(transaction, payment, { back, amountBefore }, settled)
        : { step: await postOfFee(transaction, payment, back, settled) };
    const requestedBy = known?.askedBy ?? GATEWAY;
    const posted = { ...back, status: "posted", requestedBy, reason: "" } as const;
    await publishPayments(transaction, [refundChanged(payment, posted)], now);
    return { decision: { kind: "posted" }, ...done, by: known?.askedBy ?? GATEWAY };
  });
}

async function postOfTopUp(
  transaction: Transaction,
  topUp: TopUp,
  { back, amountBefore }: { readonly back: GatewayRefund; readonly amountBefore: bigint },
  { book, posted }: SettledAccount,
): Promise<Pick<ReversalOutcome, "step" | "ended">> {
  const { accountId, now, amount, kind } = back;
  const stored = await findLot(transaction, accountId, REFERENCE.topUpLot.write(topUp));
  if (stored === null) throw new Error(`top-up ${topUp.paymentId} of ${accountId} has no lot`);
  // Settling may have moved it.
  const standing = book.lots.find(({ lotId }) => lotId === stored.lotId) ?? stored;
  const lot = { ...stored, start: standing.start, end: standing.end };
  const losses = withExpiries(await readLosses(transaction, accountId), posted);
  const { position } = book.account;
  const { used, remaining } = useOf(lot, { position, at: now }, losses);
  const spent = used - (await readReversed(transaction, back, lot.lotId));
  const reversal = { amount, amountBefore, reference: REFERENCE.takenBack.write(back) };
  const outcome = reverseTopUp(topUp, reversal, { book, lot, remaining, spent, now });
  await record(transaction, back, outcome);
  const before = await readAutoTopUp(transaction, accountId);
  const stopped = STOPPED[kind];
  const notice: TopUpNotice = noticeOf(topUp, "stopped", stopped);
  const auto = { ...before, stopped, pausedUntil: null, lookAt: null };
  await writeAutoTopUp(transaction, accountId, { auto, notices: [notice], now });
  const { step, ended } = outcome;
  return { step, ended };
}

const STOPPED: Readonly<Record<Refund["kind"], string>> = {
  refund: "A top-up was refunded. Auto top-up has stopped until you switch it on again.",
  chargeback:
    "A payment was taken back by the bank. Auto top-up has stopped until you switch it on again.",
};

async function postOfFee(
  transaction: Transaction,
  fee: FeePayment,
  back: GatewayRefund,
  settled: SettledAccount,
): Promise<Settlement | null> {
  await record(transaction, back, { withdrawn: 0n, owed: 0n });
  if (back.kind === "refund") return null;
  const decision = decideFeeFailed(fee, { ...settled, now: back.now, by: "payments" });
  return decision.kind === "changed" ? decision : null;
}

const REVERSED = `
  SELECT coalesce(-sum(credits), 0)::bigint AS reversed
  FROM entry
  WHERE account_id = $1 AND kind = 'reversal' AND credits < 0 AND lot_id = $2`;

/** How many micro-credits of a lot were reversed before. */
async function readReversed(
  transaction: Transaction,
  { accountId }: PaymentRef,
  lotId: string,
): Promise<bigint> {
  const row = await queryRow<{ reversed: bigint }>(transaction, REVERSED, [accountId, lotId]);
  return row?.reversed ?? 0n;
}

const RECORD = `
  INSERT INTO refund (account_id, refund_id, payment_id, kind, status, amount, withdrawn, owed,
                      reason, asked_by, created_at, posted_at)
  VALUES ($1, $2, $3, $4, 'posted', $5, $6, $7, '', '${GATEWAY}', to_timestamp($8 / 1000.0),
          to_timestamp($8 / 1000.0))
  ON CONFLICT (account_id, payment_id, refund_id) DO UPDATE
  SET status = 'posted',
      amount = excluded.amount,
      withdrawn = excluded.withdrawn,
      owed = excluded.owed,
      reason = '',
      posted_at = excluded.posted_at`;

async function record(
  transaction: Transaction,
  { accountId, refundId, paymentId, kind, amount, now }: GatewayRefund,
  { withdrawn, owed }: Pick<ReversalOutcome, "withdrawn" | "owed">,
): Promise<void> {
  const values = [accountId, refundId, paymentId, kind, amount, withdrawn, owed, now];
  await transaction.query(RECORD, values);
}
