import type { AccountId, Instant } from "../../core/line/account.ts";
import { recheckAt } from "../../core/payments/attempt.ts";
import type { AutoTopUp } from "../../core/payments/auto-top-up.ts";
import type { Payment, PaymentStatus, TopUp } from "../../core/payments/payment.ts";
import { chargeChanged } from "../../core/payments/payment-change.ts";
import { topUpDeclined, topUpSucceeded } from "../../core/payments/settle-top-up.ts";
import { type ChangedAutoTopUp, readAutoTopUps, writeAutoTopUps } from "../books/auto-top-ups.ts";
import { type Decided, moveAccounts, type SettledAccount } from "../books/move-account.ts";
import { publishPayments } from "../books/publish-payments.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import type { Database, Transaction } from "../postgres/database.ts";
import { together } from "../postgres/together.ts";
import { endFee } from "./end-fee.ts";
import type { OpenAttempt, PaymentEnd, PaymentOutcome } from "./open-attempt.ts";
import { lockPayments } from "./payments.ts";

/** A payment as it was claimed, and the outcome of its attempt. */
export interface AttemptOutcome {
  readonly payment: Payment;
  readonly outcome: PaymentOutcome;
}

export type SettledPayment =
  | { readonly kind: "settled"; readonly status: PaymentStatus }
  /** Another process has settled this attempt. */
  | { readonly kind: "already_settled" };

/**
 * Posts the outcomes of payments' attempts once each, all in one transaction: a top-up's lot, or what a
 * fee means for its subscription, and the notices. Repeating it is safe. Takes at most one payment of an
 * account. Returns what became of each, by account; accounts that do not exist have nothing.
 */
export async function settlePayments(
  database: Database,
  outcomes: readonly AttemptOutcome[],
  now: Instant,
): Promise<ReadonlyMap<AccountId, SettledPayment>> {
  const accountIds = outcomes.map(({ payment }) => payment.accountId);
  if (new Set(accountIds).size < accountIds.length) {
    throw new Error("a set of outcomes has two payments of one account");
  }
  return moveAccounts(database, { accountIds, now }, async (accounts, transaction) => {
    const open = await lockOpen(transaction, outcomes, accounts);
    const ended = await endAll(transaction, open, now);
    const changes = ended.map(({ payment, end }) => chargeChanged(payment, end));
    await together([write(transaction, ended, now), publishPayments(transaction, changes, now)]);
    const decided = new Map<AccountId, Decided<SettledPayment>>();
    for (const accountId of accounts.keys()) {
      decided.set(accountId, { decision: { kind: "already_settled" }, step: null });
    }
    for (const { payment, end } of ended) {
      const { status, step } = end;
      decided.set(payment.accountId, { decision: { kind: "settled", status }, step });
    }
    return decided;
  });
}

/** Those whose attempt nobody has settled. */
async function lockOpen(
  transaction: Transaction,
  outcomes: readonly AttemptOutcome[],
  accounts: ReadonlyMap<AccountId, SettledAccount>,
): Promise<OpenAttempt[]> {
  const refs = outcomes.map(({ payment }) => payment);
  const locked = await lockPayments(transaction, refs);
  return outcomes.flatMap(({ payment: { accountId, attempt }, outcome }) => {
    const settled = accounts.get(accountId);
    const found = locked.get(accountId);
    if (settled === undefined || found === undefined) return [];
    const { payment } = found;
    const isOpen = payment.status === "pending" && payment.attempt === attempt;
    return isOpen ? [{ ...found, outcome, settled }] : [];
  });
}

interface EndedAttempt extends OpenAttempt {
  readonly end: PaymentEnd;
}

/** Ends the attempts, and writes what they mean for auto top-up. */
async function endAll(
  transaction: Transaction,
  open: readonly OpenAttempt[],
  now: Instant,
): Promise<EndedAttempt[]> {
  const topUps = open.filter(({ payment }) => payment.kind === "top_up");
  const ids = topUps.map(({ payment }) => payment.accountId);
  const autoOf = await readAutoTopUps(transaction, ids);
  const changed: ChangedAutoTopUp[] = [];
  const ended: EndedAttempt[] = [];
  for (const attempt of open) {
    const { payment } = attempt;
    const { accountId } = payment;
    if (payment.kind === "fee") {
      ended.push({ ...attempt, end: await endFee(transaction, payment, attempt, now) });
    } else {
      const { auto, notices, end } = endTopUp(payment, attempt, autoOf(accountId), now);
      changed.push({ accountId, auto, notices });
      ended.push({ ...attempt, end });
    }
  }
  await writeAutoTopUps(transaction, changed, now);
  return ended;
}

function endTopUp(
  topUp: TopUp,
  { calls, nextTryAt, outcome, settled }: OpenAttempt,
  before: AutoTopUp,
  now: Instant,
) {
  if (outcome.kind === "succeeded") {
    const { step, reason, ...after } = topUpSucceeded(topUp, before, settled.book, now);
    const next = recheckAt({ calls, nextTryAt }, now);
    const end: PaymentEnd = { status: "succeeded", reason, nextTryAt: next, step };
    return { ...after, end };
  }
  const { step, reason, ...after } = topUpDeclined(topUp, before, outcome.decline, now);
  const end: PaymentEnd = { status: "failed", reason, nextTryAt: null, step };
  return { ...after, end };
}

const WRITE = `
  UPDATE payment
  SET status = ended.status,
      reason = ended.reason,
      next_try_at = to_timestamp(ended.next_try_at / 1000.0),
      gateway_payment = coalesce(ended.gateway_payment, payment.gateway_payment),
      settled_at = to_timestamp(ended.settled_at / 1000.0)
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::bigint[])
    AS ended (account_id, payment_id, status, reason, next_try_at, gateway_payment, settled_at)
  WHERE payment.account_id = ended.account_id AND payment.payment_id = ended.payment_id`;

async function write(
  transaction: Transaction,
  ended: readonly EndedAttempt[],
  now: Instant,
): Promise<void> {
  if (ended.length === 0) return;
  const rows = ended.map(({ payment: { accountId, paymentId }, outcome, end }) => {
    const { step: _, ...state } = end;
    const settledAt = end.status === "retrying" ? null : now;
    return { accountId, paymentId, ...state, settledAt, gatewayPayment: outcome.gatewayPayment };
  });
  const state = columnsOf(rows, "accountId", "paymentId", "status", "reason", "nextTryAt");
  const values = [...state, ...columnsOf(rows, "gatewayPayment", "settledAt")];
  const declined = rows.filter(
    ({ status, gatewayPayment }) => status !== "succeeded" && gatewayPayment !== null,
  );
  await together([
    transaction.query({ name: "settle-payments", text: WRITE, values }),
    forgetDeclined(transaction, declined),
  ]);
}

const FORGET_DECLINED = `
  DELETE FROM unmatched_charge AS charge
  USING unnest($1::text[], $2::text[]) AS declined (account_id, gateway_payment)
  WHERE charge.account_id = declined.account_id AND charge.gateway_payment = declined.gateway_payment`;

/** A charge that the books lacked while it was under way: declined, it took no money, and stands in nothing's way. */
async function forgetDeclined(
  transaction: Transaction,
  declined: readonly { readonly accountId: AccountId; readonly gatewayPayment: string | null }[],
): Promise<void> {
  if (declined.length === 0) return;
  const values = columnsOf(declined, "accountId", "gatewayPayment");
  await transaction.query({ name: "forget-declined", text: FORGET_DECLINED, values });
}
