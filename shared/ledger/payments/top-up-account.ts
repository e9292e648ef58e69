import type { AccountId, Instant } from "../../core/line/account.ts";
import type { Refusal } from "../../core/line/refusal.ts";
import { dayOf, startOfDay, startOfMonth } from "../../core/offer/months.ts";
import { USUAL_ATTEMPTS } from "../../core/payments/attempts-by-hand.ts";
import { amountsOf } from "../../core/payments/auto-top-up.ts";
import {
  type AutoTopUpDecision,
  decideAutoTopUp,
  decideManualTopUp,
  type ManualTopUp,
  type ManualTopUpDecision,
  type TopUpContext,
} from "../../core/payments/decide-top-up.ts";
import type { TopUp } from "../../core/payments/payment.ts";
import { type MonthOfTopUps, raiseTopUpMonths } from "../alerts/top-up-alerts.ts";
import { refuseOneMore } from "../books/attempts-by-hand.ts";
import { readAutoTopUps, writeAutoTopUp, writeAutoTopUps } from "../books/auto-top-ups.ts";
import {
  type AccountNow,
  moveAccount,
  moveAccounts,
  type SettledAccount,
  type UnknownAccount,
} from "../books/move-account.ts";
import type { Database, Transaction } from "../postgres/database.ts";
import { together } from "../postgres/together.ts";
import { insertTopUps, lockPayment, readTopUpsSoFar } from "./payments.ts";

/**
 * Settles accounts and stores a pending top-up of each that needs one, all in one transaction. However
 * often this runs, also concurrently, a crossing causes one top-up. Returns the decisions; accounts that
 * do not exist have none. `comparedOn`: the start of the Postgres server whose books were compared with the
 * gateway's charges; on another, which may have been restored, accounts wait. Left out: that is not checked.
 */
export async function topUpIfLow(
  database: Database,
  accountIds: readonly AccountId[],
  now: Instant,
  comparedOn: string | null = null,
): Promise<ReadonlyMap<AccountId, AutoTopUpDecision>> {
  return moveAccounts(database, { accountIds, now }, async (accounts, transaction) => {
    const contexts = await readContexts(transaction, accounts, { now, comparedOn });
    const decided = contexts.map(
      ({ accountId, tries, context }): Decision => ({
        accountId,
        before: context,
        decision: decideAutoTopUp(tries, context),
      }),
    );
    const created = decided.flatMap(({ accountId, decision: { topUp } }) =>
      topUp === null ? [] : [{ accountId, topUp }],
    );
    const changed = decided.filter(({ before, decision }) => isChanged(before, decision));
    const written = changed.map(({ accountId, decision }) => ({ accountId, ...decision }));
    await together([
      insertTopUps(transaction, created, { now, by: null }),
      writeAutoTopUps(transaction, written, now),
    ]);
    await raiseTopUpMonths(transaction, decided.flatMap(monthOf), now);
    return new Map(decided.map(({ accountId, decision }) => [accountId, { decision, step: null }]));
  });
}

/** What the top-ups of the month come to with the one that is decided on; none where nobody asks for it. */
function monthOf({ accountId, before, decision: { topUp } }: Decision): MonthOfTopUps[] {
  const { account, auto, spent, now } = before;
  if (topUp === null || account.alertAt === null) return [];
  const { paymentId: topUpId, amount, currency } = topUp;
  const month = dayOf(now, account.timeZone).toString().slice(0, "2026-09".length);
  const limit = amountsOf(auto, before).perMonth;
  return [{ accountId, topUpId, used: spent.thisMonth + amount, limit, currency, month }];
}

interface Decision {
  readonly accountId: AccountId;
  readonly before: TopUpContext;
  readonly decision: AutoTopUpDecision;
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
  const { accountId, now, by = null } = at;
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
    const [read] = await readContexts(transaction, new Map([[accountId, settled]]), {
      now,
      comparedOn: null,
    });
    if (read === undefined) throw new Error(`the top-ups of ${accountId} were not read`);
    const { context } = read;
    const decision = decideManualTopUp(request, context);
    if (decision.kind === "pending") {
      const refused = await refuseOneMore(transaction, { accountId, now, most });
      if (refused !== null) return { decision: refused, step: null };
      const { topUp, notices } = decision;
      await insertTopUps(transaction, [{ accountId, topUp }], { now, by });
      await writeAutoTopUp(transaction, accountId, { auto: context.auto, notices, now });
    }
    return { decision, step: null };
  });
}

interface ReadContext {
  readonly accountId: AccountId;
  /** The number of the last top-up of the account's newest crossing. */
  readonly tries: number;
  readonly context: TopUpContext;
}

async function readContexts(
  transaction: Transaction,
  accounts: ReadonlyMap<AccountId, SettledAccount>,
  { now, comparedOn }: { readonly now: Instant; readonly comparedOn: string | null },
): Promise<ReadContext[]> {
  const newest = [...accounts].map(
    ([
      accountId,
      {
        book: { account },
      },
    ]) => ({
      accountId,
      crossing: account.crossings,
      today: startOfDay(now, account.timeZone),
      thisMonth: startOfMonth(now, account.timeZone),
    }),
  );
  const [soFar, autoOf] = await together([
    readTopUpsSoFar(transaction, newest, comparedOn),
    readAutoTopUps(transaction, [...accounts.keys()]),
  ]);
  return [...accounts].map(([accountId, { book, posted: _, ...settled }]) => {
    const ofAccount = soFar.get(accountId);
    if (ofAccount === undefined) throw new Error(`the top-ups of ${accountId} were not read`);
    const { tries, ...rest } = ofAccount;
    const { account } = book;
    return {
      ...{ accountId, tries },
      context: { account, ...settled, auto: autoOf(accountId), ...rest, now },
    };
  });
}
