import { z } from "zod";
import type { Account, Instant } from "../core/line/account.ts";
import { balanceOf } from "../core/line/credit-line.ts";
import type { AutoTopUp } from "../core/payments/auto-top-up.ts";
import type { ChargeCurrency } from "../core/payments/charge-limits.ts";
import { autoTopUp, toAutoTopUp } from "./auto-top-up.ts";
import { noun } from "./noun.ts";
import { type ScheduleRead, scheduleFields, toSchedule } from "./subscription.ts";
import { accountId, count, credits, instant } from "./wire.ts";

const lineFields = {
  account_id: accountId,
  balance: credits.meta({ description: "Micro-credits left; below zero it is debt." }),
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
export const listedAccount = noun(listedFields);

/** An account's balance. */
export const balance = noun(balanceFields);

/** An account with its settings and subscription. */
export const accountFields = {
  ...balanceFields,
  time_zone: z.string(),
  currency: z.string(),
  created_at: instant,
  next_due_at: instant.nullable(),
  auto_top_up: autoTopUp,
  payment_method: noun({ set: z.boolean() }),
  crossings: count.meta({ description: "How often the balance has become low." }),
  entries: count.meta({ description: "How many were posted." }),
  live_lots: z.number().int().meta({ description: "Lots with credits left." }),
  ...scheduleFields,
};

export const account = noun(accountFields);

export function toBalance(of: Account) {
  return { ...of, balance: balanceOf(of) };
}

/** What is read of an account to show it. */
interface AccountRead extends ScheduleRead, ChargeCurrency {
  readonly account: Account;
  readonly createdAt: Instant;
  readonly auto: AutoTopUp;
  readonly method: object | null;
  readonly liveLots: number;
}

/** `at`: the instant for prices of the catalogue. */
export function toAccount(read: AccountRead, at: Instant) {
  return {
    ...read,
    ...toBalance(read.account),
    autoTopUp: toAutoTopUp(read.auto, read),
    paymentMethod: { set: read.method !== null },
    ...toSchedule(read, at),
  };
}

/** `lowBalance`: published by the movement; null: none. */
export function toMoved(of: Account, lowBalance: { readonly crossing: bigint } | null) {
  return { ...toBalance(of), crossing: lowBalance?.crossing ?? null };
}

export type AccountData = z.input<typeof account>;
