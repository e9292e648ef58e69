import type { Instant } from "../../core/line/account.ts";
import type { Refusal } from "../../core/line/refusal.ts";
import { startOfDay, startOfMonth } from "../../core/offer/months.ts";
import { USUAL_ATTEMPTS } from "../../core/payments/attempts-by-hand.ts";
import {
  type AutoTopUpDecision,
  decideAutoTopUp,
  decideManualTopUp,
  type ManualTopUp,
  type ManualTopUpDecision,
  type TopUpContext,
} from "../../core/payments/decide-top-up.ts";
import type { NewTopUp, TopUp } from "../../core/payments/payment.ts";
import { topUpCreated } from "../../core/payments/payment-change.ts";
import { refuseOneMore } from "../books/attempts-by-hand.ts";
import { readAutoTopUp, writeAutoTopUp } from "../books/auto-top-ups.ts";
import {
  type AccountNow,
  moveAccount,
  type SettledAccount,
  type UnknownAccount,
} from "../books/move-account.ts";
import { publishPayments } from "../books/publish-payments.ts";
import type { Database, Transaction } from "../postgres/database.ts";
import { insertTopUp, lockPayment, readTopUpsSoFar } from "./payments.ts";

/**
 * Settles an account and stores a pending top-up if it needs one, in one transaction. However often this
 * runs, also concurrently, a crossing causes one top-up.
 */
export async function topUpIfLow(
  database: Database,
  at: AccountNow,
): Promise<AutoTopUpDecision | UnknownAccount> {
  return moveAccount(database, at, async (settled, transaction) => {
    const { tries, context } = await readContext(transaction, settled, at.now);
    const decision = decideAutoTopUp(tries, context);
    const { auto, topUp, notices } = decision;
    if (topUp !== null) await store(transaction, { ...at, by: null }, topUp);
    if (isChanged(context, decision)) {
      await writeAutoTopUp(transaction, at.accountId, { auto, notices, now: at.now });
    }
    return { decision, step: null };
  });
}

function isChanged({ auto }: TopUpContext, { auto: after, notices }: AutoTopUpDecision): boolean {
  return (
    notices.length > 0 ||
    auto.lookAt !== after.lookAt ||
    auto.pausedUntil !== after.pausedUntil ||
    auto.stopped !== after.stopped
  );
}

export type ManualTopUpOutcome =
  | ManualTopUpDecision
  /** The same top-up was requested before. */
  | { readonly kind: "already_exists"; readonly topUp: TopUp }
  | Refusal<"top_up_exists" | "too_many_attempts">;

/**
 * Stores a pending top-up that was requested by hand, in one transaction. It is an attempt to pay, of
 * which an account has `most` in an hour.
 */
export async function topUpByHand(
  database: Database,
  at: AccountNow,
  request: ManualTopUp,
  most: number = USUAL_ATTEMPTS,
): Promise<ManualTopUpOutcome | UnknownAccount> {
  const { accountId, now } = at;
  return moveAccount<ManualTopUpOutcome>(database, at, async (settled, transaction) => {
    const standing = await lockPayment(transaction, { accountId, paymentId: request.paymentId });
    if (standing?.kind === "top_up") {
      const { amount, currency } = standing;
      const decision =
        amount === request.amount
          ? ({ kind: "already_exists", topUp: standing } as const)
          : ({ kind: "top_up_exists", amount, currency } as const);
      return { decision, step: null };
    }
    const { context } = await readContext(transaction, settled, now);
    const decision = decideManualTopUp(request, context);
    if (decision.kind === "pending") {
      const refused = await refuseOneMore(transaction, { accountId, now, most });
      if (refused !== null) return { decision: refused, step: null };
      await store(transaction, at, decision.topUp);
      const { notices } = decision;
      await writeAutoTopUp(transaction, accountId, { auto: context.auto, notices, now });
    }
    return { decision, step: null };
  });
}

async function store(
  transaction: Transaction,
  { accountId, now, by = null }: AccountNow,
  topUp: NewTopUp,
): Promise<void> {
  await insertTopUp(transaction, accountId, topUp, { now, by });
  await publishPayments(transaction, [topUpCreated(accountId, topUp, by)], now);
}

async function readContext(
  transaction: Transaction,
  { book, posted: _, ...settled }: SettledAccount,
  now: Instant,
): Promise<{ tries: number; context: TopUpContext }> {
  const { account } = book;
  const { accountId, timeZone } = account;
  const { tries, ...soFar } = await readTopUpsSoFar(transaction, accountId, {
    crossing: account.crossings,
    today: startOfDay(now, timeZone),
    thisMonth: startOfMonth(now, timeZone),
  });
  const auto = await readAutoTopUp(transaction, accountId);
  return { tries, context: { account, ...settled, auto, ...soFar, now } };
}
