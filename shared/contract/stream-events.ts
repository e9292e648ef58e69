import { z } from "zod";
import { newEntryFields } from "./entry.ts";
import { noun } from "./noun.ts";
import { accountId, count, credits, instant, money, totalCredits } from "./wire.ts";

/**
 * The data of a stream's events, by name: the records of the billing topics; of the balance as an account
 * shows it, without lots that have ended.
 */
export const streamEvents = {
  balance: noun({
    account_id: accountId,
    version: count,
    granted: credits,
    position: credits,
    balance: credits,
    ended: credits,
    held: credits,
    available: totalCredits,
    changed_at: instant,
  }),
  credits: noun({
    account_id: accountId,
    ...newEntryFields,
    kind: z.string(),
    posted_at: instant,
    due_at: instant.nullable(),
  }),
  top_up: noun({
    account_id: accountId,
    top_up_id: z.string(),
    status: z.string(),
    amount: money,
    currency: z.string(),
    credits,
    reason: z.string(),
    changed_at: instant,
  }),
  /** Too many events were missed: reload what is shown. */
  reload: noun({}),
} as const;
