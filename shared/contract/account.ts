import { z } from "zod";
import { type Account, type Instant, type Lot, stateVersionOf } from "../core/line/account.ts";
import { availableAt, hasEnded } from "../core/line/available.ts";
import { balanceOf } from "../core/line/credit-line.ts";
import type { ChargeCurrency } from "../core/payments/charge-limits.ts";
import { type AutoTopUpRead, autoTopUp, toAutoTopUp } from "./auto-top-up.ts";
import { noun } from "./noun.ts";
import { type ScheduleRead, scheduleFields, toSchedule } from "./subscription.ts";
import { accountId, count, credits, instant, overdraft, totalCredits } from "./wire.ts";

const lineFields = {
  account_id: accountId,
  balance: credits.meta({
    description:
      "Micro-credits left to use; below zero it is debt. Lots that have ended do not count.",
  }),
  ended: credits.meta({
    description:
      "What lots had left that have ended and whose expiry is not posted yet: granted - position - balance.",
  }),
  held: credits.meta({ description: "What open holds set aside." }),
  available: totalCredits.meta({
    description: "What a hold may still be given of: balance - held. May be below zero.",
  }),
  threshold: credits,
  low_balance: z.boolean(),
};

const listedFields = { ...lineFields, version: count };

const balanceFields = { ...listedFields, granted: credits, position: credits };

/** An account after a movement; `crossing` numbers the low balance that it published. */
export const movedFields = {
  ...lineFields,
  granted: credits,
  position: credits,
  crossing: count.nullable(),
};

/** An account in a list of them. */
export const listedAccount = noun(listedFields).meta({ title: "Listed account" });

/** An account's balance. */
export const balance = noun(balanceFields).meta({ title: "Balance" });

/** An account with its settings and subscription. */
export const accountFields = {
  ...balanceFields,
  time_zone: z.string(),
  currency: z.string(),
  created_at: instant,
  next_due_at: instant.nullable(),
  overdraft: overdraft.nullable(),
  auto_top_up: autoTopUp,
  payment_method: noun({ set: z.boolean() }).meta({ title: "Payment method status" }),
  crossings: count.meta({ description: "How often the balance has become low." }),
  entries: count.meta({ description: "How many were posted." }),
  live_lots: z.number().int().meta({ description: "Lots with credits left to use." }),
  ...scheduleFields,
};

export const account = noun(accountFields).meta({ title: "Account" });

/** `lots`: those with credits left, or none if nothing is due on the account at `at`. */
export function toBalance(of: Account, lots: readonly Lot[], at: Instant) {
  const balance = availableAt(of, lots, at);
  const ended = balanceOf(of) - balance;
  return { ...of, version: stateVersionOf(of), balance, ended, available: balance - of.held };
}

/** What is read of an account to show it. */
interface AccountRead extends ScheduleRead, ChargeCurrency, AutoTopUpRead {
  readonly account: Account;
  readonly createdAt: Instant;
  readonly method: object | null;
  /** Those with credits left. */
  readonly lots: readonly Lot[];
}

/** `at`: the instant for the balance and for prices of the catalogue. */
export function toAccount(read: AccountRead, at: Instant) {
  return {
    ...read,
    ...toBalance(read.account, read.lots, at),
    liveLots: read.lots.filter((lot) => !hasEnded(lot, at)).length,
    autoTopUp: toAutoTopUp(read, read),
    paymentMethod: { set: read.method !== null },
    ...toSchedule(read, at),
  };
}

/** An account after a movement at `at`; `lowBalance`: published by it; null: none. */
export function toMoved(
  { account: of, lots }: { readonly account: Account; readonly lots: readonly Lot[] },
  lowBalance: { readonly crossing: bigint } | null,
  at: Instant,
) {
  return { ...toBalance(of, lots, at), crossing: lowBalance?.crossing ?? null };
}

export type AccountData = z.input<typeof account>;
