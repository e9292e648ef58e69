import { z } from "zod";
import type { Account } from "../core/line/account.ts";
import { balanceOf } from "../core/line/credit-line.ts";
import { autoTopUp } from "./auto-top-up.ts";
import { noun } from "./noun.ts";
import { scheduleFields } from "./subscription.ts";
import { accountId, count, credits, instant } from "./wire.ts";

const listedFields = {
  account_id: accountId,
  balance: credits.meta({ description: "Micro-credits left; below zero it is debt." }),
  threshold: credits,
  low_balance: z.boolean(),
  version: count,
};

const balanceFields = { ...listedFields, granted: credits, position: credits };

/** An account in a list of them. */
export const listedAccount = noun(listedFields);

/** What an account has left. */
export const balance = noun(balanceFields);

/** An account with all that is set of it. */
export const account = noun({
  ...balanceFields,
  time_zone: z.string(),
  currency: z.string(),
  created_at: instant,
  next_due_at: instant.nullable(),
  auto_top_up: autoTopUp,
  payment_method: noun({ set: z.boolean() }),
  ...scheduleFields,
});

export function toBalance(of: Account) {
  return { ...of, balance: balanceOf(of) };
}

export type AccountData = z.input<typeof account>;
